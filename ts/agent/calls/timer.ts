// One timer for the nearest of many deadlines.
import { clearTimeout, setTimeout } from '../../platform';

/** Calls `due` when the nearest deadline has come. Deadlines that vanish are noticed then, not before. */
export class CallTimer {
  readonly #due: () => void;
  readonly #wait: () => number | null;
  #timer: NodeJS.Timeout | undefined;
  #at = Infinity;

  /** `wait` says how many milliseconds remain until the nearest deadline, `null` if there is none. */
  constructor(due: () => void, wait: () => number | null) {
    this.#due = due;
    this.#wait = wait;
  }

  /** There is a deadline in so many milliseconds. */
  by(milliseconds: number): void {
    const at = performance.now() + milliseconds;
    if (this.#timer && at >= this.#at) return;
    clearTimeout(this.#timer);
    this.#at = at;
    // A timer of Node cannot wait longer than that, and may fire early within its millisecond.
    this.#timer = setTimeout(() => this.#fire(), Math.min(Math.ceil(milliseconds), 2 ** 31 - 1));
  }

  /** There are no deadlines. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#at = Infinity;
  }

  #fire(): void {
    this.stop();
    this.#due();
    const wait = this.#wait();
    if (wait !== null) this.by(wait);
  }
}
