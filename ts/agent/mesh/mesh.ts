import { setMaxListeners } from 'node:events';

import { clearTimeout, setTimeout } from '../../platform';
import {
  AgentError,
  checkMembers,
  checkMilliseconds,
  checkSignal,
  Emitter,
  Gate,
  Inbox,
  type Logger,
} from '../../base';
import { normalizeAgentUri } from '../../identity';
import type { ResolvedLimits } from '../limits';
import type { Link } from '../link';
import type { AgentMessage } from '../messages';
import { broadcast, forEach } from './broadcast';
import { Neighbour } from './neighbour';
import type {
  Answer,
  BroadcastOptions,
  Delivery,
  MemberCallOptions,
  MemberSendOptions,
  MeshEvents,
  ResolvedMeshOptions,
} from './types';

/** Default time for slow members to take a broadcast, in milliseconds. */
const BROADCAST_TIMEOUT = 30_000;

const BROADCAST_OPTIONS = [
  'timeout',
  'type',
  'priority',
  'ttl',
  'correlationId',
  'metadata',
  'channel',
  'signal',
] as const;

/** Milliseconds that the link to a member that has left stays, for what it has sent before. */
const FAREWELL = 1000;

/** What a mesh needs of its peer. */
export interface MeshHost {
  readonly agentId: string;
  readonly limits: ResolvedLimits;
  readonly logger: Logger;
  /** Connects for a mesh, or hands out the link that is there. */
  dial(mesh: Mesh, agentId: string, timeout: number, signal: AbortSignal): Promise<Link>;
  /** A link of this agent that is usable. */
  link(agentId: string): Link | undefined;
  /** The mesh uses this link. */
  claim(mesh: Mesh, link: Link): void;
  /** The mesh does not need the link any more: it is closed if a mesh has made it and nobody else uses it. */
  release(mesh: Mesh, link: Link): Promise<void>;
  /** The mesh is closed. */
  closed(mesh: Mesh): void;
}

/**
 * Links to a group of agents, kept up while the mesh is open: one to each member, whichever side makes it. Made by
 * `peer.mesh()` for agents known by name; {@link Room} is the one whose members find each other.
 */
export class Mesh extends Emitter<MeshEvents> implements AsyncIterable<AgentMessage>, AsyncDisposable {
  /** The agent whose mesh this is. */
  readonly agentId: string;
  /** Messages that nobody has read yet. @internal */
  readonly incoming: Inbox<AgentMessage>;
  /** @internal */
  protected readonly host: MeshHost;
  /** @internal */
  protected readonly options: ResolvedMeshOptions;
  readonly #neighbours = new Map<string, Neighbour>();
  readonly #links = new Map<string, Link>();
  /** Links to members that have left, open for a moment longer. */
  readonly #parting = new Map<Link, NodeJS.Timeout>();
  readonly #gate: Gate;
  readonly #ended = new AbortController();
  #closing: Promise<void> | undefined;

