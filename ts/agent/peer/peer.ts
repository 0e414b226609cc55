import { AgentError, checkFunction, checkLogger, checkMembers, Emitter, Inbox } from '../../base';
import { normalizeAgentUri, resolveAuth } from '../../identity';
import type { SignalingAdapter, SignalingMessage } from '../../signaling';
import { RTCPeerConnection, type RTCIceServer } from '../../w3c';
import { Guard, resolveAllow, type Refused } from '../auth';
import { CallRegistry, checkCall, checkFailAs, ResultStream, type CallOptions, type HandleOptions } from '../calls';
import type { AgentChannel, ChannelInit } from '../channels';
import { LinkConfiguration, resolveHeartbeat, resolveReconnect, withTcp } from '../connection';
import type { IncomingFile } from '../files';
import { inspectionWanted, offerInspection } from '../inspection';
import { resolveLimits } from '../limits';
import { Link, type CapabilityHandler, type LinkHost } from '../link';
import { Meshes, type Mesh, type MeshOptions, type Room } from '../mesh';
import { checkPreset, type SendOptions } from '../messages';
import { checkTracing } from '../tracing';
import { Connector } from './connecting';
import type { PeerEvents } from './events';
import type { ConnectOptions, PeerOptions } from './options';
import { adapterOf, Registration } from './registration';
import { Switchboard } from './switchboard';

/** Incoming links that wait for somebody to take them; they are usable by handlers all the same. */
const UNREAD_LINKS = { items: 4096, bytes: Infinity };

/** Files of all links that wait for a slow iterator; more are refused. */
const UNREAD_FILES = { items: 4096, bytes: Infinity };

const CONFIGURATION = [
  'iceServers',
  'iceTransportPolicy',
  'bundlePolicy',
  'rtcpMuxPolicy',
  'certificates',
  'iceCandidatePoolSize',
  'transport',
] as const;

const MEMBERS = [
  'agentId',
  'signaling',
  'auth',
  'allow',
  'accept',
  'channels',
  'heartbeat',
  'reconnect',
  'limits',
  'logger',
  'tracing',
  'failAs',
  'signalingIceServers',
  'inspect',
] as const;

/** An agent: reachable under its URI, and able to reach others. Made by {@link createPeer}. */
export class AgentPeer extends Emitter<PeerEvents> implements AsyncIterable<Link>, AsyncDisposable {
  /** The canonical URI of this agent. */
  readonly agentId: string;
  /**
   * Resolves when other agents can find this one; rejects if the signaling service cannot be reached or refuses.
   * Nobody has to wait for it: `connect()` does.
   */
  readonly ready: Promise<void>;
  readonly #links = new Map<string, Link>();
  readonly #incoming = new Inbox<Link>(UNREAD_LINKS);
  readonly #files = new Inbox<IncomingFile>(UNREAD_FILES);
  readonly #capabilities = new CallRegistry<Link>();
  readonly #host: LinkHost<Link>;
  readonly #guard: Guard;
  readonly #switchboard: Switchboard;
  readonly #registration: Registration;
  readonly #meshes: Meshes;
  readonly #connector: Connector;
  /** A connection to nobody: while it is there, a shared port stays open. */
  readonly #portHolder: RTCPeerConnection | undefined;
  /** Ends that others may look at it. */
  #hide: (() => void) | undefined;
  #failure: AgentError | undefined;
  #closing: Promise<void> | undefined;

