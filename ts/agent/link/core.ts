// What a link is made of, and how the parts work together; `Link` is what users see of it.
import { clearTimeout, setTimeout } from '../../platform';
import { AgentError, orCancelled } from '../../base';
import type { AuthMode } from '../../identity';
import type { SignalingMessage } from '../../signaling';
import type { RTCDataChannel, RTCPeerConnection, RTCTrackEvent } from '../../w3c';
import type { RemoteAgent } from '../auth';
import { Calls, type CallingLink } from '../calls';
import { checkedHeartbeat, Lifeline, type LinkState, type Reconnected, type ReconnectStep } from '../connection';
import { Files } from '../files';
import { LinkMedia } from '../media';
import { Messaging, type AgentStatus } from '../messages';
import { LinkChannels } from './channels';
import type { LinkEvents, LinkHost } from './types';

/** How long a link that has to end still stands, in milliseconds, so that the service can bring the reason across. */
const LAST_WORDS = 500;

/** How long `close()` waits until what was sent has gone out and the other side has agreed. */
const GOODBYE = 2000;

/** Tells the listeners of a link. */
type Emit = <Name extends keyof LinkEvents>(name: Name, ...args: LinkEvents[Name]) => void;

/** The parts of one link, and its life. */
export class LinkCore<Link extends CallingLink> {
  readonly messaging: Messaging;
  readonly calls: Calls<Link>;
  readonly channels: LinkChannels;
  readonly files: Files;
  readonly media: LinkMedia;
  /** Keeps it connected. */
  readonly lifeline: Lifeline;
  /** Resolves when the link is closed. */
  readonly closed: Promise<void>;
  /** Resolves when there is a connection, the first or the next; rejects when the link closes before. */
  opened!: Promise<void>;
  /** The other agent, and how it was proven. */
  remote: RemoteAgent;
  /** What the other agent has said about itself last. */
  status: AgentStatus | undefined;
  /** Why the link is closed, if it was not by choice. */
  error: AgentError | undefined;
  readonly #link: Link;
  readonly #host: LinkHost<Link>;
  readonly #emit: Emit;
  #closing: Promise<void> | undefined;
  /** The connection whose other end has been proven. */
  #trusted: RTCPeerConnection | undefined;
  #resolveOpened!: () => void;
  #rejectOpened!: (error: AgentError) => void;
  #resolveClosed!: () => void;

