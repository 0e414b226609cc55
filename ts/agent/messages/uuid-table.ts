// UUIDs as numbers, and which of them have been seen. A text for each of them, and its place in a set of texts, would be a sixth of what
// a small message costs.
import { randomFillSync } from 'node:crypto';

/** Words of 32 bits in a UUID. */
const WORDS = 4;

/** Length of a UUID as text, and where its digits are (RFC 9562, section 4). */
const LENGTH = 36;
const DASHES = [8, 13, 18, 23];
const DIGITS = Uint8Array.from([...Array(LENGTH).keys()].filter((at) => !DASHES.includes(at)));

/** The value of each ASCII character as a digit; `NONE`: it is none. In capitals it would be another text. */
const NONE = 16;
const VALUES = new Uint8Array(128).fill(NONE);
for (const [value, digit] of [...'0123456789abcdef'].entries()) VALUES[digit.charCodeAt(0)] = value;

/** Room of a table in the beginning, in UUIDs: every link has two, and most links are idle. */
const ROOM = 4;

/** A UUID. Never nothing but zeros: those mark what is free in a table. */
export type Uuid = Uint32Array & { readonly length: typeof WORDS };

/** Of this process alone, so that nobody else can choose UUIDs that fall into one place of a table. */
const secret = randomFillSync(new Uint32Array(WORDS)).map((word) => word | 1) as Uuid;

/** Each is looked at before the next one is read. */
const latest = new Uint32Array(WORDS) as Uuid;

/** Reads a text that is a UUID in lower case; `undefined`: it is none. Good until the next one is read. */
export function toUuid(text: string): Uuid | undefined {
  return text.length === LENGTH ? readUuid(text, 0) : undefined;
}

/** The same for the part of a text that begins at this place. */
export function readUuid(text: string, start: number): Uuid | undefined {
  if (text.length < start + LENGTH) return undefined;
  for (const dash of DASHES) if (text.charCodeAt(start + dash) !== 0x2d) return undefined;
  let [word, any] = [0, 0];
  for (let i = 0; i < DIGITS.length; i++) {
    const unit = text.charCodeAt(start + DIGITS[i]!);
    const value = unit < VALUES.length ? VALUES[unit]! : NONE;
    if (value === NONE) return undefined;
    any |= value;
    word = (word << 4) | value;
    if ((i & 7) === 7) latest[i >> 3] = word;
  }
  return any === 0 ? undefined : latest;
}

/** A set of UUIDs: a table with linear probing that is at most half full. */
export class UuidTable {
  #slots = new Uint32Array(ROOM * WORDS);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  has(uuid: Uuid): boolean {
    return this.#isTaken(this.#find(uuid));
  }

  /** False: it is there already. */
  add(uuid: Uuid): boolean {
    const at = this.#find(uuid);
    if (this.#isTaken(at)) return false;
    this.#put(uuid, at);
    if (++this.#size * 2 * WORDS > this.#slots.length) this.#grow();
    return true;
  }

  /** Forgets all, and keeps the room for as many. */
  clear(): void {
    this.#slots.fill(0);
    this.#size = 0;
  }

  #isTaken(at: number): boolean {
    const slots = this.#slots;
    return (slots[at]! | slots[at + 1]! | slots[at + 2]! | slots[at + 3]!) !== 0;
  }

  #put(uuid: Uuid, at: number): void {
    const slots = this.#slots;
    slots[at] = uuid[0]!;
    slots[at + 1] = uuid[1]!;
    slots[at + 2] = uuid[2]!;
    slots[at + 3] = uuid[3]!;
  }

  /** Where it is, or where there is room for it. */
  #find(uuid: Uuid): number {
    const slots = this.#slots;
    const [a, b, c, d] = [uuid[0]!, uuid[1]!, uuid[2]!, uuid[3]!];
    const mixed =
      Math.imul(a, secret[0]!) ^ Math.imul(b, secret[1]!) ^ Math.imul(c, secret[2]!) ^ Math.imul(d, secret[3]!);
    const last = slots.length - 1;
    let at = ((mixed ^ (mixed >>> 16)) * WORDS) & last;
    while (this.#isTaken(at)) {
      if (slots[at] === a && slots[at + 1] === b && slots[at + 2] === c && slots[at + 3] === d) break;
      at = (at + WORDS) & last;
    }
    return at;
  }

  #grow(): void {
    const old = this.#slots;
    this.#slots = new Uint32Array(old.length * 2);
    for (let at = 0; at < old.length; at += WORDS) {
      const uuid = old.subarray(at, at + WORDS) as Uuid;
      if (uuid.some((word) => word !== 0)) this.#put(uuid, this.#find(uuid));
    }
  }
}
