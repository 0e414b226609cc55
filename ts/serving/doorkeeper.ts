// Who may open sessions. A tool acts in the name of whoever runs the server: without a word to the contrary nobody unknown gets in.
import { AgentError, type RemoteAgent } from '../index';

/** How an agent was proven whose key this side was given. `'tofu'` is not among them: any stranger gets that far at the second contact. */
const KNOWN = new Set<RemoteAgent['how']>(['pinned', 'resolver', 'jwks']);

/** Decides about callers. */
export class Doorkeeper {
  readonly #allow: ((agentId: string) => boolean | Promise<boolean>) | undefined;
  readonly #unauthenticated: boolean;

  /** @throws TypeError - `unauthenticated` is neither true nor false. */
  constructor(allow: ((agentId: string) => boolean | Promise<boolean>) | undefined, unauthenticated: unknown = false) {
    if (typeof unauthenticated !== 'boolean') throw new TypeError('unauthenticated must be true or false');
    this.#allow = allow;
    this.#unauthenticated = unauthenticated;
  }

  /** @throws AgentError - `UNAUTHORIZED`: the caller is not served. */
  async admit({ agentId, authenticated, how }: RemoteAgent): Promise<void> {
    if (!authenticated && !this.#unauthenticated) {
      throw unauthorized(`the name ${agentId} is not proven here (auth mode of the link: ${how})`);
    }
    const allowed = this.#allow ? await this.#isAllowed(agentId) : this.#unauthenticated || KNOWN.has(how);
    if (!allowed) throw unauthorized(`${agentId} may not use this`);
  }

  async #isAllowed(agentId: string): Promise<boolean> {
    try {
      return (await this.#allow!(agentId)) === true;
    } catch {
      // A function of the application that fails lets nobody in, and what went wrong is nobody's business over there.
      return false;
    }
  }
}

function unauthorized(message: string): AgentError {
  return new AgentError('UNAUTHORIZED', message);
}
