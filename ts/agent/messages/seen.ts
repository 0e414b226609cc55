// Which messages have come already.

/** The ids of the last messages: at least as many as it was told, and at most twice as many. */
export class SeenIds {
  readonly #limit: number;
  #young = new Set<string>();
  /** The ones before: a set that loses its oldest member for each new one is slow. */
  #old = new Set<string>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Remembers an id; false if it is known already. */
  add(id: string): boolean {
    if (this.#limit === 0) return true;
    const before = this.#young.size;
    this.#young.add(id);
    if (this.#young.size === before) return false;
    const known = this.#old.has(id);
    if (before + 1 >= this.#limit) {
      this.#old = this.#young;
      this.#young = new Set();
    }
    return !known;
  }
}