  constructor(link: Link, emit: Emit, host: LinkHost<Link>, remote: string, sessionId: string | undefined) {
    this.#link = link;
    this.#emit = emit;
    this.#host = host;
    this.remote = { agentId: remote, authenticated: false, how: 'none' };
    this.#await();
    this.closed = new Promise((resolve) => (this.#resolveClosed = resolve));
    this.messaging = this.#makeMessaging();
    this.calls = this.#makeCalls();
    this.channels = this.#makeChannels();
    this.files = this.#makeFiles();
    this.media = this.#makeMedia();
    this.lifeline = this.#makeLifeline(sessionId);
  }

  /** How much the names of others have to be proven to this side. */
  get authMode(): AuthMode {
    return this.#host.guard.mode;
  }

  /** See `Link.close`. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const { state } = this.lifeline;
    if (state !== 'connecting' && state !== 'closed') {
      this.lifeline.sayGoodbye();
      this.calls.close(this.gone());
      // Without a connection nobody would answer.
      if (state !== 'reconnecting') await this.#goodbye(this.messaging.flushed().then(() => this.channels.close()));
    }
    this.end(undefined);
  }

  async #goodbye(done: Promise<void>): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise((resolve) => (timer = setTimeout(resolve, GOODBYE)));
    await Promise.race([done, patience, this.closed]);
    clearTimeout(timer);
  }

  /** Ends the link at once. */
  end(error: AgentError | undefined): void {
    if (this.lifeline.state === 'closed') return;
    this.error = error;
    const opened = this.lifeline.state !== 'connecting';
    this.lifeline.close();
    this.calls.close(this.gone());
    this.#rejectOpened(this.gone());
    this.messaging.close(this.gone());
    this.channels.abandon(error);
    this.channels.incoming.end();
    this.media.close();
    this.files.changed();
    this.#host.closed(this.#link);
    this.#resolveClosed();
    this.#host.logger.info('link closed', { remote: this.remote.agentId, code: error?.code });
    this.#emit('state', 'closed');
    if (opened || error) this.#emit('close', error);
  }

  /** From now on `opened` is the next connection. */
  #await(): void {
    this.opened = new Promise((resolve, reject) => {
      this.#resolveOpened = resolve;
      this.#rejectOpened = reject;
    });
    this.opened.catch(() => undefined);
  }

  /** Why nothing can be done with the link any more. */
  gone(): AgentError {
    if (this.error) return this.error;
    const text = `the link to ${this.remote.agentId} is ${this.lifeline.state === 'connecting' ? 'not open yet' : 'closed'}`;
    return new AgentError('AGENT_UNREACHABLE', text, { retryable: true });
  }

  #makeMessaging(): Messaging {
    // The host is asked while the link lives: a getter of it sees the link as it is then.
    // eslint-disable-next-line @typescript-eslint/no-this-alias -- getters of an object literal have a `this` of their own
    const core = this;
    return new Messaging({
      local: this.#host.agentId,
      remote: this.remote.agentId,
      limits: this.#host.limits,
      tracing: this.#host.tracing,
      heartbeat: this.#host.heartbeat,
      preset: this.#host.channels,
      get calls() {
        return core.calls;
      },
      get usable() {
        return core.lifeline.state !== 'connecting' && core.lifeline.state !== 'closed' && !core.#closing;
      },
      gone: () => this.gone(),
      heard: (heartbeat) => {
        if (heartbeat) this.lifeline.watch?.heartbeat();
        else this.lifeline.watch?.traffic();
      },
      greeted: ({ heartbeat, channels }) => {
        this.lifeline.watch?.announced(checkedHeartbeat(heartbeat));
        this.channels.compare(channels);
        this.files.changed();
      },
      progress: (progress) => this.#emit('progress', progress),
      inbox: (message, otherwise) => this.#host.inbox(this.#link, message, otherwise),
      problem: (error) => this.#problem(error),
      status: (status) => {
        this.status = status;
        this.#emit('status', status);
        this.#host.status(status, this.#link);
      },
    });
  }

