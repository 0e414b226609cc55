import { AgentError } from './errors';
import { normalizeAgentUri } from './options';
import type { SignalingAdapter, SignalingMessage, Unsubscribe } from './signaling';

/** Signaling between agents in the same process, for tests and for programs that bring both sides. */
export class MemorySignaling implements SignalingAdapter {
  readonly #agents = new Map<string, (message: SignalingMessage) => void>();

  /** The agents that are registered. */
  get agents(): string[] {
    return [...this.#agents.keys()];
  }

  send(message: SignalingMessage): void {
    // A copy, made now: the sender may go on to change its object, as over a network.
    const copy = structuredClone(message);
    setImmediate(() => {
      const recipient = this.#agents.get(normalizeAgentUri(copy.to));
      if (recipient) recipient(copy);
      else if (copy.type !== 'error' && copy.from !== undefined) this.#unreachable(copy, copy.from);
    });
  }

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
    this.#agents.get(normalizeAgentUri(from))?.({ type: 'error', to: from, sessionId, error });
  }
}