  /** @internal */
  constructor(options: PeerOptions) {
    super();
    if (options === undefined) throw new TypeError('createPeer needs options: at least agentId and signaling');
    checkMembers(options, 'the options of createPeer', [...MEMBERS, ...CONFIGURATION]);
    const { agentId, signaling, auth, allow, accept, limits, logger, tracing, failAs, ...rest } = options;
    const { channels, heartbeat, reconnect, signalingIceServers = true, inspect, ...given } = rest;
    this.agentId = normalizeAgentUri(agentId);
    if (accept !== undefined) checkFunction(accept, 'accept');
    // Refuses a wrong configuration now, not at the first connection.
    new RTCPeerConnection(given).close();
    const own = withTcp(given);
    const inspected = inspectionWanted(inspect);
    if (typeof signalingIceServers !== 'boolean') throw new TypeError('signalingIceServers must be true or false');
    const adapter = adapterOf(signaling);
    this.buffer('link', this.#incoming);
    const common = { agentId: this.agentId, limits: resolveLimits(limits), logger: checkLogger(logger) };
    this.#guard = this.#makeGuard(common, auth, allow);
    this.buffer('file', this.#files);
    let registered!: (ready: Promise<void>) => void;
    const configuration = new LinkConfiguration(own, new Promise((resolve) => (registered = resolve)));
    this.#host = {
      ...common,
      guard: this.#guard,
      tracing: checkTracing(tracing)?.forAgent(this.agentId),
      configuration,
      channels: checkPreset(channels),
      heartbeat: resolveHeartbeat(heartbeat),
      reconnect: resolveReconnect(reconnect),
      transmit: async (message) => {
        await this.ready;
        // Signed last, so that the token is fresh when it leaves.
        await this.#registration.send(this.#guard.seal(message));
      },
      failAs: checkFailAs(failAs, 'failAs') ?? 'error',
      capability: (name) => this.#capabilities.get(name),
      status: (status, link) => this.emit('status', status, link),
      opened: (link) => this.#opened(link),
      fileOffered: (file) => this.#files.wanted && this.#files.push(file),
      inbox: (link, message, otherwise) => this.#meshes.inbox(link, message, otherwise),
      closed: (link) => {
        if (this.#links.get(link.remote.agentId) === link) this.#links.delete(link.remote.agentId);
      },
    };
    this.#switchboard = this.#makeSwitchboard(accept);
    // eslint-disable-next-line @typescript-eslint/no-this-alias -- getters of an object literal have a `this` of their own
    const peer = this;
    this.#connector = new Connector({
      agentId: this.agentId,
      links: this.#links,
      tracing: this.#host.tracing,
      makeLink: (remote, sessionId) => this.#makeLink(remote, sessionId),
      checkUsable: () => this.#checkUsable(),
      get signalingProblem() {
        return peer.#registration.problem;
      },
    });
    const registration = {
      agentId: this.agentId,
      keys: auth?.keys,
      offerIceServers: (servers: readonly RTCIceServer[]) => {
        if (!signalingIceServers) return;
        configuration.offered(servers, common.logger);
        for (const link of this.#links.values()) link.lifeline.serversChanged();
      },
      networkInterval: this.#host.reconnect.networkInterval,
      returned: () => {
        for (const link of this.#links.values()) link.lifeline.signalingReturned();
      },
      deliver: (message: SignalingMessage) => this.#guard.receive(message),
      failed: (error: AgentError) => {
        this.#failure ??= error;
        for (const link of this.#links.values()) link.lifeline.signalingError(error, undefined);
      },
      lost: (error: AgentError) => this.#lost(error),
    };
    if (own.transport?.listen) this.#portHolder = new RTCPeerConnection(own);
    this.#registration = new Registration(registration, adapter);
    this.ready = this.#registration.ready;
    registered(this.ready);
    this.#meshes = this.#makeMeshes(adapter);
    if (inspected) this.#hide = offerInspection(this);
  }

  /** The links that are open or being made, by agent URI. */
  get links(): ReadonlyMap<string, Link> {
    return this.#links;
  }

  /**
   * Connects to an agent, or returns the link that is there. Both sides may do so at the same time: one link is made. An agent
   * that the signaling service does not know (yet) is called again for three seconds, or for as long as `waitForPeer` says.
   *
   * @throws AgentError - `AGENT_UNREACHABLE` if the agent is not there, refuses, or no path to it works in time;
   * `TASK_CANCELLED`; whatever the other side refuses with. If this side knows what stood in the way, such as a TURN server that
   * refuses the password, the text says so, and `causes` has it as data, a list of {@link ConnectCause}.
   */
  async connect(agentId: string, options: ConnectOptions = {}): Promise<Link> {
    const link = await this.#connector.connect(agentId, options);
    this.#meshes.claimed(link);
    return link;
  }

  /**
   * Connects if necessary and sends a message; see {@link Link.send}. `timeout` and `signal` count for both together.
   */
  async send(agentId: string, payload: unknown, options: SendOptions & ConnectOptions = {}): Promise<string> {
    // The rest is checked where it is used.
    if (options === null) checkMembers(options, 'the options of send', []);
    const { timeout, waitForPeer, ...sending } = options;
    const link = await this.connect(agentId, { signal: options.signal, timeout, waitForPeer });
    return await link.send(payload, sending);
  }

  /** Connects if necessary and opens a channel; see {@link Link.createChannel}. */
  async createChannel(
    agentId: string,
    label: string,
    init?: ChannelInit,
    options: ConnectOptions = {},
  ): Promise<AgentChannel> {
    const link = await this.connect(agentId, options);
    return await link.createChannel(label, init, { signal: options.signal });
  }

  /** Connects if necessary and calls a capability; see {@link Link.call}. The timeout covers both. */
  async call<Result = unknown>(
    agentId: string,
    capability: string,
    input?: unknown,
    options: CallOptions = {},
  ): Promise<Result> {
    const { timeout, signal } = checkCall(capability, options);
    const started = performance.now();
    const link = await this.connect(agentId, { timeout, signal });
    const left = Math.max(1, timeout - (performance.now() - started));
    return await link.call<Result>(capability, input, { ...options, timeout: left });
  }

  /** Connects if necessary, when the first item is asked for, and calls a capability; see {@link Link.callStream}. */
  callStream<Item = unknown>(
    agentId: string,
    capability: string,
    input?: unknown,
    options: CallOptions = {},
  ): ResultStream<Item> {
    const remote = normalizeAgentUri(agentId);
    const checked = checkCall(capability, options);
    return new ResultStream(async (stream) => {
      const link = await this.connect(remote, { timeout: checked.timeout, signal: checked.signal });
      await link.calls.feed(stream, capability, input, checked);
    });
  }

  /**
   * Answers calls of `capability` from any agent, until the returned function is called. See {@link CapabilityHandler}
   * for what may be returned.
   *
   * @throws TypeError - It has a handler already, or an option is wrong.
   */
  handle(capability: string, handler: CapabilityHandler, options?: HandleOptions): () => void {
    return this.#capabilities.add(capability, handler, options);
  }

  /** Takes the files that other agents offer, instead of the event `file`. Ends when the peer is closed. */
  files(): AsyncIterableIterator<IncomingFile> {
    return this.#files.iterate();
  }

  /**
   * Connects to these agents and keeps it so until the mesh is closed. The other side needs no mesh.
   *
   * @throws TypeError - One of them is not an agent URI or is this agent, or there are more than `maxMembers`.
   */
  mesh(agents: Iterable<string>, options?: MeshOptions): Mesh {
    return this.#meshes.mesh(agents, options);
  }

  /**
   * Enters a room and connects to everybody who is or comes there. Resolves when the agent is in the room;
   * `room.ready` resolves when it is connected.
   *
   * @throws AgentError - `RATE_LIMIT_EXCEEDED` if the room is full, has more than `maxMembers` others, or the agent is in too
   * many; `PROTOCOL_ERROR` if the signaling has no rooms; what `ready` rejects with.
   * @throws TypeError - The agent is in this room already, or `room` is not a name of 1 to 128 bytes.
   */
  join(room: string, options?: MeshOptions): Promise<Room> {
    return this.#meshes.join(room, options);
  }

  /** Takes the links that other agents have made; ends when the peer is closed. */
  [Symbol.asyncIterator](): AsyncIterableIterator<Link> {
    return this.#incoming.iterate();
  }

  /** Closes all links and leaves the signaling service. Idempotent; resolves when everything is gone. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** Closes the peer at the end of an `await using` block. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    this.#failure ??= new AgentError('TASK_CANCELLED', `${this.agentId} is closed`);
    this.#guard.close();
    this.#incoming.end();
    this.#switchboard.close();
    this.#connector.close();
    await this.#meshes.close();
    await Promise.all([...this.#links.values()].map((link) => link.close()));
    await this.#registration.close();
    this.#portHolder?.close();
    this.#hide?.();
  }

  /** What comes from the signaling service goes through it, before it can cause anything. */
  #makeGuard(
    common: Pick<LinkHost<Link>, 'agentId' | 'limits' | 'logger'>,
    auth: PeerOptions['auth'],
    allow: PeerOptions['allow'],
  ): Guard {
    const host = {
      ...common,
      links: this.#links,
      deliver: (message: SignalingMessage) => this.#switchboard.receive(message),
      reply: (message: SignalingMessage) => {
        // A refusal that does not arrive is no worse than a silent one.
        this.#host.transmit(message).catch(() => undefined);
      },
      answerRefused: (remote: string, sessionId: string | undefined, error: AgentError) => {
        const lifeline = this.#links.get(remote)?.lifeline;
        if (sessionId === undefined || sessionId === lifeline?.sessionId) lifeline?.signalingError(error, sessionId);
      },
      refused: (refused: Refused) => this.emit('refused', refused),
    };
    return new Guard(host, resolveAuth(auth), resolveAllow(allow));
  }

  #lost(error: AgentError): void {
    this.#failure ??= error;
    for (const link of this.#links.values()) if (link.state === 'connecting') link.fail(error);
    this.emit('error', error);
  }

  #checkUsable(): void {
    if (this.#failure) throw this.#failure;
  }

  #makeLink(remote: string, sessionId: string | undefined): Link {
    const link = new Link(this.#host, remote, sessionId);
    this.#links.set(remote, link);
    this.#connector.begun(remote);
    return link;
  }

  #opened(link: Link): void {
    this.#host.tracing?.linked(link);
    if (link.incoming) this.#incoming.push(link);
    this.#meshes.opened(link);
  }

  #makeSwitchboard(accept: PeerOptions['accept']): Switchboard {
    const { agentId, logger } = this.#host;
    return new Switchboard(
      {
        agentId,
        logger,
        links: this.#links,
        guard: this.#guard,
        transmit: (message) => this.#host.transmit(message),
        makeLink: (remote, sessionId) => this.#makeLink(remote, sessionId),
      },
      accept,
    );
  }

  #makeMeshes(signaling: SignalingAdapter): Meshes {
    const { agentId, limits, logger } = this.#host;
    return new Meshes({
      agentId,
      limits,
      logger,
      links: this.#links,
      ready: this.ready,
      signaling,
      connect: (remote, options) => this.#connector.connect(remote, options),
      checkUsable: () => this.#checkUsable(),
    });
  }
}

/**
 * Makes an agent that others can find under `agentId`. It registers with the signaling service at once.
 *
 * @throws TypeError - An option is unknown or not valid.
 */
export function createPeer(options: PeerOptions): AgentPeer {
  return new AgentPeer(options);
}
