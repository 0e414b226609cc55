// One agent that a mesh wants to be connected to, and how the link to it is made, lost and repaired.
import { clearTimeout, setTimeout } from '../../platform';
import { AgentError, messageOf } from '../../base';
import type { Link } from '../link';

/** What a neighbour needs of its mesh. */
export interface NeighbourHost {
  /** Connects, in its turn, or hands out the link that is there. */
  dial(agentId: string): Promise<Link>;
  attached(neighbour: Neighbour, link: Link): void;
  /** The link is closed. False: the mesh does not want another one. */
  detached(neighbour: Neighbour, link: Link): boolean;
  problem(error: AgentError, agentId: string): void;
  /** Milliseconds to wait after so many failures in a row. */
  delay(failures: number): number;
}

/** The link to one member. */
export class Neighbour {
  readonly agentId: string;
  /** It is in the list of the room. One that is not, and whose link is open, has lost the signaling service only. */
  listed = true;
  /** Broadcasts that wait for it. */
  waiting = 0;
  /** Resolves when the first attempt to reach it has ended, either way. */
  readonly settled: Promise<void>;
  readonly #host: NeighbourHost;
  #link: Link | undefined;
  #timer: NodeJS.Timeout | undefined;
  #failures = 0;
  #dialling = false;
  #stopped = false;
  #settle!: () => void;

  constructor(host: NeighbourHost, agentId: string) {
    this.#host = host;
    this.agentId = agentId;
    this.settled = new Promise((resolve) => (this.#settle = resolve));
  }

  /** The link, while it is open. */
  get link(): Link | undefined {
    return this.#link;
  }

  /** Connects after `delay` milliseconds, unless a link has come about by then. */
  pursue(delay: number): void {
    clearTimeout(this.#timer);
    if (this.#stopped || this.#link) return;
    if (delay > 0) this.#timer = setTimeout(() => void this.#dial(), delay);
    else void this.#dial();
  }

  /** A link has opened, from whichever side. */
  attach(link: Link): void {
    if (this.#stopped || this.#link === link || link.state === 'closed') return;
    clearTimeout(this.#timer);
    this.#link = link;
    this.#failures = 0;
    // Told when the link is closed, also if it is replaced by another one to the same agent.
    void link.closed.then(() => this.#detach(link));
    this.#settle();
    this.#host.attached(this, link);
  }

  /** The mesh does not want it any more. */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#settle();
  }

  #detach(link: Link): void {
    if (this.#link !== link) return;
    this.#link = undefined;
    if (this.#stopped || !this.#host.detached(this, link)) return;
    // Both sides see the loss. Whoever had dialled dials again; the other one waits whether it does.
    this.pursue(this.#host.delay(link.incoming ? 2 : 0));
  }

  async #dial(): Promise<void> {
    if (this.#dialling) return;
    this.#dialling = true;
    let retry: number | undefined;
    try {
      this.attach(await this.#host.dial(this.agentId));
      // It was closed as soon as it was open.
      if (!this.#link) retry = this.#host.delay(this.#failures++);
    } catch (cause) {
      const error = cause instanceof AgentError ? cause : new AgentError('INTERNAL_ERROR', messageOf(cause), { cause });
      if (!this.#stopped) this.#host.problem(error, this.agentId);
      // A refusal will not change by itself. An agent that changes its mind can still dial us.
      if (error.retryable) retry = this.#host.delay(this.#failures++);
    } finally {
      this.#dialling = false;
      this.#settle();
    }
    if (retry !== undefined) this.pursue(retry);
  }
}
