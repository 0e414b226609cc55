import { isAnyArrayBuffer } from 'node:util/types';

import { binding } from '../native/loader';
import type { RTCDataChannel, RTCPeerConnection, RTCStatsReport } from '../w3c';
import { Backpressure, sendingFailed } from './backpressure';
import { Calls, toJson } from './calls';
import { AgentChannel, channelInit, type ChannelInit } from './channel';
import { AgentError, errorFromJson, messageOf, nativeAgentCall } from './errors';
import { Emitter, Inbox } from './events';
import { Negotiator } from './negotiator';
import { checkMembers, checkMilliseconds, checkName, checkSignal } from './options';
import type { SignalingMessage } from './signaling';
import type { AgentMessage, CallOptions, CapabilityHandler, SendOptions } from './types';

/** The channel of the specification that carries the envelopes. */
const MESSAGE_CHANNEL = 'ossa-channel';

/** Messages that wait for the first listener or for a reader that is slow; more are refused. */
const UNREAD_MESSAGES = { items: 4096, bytes: 16 * 1024 * 1024 };

/** Channels that wait for somebody to take them; more are closed. */
const UNREAD_CHANNELS = { items: 1024, bytes: Infinity };

/** How long `close()` waits until what was sent has gone out and the other side has agreed. */
const GOODBYE = 2000;

/** Default time for the answer to a call, in milliseconds. */
const CALL_TIMEOUT = 30_000;

/** Types that `send` leaves to `call` and to the keep-alive. */
const RESERVED_TYPES = ['capability_call', 'capability_response', 'heartbeat', 'binary'];

/** `'connecting'`, then `'open'`, possibly `'disconnected'` (the network is gone for now) and back, then `'closed'`. */
export type LinkState = 'connecting' | 'open' | 'disconnected' | 'closed';

/** Events of a {@link Link}. */
export type LinkEvents = {
  /** A message has arrived. Messages are kept for the first listener or iterator. */
  message: [message: AgentMessage];
  /** The other side has opened a channel. Channels are kept for the first listener. */
  channel: [channel: AgentChannel];
  /** The state has changed. */
  state: [state: LinkState];
  /** Something went wrong that the link survives: an error message from the other side, or an invalid one. */
  problem: [error: AgentError];
  /** The link is closed: by either side, or because of the error. */
  close: [error?: AgentError];
};

/** What a link needs of its peer. @internal */
export interface LinkHost {
  readonly agentId: string;
  transmit(message: SignalingMessage): Promise<void>;
  handler(capability: string): CapabilityHandler | undefined;
  opened(link: Link): void;
  closed(link: Link): void;
}

/** A connection to another agent. */
export class Link extends Emitter<LinkEvents> implements AsyncIterable<AgentMessage>, AsyncDisposable {
  /** The other agent. It is not authenticated: the signaling service alone vouches for its name. */
  readonly remote: { readonly agentId: string; readonly authenticated: false };
  /** The W3C connection below. */
  readonly connection: RTCPeerConnection;
  /** @internal */
  readonly negotiator: Negotiator;
  /** Names the set-up that made this link; learnt from the other side's offer. @internal */
  sessionId: string | undefined;
  /** Made by the other side. @internal */
  incoming = false;
  /** Calls of `connect` that wait for this link. @internal */
  waiting = 0;

  readonly #host: LinkHost;
  readonly #session: InstanceType<typeof binding.AgentSession>;
  readonly #calls: Calls;
  readonly #messages = new Inbox<AgentMessage>(UNREAD_MESSAGES, sizeOf);
  readonly #incoming = new Inbox<AgentChannel>(UNREAD_CHANNELS);
  readonly #channels = new Set<AgentChannel>();
  readonly #opened: Promise<void>;
  readonly #closed: Promise<void>;
  #channel: RTCDataChannel | undefined;
  #backpressure: Backpressure | undefined;
  #state: LinkState = 'connecting';
  #error: AgentError | undefined;
  #closing: Promise<void> | undefined;
  #resolveOpened!: () => void;
  #rejectOpened!: (error: AgentError) => void;
  #resolveClosed!: () => void;

