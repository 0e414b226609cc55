import { AgentError } from './errors';
import { normalizeAgentUri } from './options';
import type { SignalingAdapter, SignalingMessage, Unsubscribe } from './signaling';

// Taken at load time, so that fake timers of test frameworks do not stop signaling.
const later = setImmediate;

/** Signaling between agents in the same process, for tests and for programs that bring both sides. */
export class MemorySignaling implements SignalingAdapter {
  readonly #agents = new Map<string, (message: SignalingMessage) => void>();

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
    later(() => {
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
      if (this.#agents.get(agent) === deliver) this.#agents.delete(agent);
    };
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
