// Messages of a link: envelopes out and in. Outlives a connection: after a rebuild another channel is attached.
import { isAnyArrayBuffer } from 'node:util/types';

import { binding } from '../native/loader';
import type { RTCDataChannel } from '../w3c';
import { Backpressure, sendingFailed } from './backpressure';
import type { Calls } from './calls';
import { AgentError, errorFromJson, errorFromStranger, messageOf, nativeAgentCall } from './errors';
import { Inbox } from './events';
import { toJson } from './json';
import type { ResolvedLimits } from './limits';
import { checkMembers, checkName, checkSignal } from './options';
import { readStatus, type AgentStatus } from './status';
import type { AgentMessage, SendOptions } from './types';

/** Types that `send` leaves to `call` and to the keep-alive. */
const RESERVED_TYPES = ['capability_call', 'capability_response', 'heartbeat', 'binary'];

/** What the messages need of their link. */
export interface MessagingHost {
  readonly local: string;
  readonly remote: string;
  readonly limits: ResolvedLimits;
  readonly calls: Calls;
  /** Something can be sent: the link is open and not being closed. */
  readonly usable: boolean;
  /** Why nothing can be sent. */
  gone(): AgentError;
  /** Something has come from the other agent. */
  heard(heartbeat: boolean): void;
  problem(error: AgentError): void;
  /** The other side has said how it is. */
  status(status: AgentStatus): void;
}

/** The conversation with one agent, and the channel that carries it. */
export class Messaging {
  /** State of the protocol. */
  readonly session: InstanceType<typeof binding.AgentSession>;
  /** Received and not read yet. */
  readonly incoming: Inbox<AgentMessage>;
  readonly #host: MessagingHost;
  readonly #backpressure = new Backpressure();
  #channel: RTCDataChannel | undefined;

  constructor(host: MessagingHost) {
    this.#host = host;
    this.session = nativeAgentCall(() => new binding.AgentSession(host.local, host.remote));
    const { unreadMessages: items, unreadBytes: bytes } = host.limits;
    this.incoming = new Inbox<AgentMessage>({ items, bytes }, sizeOf);
  }

  /** Whether a message can be sent without waiting. */
  get hasRoom(): boolean {
    return this.#backpressure.hasRoom;
  }

  /** From now on messages go through this channel, which is open; first of all those that wait. */
  attach(channel: RTCDataChannel): void {
    this.#channel = channel;
    this.#backpressure.attach(channel);
  }

  /** There is no channel for now: what is to be sent waits for the next one. */
  detach(): void {
    this.#channel = undefined;
    this.#backpressure.detach();
  }

  /** Nothing is sent or received any more. */
  close(error: AgentError): void {
    this.#backpressure.fail(error);
    this.incoming.end();
  }

  /** Says that this side lives. A buffer that is full says so too. */
  beat(): void {
    if (!this.hasRoom) return;
    const payload = JSON.stringify({ timestamp: new Date().toISOString() });
    this.#sendRaw(nativeAgentCall(() => this.session.message('heartbeat', payload, {})).text);
  }