  /** @internal */
  constructor(host: MeshHost, options: ResolvedMeshOptions) {
    super();
    this.host = host;
    this.options = options;
    this.agentId = host.agentId;
    const { unreadMessages: items, unreadBytes: bytes } = host.limits;
    this.incoming = new Inbox<AgentMessage>({ items, bytes }, ({ payload }) =>
      payload instanceof ArrayBuffer ? payload.byteLength : typeof payload === 'string' ? payload.length * 2 : 64,
    );
    this.buffer('message', this.incoming);
    this.#gate = new Gate(options.concurrency);
    // One listener for each set-up: more than the ten from which on Node suspects a leak.
    setMaxListeners(0, this.#ended.signal);
  }

  /** The other members, connected or not. */
  get members(): string[] {
    return [...this.#neighbours.keys()];
  }

  /** The links that are open, by agent URI. They are closed with the mesh, unless `peer.connect()` was called for them. */
  get links(): ReadonlyMap<string, Link> {
    return this.#links;
  }

  /** `close()` has been called, or the peer is closed. */
  get closed(): boolean {
    return this.#closing !== undefined;
  }

  /**
   * Resolves when everybody who is a member now has been connected, or has not been reached at the first attempt: those
   * are tried again, and reported as `problem`.
   */
  get ready(): Promise<void> {
    return Promise.all([...this.#neighbours.values()].map(({ settled }) => settled)).then(() => undefined);
  }

  /**
   * Sends a message to one member and resolves with its id; connects first if the link is just being made.
   *
   * @throws AgentError - `AGENT_NOT_FOUND` if it is not a member; what {@link Link.send} throws.
   */
  async send(member: string, payload: unknown, options: MemberSendOptions = {}): Promise<string> {
    const signal = checkSignal(options.signal, 'signal');
    const link = await this.#linkTo(member, signal);
    return await link.send(payload, this.sendOptions(options));
  }

  /**
   * Sends a message to all members that are connected, and says for each member what became of it. Messages reach each
   * member in the order of the calls. A member that is slow holds up the result for at most `timeout`, and nobody else.
   */
  async broadcast(payload: unknown, options: BroadcastOptions = {}): Promise<Delivery[]> {
    checkMembers(options, 'the options of broadcast', BROADCAST_OPTIONS);
    const { timeout: given = BROADCAST_TIMEOUT, signal: outer, ...rest } = options;
    const timeout = checkMilliseconds(given, 'timeout');
    const signal = checkSignal(outer, 'signal');
    this.checkPayload(payload);
    this.#checkOpen();
    return await broadcast(this.#neighbours.values(), payload, this.sendOptions(rest), timeout, signal);
  }

  /** Calls a capability of one member; see {@link Link.call}. */
  async call<Result = unknown>(
    member: string,
    capability: string,
    input?: unknown,
    options: MemberCallOptions = {},
  ): Promise<Result> {
    const link = await this.#linkTo(member, checkSignal(options.signal, 'signal'));
    return await link.call<Result>(capability, input, options);
  }

  /** Calls a capability of all members that are connected, and says what each of them answered. */
  async callAll<Result = unknown>(
    capability: string,
    input?: unknown,
    options: MemberCallOptions = {},
  ): Promise<Answer<Result>[]> {
    this.#checkOpen();
    return await forEach(this.#neighbours.values(), async (link) => {
      return { status: 'answered' as const, result: await link.call<Result>(capability, input, options) };
    });
  }

  /** Takes messages in order; ends when the mesh is closed. */
  [Symbol.asyncIterator](): AsyncIterableIterator<AgentMessage> {
    return this.incoming.iterate();
  }

  /**
   * Leaves: links that a mesh has made and nobody else uses are closed, others stay. Idempotent; resolves when that is
   * done.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** Closes the mesh at the end of an `await using` block. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Connects to these agents. @internal */
  start(agents: readonly string[]): void {
    // Agents with a higher URI first: in a mesh of which all members start at once, those with a lower one are dialling
    // this one meanwhile, so that few links are made from both sides.
    const [higher, lower] = [true, false].map((side) => agents.filter((agent) => agent > this.agentId === side));
    for (const agent of [...higher!, ...lower!]) this.add(agent, 0);
  }

  /** A link of the peer has opened. @internal */
  opened(link: Link): void {
    this.#neighbours.get(link.remote.agentId)?.attach(link);
  }

  /** Whether messages over this link may be for this mesh: of a member, or of one that has just left. @internal */
  hears(link: Link): boolean {
    return this.has(link.remote.agentId) || this.#parting.has(link);
  }

  /** Whether this agent is a member. @internal */
  has(agentId: string): boolean {
    return this.#neighbours.has(agentId);
  }

  /** @internal */
  protected neighbour(agentId: string): Neighbour | undefined {
    return this.#neighbours.get(agentId);
  }

  /** A new member: connects after so many milliseconds, if it does not before. @internal */
  protected add(agentId: string, delay: number): void {
    if (this.closed || this.#neighbours.has(agentId)) return;
    if (this.#neighbours.size >= this.options.maxMembers) {
      const text = `${agentId} is left out: ${this.options.maxMembers} members are the most for this mesh (maxMembers)`;
      this.problem(new AgentError('RATE_LIMIT_EXCEEDED', text), agentId);
      return;
    }
    const neighbour = new Neighbour(this.#neighbourHost, agentId);
    this.#neighbours.set(agentId, neighbour);
    const link = this.host.link(agentId);
    if (link) neighbour.attach(link);
    else neighbour.pursue(delay);
  }

  /** Somebody is no member any more. @internal */
  protected remove(agentId: string, error?: AgentError): void {
    const neighbour = this.#neighbours.get(agentId);
    if (!neighbour) return;
    this.#neighbours.delete(agentId);
    neighbour.stop();
    const { link } = neighbour;
    if (!link) return;
    this.#links.delete(agentId);
    this.#partWith(link);
    this.emit('leave', agentId, error);
  }

  /** The member is back, or the link is gone. */
  #keep(link: Link): void {
    clearTimeout(this.#parting.get(link));
    this.#parting.delete(link);
  }

  /** That a member has left may be known before its last messages are here: they still count, and the link waits for them. */
  #partWith(link: Link): void {
    const timer = setTimeout(() => void this.host.release(this, link), FAREWELL);
    timer.unref();
    this.#parting.set(link, timer);
    void link.closed.then(() => this.#keep(link));
  }

  /** @internal */
  protected problem(error: AgentError, member?: string): void {
    this.host.logger.warn(error.message, { code: error.code, member });
    this.emit('problem', error, member);
  }

  /** What all messages of this mesh carry. @internal */
  protected sendOptions(options: MemberSendOptions): MemberSendOptions {
    return options;
  }

  /** @throws TypeError - It cannot be sent in this mesh. @internal */
  protected checkPayload(_payload: unknown): void {
    // Anything that a link takes.
  }

  /** Something of this mesh has opened. @internal */
  protected listen(link: Link): void {
    link.on('message', this.#take);
  }

  /** @internal */
  protected unlisten(link: Link): void {
    link.off('message', this.#take);
  }

  /** Whether the link to a member that was lost shall be made again. @internal */
  protected wanted(_neighbour: Neighbour): boolean {
    return true;
  }

  /** Ends what there is besides links. @internal */
  protected async end(): Promise<void> {
    // Nothing here.
  }

  readonly #take = (message: AgentMessage): void => {
    if (!this.incoming.push(message)) this.lost(message);
  };

  /** A message that there was no room for. @internal */
  protected lost({ from }: AgentMessage): void {
    const text = `${this.host.limits.unreadMessages} messages of the mesh wait to be read; one of ${from} is lost`;
    this.problem(new AgentError('RATE_LIMIT_EXCEEDED', text), from);
  }

  readonly #neighbourHost = {
    dial: (agentId: string): Promise<Link> =>
      this.#gate.run(async () => {
        const open = this.host.link(agentId);
        if (open) return open;
        // Its turn may come after the end, or after the member has left.
        if (this.closed || !this.#neighbours.has(agentId)) throw new AgentError('TASK_CANCELLED', 'the mesh is closed');
        return await this.host.dial(this, agentId, this.options.connectTimeout, this.#ended.signal);
      }),
    attached: (neighbour: Neighbour, link: Link): void => {
      this.#keep(link);
      this.host.claim(this, link);
      this.#links.set(neighbour.agentId, link);
      this.listen(link);
      this.emit('join', neighbour.agentId, link);
    },
    detached: (neighbour: Neighbour, link: Link): boolean => {
      const { agentId } = neighbour;
      if (this.#neighbours.get(agentId) !== neighbour) return false;
      this.#links.delete(agentId);
      const wanted = this.wanted(neighbour);
      if (!wanted) {
        this.#neighbours.delete(agentId);
        neighbour.stop();
      }
      this.emit('leave', agentId, link.error ?? (wanted ? closedByOther(agentId) : undefined));
      return wanted;
    },
    problem: (error: AgentError, agentId: string): void => {
      if (!this.closed) this.problem(error, agentId);
    },
    delay: (failures: number): number => {
      const { retryDelay, maxRetryDelay } = this.options;
      const longest = Math.min(retryDelay * 2 ** Math.min(failures, 30), maxRetryDelay);
      // Jitter downwards, so that the members of a mesh do not all come back at once.
      return Math.max(1, longest * (1 - Math.random() / 2));
    },
  };

  async #close(): Promise<void> {
    const links = [...this.#links.values(), ...this.#parting.keys()];
    for (const timer of this.#parting.values()) clearTimeout(timer);
    for (const neighbour of this.#neighbours.values()) neighbour.stop();
    this.#neighbours.clear();
    this.#links.clear();
    for (const link of links) this.unlisten(link);
    this.#ended.abort();
    this.incoming.end();
    this.host.closed(this);
    await this.end();
    await Promise.all(links.map((link) => this.host.release(this, link)));
  }

  async #linkTo(member: string, signal: AbortSignal | undefined): Promise<Link> {
    const agentId = normalizeAgentUri(member);
    this.#checkOpen();
    const neighbour = this.#neighbours.get(agentId);
    if (!neighbour) throw new AgentError('AGENT_NOT_FOUND', `${agentId} is not a member`);
    if (neighbour.link) return neighbour.link;
    const patience = signal ? AbortSignal.any([signal, this.#ended.signal]) : this.#ended.signal;
    const link = await this.host.dial(this, agentId, this.options.connectTimeout, patience);
    neighbour.attach(link);
    return link;
  }

  #checkOpen(): void {
    if (this.closed) throw new AgentError('TASK_CANCELLED', 'the mesh is closed');
  }
}

function closedByOther(agentId: string): AgentError {
  return new AgentError('AGENT_UNREACHABLE', `${agentId} has closed the link`, { retryable: true });
}
