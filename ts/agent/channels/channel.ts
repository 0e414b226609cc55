import type { Duplex } from 'node:stream';

import { AgentError, cancelled, checkMembers, checkSignal, Emitter, Inbox, onAbort, type Budget } from '../../base';
import type { RTCDataChannel, RTCDataChannelInit } from '../../w3c';
import { Backpressure, sendingFailed } from './backpressure';
import type { StreamChunk } from './streams/pipe';
import { W3C_PRIORITY, type Priority } from './priority';
import type { ChannelData, ChannelPayload } from './types';
import { ChannelStreamsUse, type ChannelDuplexOptions } from './streams/streams';

/** How a channel delivers; the members of W3C's `RTCDataChannelInit`, with our names of priorities. */
export interface ChannelInit extends Omit<RTCDataChannelInit, 'priority'> {
  /** Default: `'normal'`. */
  priority?: Priority;
}

/** Events of an {@link AgentChannel}. */
export type ChannelEvents = {
  /** A message has arrived. Messages are kept for the first listener or iterator. */
  message: [data: ChannelData];
  /** The channel is closed, by either side or with its link; with an error if it failed. */
  close: [error?: AgentError];
};

/** What a message costs while it waits, besides its bytes: empty ones are no way around the bound. */
const OVERHEAD = 64;

const INIT_MEMBERS = [
  'ordered',
  'maxPacketLifeTime',
  'maxRetransmits',
  'protocol',
  'negotiated',
  'id',
  'priority',
] as const;

/** Converts what users pass to W3C's dictionary. */
export function channelInit(init: ChannelInit = {}): RTCDataChannelInit {
  checkMembers(init, 'the init of a channel', INIT_MEMBERS);
  const { priority = 'normal', ...rest } = init;
  if (!Object.hasOwn(W3C_PRIORITY, priority)) {
    throw new TypeError(`${JSON.stringify(priority)} is not a priority: low, normal, high or critical`);
  }
  return { ...rest, priority: W3C_PRIORITY[priority] };
}

/** A data channel of a link: raw text and binary messages both ways, without envelopes. */
export class AgentChannel extends Emitter<ChannelEvents> implements AsyncIterable<ChannelData>, AsyncDisposable {
  readonly #channel: RTCDataChannel;
  readonly #backpressure: Backpressure;
  readonly #streams = new ChannelStreamsUse();
  readonly #inbox: Inbox<ChannelData>;
  readonly #unread: Budget;
  readonly #opened: Promise<void>;
  readonly #closed: Promise<void>;
  #error: AgentError | undefined;
  #over = false;
  #resolveClosed!: () => void;
  #rejectOpened!: (error: AgentError) => void;

