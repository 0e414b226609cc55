import type { RTCConfiguration, RTCDataChannel, RTCPeerConnection, RTCStatsReport } from '../w3c';
import type { AuthMode, RemoteAgent } from './auth';
import type { Guard } from './auth/guard';
import type { Capability } from './call-registry';
import type { ResultStream } from './call-stream';
import { Calls, checkCall } from './calls';
import type { AgentChannel, ChannelInit } from './channel';
import { AgentError } from './errors';
import { Emitter, type Inbox } from './events';
import { Files, type IncomingFile, type OutgoingFile, type FileSource, type SendFileOptions } from './files';
import type { ResolvedLimits } from './limits';
import { LinkChannels } from './link-channels';
import { Lifeline, type LinkState } from './lifeline';
import type { Logger } from './logger';
import { Messaging } from './messaging';
import { checkMembers, orCancelled } from './options';
import type { ChannelPreset } from './presets';
import { checkedHeartbeat, type ResolvedReconnect } from './reconnect-options';
import type { Reconnected, ReconnectReason, ReconnectStep } from './reconnection';
import type { SignalingMessage } from './signaling';
import { checkStatus, type AgentStatus } from './status';
import type { AgentMessage, CallOptions, FailAs, MessageProgress, SendOptions, TrySendOptions } from './types';

/** How long a link that has to end still stands, in milliseconds, so that the service can bring the reason across. */
const LAST_WORDS = 500;

/** How long `close()` waits until what was sent has gone out and the other side has agreed. */
const GOODBYE = 2000;

/** Events of a {@link Link}. */
export type LinkEvents = {
  /** A message has arrived. Messages are kept for the first listener or iterator. */
  message: [message: AgentMessage];
  /** The other side has opened a channel. Channels are kept for the first listener. */
  channel: [channel: AgentChannel];
  /**
   * The other side offers a file. If nobody listens here, the event `file` of the peer is next; if nobody listens
   * there either, the file is refused with `CAPABILITY_NOT_FOUND`.
   */
  file: [file: IncomingFile];
  /** The other agent has said how it is. Statuses that are not as specified arrive as messages. */
  status: [status: AgentStatus];
  /** A part of a message has been sent or received that is too large to travel whole. */
  progress: [progress: MessageProgress];
  /** The state has changed. */
  state: [state: LinkState];
  /** Something went wrong that the link survives: an error message from the other side, or an invalid one. */
  problem: [error: AgentError];
  /** The connection is lost, and this is being done about it; once for every step. */
  reconnecting: [step: ReconnectStep];
  /** The link works again. */
  reconnected: [how: Reconnected];
  /** The connection works and looks for a better path, because this machine has other addresses or has slept. */
  refresh: [reason: ReconnectReason];
  /** The link is closed: by either side, or because of the error. */
  close: [error?: AgentError];
};

/** What a link needs of its peer. @internal */
export interface LinkHost {
  readonly agentId: string;
  readonly limits: ResolvedLimits;
  readonly logger: Logger;
  readonly guard: Guard;
  readonly configuration: RTCConfiguration;
  readonly channels: ChannelPreset;
  readonly heartbeat: number;
  readonly reconnect: ResolvedReconnect;
  transmit(message: SignalingMessage): Promise<void>;
  /** What failures of calls travel as. */
  readonly failAs: FailAs;
  capability(name: string): Capability | undefined;
  status(status: AgentStatus, link: Link): void;
  opened(link: Link): void;
  /** A file that nobody takes from its link. False: nobody takes it from the peer either. */
  fileOffered(file: IncomingFile): boolean;
  closed(link: Link): void;
  /** Where a message goes that is not for the listeners of the link but for a room. */
  inbox(link: Link, message: Pick<AgentMessage, 'metadata'>): Inbox<AgentMessage> | undefined;
}

/** A connection to another agent. */
export class Link extends Emitter<LinkEvents> implements AsyncIterable<AgentMessage>, AsyncDisposable {
  /** Keeps it connected. @internal */
  readonly lifeline: Lifeline;
  /** Made by the other side. @internal */
  incoming = false;
  /** Calls of `connect` that wait for this link. @internal */
  waiting = 0;