  /** @internal */
  constructor(host: LinkHost, remote: string, connection: RTCPeerConnection, sessionId: string | undefined) {
    super();
    this.#host = host;
    this.remote = { agentId: remote, authenticated: false };
    this.connection = connection;
    this.sessionId = sessionId;
    this.#session = nativeAgentCall(() => new binding.AgentSession(host.agentId, remote));
    this.#opened = new Promise((resolve, reject) => {
      this.#resolveOpened = resolve;
      this.#rejectOpened = reject;
    });
    this.#opened.catch(() => undefined);
    this.#closed = new Promise((resolve) => (this.#resolveClosed = resolve));
    this.buffer('message', this.#messages);
    this.buffer('channel', this.#incoming);
    this.#calls = this.#makeCalls();
    this.negotiator = this.#makeNegotiator();
    connection.addEventListener('connectionstatechange', () => this.#connectionChanged());
    connection.addEventListener('datachannel', ({ channel }) => this.#channelAnnounced(channel));
  }

  /** The state of the link. */
  get state(): LinkState {
    return this.#state;
  }

  /** Resolves when the link is open; rejects when it closes before. @internal */
  get opened(): Promise<void> {
    return this.#opened;
  }

  /** Resolves when the link is closed. */
  get closed(): Promise<void> {
    return this.#closed;
  }

  /** Why the link is closed, if it was not by choice. */
  get error(): AgentError | undefined {
    return this.#error;
  }

  /** Starts the set-up from this side. @internal */
  start(): void {
    // Reliable, unlike in the specification's example: calls and messages must not get lost.
    this.#useChannel(this.connection.createDataChannel(MESSAGE_CHANNEL, { ordered: true }));
  }

  /**
   * Sends a message when there is room (less than 1 MiB buffered) and resolves then with its id. A payload is any
   * JSON value; binary data is sent as it is, without an envelope and an id.
   *
   * @throws AgentError - `MESSAGE_TOO_LARGE`, `MESSAGE_EXPIRED`, `AGENT_UNREACHABLE` if the link is not open,
   * `TASK_CANCELLED`, `INVALID_MESSAGE` if the payload cannot be written as JSON.
   */
  async send(payload: unknown, options: SendOptions = {}): Promise<string> {
    checkMembers(options, 'the options of send', ['type', 'priority', 'ttl', 'correlationId', 'signal']);
    const { type = 'message', priority, ttl, correlationId } = options;
    const signal = checkSignal(options.signal, 'signal');
    if (isAnyArrayBuffer(payload) || ArrayBuffer.isView(payload)) {
      checkMembers(options, 'the options of send for binary data', ['signal']);
      await this.#run(() => this.#sendRaw(payload as ArrayBuffer), signal);
      return '';
    }
    if (RESERVED_TYPES.includes(checkName(type, 'type'))) throw new TypeError(`"${type}" is not a type for send()`);
    if (ttl !== undefined && !(Number.isFinite(ttl) && ttl > 0)) {
      throw new TypeError(`ttl must be a positive number of seconds, not ${ttl}`);
    }
    if (correlationId !== undefined) checkName(correlationId, 'correlationId');
    const json = toJson(payload, 'the payload');
    const started = performance.now();
    let id = '';
    await this.#transmit(() => {
      if (ttl !== undefined && performance.now() - started > ttl * 1000) {
        throw new AgentError('MESSAGE_EXPIRED', `the message could not be sent within its ttl of ${ttl} s`);
      }
      const envelope = { channelId: this.#channel?.label, priority, ttl, correlationId };
      const composed = nativeAgentCall(() => this.#session.message(type, json, envelope));
      id = composed.id;
      return composed.text;
    }, signal);
    return id;
  }

  /**
   * Calls a capability of the other agent and resolves with its result.
   *
   * @throws AgentError - what the other side answered (`CAPABILITY_NOT_FOUND`, `CAPABILITY_FAILED`, ...), or
   * `TASK_TIMEOUT`, `TASK_CANCELLED`, `AGENT_UNREACHABLE` when the link closes, `MESSAGE_TOO_LARGE`.
   */
  async call<Result = unknown>(capability: string, input?: unknown, options: CallOptions = {}): Promise<Result> {
    checkName(capability, 'capability');
    checkMembers(options, 'the options of call', ['timeout', 'signal']);
    const timeout = checkMilliseconds(options.timeout ?? CALL_TIMEOUT, 'timeout');
    const signal = checkSignal(options.signal, 'signal');
    return (await this.#calls.call(capability, input, timeout, signal)) as Result;
  }

  /**
   * Opens another channel to the same agent, for raw text and binary data. Resolves when it is open. The other side
   * gets it as the event `channel`, unless it is negotiated: then both sides create it with the same `id`.
   */
  async createChannel(
    label: string,
    init?: ChannelInit,
    options: { signal?: AbortSignal } = {},
  ): Promise<AgentChannel> {
    if (typeof label !== 'string') throw new TypeError('the label of a channel must be a string');
    if (label === MESSAGE_CHANNEL)
      throw new TypeError(`the label "${MESSAGE_CHANNEL}" belongs to the messages of the link`);
    checkMembers(options, 'the options of createChannel', ['signal']);
    const signal = checkSignal(options.signal, 'signal');
    const converted = channelInit(init);
    if (this.#state === 'closed') throw this.#gone();
    const channel = new AgentChannel(this.connection.createDataChannel(label, converted));
    this.#adopt(channel);
    return await channel.ready(signal);
  }

  /** W3C statistics of the connection. */
  getStats(): Promise<RTCStatsReport> {
    return this.connection.getStats();
  }

  /** Takes messages in order; ends when the link is closed, with an error if it failed. */
  [Symbol.asyncIterator](): AsyncIterableIterator<AgentMessage> {
    const messages = this.#messages.iterate();
    return {
      ...messages,
      next: async () => {
        const next = await messages.next();
        if (next.done && this.#error) throw this.#error;
        return next;
      },
    };
  }

  /**
   * Closes after what was sent has gone out, for two seconds at most; calls that wait are rejected. Idempotent;
   * resolves when the connection is gone.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** Closes the link at the end of an `await using` block. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Ends the link at once because of an error. @internal */
  fail(error: AgentError): void {
    this.#end(error);
  }

  /** An error of the other agent or of the signaling service. @internal */
  signalingError(error: AgentError): void {
    // A link that is up does not need the service any more.
    if (this.#state === 'connecting') this.#end(error);
    else this.emit('problem', error);
  }

  async #close(): Promise<void> {
    if (this.#state !== 'connecting' && this.#state !== 'closed') {
      const channels = [...this.#channels].map((channel) => channel.close());
      this.#calls.close(this.#gone());
      const channel = this.#channel;
      const done = new Promise((resolve) => channel?.addEventListener('close', resolve));
      channel?.close();
      let timer: NodeJS.Timeout | undefined;
      const patience = new Promise((resolve) => (timer = setTimeout(resolve, GOODBYE)));
      await Promise.race([Promise.all([...channels, done]), patience, this.#closed]);
      clearTimeout(timer);
    }
    this.#end(undefined);
  }

  #end(error: AgentError | undefined): void {
    if (this.#state === 'closed') return;
    this.#error = error;
    const opened = this.#state !== 'connecting';
    this.#state = 'closed';
    this.negotiator.stop();
    this.connection.close();
    this.#calls.close(this.#gone());
    this.#rejectOpened(this.#gone());
    this.#messages.end();
    this.#incoming.end();
    this.#host.closed(this);
    this.#resolveClosed();
    this.emit('state', 'closed');
    if (opened || error) this.emit('close', error);
  }

  #gone(): AgentError {
    if (this.#error) return this.#error;
    const text = `the link to ${this.remote.agentId} is ${this.#state === 'connecting' ? 'not open yet' : 'closed'}`;
    return new AgentError('AGENT_UNREACHABLE', text, { retryable: true });
  }

  #makeCalls(): Calls {
    return new Calls({
      session: this.#session,
      hasRoom: () => this.#backpressure?.hasRoom ?? false,
      transmit: (compose, signal) => this.#transmit(compose, signal),
      handler: (capability) => this.#host.handler(capability),
      context: (capability, id, signal) => ({ from: this.remote.agentId, link: this, capability, id, signal }),
      problem: (error) => this.emit('problem', error),
    });
  }

  #makeNegotiator(): Negotiator {
    const { agentId } = this.#host;
    const to = this.remote.agentId;
    return new Negotiator({
      connection: this.connection,
      // Any order will do as long as both sides see the same one.
      polite: agentId < to,
      transmit: (message) => this.#host.transmit({ ...message, from: agentId, to, sessionId: this.sessionId }),
      yielded: () => {
        // The other side's offer brings its own message channel; two would be one too many.
        if (this.#state !== 'connecting') return;
        const own = this.#channel;
        this.#channel = this.#backpressure = undefined;
        own?.close();
      },
      problem: (text, cause) => this.emit('problem', new AgentError('PROTOCOL_ERROR', text, { cause })),
      fail: (text, cause) => {
        if (this.#state === 'connecting')
          this.#end(cause instanceof AgentError ? cause : new AgentError('PROTOCOL_ERROR', text, { cause }));
        else this.emit('problem', new AgentError('PROTOCOL_ERROR', text, { cause }));
      },
    });
  }

  #channelAnnounced(channel: RTCDataChannel): void {
    if (channel.label === MESSAGE_CHANNEL) {
      // The first one counts; a second one is only listened to.
      if (this.#channel) this.#listen(channel);
      else this.#useChannel(channel);
      return;
    }
    const announced = new AgentChannel(channel);
    this.#adopt(announced);
    if (!this.#incoming.push(announced)) {
      void announced.close();
      const text = `${UNREAD_CHANNELS.items} channels wait for a listener; "${channel.label}" was closed`;
      this.emit('problem', new AgentError('RATE_LIMIT_EXCEEDED', text));
    }
  }

  #adopt(channel: AgentChannel): void {
    this.#channels.add(channel);
    channel.on('close', () => void this.#channels.delete(channel));
  }

  #useChannel(channel: RTCDataChannel): void {
    this.#channel = channel;
    this.#backpressure = new Backpressure(channel);
    this.#listen(channel);
    channel.addEventListener('close', () => {
      if (channel === this.#channel) this.#end(undefined);
    });
    if (channel.readyState === 'open') this.#ready();
    else channel.addEventListener('open', () => channel === this.#channel && this.#ready());
  }

  #listen(channel: RTCDataChannel): void {
    channel.binaryType = 'arraybuffer';
    channel.addEventListener('message', ({ data }) => {
      if (typeof data === 'string') this.#receive(data);
      else
        this.#deliver({
          type: 'binary',
          id: '',
          timestamp: '',
          payload: data,
          metadata: { agentId: this.remote.agentId },
        });
    });
  }

  #ready(): void {
    if (this.#state !== 'connecting') return;
    // 64 KiB where the other side names no limit (RFC 8841, 6.1); 0 stands for none.
    const limit = this.connection.sctp?.maxMessageSize ?? 65_536;
    nativeAgentCall(() => this.#session.setMaxMessageSize(Number.isFinite(limit) ? limit : 0));
    this.#state = 'open';
    this.#resolveOpened();
    this.emit('state', 'open');
    this.#host.opened(this);
  }

  #connectionChanged(): void {
    const { connectionState } = this.connection;
    if (connectionState === 'failed') {
      const text = `the connection to ${this.remote.agentId} failed: no path between the agents works`;
      this.#end(new AgentError('AGENT_UNREACHABLE', text, { retryable: true }));
    } else if (connectionState === 'closed') {
      this.#end(undefined);
    } else if (this.#state === 'open' && connectionState === 'disconnected') {
      this.#state = 'disconnected';
      this.emit('state', 'disconnected');
    } else if (this.#state === 'disconnected' && connectionState === 'connected') {
      this.#state = 'open';
      this.emit('state', 'open');
    }
  }

  /** Calls `send` when there is room. @throws AgentError - The link is not open. */
  async #run(send: () => void, signal?: AbortSignal): Promise<void> {
    const usable = this.#state === 'open' || this.#state === 'disconnected';
    if (!this.#backpressure || !usable || this.#closing) throw this.#gone();
    await this.#backpressure.run(send, signal);
  }

  #transmit(compose: () => string, signal?: AbortSignal): Promise<void> {
    return this.#run(() => this.#sendRaw(compose()), signal);
  }

  #sendRaw(data: string | ArrayBuffer): void {
    try {
      this.#channel!.send(data);
    } catch (error) {
      throw sendingFailed(error);
    }
  }

  #receive(text: string): void {
    const received = this.#session.receive(text);
    switch (received.kind) {
      case 'message':
        this.#receiveMessage(JSON.parse(text) as Partial<AgentMessage>);
        break;
      case 'call': {
        const { payload } = JSON.parse(text) as { payload: { input?: unknown } };
        this.#calls.answer(received.call!, received.capability!, payload.input);
        break;
      }
      case 'response': {
        const { payload } = JSON.parse(text) as { payload?: unknown };
        this.#calls.responded(received.call!, received.wrapped ? (payload as { result: unknown }).result : payload);
        break;
      }
      case 'failure':
        this.#calls.failed(received.call!, received.error!);
        break;
      case 'invalid':
        this.emit('problem', errorFromJson(received.error!));
        if (received.reply !== undefined) this.#reply(received.reply);
        break;
      // Heartbeats say only that the other side lives. Duplicates, what has expired and answers that nobody waits
      // for any more are dropped, as the protocol wants it.
    }
  }

  #receiveMessage(message: Partial<AgentMessage>): void {
    if (message.type === 'error') {
      const { code, message: text, details, retryable } = (message.payload ?? {}) as Record<string, unknown>;
      const error = new AgentError(String(code), String(text), { details, retryable: retryable === true });
      this.emit('problem', error);
      return;
    }
    const { type = 'message', id = '', timestamp = '', payload = null } = message;
    const metadata = message.metadata ?? { agentId: this.remote.agentId };
    this.#deliver({ type, id, timestamp, payload, metadata });
  }

  #deliver(message: Omit<AgentMessage, 'from'>): void {
    if (this.#messages.push({ ...message, from: this.remote.agentId })) return;
    const text = `${UNREAD_MESSAGES.items} messages or 16 MiB wait to be read here; this one was refused`;
    const error = new AgentError('RATE_LIMIT_EXCEEDED', text, { retryable: true });
    this.emit('problem', error);
    const payload = JSON.stringify({
      code: error.code,
      message: text,
      retryable: true,
      details: { messageId: message.id },
    });
    this.#reply(nativeAgentCall(() => this.#session.message('error', payload, {})).text);
  }

  /** Somebody may wait for it. Whoever floods us and does not read is stopped by the bound on waiting senders. */
  #reply(text: string): void {
    this.#run(() => this.#sendRaw(text)).catch((error: unknown) => {
      this.emit(
        'problem',
        new AgentError('PROTOCOL_ERROR', `a refusal was not sent: ${messageOf(error)}`, { cause: error }),
      );
    });
  }
}

function sizeOf({ payload }: AgentMessage): number {
  // The parsed size of JSON is not known; the count of messages bounds it together with the size of a message.
  return isAnyArrayBuffer(payload) ? payload.byteLength : typeof payload === 'string' ? payload.length * 2 : 64;
}
