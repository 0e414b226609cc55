// The meshes and rooms of one peer: who uses which link, and where messages go.
import { AgentError, describe, type Logger } from '../../base';
import { normalizeAgentUri } from '../../identity';
import type { SignalingAdapter } from '../../signaling';
import type { ResolvedLimits } from '../limits';
import type { Link } from '../link';
import type { AgentMessage, MessageSink } from '../messages';
import { Mesh, type MeshHost } from './mesh';
import { checkRoom, Room } from './room';
import { resolveMeshOptions, type MeshOptions } from './types';

/** How a mesh wants to be connected: see the options of `connect`. */
interface Dialing {
  timeout: number;
  waitForPeer: number;
  signal: AbortSignal;
}

/** What the meshes need of their peer. */
export interface MeshesHost {
  readonly agentId: string;
  readonly limits: ResolvedLimits;
  readonly logger: Logger;
  readonly links: ReadonlyMap<string, Link>;
  readonly ready: Promise<void>;
  readonly signaling: SignalingAdapter;
  connect(agentId: string, options: Dialing): Promise<Link>;
  /** @throws AgentError - The peer is closed or has lost its signaling service. */
  checkUsable(): void;
}

/** Stands for the application among the users of a link. */
const APPLICATION = {};

/** All meshes of a peer. */
export class Meshes {
  readonly #host: MeshesHost;
  readonly #meshes = new Set<Mesh>();
  readonly #rooms = new Map<string, Room>();
  /** Who wants a link to stay. */
  readonly #users = new WeakMap<Link, Set<object>>();
  /** Links that a mesh has made: nobody else will close them. */
  readonly #made = new WeakSet<Link>();
  readonly #meshHost: MeshHost;

  constructor(host: MeshesHost) {
    this.#host = host;
    this.#meshHost = {
      agentId: host.agentId,
      limits: host.limits,
      logger: host.logger,
      dial: (mesh, agentId, timeout, signal) => this.#dial(mesh, agentId, timeout, signal),
      link: (agentId) => this.#usable(agentId),
      claim: (mesh, link) => this.#claim(link, mesh),
      release: (mesh, link) => this.#release(link, mesh),
      closed: (mesh) => {
        this.#meshes.delete(mesh);
        if (mesh instanceof Room && this.#rooms.get(mesh.name) === mesh) this.#rooms.delete(mesh.name);
      },
    };
  }

  /** See `AgentPeer.mesh`. */
  mesh(agents: Iterable<string>, options: MeshOptions | undefined): Mesh {
    const resolved = resolveMeshOptions(options, 'the options of mesh');
    if (typeof agents === 'string') throw new TypeError('mesh() takes a list of agent URIs, not one');
    if (typeof (agents as Partial<Iterable<string>> | null)?.[Symbol.iterator] !== 'function') {
      throw new TypeError(`mesh() takes a list of agent URIs, not ${describe(agents)}`);
    }
    const others = new Set([...agents].map((agent) => normalizeAgentUri(agent)));
    if (others.delete(this.#host.agentId)) throw new TypeError('an agent cannot be its own neighbour');
    if (others.size > resolved.maxMembers) {
      throw new TypeError(`${others.size} agents are more than the ${resolved.maxMembers} of maxMembers`);
    }
    this.#host.checkUsable();
    const mesh = new Mesh(this.#meshHost, resolved);
    this.#meshes.add(mesh);
    mesh.start([...others]);
    return mesh;
  }

  /** See `AgentPeer.join`. */
  async join(name: string, options: MeshOptions | undefined): Promise<Room> {
    const resolved = resolveMeshOptions(options, 'the options of join');
    checkRoom(name);
    const { agentId, signaling, ready } = this.#host;
    if (typeof signaling.join !== 'function') {
      const text =
        'the signaling of this agent has no rooms: its adapter has no function join(room, agentId, onMembers)';
      throw new AgentError('PROTOCOL_ERROR', text);
    }
    if (this.#rooms.has(name)) throw new TypeError(`${agentId} is in the room ${JSON.stringify(name)} already`);
    this.#host.checkUsable();
    const room = new Room(this.#meshHost, name, resolved);
    // Known before it is entered: others may connect as soon as they hear of this agent.
    this.#meshes.add(room);
    this.#rooms.set(name, room);
    try {
      await ready;
    } catch (error) {
      await room.close();
      throw error;
    }
    if (room.closed) throw new AgentError('TASK_CANCELLED', `${agentId} is closed`);
    await room.enter(signaling);
    return room;
  }

  /** A link has opened. */
  opened(link: Link): void {
    for (const mesh of [...this.#meshes]) mesh.opened(link);
  }

  /** The application uses this link: it stays when a mesh ends. */
  claimed(link: Link): void {
    this.#claim(link, APPLICATION);
  }

  /**
   * Where a message goes if it is for a room that both agents are in, were in when it was sent, or are about to be in;
   * `otherwise` if that does not come about.
   */
  inbox(link: Link, message: Pick<AgentMessage, 'metadata'>, otherwise: MessageSink): MessageSink | undefined {
    const { room: name } = message.metadata;
    return typeof name === 'string' ? this.#rooms.get(name)?.sinkFor(link, otherwise) : undefined;
  }

  /** Leaves them all. */
  async close(): Promise<void> {
    await Promise.all([...this.#meshes].map((mesh) => mesh.close()));
  }

  async #dial(mesh: Mesh, agentId: string, timeout: number, signal: AbortSignal): Promise<Link> {
    const before = this.#host.links.get(agentId);
    // Meshes repeat their calls at their own pace.
    const link = await this.#host.connect(agentId, { timeout, signal, waitForPeer: 0 });
    if (!before) this.#made.add(link);
    this.#claim(link, mesh);
    return link;
  }

  #usable(agentId: string): Link | undefined {
    const link = this.#host.links.get(agentId);
    return link && link.state !== 'connecting' && link.state !== 'closed' ? link : undefined;
  }

  #claim(link: Link, user: object): void {
    const users = this.#users.get(link);
    if (users) users.add(user);
    else this.#users.set(link, new Set([user]));
  }

  async #release(link: Link, user: object): Promise<void> {
    const users = this.#users.get(link);
    users?.delete(user);
    if (this.#made.has(link) && !users?.size) await link.close();
  }
}
