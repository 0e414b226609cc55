// Messages of a link: envelopes out and in. Outlives a connection: after a rebuild another channel is attached.
import { isAnyArrayBuffer } from 'node:util/types';

import {
  AgentError,
  checkMembers,
  checkSignal,
  describe,
  messageOf,
  nativeAgentCall,
  toJson,
  type Inbox,
} from '../../base';
import { binding } from '../../native';
import type { RTCDataChannel } from '../../w3c';
import { sendingFailed } from '../channels';
import type { AgentTracing } from '../tracing';
import { checkHead, EnvelopeWriter, URGENCY } from './envelope';
import { FEATURES, STRANGER, type Hello } from './hello';
import { newId } from './ids';
import { LargeText, largeText, MAX_ESCAPED_BYTES_PER_UNIT } from './large-text';
import { presetChannels, type ChannelPreset } from './presets';
import { MessageReceiver, type MessageReceiverHost } from './receiver';
import { SendQueue, type Outgoing, type Posting, type Sendable } from './send-queue';
import type { AgentMessage, SendOptions } from './types';

/** As many as calls may be waiting; somebody who never says hello does not need what would come after. */
const MAX_UNTIL_HELLO = 16_384;

const SEND_OPTIONS = ['type', 'priority', 'ttl', 'correlationId', 'metadata', 'channel', 'signal'];

/** What the messages need of their link. */
export interface MessagingHost extends Omit<MessageReceiverHost, 'session' | 'reply'> {
  readonly local: string;
  /** Says where in a trace a message belongs. */
  readonly tracing: AgentTracing | undefined;
  /** Milliseconds between heartbeats; 0: none. */
  readonly heartbeat: number;
  readonly preset: ChannelPreset;
  /** Something can be sent: the link is open and not being closed. */
  readonly usable: boolean;
  /** Why nothing can be sent. */
  gone(): AgentError;
}

/** The conversation with one agent, and the channel that carries it. */
export class Messaging {
  /** State of the protocol. */
  readonly session: InstanceType<typeof binding.AgentSession>;
  /** What the other side has said about itself. */
  remoteHello: Hello = STRANGER;
  readonly #host: MessagingHost;
  readonly #queue: SendQueue;
  readonly #writer: EnvelopeWriter;
  readonly #receiver: MessageReceiver;
  #channel: RTCDataChannel | undefined;
  #maxMessageSize = 65_536;
  /** The end of a plain envelope on the present channel. */
  #tail = '';
  /** What depends on who the other side is, while that is not known. */
  #untilHello: { feature: string; action: () => void }[] = [];

