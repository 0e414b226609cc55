import { setImmediate, structuredClone } from '../platform';
import { AgentError } from '../base';
import { normalizeAgentUri } from '../identity';
import type { RoomListener, SignalingAdapter, SignalingMessage, Unsubscribe } from './adapter';

/** Signaling between agents in the same process, for tests and for programs that bring both sides. */
export class MemorySignaling implements SignalingAdapter {
  readonly #agents = new Map<string, (message: SignalingMessage) => void>();

  readonly #rooms = new Map<string, Map<string, RoomListener>>();

  /** The agents that are registered. */
  get agents(): string[] {
    return [...this.#agents.keys()];
  }

  /**
   * Delivers a message in a later turn of the event loop; a recipient that is not there answers with an `error`.
   * @throws TypeError - `to` is no agent URI.
   */
  send(message: SignalingMessage): void {
    // A copy, made now: the sender may go on to change its object, as over a network.
    const copy = structuredClone(message);
    // Now, where the sender can be told: later nobody would catch it.
    const to = normalizeAgentUri(copy.to);
    setImmediate(() => {
      const recipient = this.#agents.get(to);
      if (recipient) recipient(copy);
      else if (copy.type !== 'error' && copy.from !== undefined) this.#unreachable(copy, copy.from);
    });
  }

  /**
   * From now on messages to `agentId` are delivered.
   * @throws AgentError `UNAUTHORIZED` if the name is taken.
   */
  subscribe(agentId: string, deliver: (message: SignalingMessage) => void): Unsubscribe {
    const agent = normalizeAgentUri(agentId);
    if (this.#agents.has(agent)) throw new AgentError('UNAUTHORIZED', `${agent} is registered already`);
    this.#agents.set(agent, deliver);
    return () => {
      if (this.#agents.get(agent) !== deliver) return;
      this.#agents.delete(agent);
      for (const room of [...this.#rooms.keys()]) this.#leave(room, agent, []);
    };
  }

  /**
   * Puts an agent into a room.
   * @throws AgentError `UNAUTHORIZED` if it has not subscribed here.
   * @throws TypeError - It is in the room already.
   */
  join(room: string, agentId: string, onMembers: RoomListener): Unsubscribe {
    const agent = normalizeAgentUri(agentId);
    if (!this.#agents.has(agent)) throw new AgentError('UNAUTHORIZED', `${agent} is not registered`);
    let members = this.#rooms.get(room);
    if (members?.has(agent)) throw new TypeError(`${agent} is in the room ${JSON.stringify(room)} already`);
    if (!members) this.#rooms.set(room, (members = new Map<string, RoomListener>()));
    members.set(agent, onMembers);
    this.#tell(members);
    return () => {
      if (this.#rooms.get(room)?.get(agent) === onMembers) this.#leave(room, agent, [agent]);
    };
  }

  #leave(room: string, agent: string, left: string[]): void {
    const members = this.#rooms.get(room);
    if (!members?.delete(agent)) return;
    if (members.size === 0) this.#rooms.delete(room);
    else this.#tell(members, left);
  }

  /** Everybody gets the list as it is now, in a later turn. */
  #tell(members: Map<string, RoomListener>, left: string[] = []): void {
    const list = [...members.keys()].sort();
    for (const [agent, onMembers] of [...members]) {
      setImmediate(() => {
        if (members.get(agent) === onMembers) onMembers(list, { left });
      });
    }
  }

  #unreachable({ to, sessionId }: SignalingMessage, from: string): void {
    const error = { code: 'AGENT_UNREACHABLE', message: `${to} is not registered` };
    let sender: string;
    try {
      sender = normalizeAgentUri(from);
    } catch {
      return; // nobody has that name
    }
    this.#agents.get(sender)?.({ type: 'error', to: from, sessionId, error });
  }
}