  readonly #host: LinkHost;
  readonly #messaging: Messaging;
  readonly #calls: Calls;
  readonly #channels: LinkChannels;
  readonly #files: Files;
  readonly #closed: Promise<void>;
  #remote: RemoteAgent;
  #status: AgentStatus | undefined;
  #opened!: Promise<void>;
  #error: AgentError | undefined;
  #closing: Promise<void> | undefined;
  #resolveOpened!: () => void;
  #rejectOpened!: (error: AgentError) => void;
  #resolveClosed!: () => void;

  /** @internal */
  constructor(host: LinkHost, remote: string, sessionId: string | undefined) {
    super();
    this.#host = host;
    this.#remote = { agentId: remote, authenticated: false, how: 'none' };
    this.#await();
    this.#closed = new Promise((resolve) => (this.#resolveClosed = resolve));
    this.#messaging = this.#makeMessaging();
    this.#calls = this.#makeCalls();
    this.#channels = this.#makeChannels();
    this.#files = this.#makeFiles();
    this.lifeline = this.#makeLifeline(sessionId);
    this.buffer('message', this.#messaging.incoming);
    this.buffer('channel', this.#channels.incoming);
    this.buffer('file', this.#files.incoming);
  }

  /** The other agent. Who it is counts as proven once the link has been open, and if `authenticated` says so. */
  get remote(): RemoteAgent {
    return this.#remote;
  }

  /** How much the names of others have to be proven to this side. */
  get authMode(): AuthMode {
    return this.#host.guard.mode;
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
    return this.#status;
  }

  /** Calls of this side that wait for an answer. */
  get pendingCalls(): number {
    return this.#calls.counts.pending;
  }

  /** Calls of the other side that run here or wait for their turn. */
  get activeCalls(): number {
    return this.#calls.counts.active;
  }

  /** Resolves when the link has a connection, the first or the next; rejects when it closes before. @internal */
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
    return this.#messaging.send(payload, options);
  }

  /**
   * Sends a message if there is room now. False: nothing was taken; {@link drained} tells when to try again.
   *
   * @throws AgentError - As {@link send}.
   */
  trySend(payload: unknown, options?: TrySendOptions): boolean {
    return this.#messaging.trySend(payload, options);
  }

  /** Resolves when {@link trySend} has room. @throws AgentError - `AGENT_UNREACHABLE` if the link is closed before. */
  drained(): Promise<void> {
    return this.#messaging.drained();
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
    return (await this.#calls.call(capability, input, checkCall(capability, options))) as Result;
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
    return this.#calls.callStream<Item>(capability, input, checkCall(capability, options));
  }

  /** The calls of this link. @internal */
  get calls(): Calls {
    return this.#calls;
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
    await this.#messaging.send(payload, { ...options, type: 'status' });
  }

  /**
   * Opens another channel to the same agent, for raw text and binary data. Resolves when it is open. The other side
   * gets it as the event `channel`, unless it is negotiated: then both sides create it with the same `id`.
   */
  createChannel(label: string, init?: ChannelInit, options: { signal?: AbortSignal } = {}): Promise<AgentChannel> {
    return this.#channels.create(label, init, options);
  }

  /**
   * Sends a file: a path, an open file, a `Blob`, bytes or a stream of bytes. Returns at once; look at `done` of what it
   * returns. Memory stays small at any size, the other side verifies the checksum, and what it has received already
   * is not sent again after a loss of the connection or a restart of either agent.
   *
   * @throws TypeError - An argument is not valid.
   */
  sendFile(source: FileSource, options?: SendFileOptions): OutgoingFile {
    return this.#files.send(source, options);
  }

  /** Takes the files that the other side offers, instead of the event `file`. Ends when the link is closed. */
  files(): AsyncIterableIterator<IncomingFile> {
    return this.#files.incoming.iterate();
  }

  /** W3C statistics of the connection. */
  getStats(): Promise<RTCStatsReport> {
    return this.connection.getStats();
  }

  /** Takes messages in order; ends when the link is closed, with an error if it failed. */
  [Symbol.asyncIterator](): AsyncIterableIterator<AgentMessage> {
    const messages = this.#messaging.incoming.iterate();
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

  async #close(): Promise<void> {
    const { state } = this;
    if (state !== 'connecting' && state !== 'closed') {
      this.lifeline.sayGoodbye();
      this.#calls.close(this.#gone());
      // Without a connection nobody would answer.
      if (state !== 'reconnecting') await this.#goodbye(this.#messaging.flushed().then(() => this.#channels.close()));
    }
    this.#end(undefined);
  }

  async #goodbye(done: Promise<void>): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise((resolve) => (timer = setTimeout(resolve, GOODBYE)));
    await Promise.race([done, patience, this.#closed]);
    clearTimeout(timer);
  }

  #end(error: AgentError | undefined): void {
    if (this.state === 'closed') return;
    this.#error = error;
    const opened = this.state !== 'connecting';
    this.lifeline.close();
    this.#calls.close(this.#gone());
    this.#rejectOpened(this.#gone());
    this.#messaging.close(this.#gone());
    this.#channels.abandon(error);
    this.#channels.incoming.end();
    this.#files.changed();
    this.#host.closed(this);
    this.#resolveClosed();
    this.#host.logger.info('link closed', { remote: this.remote.agentId, code: error?.code });
    this.emit('state', 'closed');
    if (opened || error) this.emit('close', error);
  }

  /** From now on `opened` is the next connection. */
  #await(): void {
    this.#opened = new Promise((resolve, reject) => {
      this.#resolveOpened = resolve;
      this.#rejectOpened = reject;
    });
    this.#opened.catch(() => undefined);
  }

