// One agent's copy of a shared state: keys with values, and a rule by which any two copies that have seen the same changes
// are equal, in whatever order the changes came, how often, and over whom. No network here.
import { createHash } from 'node:crypto';

/** The value of a key, and which change of it this is. */
export interface Entry {
  readonly key: string;
  /** Counts the changes of this key, from 1. Whoever changes it takes the next number after the highest it has seen. */
  readonly sequence: number;
  /** The agent that made the change. Of two changes with the same number that of the greater name counts. */
  readonly author: string;
  /** Any JSON value. `undefined`: the key was deleted; the entry stays, so that older changes do not bring it back. */
  readonly value?: unknown;
}

/** An entry without its value: enough to tell which of two is newer. */
export type Version = readonly [key: string, sequence: number, author: string, checksum: string];

/** What one copy needs to hear from another, and what the other one needs. */
export interface Difference {
  /** Newer here, or not known there. */
  entries: Entry[];
  /** Keys that are newer there, or not known here. */
  wanted: string[];
}

/** Keys of one state, deleted ones included. Everybody of the group can make everybody keep so many. */
export const MAX_KEYS = 4096;

/** Bytes of a key, of an agent URI, and of a value as JSON. */
export const MAX_KEY = 256;
const MAX_AUTHOR = 512;
export const MAX_VALUE = 16 * 1024;

interface Held {
  readonly entry: Entry;
  /** The value as JSON, `''` for a deleted one. */
  readonly text: string;
  readonly checksum: string;
}

/** See above. */
export class Replica {
  /** The agent whose copy this is. */
  readonly agentId: string;
  readonly #held = new Map<string, Held>();
  #summary = 0n;

  constructor(agentId: string) {
    this.agentId = agentId;
  }

  /** The value of a key; `undefined` if there is none. */
  get(key: string): unknown {
    return this.#held.get(key)?.entry.value;
  }

  /** The state as an object. */
  get state(): Record<string, unknown> {
    const present = [...this.#held.values()].filter(({ entry }) => entry.value !== undefined);
    // Not an object literal: a key may be called `__proto__`.
    return Object.fromEntries(present.map(({ entry }) => [entry.key, entry.value]));
  }

  /** The same for two copies that are equal, and practically never for others. */
  get summary(): string {
    return this.#summary.toString(16);
  }

  /** What is known of each key. */
  get versions(): Version[] {
    return [...this.#held.values()].map(({ entry: { key, sequence, author }, checksum }) => [
      key,
      sequence,
      author,
      checksum,
    ]);
  }