  #makeCalls(): Calls<Link> {
    return new Calls({
      session: this.messaging.session,
      hasRoom: () => this.messaging.hasRoom,
      link: this.#link,
      limits: this.#host.limits,
      tracing: this.#host.tracing,
      failAs: this.#host.failAs,
      ifCancels: (action) => this.messaging.ifRemote('cancel', action),
      transmit: (compose, signal, priority) => this.messaging.transmit(compose, signal, priority),
      capability: (name) => this.#host.capability(name),
      problem: (error) => this.#problem(error),
    });
  }

  #makeLifeline(sessionId: string | undefined): Lifeline {
    const { agentId: local, configuration, heartbeat, reconnect } = this.#host;
    const remote = this.remote.agentId;
    // eslint-disable-next-line @typescript-eslint/no-this-alias -- as above
    const core = this;
    const host = {
      local,
      remote,
      configuration,
      heartbeat,
      reconnect,
      get greeted() {
        return core.messaging.remoteHello.version > 0;
      },
      transmit: (message: SignalingMessage) => this.#host.transmit(message),
      prepare: (offerer: boolean) => {
        this.channels.start(offerer);
        this.media.attach();
      },
      announcedTrack: (event: RTCTrackEvent) => this.media.announced(event),
      yielded: () => this.channels.yield(),
      connected: () => this.#confirm(),
      announced: (channel: RTCDataChannel) => {
        if (this.#confirm()) this.channels.announced(channel);
      },
      suspended: (error: AgentError) => {
        if (this.lifeline.state !== 'connecting') this.#await();
        this.calls.lost(error);
        this.channels.suspend(error);
      },
      beat: () => this.messaging.beat(),
      stateChanged: (state: LinkState) => {
        this.#host.logger.info(`link ${state}`, { remote });
        this.files.changed();
        this.#emit('state', state);
      },
      step: (step: ReconnectStep, lost: boolean) => {
        this.#host.logger.info(lost ? 'link reconnecting' : 'link refreshing', { remote, ...step });
        if (lost) this.#emit('reconnecting', step);
        else this.#emit('refresh', step.reason);
      },
      reconnected: (how: Reconnected) => {
        this.#host.logger.info('link reconnected', { remote, ...how });
        this.#emit('reconnected', how);
      },
      end: (error: AgentError | undefined) => this.end(error),
      problem: (error: AgentError) => this.#problem(error),
    };
    return new Lifeline(host, sessionId);
  }

  #makeChannels(): LinkChannels {
    // eslint-disable-next-line @typescript-eslint/no-this-alias -- as above
    const core = this;
    const { limits, channels: preset, heartbeat } = this.#host;
    return new LinkChannels({
      remote: this.remote.agentId,
      preset,
      heartbeat,
      messaging: this.messaging,
      limits,
      get connection() {
        return core.lifeline.connection;
      },
      ready: (channel) => this.#ready(channel),
      lost: () => this.lifeline.channelLost(),
      mismatch: (error) => {
        this.#problem(error);
        this.lifeline.tell(error);
        // The other side learns the reason before it sees the end.
        setTimeout(() => this.end(error), LAST_WORDS).unref();
      },
      file: (channel) => this.files.announced(channel),
      usable: (signal) => this.#usable(signal),
      problem: (error) => this.#problem(error),
    });
  }

  #makeFiles(): Files {
    // eslint-disable-next-line @typescript-eslint/no-this-alias -- as above
    const core = this;
    return new Files({
      remote: this.remote.agentId,
      limits: this.#host.limits,
      tracing: this.#host.tracing,
      get state() {
        return core.lifeline.state;
      },
      maxMessageSize: () => this.lifeline.maxMessageSize,
      supports: (feature) => this.messaging.supports(feature),
      usable: (signal) => this.#usable(signal),
      createChannel: (priority, signal) => this.channels.createForFile(priority, signal),
      gone: () => this.gone(),
      offer: (file) => this.#host.fileOffered(file),
      problem: (error) => this.#problem(error),
    });
  }

  #makeMedia(): LinkMedia {
    // eslint-disable-next-line @typescript-eslint/no-this-alias -- as above
    const core = this;
    return new LinkMedia({
      remote: this.remote.agentId,
      limits: this.#host.limits,
      get connection() {
        return core.lifeline.connection;
      },
      get trusted() {
        return core.#trusted === core.lifeline.connection;
      },
      get gone() {
        return core.lifeline.state === 'closed' ? core.gone() : undefined;
      },
      problem: (error) => this.#problem(error),
    });
  }

  #problem(error: AgentError): void {
    this.#host.logger.warn(error.message, { code: error.code, remote: this.remote.agentId });
    this.#emit('problem', error);
  }

  /** The certificate of the connection must be the one that was signed: otherwise nothing that comes over it counts. */
  #confirm(): boolean {
    if (this.lifeline.state === 'closed') return false;
    try {
      this.remote = this.#host.guard.confirm(this.remote.agentId, this.lifeline.sessionId, this.lifeline.connection);
      return true;
    } catch (error) {
      this.end(error as AgentError);
      return false;
    }
  }

  /** The message channel of the present connection is open. */
  #ready(channel: RTCDataChannel): void {
    if (!this.#confirm()) return;
    const first = this.lifeline.state === 'connecting';
    this.messaging.setMaxMessageSize(this.lifeline.maxMessageSize);
    this.messaging.attach(channel);
    this.lifeline.opened();
    this.#trusted = this.lifeline.connection;
    this.media.confirmed();
    this.#resolveOpened();
    if (first) this.#host.opened(this.#link);
  }

  async #usable(signal: AbortSignal | undefined): Promise<void> {
    if (this.lifeline.state === 'closed') throw this.gone();
    if (this.lifeline.state === 'reconnecting') await orCancelled(this.opened, signal, 'opening a channel');
  }
}