  #gone(): AgentError {
    if (this.#error) return this.#error;
    const text = `the link to ${this.remote.agentId} is ${this.state === 'connecting' ? 'not open yet' : 'closed'}`;
    return new AgentError('AGENT_UNREACHABLE', text, { retryable: true });
  }

  #makeMessaging(): Messaging {
    // The host is asked while the link lives: a getter of it sees the link as it is then.
    // eslint-disable-next-line @typescript-eslint/no-this-alias -- getters of an object literal have a `this` of their own
    const link = this;
    return new Messaging({
      local: this.#host.agentId,
      remote: this.remote.agentId,
      limits: this.#host.limits,
      heartbeat: this.#host.heartbeat,
      preset: this.#host.channels,
      get calls() {
        return link.#calls;
      },
      get usable() {
        return link.state !== 'connecting' && link.state !== 'closed' && !link.#closing;
      },
      gone: () => this.#gone(),
      heard: (heartbeat) => {
        if (heartbeat) this.lifeline.watch?.heartbeat();
        else this.lifeline.watch?.traffic();
      },
      greeted: ({ heartbeat, channels }) => {
        this.lifeline.watch?.announced(checkedHeartbeat(heartbeat));
        this.#channels.compare(channels);
        this.#files.changed();
      },
      progress: (progress) => this.emit('progress', progress),
      inbox: (message) => this.#host.inbox(this, message),
      problem: (error) => this.#problem(error),
      status: (status) => {
        this.#status = status;
        this.emit('status', status);
        this.#host.status(status, this);
      },
    });
  }

  #makeCalls(): Calls {
    return new Calls({
      session: this.#messaging.session,
      hasRoom: () => this.#messaging.hasRoom,
      link: this,
      limits: this.#host.limits,
      failAs: this.#host.failAs,
      ifCancels: (action) => this.#messaging.ifRemote('cancel', action),
      transmit: (compose, signal, priority) => this.#messaging.transmit(compose, signal, priority),
      capability: (name) => this.#host.capability(name),
      problem: (error) => this.#problem(error),
    });
  }

  #makeLifeline(sessionId: string | undefined): Lifeline {
    const { agentId: local, configuration, heartbeat, reconnect } = this.#host;
    const remote = this.remote.agentId;
    // eslint-disable-next-line @typescript-eslint/no-this-alias -- as above
    const link = this;
    const host = {
      local,
      remote,
      configuration,
      heartbeat,
      reconnect,
      get greeted() {
        return link.#messaging.remoteHello.version > 0;
      },
      transmit: (message: SignalingMessage) => this.#host.transmit(message),
      makeChannels: (offerer: boolean) => this.#channels.start(offerer),
      yielded: () => this.#channels.yield(),
      connected: () => this.#confirm(),
      announced: (channel: RTCDataChannel) => {
        if (this.#confirm()) this.#channels.announced(channel);
      },
      suspended: (error: AgentError) => {
        if (this.state !== 'connecting') this.#await();
        this.#calls.lost(error);
        this.#channels.suspend(error);
      },
      beat: () => this.#messaging.beat(),
      stateChanged: (state: LinkState) => {
        this.#host.logger.info(`link ${state}`, { remote });
        this.#files.changed();
        this.emit('state', state);
      },
      step: (step: ReconnectStep, lost: boolean) => {
        this.#host.logger.info(lost ? 'link reconnecting' : 'link refreshing', { remote, ...step });
        if (lost) this.emit('reconnecting', step);
        else this.emit('refresh', step.reason);
      },
      reconnected: (how: Reconnected) => {
        this.#host.logger.info('link reconnected', { remote, ...how });
        this.emit('reconnected', how);
      },
      end: (error: AgentError | undefined) => this.#end(error),
      problem: (error: AgentError) => this.#problem(error),
    };
    return new Lifeline(host, sessionId);
  }

  #makeChannels(): LinkChannels {
    // eslint-disable-next-line @typescript-eslint/no-this-alias -- as above
    const link = this;
    const { limits, channels: preset, heartbeat } = this.#host;
    return new LinkChannels({
      remote: this.remote.agentId,
      preset,
      heartbeat,
      messaging: this.#messaging,
      limits,
      get connection() {
        return link.connection;
      },
      ready: (channel) => this.#ready(channel),
      lost: () => this.lifeline.channelLost(),
      mismatch: (error) => {
        this.#problem(error);
        this.lifeline.tell(error);
        // The other side learns the reason before it sees the end.
        setTimeout(() => this.#end(error), LAST_WORDS).unref();
      },
      file: (channel) => this.#files.announced(channel),
      usable: (signal) => this.#usable(signal),
      problem: (error) => this.#problem(error),
    });
  }

  #makeFiles(): Files {
    // eslint-disable-next-line @typescript-eslint/no-this-alias -- as above
    const link = this;
    return new Files({
      remote: this.remote.agentId,
      limits: this.#host.limits,
      get state() {
        return link.state;
      },
      maxMessageSize: () => this.lifeline.maxMessageSize,
      supports: (feature) => this.#messaging.supports(feature),
      usable: (signal) => this.#usable(signal),
      createChannel: (priority, signal) => this.#channels.createForFile(priority, signal),
      gone: () => this.#gone(),
      offer: (file) => this.#host.fileOffered(file),
      problem: (error) => this.#problem(error),
    });
  }

  #problem(error: AgentError): void {
    this.#host.logger.warn(error.message, { code: error.code, remote: this.remote.agentId });
    this.emit('problem', error);
  }

  /** The certificate of the connection must be the one that was signed: otherwise nothing that comes over it counts. */
  #confirm(): boolean {
    if (this.state === 'closed') return false;
    try {
      this.#remote = this.#host.guard.confirm(this.remote.agentId, this.lifeline.sessionId, this.connection);
      return true;
    } catch (error) {
      this.#end(error as AgentError);
      return false;
    }
  }

  /** The message channel of the present connection is open. */
  #ready(channel: RTCDataChannel): void {
    if (!this.#confirm()) return;
    const first = this.state === 'connecting';
    this.#messaging.setMaxMessageSize(this.lifeline.maxMessageSize);
    this.#messaging.attach(channel);
    this.lifeline.opened();
    this.#resolveOpened();
    if (first) this.#host.opened(this);
  }

  async #usable(signal: AbortSignal | undefined): Promise<void> {
    if (this.state === 'closed') throw this.#gone();
    if (this.state === 'reconnecting') await orCancelled(this.#opened, signal, 'opening a channel');
  }
}
