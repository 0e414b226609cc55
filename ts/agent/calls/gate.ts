// How many handlers run at a time, and who waits for a turn.
import { AgentError, onAbort } from '../../base';

interface Waiter {
  proceed: () => void;
  refuse: (error: AgentError) => void;
}

/**
 * Lets a number of handlers run and a number of others wait. Waiting parties (links) take turns, and when the queue is
 * full the one that waits with most loses its latest: a flood of one agent does not keep the others out.
 */
export class Gate {
  readonly #what: string;
  readonly #concurrency: number;
  readonly #queue: number;
  /** In the order of their turns. A party without waiters is not there. */
  readonly #parties = new Map<object, Set<Waiter>>();
  #running = 0;
  #waiting = 0;

  /** `what` names what is behind the gate, for errors. */
  constructor(what: string, concurrency: number, queue: number) {
    this.#what = what;
    this.#concurrency = concurrency;
    this.#queue = queue;
  }

  /** Handlers behind the gate and before it. */
  get counts(): { running: number; waiting: number } {
    return { running: this.#running, waiting: this.#waiting };
  }

  /**
   * Enters at once, if that is possible: then {@link leave} has to be called in the end. Otherwise {@link wait} does it.
   */
  tryEnter(): boolean {
    if (this.#running >= this.#concurrency) return false;
    this.#running++;
    return true;
  }

  /**
   * Enters when it is this party's turn.
   *
   * @throws AgentError - `RATE_LIMIT_EXCEEDED`: too many wait already.
   * @throws the reason of the signal, if that fires first.
   */
  wait(party: object, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason as Error);
      if (this.#waiting >= this.#queue && !this.#makeRoomFor(party)) return reject(this.#full());
      const end = onAbort(signal, () => {
        this.#remove(party, waiter);
        waiter.refuse(signal.reason as AgentError);
      });
      const waiter: Waiter = { proceed: () => (end(), resolve()), refuse: (error) => (end(), reject(error)) };
      const waiters = this.#parties.get(party);
      if (waiters) waiters.add(waiter);
      else this.#parties.set(party, new Set([waiter]));
      this.#waiting++;
    });
  }

  /** A handler has finished: the next one may run. */
  leave(): void {
    this.#running--;
    const [turn] = this.#parties;
    if (!turn || this.#running >= this.#concurrency) return;
    const [party, waiters] = turn;
    const [waiter] = waiters;
    this.#remove(party, waiter!);
    if (waiters.size > 0) {
      // Behind the others.
      this.#parties.delete(party);
      this.#parties.set(party, waiters);
    }
    this.#running++;
    waiter!.proceed();
  }

  #remove(party: object, waiter: Waiter): void {
    const waiters = this.#parties.get(party)!;
    waiters.delete(waiter);
    this.#waiting--;
    if (waiters.size === 0) this.#parties.delete(party);
  }

  /** Sends away the latest of the party that waits with most, if that is not the one that comes. */
  #makeRoomFor(party: object): boolean {
    let largest: [object, Set<Waiter>] | undefined;
    for (const entry of this.#parties) if (!largest || entry[1].size > largest[1].size) largest = entry;
    const own = this.#parties.get(party)?.size ?? 0;
    if (!largest || largest[1].size <= own + 1) return false;
    const latest = [...largest[1]].at(-1)!;
    this.#remove(largest[0], latest);
    latest.refuse(this.#full());
    return true;
  }

  #full(): AgentError {
    const text = `${this.#concurrency} calls of ${this.#what} run and ${this.#queue} wait, the most allowed`;
    return new AgentError('RATE_LIMIT_EXCEEDED', text, { retryable: true });
  }
}
