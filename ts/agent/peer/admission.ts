// Whether an agent that calls gets a link.
import { AgentError, messageOf, type Logger } from '../../base';
import type { SignalingMessage } from '../../signaling';

/** Who calls, as far as that is known before there is a link. */
export interface Caller {
  /** The canonical URI of the calling agent. */
  readonly agentId: string;
  /** Whether it has proved that it is that agent. Without that the signaling service alone vouches for the name. */
  readonly authenticated: boolean;
  /** How it has proved it. */
  readonly how: string;
}

/**
 * Decides about links that others want to make: `false` refuses with `UNAUTHORIZED`; an `AgentError` that it throws
 * refuses with its code and text, any other error with `INTERNAL_ERROR`.
 */
export type AcceptPolicy = (caller: Caller) => boolean | Promise<boolean>;

/** Callers that wait for a decision. A policy that never decides would fill the memory otherwise; more are refused. */
const MAX_UNDECIDED = 1024;

/** Asks the policy of a peer, one question per caller at a time. */
export class Admission {
  /** The latest offer of each caller that waits: an older one does not count any more. */
  readonly #undecided = new Map<string, SignalingMessage>();

  constructor(
    private readonly policy: AcceptPolicy | undefined,
    private readonly logger: Logger,
  ) {}

  /** Whether a decision about this agent is pending. */
  isUndecided(agentId: string): boolean {
    return this.#undecided.has(agentId);
  }

  /** Calls one of the two: at once if there is no policy, later otherwise, or neither when a newer offer has come. */
  decide(caller: Caller, offer: SignalingMessage, admit: () => void, refuse: (error: AgentError) => void): void {
    const { policy } = this;
    if (!policy) return admit();
    const { agentId } = caller;
    if (this.#undecided.size >= MAX_UNDECIDED && !this.#undecided.has(agentId)) {
      const text = `${MAX_UNDECIDED} agents wait for a decision; try again later`;
      return refuse(new AgentError('RATE_LIMIT_EXCEEDED', text, { retryable: true }));
    }
    this.#undecided.set(agentId, offer);
    const decided = (then: () => void) => {
      if (this.#undecided.get(agentId) !== offer) return;
      this.#undecided.delete(agentId);
      then();
    };
    void this.#ask(policy, caller).then((error) => decided(() => (error ? refuse(error) : admit())));
  }

  /** No decision counts any more. */
  close(): void {
    this.#undecided.clear();
  }

  async #ask(policy: AcceptPolicy, caller: Caller): Promise<AgentError | undefined> {
    try {
      // Anything but `true` is a refusal: a policy that forgets to return something must not let everybody in.
      if ((await policy(caller)) === true) return undefined;
      return new AgentError('UNAUTHORIZED', 'Peer not allowed');
    } catch (error) {
      if (error instanceof AgentError) return error;
      this.logger.error(`accept() has thrown: ${messageOf(error)}`, { remote: caller.agentId });
      // What went wrong in here is nobody's business over there.
      return new AgentError('INTERNAL_ERROR', 'the agent could not decide', { retryable: true });
    }
  }
}