  /** The entries of these keys that are known, at most about so many characters of them and at least one. */
  entries(keys: Iterable<string>, characters: number): Entry[] {
    const held = [...keys].flatMap((key) => this.#held.get(key) ?? []);
    return within(held, characters);
  }

  /**
   * Changes a key; `undefined` deletes it. Returns the change, for the others.
   *
   * @throws TypeError - Key or value are too large, or the value is not JSON.
   * @throws RangeError - There are too many keys already.
   */
  set(key: string, value: unknown): Entry {
    return this.#change(key, value, this.agentId);
  }

  /**
   * Takes the change of somebody who counts nothing, like the bare `state_update` of the specification: it is the next one
   * after what this copy knows. Nothing if the value is that already, so that a state may be repeated.
   *
   * @throws as {@link set}.
   */
  adopt(key: string, value: unknown, author: string): Entry | undefined {
    return this.#held.get(key)?.text === toText(value) ? undefined : this.#change(key, value, author);
  }

  /** Takes changes of others. Returns those that are news here; `refused` are those for which there is no room. */
  merge(entries: Iterable<Entry>): { news: Entry[]; refused: number } {
    const news: Entry[] = [];
    let refused = 0;
    for (const entry of entries) {
      const mine = this.#held.get(entry.key);
      const theirs = hold(entry);
      if (mine && compare(versionOf(mine), versionOf(theirs)) >= 0) continue;
      if (this.#put(theirs)) news.push(entry);
      else refused++;
    }
    return { news, refused };
  }

  /**
   * What a copy lacks that says it has these versions, at most about so many characters, and what is missing here.
   *
   * @throws TypeError - They are no versions.
   */
  difference(versions: unknown, characters: number): Difference {
    const theirs = readVersions(versions);
    const seen = new Set<string>();
    const wanted: string[] = [];
    const newer: Held[] = [];
    for (const version of theirs) {
      const [key] = version;
      seen.add(key);
      const mine = this.#held.get(key);
      const order = mine ? compare(versionOf(mine), version) : -1;
      if (order > 0) newer.push(mine!);
      else if (order < 0) wanted.push(key);
    }
    for (const [key, held] of this.#held) if (!seen.has(key)) newer.push(held);
    return { entries: within(newer, characters), wanted };
  }

  #change(key: string, value: unknown, author: string): Entry {
    const text = toText(value);
    if (key.length > MAX_KEY) throw new TypeError(`a key has at most ${MAX_KEY} characters, not ${key.length}`);
    if (text.length > MAX_VALUE) {
      throw new TypeError(
        `a value has at most ${MAX_VALUE} characters of JSON, not ${text.length}: send what is large as a file`,
      );
    }
    const sequence = (this.#held.get(key)?.entry.sequence ?? 0) + 1;
    // What the others will read, not the caller's own object.
    const entry: Entry = { key, sequence, author, ...(text && { value: JSON.parse(text) as unknown }) };
    if (!this.#put(hold(entry))) throw new RangeError(`the state has ${MAX_KEYS} keys, the most that are kept`);
    return entry;
  }

  #put(held: Held): boolean {
    const { key } = held.entry;
    const before = this.#held.get(key);
    if (!before && this.#held.size >= MAX_KEYS) return false;
    if (before) this.#summary ^= digest(before);
    this.#summary ^= digest(held);
    this.#held.set(key, held);
    return true;
  }
}

/**
 * The order of two changes of the same key: by number, then by author, then by content: an agent that was started anew
 * may give a number twice.
 */
export function compare(a: Version, b: Version): number {
  for (const place of [1, 2, 3] as const) {
    if (a[place] !== b[place]) return a[place] > b[place] ? 1 : -1;
  }
  return 0;
}

/** Reads entries that came from elsewhere. @throws TypeError - They are not entries. */
export function readEntries(value: unknown): Entry[] {
  return listOf(value).map((one) => {
    const { key, sequence, author, value } = one as Partial<Entry>;
    checkVersion(key, sequence, author);
    if (toText(value).length > MAX_VALUE) throw new TypeError('a value is too large');
    return { key, sequence, author, ...(value !== undefined && { value }) } as Entry;
  });
}

/** Reads versions that came from elsewhere. @throws TypeError - They are not versions. */
function readVersions(value: unknown): Version[] {
  return listOf(value).map((one) => {
    const [key, sequence, author, checksum] = one as Partial<Version>;
    checkVersion(key, sequence, author);
    if (typeof checksum !== 'string' || checksum.length > 64) throw new TypeError('a checksum is a short string');
    return [key, sequence, author, checksum] as Version;
  });
}

/** Reads keys that came from elsewhere. @throws TypeError - They are not keys. */
export function readKeys(value: unknown): string[] {
  return listOf(value).map((key) => {
    if (typeof key !== 'string') throw new TypeError('a key is a string');
    return key;
  });
}

function listOf(value: unknown): unknown[] {
  if (!Array.isArray(value) || value.length > MAX_KEYS) throw new TypeError(`this is no list of at most ${MAX_KEYS}`);
  for (const one of value as unknown[])
    if (one === null || one === undefined) throw new TypeError('something is missing in a list');
  return value as unknown[];
}

function checkVersion(key: unknown, sequence: unknown, author: unknown): void {
  if (typeof key !== 'string' || key.length > MAX_KEY) throw new TypeError('a key is a short string');
  if (!Number.isSafeInteger(sequence) || (sequence as number) < 1 || sequence === Number.MAX_SAFE_INTEGER) {
    throw new TypeError('a sequence number is a whole number from 1');
  }
  if (typeof author !== 'string' || author.length > MAX_AUTHOR) throw new TypeError('an author is an agent URI');
}

function toText(value: unknown): string {
  return value === undefined ? '' : sorted(value);
}

/** JSON with the members of objects in a fixed order: copies that are equal have equal texts. */
function sorted(value: unknown): string {
  const text = JSON.stringify(value, (_name, member: unknown) =>
    typeof member === 'object' && member !== null && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)))
      : member,
  ) as string | undefined;
  if (text === undefined) throw new TypeError('a value is what can be written as JSON');
  return text;
}

function hold(entry: Entry): Held {
  const text = toText(entry.value);
  return { entry, text, checksum: createHash('sha256').update(text).digest('base64url').slice(0, 16) };
}

function versionOf({ entry: { key, sequence, author }, checksum }: Held): Version {
  return [key, sequence, author, checksum];
}

function digest(held: Held): bigint {
  return BigInt(
    `0x${createHash('sha256')
      .update(JSON.stringify(versionOf(held)))
      .digest('hex')
      .slice(0, 32)}`,
  );
}

/** As many as fit, and at least one. */
function within(held: Held[], characters: number): Entry[] {
  let left = characters;
  const taken: Entry[] = [];
  for (const { entry, text } of held) {
    left -= text.length + entry.key.length + entry.author.length + 64;
    if (left < 0 && taken.length > 0) break;
    taken.push(entry);
  }
  return taken;
}
