// Which messages have come already.
import { readUuid, toUuid, UuidTable, type Uuid } from './uuid-table';

/** Ids: UUIDs as most of them are, and any other texts. */
class Ids {
  #uuids = new UuidTable();
  #texts = new Set<string>();

  get size(): number {
    return this.#uuids.size + this.#texts.size;
  }

  has(id: Uuid | string): boolean {
    return typeof id === 'string' ? this.#texts.has(id) : this.#uuids.has(id);
  }

  /** False: it is there already. */
  add(id: Uuid | string): boolean {
    if (typeof id !== 'string') return this.#uuids.add(id);
    const before = this.#texts.size;
    return this.#texts.add(id).size > before;
  }

  clear(): void {
    this.#uuids.clear();
    this.#texts = new Set();
  }
}

/** The ids of the last messages: at least as many as it was told, and at most twice as many. */
export class SeenIds {
  readonly #limit: number;
  #young = new Ids();
  /** The ones before: a set that loses its oldest member for each new one is slow. */
  #old = new Ids();

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Remembers an id; false if it is known already. */
  add(id: string): boolean {
    return this.#add(toUuid(id) ?? id);
  }

  /** The same for a UUID that is a part of a text and begins at this place; `undefined`: there is none. */
  addUuid(text: string, start: number): boolean | undefined {
    const uuid = readUuid(text, start);
    return uuid && this.#add(uuid);
  }

  #add(id: Uuid | string): boolean {
    if (this.#limit === 0) return true;
    if (!this.#young.add(id)) return false;
    const known = this.#old.has(id);
    if (this.#young.size >= this.#limit) {
      [this.#young, this.#old] = [this.#old, this.#young];
      this.#young.clear();
    }
    return !known;
  }
}