  constructor(host: MessagingHost) {
    this.#host = host;
    const { limits, local, remote } = host;
    this.session = nativeAgentCall(
      () =>
        new binding.AgentSession(local, remote, {
          dedupeIds: limits.dedupeIds,
          clockSkew: limits.clockSkew,
          messageBytes: limits.messageBytes,
          incompleteBytes: limits.incompleteBytes,
          incompleteMessages: limits.incompleteMessages,
          incompleteIdle: limits.incompleteIdle,
        }),
    );
    this.#writer = new EnvelopeWriter(local);
    // eslint-disable-next-line @typescript-eslint/no-this-alias -- getters of an object literal have a `this` of their own
    const messaging = this;
    this.#queue = new SendQueue({
      labels: presetChannels(host.preset).map(({ label }) => label),
      limits,
      get way() {
        return messaging.#way;
      },
      progress: (id, parts, total, bytes) => host.progress({ direction: 'send', id, parts, total, bytes }),
    });
    this.#receiver = this.#makeReceiver(host);
    this.#limitSize();
  }

  /** Received and not read yet. */
  get incoming(): Inbox<AgentMessage> {
    return this.#receiver.incoming;
  }

  /** Whether a message can be sent without waiting. */
  get hasRoom(): boolean {
    return this.#queue.hasRoom();
  }

  /** What the other side can do beyond the specification; empty until it has said so. */
  get remoteFeatures(): ReadonlySet<string> {
    return this.remoteHello.features;
  }

  /** Acts if the other side has this feature: now, or when it says so. Nothing happens if it never does. */
  ifRemote(feature: string, action: () => void): void {
    if (this.remoteHello !== STRANGER) {
      if (this.remoteFeatures.has(feature)) action();
    } else if (this.#untilHello.length < MAX_UNTIL_HELLO) this.#untilHello.push({ feature, action });
  }

  /** Whether the other side can do this; `undefined` as long as it has not said anything about itself. */
  supports(feature: string): boolean | undefined {
    return this.remoteHello.version === 0 ? undefined : this.remoteHello.features.has(feature);
  }

  /** From now on messages go through this channel, which is open; first of all those that wait. */
  attach(channel: RTCDataChannel): void {
    this.#channel = channel;
    this.#tail = this.#writer.tail(channel.label);
    this.#sayHello(channel);
    this.#queue.attach(channel);
  }

  /** Messages that name this channel go through it. */
  attachSide(channel: RTCDataChannel): void {
    this.#queue.attach(channel);
  }

  /** There is no channel for now: what is to be sent waits for the next one. */
  detach(): void {
    this.#channel = undefined;
    // Somebody else may answer next time, of another version.
    this.remoteHello = STRANGER;
    this.#untilHello = [];
    this.#limitSize();
    this.#queue.detach();
  }

  /** Nothing is sent or received any more. */
  close(error: AgentError): void {
    this.#queue.close(error);
    this.#receiver.close();
  }

  /** Says that this side lives. A buffer that is full says so too. */
  beat(): void {
    if (this.hasRoom) this.#queue.sendNow(this.#heartbeat({}));
  }

  /** Takes what comes through this channel. `heard` is called with the first of it. */
  listen(channel: RTCDataChannel, heard?: () => void): void {
    this.#receiver.listen(channel, heard);
  }

  /** The largest message that the connection takes, in bytes; `Infinity` for any. */
  setMaxMessageSize(bytes: number): void {
    this.#maxMessageSize = bytes;
  }

  /** See `Link.send`. */
  async send(payload: unknown, options?: SendOptions): Promise<string> {
    const signal = options && checkSignal(options.signal, 'signal');
    const posting: Posting = { id: '', urgency: URGENCY.normal, signal };
    const data = this.#compose(payload, options, posting);
    if (signal?.aborted || !this.#sendNow(data, posting.label)) await this.#enqueue(data, posting);
    return posting.id;
  }

  /** See `Link.trySend`. */
  trySend(payload: unknown, options?: SendOptions): boolean {
    if (!this.#host.usable) throw this.#host.gone();
    if (!this.#queue.hasRoom(options?.channel)) return false;
    const posting: Posting = { id: '', urgency: URGENCY.normal };
    const data = this.#compose(payload, options, posting);
    // What is too large to go whole is taken nevertheless: there is room for its first part.
    if (!this.#sendNow(data, posting.label))
      this.#enqueue(data, posting).catch((error: unknown) => this.#notSent(error));
    return true;
  }

  /** See `Link.drained`. */
  drained(): Promise<void> {
    return new Promise((resolve, reject) => {
      if (!this.#host.usable) throw this.#host.gone();
      this.#queue.whenRoom(() => (this.#host.usable ? resolve() : reject(this.#host.gone())));
    });
  }

  /** Resolves when nothing waits to be sent. */
  flushed(): Promise<void> {
    return new Promise((resolve) => this.#queue.whenEmpty(resolve));
  }

  /** Waits for room, then sends what `compose` makes at that moment. @throws AgentError - The link is not open. */
  async transmit(
    compose: () => string,
    signal?: AbortSignal,
    priority: SendOptions['priority'] = 'normal',
  ): Promise<void> {
    if (!this.#host.usable) throw this.#host.gone();
    const posting: Posting = { id: newId(), urgency: URGENCY[priority], signal };
    if (signal?.aborted || !this.#queue.hasRoom()) return await this.#enqueue(compose, posting);
    const text = compose();
    if (!this.#sendNow(text)) await this.#enqueue(text, posting);
  }

  get #way(): { parts: boolean; maxMessageSize: number } {
    return { parts: this.remoteHello.features.has('parts'), maxMessageSize: this.#maxMessageSize };
  }

  /** Bytes that a message of this side may have: what the other side takes if it has said so, else what we would. */
  get #messageBytes(): number {
    return this.remoteHello.maxMessageBytes ?? this.#host.limits.messageBytes;
  }

  #limitSize(): void {
    nativeAgentCall(() => this.session.setMaxMessageSize(this.#messageBytes));
  }

  /** Checks everything that a user has passed, and writes the envelope. */
  #compose(payload: unknown, options: SendOptions | undefined, posting: Posting): Sendable {
    if (options) {
      checkMembers(options, 'the options of send', SEND_OPTIONS);
      checkHead(options);
      this.#checkChannel(options.channel);
      posting.label = options.channel;
      posting.ttl = options.ttl;
      posting.urgency = URGENCY[options.priority ?? 'normal'];
    }
    if (typeof payload === 'object' && (isAnyArrayBuffer(payload) || ArrayBuffer.isView(payload))) {
      if (options) checkMembers(options, 'the options of send for binary data', ['signal', 'priority', 'channel']);
      return payload as ArrayBuffer;
    }
    const context = this.#host.tracing?.current();
    if (context) options = { ...options, metadata: { ...context, ...options?.metadata } };
    const id = (posting.id = newId());
    const label = options?.channel ?? this.#queue.label ?? '';
    const large = largeText(payload);
    if (large) {
      const end = options ? this.#writer.end(label, options) : this.#tail;
      const text = large.within(this.#writer.start(id, options?.type), end);
      return text.units * MAX_ESCAPED_BYTES_PER_UNIT <= this.#messageBytes ? text : this.#checkSize(text.toString());
    }
    const json = toJson(payload, 'the payload');
    const text = options ? this.#writer.full(id, json, label, options) : this.#writer.plain(id, json, this.#tail);
    return this.#checkSize(text);
  }

  #checkSize(text: string): string {
    const limit = this.#messageBytes;
    if (text.length * 3 > limit && Buffer.byteLength(text) > limit) {
      const bytes = Buffer.byteLength(text);
      const reason = `the message has ${bytes} bytes with its envelope, ${limit} are accepted (limits.messageBytes)`;
      throw new AgentError('MESSAGE_TOO_LARGE', reason);
    }
    return text;
  }

  #checkChannel(label: string | undefined): void {
    if (label === undefined || this.#queue.has(label)) return;
    throw new TypeError(`this link sends no messages on a channel ${describe(label)}`);
  }

  #sendNow(data: Sendable, label?: string): boolean {
    if (!this.#host.usable) throw this.#host.gone();
    try {
      return this.#queue.sendNow(data, label);
    } catch (error) {
      const failure = sendingFailed(error);
      // Other channels have filled the buffer of the connection: it waits.
      if (failure instanceof AgentError && failure.code === 'RATE_LIMIT_EXCEEDED') return false;
      throw failure;
    }
  }

  #enqueue(data: Outgoing, posting: Posting): Promise<void> {
    // The caller may change its bytes while they wait.
    const kept = typeof data === 'object' && !(data instanceof LargeText) ? copyOf(data) : data;
    return new Promise((resolve, reject) => this.#queue.push(kept, posting, resolve, reject));
  }

  #notSent(error: unknown): void {
    if (error instanceof AgentError) this.#host.problem(error);
    else this.#host.problem(new AgentError('INTERNAL_ERROR', messageOf(error), { cause: error }));
  }

  #sayHello(channel: RTCDataChannel): void {
    const { heartbeat, limits, preset: channels } = this.#host;
    const ossa = { version: 1, heartbeat, channels, maxMessageBytes: limits.messageBytes, features: FEATURES };
    try {
      channel.send(this.#heartbeat({ metadata: { ossa } }));
    } catch (error) {
      this.#notSent(sendingFailed(error));
    }
  }

  #heartbeat(head: { metadata?: Record<string, unknown> }): string {
    const payload = JSON.stringify({ timestamp: this.#writer.timestamp });
    return this.#writer.full(newId(), payload, this.#channel?.label ?? '', { type: 'heartbeat', ...head });
  }
  #makeReceiver(host: MessagingHost): MessageReceiver {
    return new MessageReceiver({
      session: this.session,
      remote: host.remote,
      limits: host.limits,
      get calls() {
        return host.calls;
      },
      heard: (heartbeat) => host.heard(heartbeat),
      greeted: (hello) => {
        this.#greeted(hello);
        host.greeted(hello);
      },
      inbox: (message, otherwise) => host.inbox(message, otherwise),
      problem: (error) => host.problem(error),
      status: (status) => host.status(status),
      progress: (progress) => host.progress(progress),
      reply: (text) => this.#reply(text),
    });
  }

  #greeted(hello: Hello): void {
    this.remoteHello = hello;
    this.#limitSize();
    this.#receiver.liftStrings();
    for (const { feature, action } of this.#untilHello.splice(0)) this.ifRemote(feature, action);
  }

  /** Somebody may wait for it. Whoever floods us and does not read is stopped by the bound on waiting messages. */
  #reply(text: string): void {
    this.transmit(() => text).catch((error: unknown) => {
      const message = `a refusal was not sent: ${messageOf(error)}`;
      this.#host.problem(new AgentError('PROTOCOL_ERROR', message, { cause: error }));
    });
  }
}

function copyOf(data: ArrayBuffer | ArrayBufferView): ArrayBuffer {
  if (!ArrayBuffer.isView(data)) return data.slice(0);
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice().buffer;
}
