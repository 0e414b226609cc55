// The transport of the public OSSA reference, rebuilt on our connections: its names, options, events and defaults.
import { randomUUID } from 'node:crypto';
import { EventEmitter } from 'node:events';

import { clearInterval, setInterval } from '../platform';
import { AgentError, messageOf } from '../base';
import type { RTCDataChannel, RTCIceCandidateInit, RTCPeerConnection, RTCPeerConnectionState } from '../w3c';
import { PendingCalls } from './calls';
import { Reassembly } from './chunks';
import { Connection } from './connection';
import { compose, isExpired, OWN_EVENTS, parse, positive, sdpOf, textsOf, type MessageOptions } from './messages';
import type { SignalingMessage, WebRTCMessage, WebRTCMessageType, WebRTCTransportConfig } from './types';

/** The channel that heartbeats and, unless told otherwise, calls go over. */
const CONTROL = 'control';

/** Defaults, those of the reference. */
const CHUNK_SIZE = 16_384;
const HEARTBEAT_INTERVAL = 30_000;
const CALL_TIMEOUT = 30_000;

/** Connections that were replaced by the other side and that it has not ended: each holds sockets and memory. */
const MAX_ABANDONED = 4;

/**
 * A connection to one other agent, with the interface of the public OSSA reference class of this name.
 *
 * Events: `connectionstatechange` (state), `connected`, `disconnected`, `failed`, `closed`, `channel:open` (label),
 * `channel:close` (label), `channel:error` (`{channel, error}`), `capability_call` (message), `capability_response`
 * (message), `error` (an `Error`, or what the other side sent), `message`, `status` and every other type (message),
 * and for those `'*'` (message) as well. An `error` that nobody listens for becomes a warning of the process.
 */
export class WebRTCTransport extends EventEmitter {
  // The reference has these two under the same names, and programs look into them for statistics and buffers.
  private peerConnection: RTCPeerConnection | null = null;
  private dataChannels = new Map<string, RTCDataChannel>();

  readonly #config: Required<WebRTCTransportConfig>;
  readonly #calls = new PendingCalls();
  readonly #reassembly = new Reassembly();
  readonly #listener = (message: SignalingMessage) => void this.#signaled(message);
  #connection: Connection | undefined;
  #heartbeat: NodeJS.Timeout | undefined;
  #listening = false;
  #announced = false;
  #warned = false;
  /** Connections that the other side has replaced, and not ended yet. */
  readonly #abandoned = new Set<Connection>();
  /** Candidates that came before any connection was there. */
  #early: RTCIceCandidateInit[] = [];

