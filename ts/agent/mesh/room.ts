import { isAnyArrayBuffer } from 'node:util/types';

import { clearTimeout, setTimeout } from '../../platform';
import { AgentError } from '../../base';
import { normalizeAgentUri } from '../../identity';
import type { RoomDetails, SignalingAdapter, Unsubscribe } from '../../signaling';
import type { Link } from '../link';
import type { MessageSink } from '../messages';
import { EarlyRoomMessages } from './early-messages';
import { Mesh, type MeshHost } from './mesh';
import type { Neighbour } from './neighbour';
import type { MemberSendOptions, ResolvedMeshOptions } from './types';

/** How long `leave()` waits for the signaling service, in milliseconds. */
const GOODBYE = 2000;

/** How long an agent that has just come is expected to connect by itself, in milliseconds. */
const NEWCOMER = 10_000;

/** The longest name of a room, in bytes of UTF-8; our signaling server has the same limit. */
const MAX_NAME = 128;

/** @throws TypeError - It is not the name of a room. */
export function checkRoom(name: unknown): string {
  // eslint-disable-next-line no-control-regex -- those are what is refused
  if (typeof name !== 'string' || name === '' || /[\u0000-\u001f\u007f-\u009f]/.test(name)) {
    throw new TypeError('the name of a room must be a string that is not empty and has no control characters in it');
  }
  const bytes = Buffer.byteLength(name);
  if (bytes > MAX_NAME) throw new TypeError(`the name of a room has at most ${MAX_NAME} bytes, not ${bytes}`);
  return name;
}

/**
 * A mesh whose members find each other: everybody in the room of a signaling service is connected to everybody else.
 * Messages of a room reach the room only, also if the same agents share several rooms or talk without one. Made by
 * `peer.join()`.
 */
export class Room extends Mesh {
  /** The name of the room. */
  readonly name: string;
  readonly #early: EarlyRoomMessages;
  #subscription: Promise<Unsubscribe> | undefined;
  #entered = false;
  #refusal: AgentError | undefined;
  /** Members beyond `maxMembers`, so that each is reported once. */
  #leftOut = new Set<string>();

  /** @internal */
  constructor(host: MeshHost, name: string, options: ResolvedMeshOptions) {
    super(host, options);
    this.name = name;
    const { unreadMessages: items, unreadBytes: bytes } = host.limits;
    this.#early = new EarlyRoomMessages({ items, bytes }, (message) => this.lost(message));
  }

  /** Leaves the room; the same as {@link Mesh.close}. */
  leave(): Promise<void> {
    return this.close();
  }

  /**
   * Where a message of this room goes that comes over `link`: into the room, or there as soon as the list names its sender;
   * `otherwise` if it does not. Nothing: it is not for the room. @internal
   */
  sinkFor(link: Link, otherwise: MessageSink): MessageSink | undefined {
    if (this.hears(link)) return this.incoming;
    if (this.#leftOut.has(link.remote.agentId)) return undefined;
    return { push: (message, bytes = 0) => this.#early.keep(message, bytes, otherwise) };
  }

  /** Resolves when the agent is in the room and knows the others. @internal */
  async enter(signaling: SignalingAdapter): Promise<void> {
    let listed!: () => void;
    const list = new Promise<void>((resolve) => (listed = resolve));
    try {
      this.#subscription = (async () =>
        await signaling.join!(this.name, this.agentId, (members, details) => {
          if (!this.closed) this.#update(members, details ?? {});
          listed();
        }))();
      await this.#subscription;
      await list;
      if (this.#refusal) throw this.#refusal;
      if (this.closed) throw new AgentError('TASK_CANCELLED', `the room ${JSON.stringify(this.name)} was left`);
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  #update(members: readonly string[], { entered = !this.#entered, left, problem }: RoomDetails): void {
    if (problem) this.problem(problem);
    const listed = this.#others(members);
    if (!this.#entered && listed.size > this.options.maxMembers) {
      const text = `${listed.size} other agents are in the room, more than the ${this.options.maxMembers} of maxMembers`;
      this.#refusal = new AgentError('RATE_LIMIT_EXCEEDED', text);
      return;
    }
    const wanted = this.#entered ? [...listed].filter((agent) => !this.has(agent)) : [...listed];
    this.#entered = true;
    for (const agent of this.members) {
      const neighbour = this.neighbour(agent)!;
      neighbour.listed = listed.has(agent);
      if (neighbour.listed) continue;
      // A member that the service has lost stays while the link to it lives.
      if (!left || left.includes(agent) || !neighbour.link) this.remove(agent);
    }
    for (const agent of this.#leftOut) if (!listed.has(agent)) this.#leftOut.delete(agent);
    // Who comes connects to those who are there: one link a pair, and nobody has to agree on anything.
    if (entered) this.start(wanted);
    else for (const agent of wanted) this.add(agent, NEWCOMER);
  }

  /** @internal */
  protected override add(agentId: string, delay: number): void {
    if (this.members.length < this.options.maxMembers) this.#leftOut.delete(agentId);
    else if (this.#leftOut.has(agentId)) return;
    else this.#leftOut.add(agentId);
    super.add(agentId, delay);
    if (this.has(agentId)) this.#early.release(agentId, this.incoming);
  }

  /** The names that a signaling service gives are not to be trusted. */
  #others(members: readonly string[]): Set<string> {
    const others = new Set<string>();
    for (const member of members) {
      try {
        others.add(normalizeAgentUri(member));
      } catch (cause) {
        const text = `the signaling service names a member of the room that is not an agent: ${String(cause)}`;
        this.problem(new AgentError('PROTOCOL_ERROR', text, { cause }));
      }
    }
    others.delete(this.agentId);
    return others;
  }

  /** @internal */
  protected override sendOptions(options: MemberSendOptions): MemberSendOptions {
    return { ...options, metadata: { ...options.metadata, room: this.name } };
  }

  /** @internal */
  protected override checkPayload(payload: unknown): void {
    if (isAnyArrayBuffer(payload) || ArrayBuffer.isView(payload)) {
      throw new TypeError('binary messages cannot say which room they are for: use a channel of room.links');
    }
  }

  /** What is for the room comes by its name, see `Meshes.inbox`. @internal */
  protected override listen(_link: Link): void {
    // Nothing to listen to.
  }

  /** @internal */
  protected override unlisten(_link: Link): void {
    // Nothing was listened to.
  }

  /** @internal */
  protected override wanted(neighbour: Neighbour): boolean {
    return neighbour.listed;
  }

  /** @internal */
  protected override async end(): Promise<void> {
    this.#early.close();
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<void>((resolve) => (timer = setTimeout(resolve, GOODBYE)));
    const leave = async () => {
      const unsubscribe = await this.#subscription?.catch(() => undefined);
      await unsubscribe?.();
    };
    await Promise.race([leave(), patience]);
    clearTimeout(timer);
  }
}