  /** Takes what comes through this channel. */
  listen(channel: RTCDataChannel): void {
    channel.binaryType = 'arraybuffer';
    channel.addEventListener('message', ({ data }) => {
      if (typeof data === 'string') this.#receive(data);
      else {
        const metadata = { agentId: this.#host.remote };
        this.#host.heard(false);
        this.#deliver({ type: 'binary', id: '', timestamp: '', payload: data, metadata });
      }
    });
  }

  /** The largest message that the connection takes, in bytes; `Infinity` for any. */
  setMaxMessageSize(bytes: number): void {
    // 0 stands for no limit.
    nativeAgentCall(() => this.session.setMaxMessageSize(Number.isFinite(bytes) ? bytes : 0));
  }

  /** See `Link.send`. */
  async send(payload: unknown, options: SendOptions): Promise<string> {
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
    await this.transmit(() => {
      if (ttl !== undefined && performance.now() - started > ttl * 1000) {
        throw new AgentError('MESSAGE_EXPIRED', `the message could not be sent within its ttl of ${ttl} s`);
      }
      const envelope = { channelId: this.#channel?.label, priority, ttl, correlationId };
      const composed = nativeAgentCall(() => this.session.message(type, json, envelope));
      id = composed.id;
      return composed.text;
    }, signal);
    return id;
  }

  /** Waits for room, then sends what `compose` makes at that moment. @throws AgentError - The link is not open. */
  transmit(compose: () => string, signal?: AbortSignal, _priority?: SendOptions['priority']): Promise<void> {
    return this.#run(() => this.#sendRaw(compose()), signal);
  }

  async #run(send: () => void, signal?: AbortSignal): Promise<void> {
    if (!this.#host.usable) throw this.#host.gone();
    await this.#backpressure.run(send, signal);
  }

  #sendRaw(data: string | ArrayBuffer): void {
    try {
      this.#channel!.send(data);
    } catch (error) {
      throw sendingFailed(error);
    }
  }

  #receive(text: string): void {
    const { calls } = this.#host;
    const received = this.session.receive(text);
    this.#host.heard(received.kind === 'heartbeat');
    switch (received.kind) {
      case 'message':
        this.#receiveMessage(JSON.parse(text) as Partial<AgentMessage>);
        break;
      case 'call':
      case 'response':
      case 'item':
        calls.received(received, JSON.parse(text) as Partial<AgentMessage>);
        break;
      case 'cancel':
      case 'room':
      case 'end':
      case 'failure':
      case 'broken':
        calls.received(received, {});
        break;
      case 'invalid':
        this.#host.problem(errorFromJson(received.error!));
        if (received.reply !== undefined) this.#reply(received.reply);
        break;
      // Heartbeats say only that the other side lives. Duplicates, what has expired and answers that nobody waits
      // for any more are dropped, as the protocol wants it.
    }
  }

  #receiveMessage(message: Partial<AgentMessage>): void {
    if (message.type === 'error') {
      this.#host.problem(errorFromStranger(message.payload));
      return;
    }
    const { type = 'message', id = '', timestamp = '', payload = null } = message;
    const status = type === 'status' ? readStatus(payload) : undefined;
    if (status) {
      this.#host.status(status);
      return;
    }
    const metadata = message.metadata ?? { agentId: this.#host.remote };
    this.#deliver({ type, id, timestamp, payload, metadata });
  }

  #deliver(message: Omit<AgentMessage, 'from'>): void {
    if (this.incoming.push({ ...message, from: this.#host.remote })) return;
    const { unreadMessages, unreadBytes } = this.#host.limits;
    const text = `${unreadMessages} messages or ${unreadBytes / 2 ** 20} MiB wait to be read here; this one was refused`;
    const error = new AgentError('RATE_LIMIT_EXCEEDED', text, { retryable: true });
    this.#host.problem(error);
    const payload = JSON.stringify({
      code: error.code,
      message: text,
      retryable: true,
      details: { messageId: message.id },
    });
    this.#reply(nativeAgentCall(() => this.session.message('error', payload, {})).text);
  }

  /** Somebody may wait for it. Whoever floods us and does not read is stopped by the bound on waiting senders. */
  #reply(text: string): void {
    this.#run(() => this.#sendRaw(text)).catch((error: unknown) => {
      const message = `a refusal was not sent: ${messageOf(error)}`;
      this.#host.problem(new AgentError('PROTOCOL_ERROR', message, { cause: error }));
    });
  }
}

function sizeOf({ payload }: AgentMessage): number {
  // The parsed size of JSON is not known; the count of messages bounds it together with the size of a message.
  return isAnyArrayBuffer(payload) ? payload.byteLength : typeof payload === 'string' ? payload.length * 2 : 64;
}
