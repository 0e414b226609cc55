import { checkMembers, Emitter, type AgentError } from '../../base';
import type { AuthMode } from '../../identity';
import type { MediaStream, MediaStreamTrack } from '../../media';
import type { RTCPeerConnection, RTCStatsReport } from '../../w3c';
import type { RemoteAgent } from '../auth';
import { checkCall, type CallOptions, type Calls, type ResultStream } from '../calls';
import type { AgentChannel, ChannelInit } from '../channels';
import type { Lifeline, LinkState } from '../connection';
import type { FileSource, IncomingFile, OutgoingFile, SendFileOptions } from '../files';
import { checkStatus, type AgentMessage, type AgentStatus, type SendOptions, type TrySendOptions } from '../messages';
import type { SentTrack } from '../media';
import { LinkCore } from './core';
import type { LinkEvents, LinkHost } from './types';

/** A connection to another agent. */
export class Link extends Emitter<LinkEvents> implements AsyncIterable<AgentMessage>, AsyncDisposable {
  /** Made by the other side. @internal */
  incoming = false;
  /** Calls of `connect` that wait for this link. @internal */
  waiting = 0;

  readonly #core: LinkCore<Link>;

  /** @internal */
  constructor(host: LinkHost<Link>, remote: string, sessionId: string | undefined) {
    super();
    this.#core = new LinkCore<Link>(this, (name, ...args) => this.emit(name, ...args), host, remote, sessionId);
    this.buffer('message', this.#core.messaging.incoming);
    this.buffer('channel', this.#core.channels.incoming);
    this.buffer('file', this.#core.files.incoming);
    this.buffer('track', this.#core.media.incoming);
  }

  /** Keeps it connected. @internal */
  get lifeline(): Lifeline {
    return this.#core.lifeline;
  }

  /** The other agent. Who it is counts as proven once the link has been open, and if `authenticated` says so. */
  get remote(): RemoteAgent {
    return this.#core.remote;
  }

  /** How much the names of others have to be proven to this side. */
  get authMode(): AuthMode {
    return this.#core.authMode;
  }

  /** The W3C connection below; another one after each rebuild. */
  get connection(): RTCPeerConnection {
    return this.lifeline.connection;
  }

  /** The state of the link. */
  get state(): LinkState {
    return this.lifeline.state;
  }

  /** What the other agent has said about itself last; nothing if it never did. */
  get status(): AgentStatus | undefined {
    return this.#core.status;
  }

  /** Calls of this side that wait for an answer. */
  get pendingCalls(): number {
    return this.#core.calls.counts.pending;
  }

  /** Calls of the other side that run here or wait for their turn. */
  get activeCalls(): number {
    return this.#core.calls.counts.active;
  }

  /** Resolves when the link has a connection, the first or the next; rejects when it closes before. @internal */
  get opened(): Promise<void> {
    return this.#core.opened;
  }

  /** Resolves when the link is closed. */
  get closed(): Promise<void> {
    return this.#core.closed;
  }

  /** Why the link is closed, if it was not by choice. */
  get error(): AgentError | undefined {
    return this.#core.error;
  }

  /** Starts the set-up from this side. @internal */
  start(): void {
    this.lifeline.start();
  }

  /**
   * Sends a message when there is room (less than 1 MiB buffered) and resolves then with its id. A payload is any
   * JSON value; binary data is sent as it is, without an envelope and an id. Until there is room, and while the link
   * reconnects, the message waits: by priority, in the order of the calls within each, within `limits.queuedMessages`
   * and `limits.queuedBytes`, and for its `ttl`.
   *
   * @throws AgentError - `MESSAGE_TOO_LARGE`, `MESSAGE_EXPIRED`, `AGENT_UNREACHABLE` if the link is not open or closes,
   * `TASK_CANCELLED`, `INVALID_MESSAGE` if the payload cannot be written as JSON, `RATE_LIMIT_EXCEEDED` if too much
   * waits already.
   * @throws TypeError - An option is unknown or not valid.
   */
  send(payload: unknown, options?: SendOptions): Promise<string> {
    return this.#core.messaging.send(payload, options);
  }

  /**
   * Sends a message if there is room now. False: nothing was taken; {@link drained} tells when to try again.
   *
   * @throws AgentError - As {@link send}.
   */
  trySend(payload: unknown, options?: TrySendOptions): boolean {
    return this.#core.messaging.trySend(payload, options);
  }

  /** Resolves when {@link trySend} has room. @throws AgentError - `AGENT_UNREACHABLE` if the link is closed before. */
  drained(): Promise<void> {
    return this.#core.messaging.drained();
  }

  /**
   * Calls a capability of the other agent and resolves with its result: any JSON value, as it is or in an object
   * `{result}` or `{capability, result}`, as other implementations send it. A result that streams comes as an array.
   *
   * @throws AgentError - what the other side answered (`CAPABILITY_NOT_FOUND`, `CAPABILITY_FAILED`, ...), or
   * `TASK_TIMEOUT`, `TASK_CANCELLED`, `AGENT_UNREACHABLE` when the connection is lost, `MESSAGE_TOO_LARGE`,
   * `MESSAGE_EXPIRED`, `RATE_LIMIT_EXCEEDED` if too many calls wait already, `INVALID_MESSAGE` if the input cannot be
   * written as JSON.
   */
  async call<Result = unknown>(capability: string, input?: unknown, options: CallOptions = {}): Promise<Result> {
    return (await this.#core.calls.call(capability, input, checkCall(capability, options))) as Result;
  }

  /**
   * Calls a capability of the other agent and gives its result item by item, for `for await`. A slow reader slows the
   * other side down; leaving the loop cancels the call. The call is made when the first item is asked for. An agent
   * that does not stream gives one item, its result.
   *
   * @throws TypeError - An argument is wrong. The loop throws what {@link call} throws, after the items that came
   * before; `PROTOCOL_ERROR` if the other side does not keep to the rules of streams.
   */
  callStream<Item = unknown>(capability: string, input?: unknown, options: CallOptions = {}): ResultStream<Item> {
    return this.#core.calls.callStream<Item>(capability, input, checkCall(capability, options));
  }

  /** The calls of this link. @internal */
  get calls(): Calls<Link> {
    return this.#core.calls;
  }

  /**
   * Says how this agent is; the other one gets it as the event `status`.
   *
   * @throws TypeError - The status is not as specified.
   * @throws AgentError - As {@link send}.
   */
  async sendStatus(status: AgentStatus, options: Pick<SendOptions, 'priority' | 'ttl' | 'signal'> = {}): Promise<void> {
    const payload = checkStatus(status);
    checkMembers(options, 'the options of sendStatus', ['priority', 'ttl', 'signal']);
    await this.#core.messaging.send(payload, { ...options, type: 'status' });
  }

  /**
   * Opens another channel to the same agent, for raw text and binary data. Resolves when it is open. The other side
   * gets it as the event `channel`, unless it is negotiated: then both sides create it with the same `id`.
   */
  createChannel(label: string, init?: ChannelInit, options: { signal?: AbortSignal } = {}): Promise<AgentChannel> {
    return this.#core.channels.create(label, init, options);
  }

  /** Channels of this subprotocol that the other side opens go to `taker`, not to the event `channel`. @internal */
  takeChannels(protocol: string, taker: (channel: AgentChannel) => void): void {
    this.#core.channels.takers.set(protocol, taker);
  }

  /**
   * Sends a file: a path, an open file, a `Blob`, bytes or a stream of bytes. Returns at once; look at `done` of what it
   * returns. Memory stays small at any size, the other side verifies the checksum, and what it has received already
   * is not sent again after a loss of the connection or a restart of either agent.
   *
   * @throws TypeError - An argument is not valid.
   */
  sendFile(source: FileSource, options?: SendFileOptions): OutgoingFile {
    return this.#core.files.send(source, options);
  }

  /** Takes the files that the other side offers, instead of the event `file`. Ends when the link is closed. */
  files(): AsyncIterableIterator<IncomingFile> {
    return this.#core.files.incoming.iterate();
  }

  /**
   * Sends a track of audio or video, on this connection and on those that come after it, beside messages, calls and files. The other side gets
   * the event `track`. Negotiated over the link's own signaling: the signaling service has to be reachable when a track is added or removed.
   *
   * @throws AgentError - `AGENT_UNREACHABLE` if the link is closed.
   * @throws TypeError - An argument is no track or no stream.
   * @throws DOMException - `InvalidAccessError` if the track is sent over this link already.
   */
  addTrack(track: MediaStreamTrack, ...streams: MediaStream[]): SentTrack {
    return this.#core.media.add(track, streams);
  }

  /** W3C statistics of the connection. */
  getStats(): Promise<RTCStatsReport> {
    return this.connection.getStats();
  }

  /** Takes messages in order; ends when the link is closed, with an error if it failed. */
  [Symbol.asyncIterator](): AsyncIterableIterator<AgentMessage> {
    const messages = this.#core.messaging.incoming.iterate();
    return {
      ...messages,
      next: async () => {
        const next = await messages.next();
        if (next.done && this.#core.error) throw this.#core.error;
        return next;
      },
    };
  }

  /**
   * Closes after what was sent has gone out, for two seconds at most; calls that wait are rejected. Idempotent;
   * resolves when the connection is gone.
   */
  close(): Promise<void> {
    return this.#core.close();
  }

  /** Closes the link at the end of an `await using` block. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Ends the link at once because of an error. @internal */
  fail(error: AgentError): void {
    this.#core.end(error);
  }
}