  /** @throws TypeError - `chunkSize` or `heartbeatInterval` is not a positive number. */
  constructor(config: WebRTCTransportConfig) {
    super();
    if (typeof (config as WebRTCTransportConfig | null | undefined) !== 'object' || config === null) {
      throw new TypeError('WebRTCTransport needs a configuration: agentId, remoteAgentId and signaling');
    }
    this.#config = {
      agentId: config.agentId,
      remoteAgentId: config.remoteAgentId,
      iceServers: config.iceServers || [{ urls: 'stun:stun.l.google.com:19302' }],
      signaling: config.signaling,
      channels: config.channels || [
        { label: CONTROL, ordered: true },
        { label: 'data', ordered: false, maxRetransmits: 0 },
      ],
      chunkSize: positive(config.chunkSize || CHUNK_SIZE, 'chunkSize'),
      heartbeatInterval: positive(config.heartbeatInterval || HEARTBEAT_INTERVAL, 'heartbeatInterval'),
    };
    this.#listen();
  }

  /** Begins to connect: opens the channels and sends an offer to the other agent. A connection that is there is replaced. */
  async createOffer(): Promise<void> {
    void this.#drop()?.close();
    const connection = this.#connect();
    connection.createChannels(this.#config.channels);
    connection.sessionId = randomUUID();
    connection.offering = true;
    await this.#describe(connection, 'offer');
  }

  /** Answers an offer. A connection that is there is replaced. Called by itself for offers that come by the signaling. */
  async handleOffer(sdp: string): Promise<void> {
    await this.#answer(sdp, undefined);
  }

  /**
   * Takes the answer to the own offer. Called by itself for answers that come by the signaling.
   *
   * @throws Error - There is no connection.
   */
  async handleAnswer(sdp: string): Promise<void> {
    if (!this.#connection) throw new Error('Peer connection not initialized');
    this.#connection.offering = false;
    await this.#connection.accept('answer', sdp);
  }

  /** Adds a candidate of the other agent; one that comes before its description waits for it. */
  async addIceCandidate(candidate: RTCIceCandidateInit): Promise<void> {
    if (this.#connection) await this.#connection.addCandidate(candidate);
    else if (this.#early.length < 256) this.#early.push(candidate);
  }

  /** Closes. Calls that wait are rejected; resolves when what was sent has gone out, after two seconds at most. */
  async close(): Promise<void> {
    this.#config.signaling.off('message', this.#listener);
    this.#listening = false;
    const connection = this.#drop();
    this.#early = [];
    this.#calls.failAll(new Error('Connection closed'));
    for (const abandoned of this.#abandoned) void abandoned.close();
    this.#abandoned.clear();
    if (!connection) return;
    this.emit('connectionstatechange', 'closed');
    this.emit('closed');
    await connection.close();
  }

  /**
   * Sends a message; resolves when it has been given to the connection, which waits as long as 1 MiB is under way.
   *
   * @throws Error - There is no open channel with this label.
   */
  async send<T>(channelLabel: string, type: WebRTCMessageType, payload: T, options?: MessageOptions): Promise<void> {
    await this.#send(channelLabel, type, payload, options ?? {}, randomUUID());
  }

  /**
   * Calls a capability of the other agent and resolves with what it answers.
   *
   * @throws Error - `Capability call timeout` after `timeout` milliseconds (30,000), `Connection closed`, that the channel
   * (`control`) is not open, or what the other side answered, an `AgentError`.
   */
  async invokeCapability<TInput, TOutput>(
    capability: string,
    input: TInput,
    options?: { channel?: string; timeout?: number },
  ): Promise<TOutput> {
    // Some answer under the id of the call and not under its correlation id.
    const id = randomUUID();
    const send = () =>
      this.#send(options?.channel || CONTROL, 'capability_call', { capability, input }, { correlationId: id }, id);
    return (await this.#calls.make(id, options?.timeout || CALL_TIMEOUT, send)) as TOutput;
  }

  /** Whether the connection is up. */
  isConnected(): boolean {
    return this.peerConnection?.connectionState === 'connected';
  }

  /** The state of the connection; `'closed'` before the first and after the last. */
  getConnectionState(): RTCPeerConnectionState {
    return this.peerConnection?.connectionState || 'closed';
  }

  #listen(): void {
    if (this.#listening) return;
    this.#listening = true;
    this.#config.signaling.on('message', this.#listener);
  }

  /** A new connection in the place of the present one. */
  #connect(): Connection {
    this.#listen();
    const host = {
      candidate: (candidate: RTCIceCandidateInit) => this.#signal(connection, { type: 'ice-candidate', candidate }),
      stateChanged: (state: RTCPeerConnectionState) => this.#stateChanged(state),
      channelAdded: (channel: RTCDataChannel) => void this.dataChannels.set(channel.label, channel),
      channelOpened: (label: string) => {
        this.emit('channel:open', label);
        this.#announce();
      },
      channelClosed: (channel: RTCDataChannel) => {
        if (this.dataChannels.get(channel.label) === channel) this.dataChannels.delete(channel.label);
        if (this.dataChannels.size === 0) this.#unreachable('no longer has a channel');
        this.emit('channel:close', channel.label);
      },
      channelFailed: (channel: string, error: Event) => this.emit('channel:error', { channel, error }),
      received: (data: string | ArrayBuffer) => this.#received(data),
    };
    const connection = new Connection(host, this.#config);
    for (const candidate of this.#early.splice(0)) void connection.addCandidate(candidate);
    this.#connection = connection;
    this.peerConnection = connection.pc;
    return connection;
  }

  /** Lets go of the connection, which has yet to be closed. */
  #drop(): Connection | undefined {
    const connection = this.#connection;
    this.#connection = undefined;
    this.peerConnection = null;
    this.#stopHeartbeat();
    this.#announced = false;
    this.#reassembly.clear();
    const labels = [...this.dataChannels].filter(([, { readyState }]) => readyState === 'open').map(([label]) => label);
    this.dataChannels.clear();
    for (const label of labels) this.emit('channel:close', label);
    return connection;
  }

  #abandon(replaced: Connection): void {
    this.#abandoned.add(replaced);
    replaced.abandon(() => this.#abandoned.delete(replaced));
    // A side that begins anew time and again has to live with an end of the oldest.
    const [oldest] = this.#abandoned;
    if (this.#abandoned.size <= MAX_ABANDONED) return;
    this.#abandoned.delete(oldest!);
    void oldest!.close();
  }

  async #answer(sdp: string, sessionId: string | undefined): Promise<void> {
    const replaced = this.#drop();
    if (replaced?.established) this.#abandon(replaced);
    else void replaced?.close();
    const connection = this.#connect();
    connection.sessionId = sessionId;
    // The offering side announces the others.
    connection.createChannels(this.#config.channels.filter(({ negotiated }) => negotiated));
    await connection.accept('offer', sdp);
    await this.#describe(connection, 'answer');
  }

  /** Makes a description and sends it, unless the connection has been replaced meanwhile. */
  async #describe(connection: Connection, type: 'offer' | 'answer'): Promise<void> {
    const { pc } = connection;
    try {
      const description = await (type === 'offer' ? pc.createOffer() : pc.createAnswer());
      await pc.setLocalDescription(description);
      if (connection !== this.#connection) return;
      this.#signal(connection, { type, sdp: description.sdp });
      connection.described();
    } catch (error) {
      if (connection === this.#connection || !this.#connection) throw error;
    }
  }

  #signal({ sessionId }: Connection, message: Pick<SignalingMessage, 'type' | 'sdp' | 'candidate'>): void {
    const { agentId, remoteAgentId, signaling } = this.#config;
    const { type, ...content } = message;
    signaling.emit('message', { type, from: agentId, to: remoteAgentId, ...content, ...(sessionId && { sessionId }) });
  }

  /** A message of the signaling. Never throws or rejects: the emitter belongs to somebody else. */
  async #signaled(message: SignalingMessage): Promise<void> {
    const { agentId, remoteAgentId } = this.#config;
    if (message?.to !== agentId) return;
    // For another transport of this agent. An error may come from the signaling service, which has no name.
    if (message.from !== undefined && message.from !== remoteAgentId) return;
    try {
      await this.#apply(message);
    } catch (error) {
      this.#problem(new Error(`${message.type} not accepted: ${messageOf(error)}`, { cause: error }));
    }
  }

  async #apply(message: SignalingMessage): Promise<void> {
    const connection = this.#connection;
    const offering = connection?.offering ?? false;
    const foreign = message.sessionId !== undefined && message.sessionId !== connection?.sessionId;
    switch (message.type) {
      case 'offer':
        // Both have called at the same time: the agent whose URI sorts higher goes on, the other one gives way.
        if (!offering || this.#config.agentId < this.#config.remoteAgentId)
          await this.#answer(sdpOf(message), message.sessionId);
        break;
      case 'answer':
        // To an offer that has been given up since.
        if (connection && (foreign || !offering)) return;
        await this.handleAnswer(sdpOf(message));
        break;
      case 'ice-candidate':
        if (connection && !foreign) await connection.addCandidate(message.candidate);
        else if (!connection && message.candidate) await this.addIceCandidate(message.candidate);
        break;
      case 'error':
        this.#problem(message.error);
        break;
    }
  }

  #stateChanged(state: RTCPeerConnectionState): void {
    this.emit('connectionstatechange', state);
    if (state === 'connected') this.#announce();
    else if (state === 'disconnected' || state === 'failed' || state === 'closed') {
      this.#announced = false;
      this.#stopHeartbeat();
      if (state !== 'disconnected') this.#unreachable(`is ${state}`);
      this.emit(state);
    }
  }

  /** Calls that wait have to learn that no answer comes. */
  #unreachable(what: string): void {
    const text = `the connection to ${this.#config.remoteAgentId} ${what}`;
    this.#calls.failAll(new AgentError('AGENT_UNREACHABLE', text, { retryable: true }));
  }

  /** `connected` is for listeners that send at once: it waits until the channels are open. */
  #announce(): void {
    if (this.#announced || !this.isConnected() || !this.#connection?.usable) return;
    this.#announced = true;
    this.#startHeartbeat();
    this.emit('connected');
  }

  #startHeartbeat(): void {
    this.#stopHeartbeat();
    this.#heartbeat = setInterval(() => {
      if (this.dataChannels.get(CONTROL)?.readyState !== 'open') return;
      // Nobody waits for it: a connection that is dead shows in its state.
      this.send(CONTROL, 'heartbeat', { timestamp: new Date().toISOString() }).catch(() => undefined);
    }, this.#config.heartbeatInterval);
    this.#heartbeat.unref();
  }

  #stopHeartbeat(): void {
    clearInterval(this.#heartbeat);
    this.#heartbeat = undefined;
  }

  async #send(
    label: string,
    type: WebRTCMessageType,
    payload: unknown,
    options: MessageOptions,
    id: string,
  ): Promise<void> {
    const channel = this.dataChannels.get(label);
    if (!channel) throw new Error(`Data channel '${label}' not found`);
    if (channel.readyState !== 'open') throw new Error(`Data channel '${label}' not open`);
    const { agentId, chunkSize } = this.#config;
    const texts = textsOf(compose(agentId, label, type, payload, options, id), chunkSize);
    const due = options.ttl === undefined ? Infinity : performance.now() + options.ttl * 1000;
    await this.#connection!.send(channel, texts, () => {
      if (performance.now() <= due) return;
      throw new AgentError('MESSAGE_EXPIRED', `the message could not be sent within its ttl of ${options.ttl} s`);
    });
  }

  #received(data: string | ArrayBuffer): void {
    let message: WebRTCMessage | undefined;
    try {
      message = this.#complete(parse(typeof data === 'string' ? data : new TextDecoder().decode(data)));
    } catch (error) {
      this.#problem(new Error(`Failed to parse message: ${String(error)}`, { cause: error }));
    }
    try {
      if (message) this.#process(message);
    } catch (error) {
      // A listener has thrown. That is its program's error, so it is not only warned of.
      if (this.listenerCount('error') === 0) throw error;
      this.emit('error', new Error(`Failed to parse message: ${String(error)}`, { cause: error }));
    }
  }

  /** The message itself, or the one that it is the last piece of. */
  #complete(message: WebRTCMessage): WebRTCMessage | undefined {
    if (!message.metadata?.chunked) return message;
    const text = this.#reassembly.take(message);
    if (text === undefined) return undefined;
    const whole = parse(text);
    if (whole.metadata?.chunked) throw new AgentError('INVALID_MESSAGE', 'a piece of a message is in pieces itself');
    return whole;
  }

  #process(message: WebRTCMessage): void {
    if (isExpired(message)) return;
    const { type, payload } = message;
    const call = [message.metadata?.correlationId, message.id].find((id) => this.#calls.has(id));
    switch (type) {
      case 'heartbeat':
        break;
      case 'capability_call':
        this.emit('capability_call', message);
        break;
      case 'capability_response':
        this.#calls.answered(call, payload);
        this.emit('capability_response', message);
        break;
      case 'error':
        this.#calls.refused(call, payload);
        if (call === undefined || this.listenerCount('error') > 0) this.#problem(payload);
        break;
      default:
        if (!OWN_EVENTS.includes(type)) this.emit(type, message);
        this.emit('*', message);
    }
  }

  /** What nobody listens for must not end the process: the other side could do that with one message. */
  #problem(error: unknown): void {
    if (this.listenerCount('error') > 0) {
      this.emit('error', error);
    } else if (!this.#warned) {
      this.#warned = true;
      const text = error instanceof Error ? error.message : JSON.stringify(error);
      process.emitWarning(`${text}; listen to 'error' to learn of this and what follows`, 'WebRTCTransport');
    }
  }
}