  /**
   * `unread`: for what was received and not read yet. A reader that cannot keep up has to be told, and SCTP has one window
   * for all channels of a connection: not reading one would stop the others, and the heartbeats. So the channel closes
   * with an error.
   *
   * @internal
   */
  constructor(channel: RTCDataChannel, unread: Budget) {
    super();
    this.#channel = channel;
    this.#unread = unread;
    const limits = { items: Infinity, bytes: Infinity, budget: unread };
    this.#inbox = new Inbox(
      limits,
      (data) => OVERHEAD + (typeof data === 'string' ? data.length * 2 : data.byteLength),
    );
    channel.binaryType = 'arraybuffer';
    this.#backpressure = new Backpressure(channel);
    this.buffer('message', this.#inbox);
    this.#closed = new Promise((resolve) => (this.#resolveClosed = resolve));
    this.#opened = new Promise((resolve, reject) => {
      this.#rejectOpened = reject;
      if (channel.readyState === 'open') resolve();
      channel.addEventListener('open', () => resolve());
    });
    channel.addEventListener('close', () => this.#end());
    // Whoever waits for it gets the error; nobody has to.
    this.#opened.catch(() => undefined);
    channel.addEventListener('error', (event) => {
      this.#error ??= new AgentError('PROTOCOL_ERROR', event.error.message, { cause: event.error });
    });
    channel.addEventListener('message', (event) => this.#receive(event.data as ChannelData));
  }

  /** The name given by whoever made it. */
  get label(): string {
    return this.#channel.label;
  }

  /** The name of the subprotocol, `''` if there is none. */
  get protocol(): string {
    return this.#channel.protocol;
  }

  /** `'connecting'`, `'open'`, `'closing'` or `'closed'`. */
  get state(): RTCDataChannel['readyState'] {
    return this.#over ? 'closed' : this.#channel.readyState;
  }

  /** Bytes that are queued and not sent yet. */
  get bufferedAmount(): number {
    return this.#channel.bufferedAmount;
  }

  /** The W3C channel below, for its remaining attributes. Do not take its `onmessage` or `binaryType` away. */
  get dataChannel(): RTCDataChannel {
    return this.#channel;
  }

  /** Resolves when the channel can be used; rejects if it closes before. */
  get opened(): Promise<void> {
    return this.#opened;
  }

  /** Resolves when the channel is closed, by whom- and whyever. */
  get closed(): Promise<void> {
    return this.#closed;
  }

  /**
   * Sends one message when there is room (less than 1 MiB buffered) and resolves then. Typed arrays send their own
   * bytes only. Messages are sent in the order of the calls.
   *
   * @throws AgentError - `AGENT_UNREACHABLE` if the channel is not open or closes meanwhile, `MESSAGE_TOO_LARGE`,
   * `TASK_CANCELLED`.
   */
  async send(data: ChannelPayload, options: { signal?: AbortSignal } = {}): Promise<void> {
    checkMembers(options, 'the options of send', ['signal']);
    await this.#backpressure.run(() => this.#send(data), checkSignal(options.signal, 'signal'));
  }

  /** Sends one message if there is room now. False: nothing was taken. */
  trySend(data: ChannelPayload): boolean {
    if (!this.#backpressure.hasRoom) return false;
    this.#send(data);
    return true;
  }

  /**
   * What the other side sends as a WHATWG stream: a `Uint8Array` or a string per message. Cancelling it closes the
   * channel, unless the protocol of the channel is `ossa-stream` (see docs/streams.md).
   */
  get readable(): ReadableStream<StreamChunk> {
    return this.#streams.web(this).readable;
  }

  /** Sends a message per chunk, with backpressure. Closing or aborting it closes the channel, as for `readable`. */
  get writable(): WritableStream<ChannelPayload> {
    return this.#streams.web(this).writable;
  }

  /**
   * The channel as a Node stream, of bytes or (`objectMode`) of messages. `end()` closes the channel after everything
   * has gone out; on a channel of protocol `ossa-stream` it ends this direction only.
   *
   * @throws TypeError - An unknown option, or the channel has streams already.
   */
  duplex(options?: ChannelDuplexOptions): Duplex {
    return this.#streams.duplex(this, options);
  }

  /** Takes messages in order; ends when the channel is closed. */
  [Symbol.asyncIterator](): AsyncIterableIterator<ChannelData> {
    const messages = this.#inbox.iterate();
    return {
      ...messages,
      next: async () => {
        const next = await messages.next();
        if (next.done && this.#error) throw this.#error;
        return next;
      },
    };
  }

  /** Closes after what was sent has gone out; resolves when both sides are done. Idempotent. */
  close(): Promise<void> {
    this.#channel.close();
    return this.#closed;
  }

  /** Closes the channel at the end of an `await using` block. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Resolves when it is open; closes it when the signal fires before. @internal */
  async ready(signal?: AbortSignal): Promise<this> {
    if (signal?.aborted) this.#channel.close();
    const end = onAbort(signal, () => this.#channel.close());
    try {
      await this.#opened;
    } catch (error) {
      throw signal?.aborted ? cancelled(signal, `opening the channel "${this.label}"`) : error;
    } finally {
      end();
    }
    return this;
  }

  /** Ends it at once because its connection is gone, without asking the other side. @internal */
  abandon(error: AgentError | undefined): void {
    if (this.#over) return;
    this.#error ??= error;
    this.#channel.close();
    this.#backpressure.fail(error ?? unreachable(this.label));
    this.#end();
  }

  #end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#inbox.end();
    this.#rejectOpened(this.#error ?? unreachable(this.label));
    this.#resolveClosed();
    this.emit('close', this.#error);
  }

  #send(data: ChannelPayload): void {
    try {
      // The types of W3C's overloads are narrower than their union.
      this.#channel.send(data);
    } catch (error) {
      throw sendingFailed(error);
    }
  }

  #receive(data: ChannelData): void {
    if (this.#over || this.#inbox.push(data)) return;
    const bytes = `${this.#unread.bytes} bytes of the channels of a link may wait to be read (limits.unreadChannelBytes)`;
    const text = `the channel "${this.label}" was closed: ${bytes}; read faster`;
    this.#error ??= new AgentError('RATE_LIMIT_EXCEEDED', text);
    this.#channel.close();
  }
}

function unreachable(label: string): AgentError {
  return new AgentError('AGENT_UNREACHABLE', `the channel "${label}" is closed`, { retryable: true });
}
