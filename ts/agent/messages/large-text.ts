// Long strings in payloads, such as documents: they go into the envelope beside JSON.stringify and come out of it beside
// JSON.parse, each of which would copy them and look at every character. The native core does what is left of that.
import { PLACEHOLDER, type LiftedText } from '../../native';

/** Strings from this length on, in UTF-16 units, are worth it. Receivers have the same limit, in `crates/agent/src/large`. */
const LONG = 32 * 1024;

/**
 * Up to this many UTF-16 units a message goes to one of our own agents whole: cutting and joining would cost more
 * than it gains, since as much may wait in the channel anyway before it counts as full. Larger ones leave room
 * for more urgent messages between their parts, and for those nothing of this is worth its while.
 */
export const MAX_WHOLE = 1024 * 1024 + 64 * 1024;

/** They are looked for in objects and arrays of so many members, and so deep: the search must cost small payloads nothing. */
const MAX_MEMBERS = 16;
const MAX_SEARCH_DEPTH = 3;

/** What is received may be deeper; beyond this it is parsed as it stands, without recursion. */
const MAX_RESTORE_DEPTH = 64;

/** UTF-8 of a UTF-16 unit takes three bytes at most; the escape of a control character has six. */
export const MAX_ESCAPED_BYTES_PER_UNIT = 6;

/** JSON with long strings that are not written as JSON yet. */
export class LargeText {
  /** Length in UTF-16 units, without the escapes that some may need. */
  readonly units: number;

  /** JSON and the content of a string literal by turns, JSON first and last. The contents have no lone surrogates. */
  constructor(readonly pieces: readonly string[]) {
    this.units = pieces.reduce((sum, { length }) => sum + length, 0);
  }

  /** The same between two texts. */
  within(start: string, end: string): LargeText {
    const pieces = [...this.pieces];
    pieces[0] = start + pieces[0]!;
    pieces[pieces.length - 1] += end;
    return new LargeText(pieces);
  }

  /** All of it as JSON. */
  toString(): string {
    return this.pieces.map((piece, index) => (index % 2 === 0 ? piece : JSON.stringify(piece).slice(1, -1))).join('');
  }
}

/**
 * JSON of a payload that has long strings; `undefined` if it has none, if it is too large to go whole, or none of JSON's
 * own kinds of values.
 */
export function largeText(payload: unknown): LargeText | undefined {
  if (!hasLong(payload, 0)) return undefined;
  const pieces = [''];
  try {
    write(payload, 0, pieces);
  } catch {
    // Something in it cannot be written as JSON: `JSON.stringify` says what.
    return undefined;
  }
  const text = new LargeText(pieces);
  return text.units > MAX_WHOLE ? undefined : text;
}

function hasLong(value: unknown, depth: number): boolean {
  if (typeof value === 'string') return value.length >= LONG && value.length <= MAX_WHOLE && isWellFormed(value);
  if (typeof value !== 'object' || value === null || depth > MAX_SEARCH_DEPTH) return false;
  let found = false;
  if (Array.isArray(value)) {
    if (value.length > MAX_MEMBERS) return false;
    for (const item of value as unknown[]) found ||= hasLong(item, depth + 1);
    return found && isPlain(value);
  }
  let members = 0;
  for (const key in value) {
    if (++members > MAX_MEMBERS) return false;
    found ||= hasLong((value as Record<string, unknown>)[key], depth + 1);
  }
  return found && isPlain(value);
}

/** What it says with `toJSON` or by being of a class is for `JSON.stringify` to ask. */
function isPlain(value: object): boolean {
  if ('toJSON' in value) return false;
  if (Array.isArray(value)) return true;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** Half a surrogate pair is an escape in JSON, and nothing in UTF-8. */
function isWellFormed(text: string): boolean {
  // Of ES2024; every Node that we support has it.
  return (text as string & { isWellFormed(): boolean }).isWellFormed();
}

/** Appends a value for which {@link hasLong} holds. */
function write(value: unknown, depth: number, pieces: string[]): void {
  const append = (json: string) => (pieces[pieces.length - 1] += json);
  if (typeof value === 'string') {
    append('"');
    pieces.push(value, '"');
    return;
  }
  const list = Array.isArray(value);
  let separator = list ? '[' : '{';
  // Holes of an array are `null` as well, so its keys are all places.
  const keys = list ? Array.from(value, (_, index) => String(index)) : Object.keys(value as object);
  for (const key of keys) {
    const member = (value as Record<string, unknown>)[key];
    const name = list ? '' : `${JSON.stringify(key)}:`;
    if (hasLong(member, depth + 1)) {
      append(separator + name);
      write(member, depth + 1, pieces);
    } else {
      // In an object, so that `toJSON` gets the key that it would get.
      const json = JSON.stringify({ [key]: member });
      // Left out: objects have no such member, arrays have `null`.
      if (json === '{}' && !list) continue;
      append(separator + name + (json === '{}' ? 'null' : json.slice(JSON.stringify(key).length + 2, -1)));
    }
    separator = ',';
  }
  append(list ? ']' : '}');
}

/** Parses what was lifted; `undefined` if it is no object, no JSON, or deeper than is good for recursion. */
export function parseLifted({ skeleton, strings }: LiftedText): object | undefined {
  let value: unknown;
  try {
    value = JSON.parse(skeleton);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  // A string that was the name of a member, or of a member that came twice, is missing.
  return restore(value as Record<string, unknown>, strings, 0) === strings.length ? value : undefined;
}

/** Puts strings where their placeholders are; says how many. */
function restore(value: Record<string, unknown>, strings: readonly string[], depth: number): number {
  let count = 0;
  for (const key of Object.keys(value)) {
    const member = value[key];
    if (typeof member === 'string') {
      if (!member.startsWith(PLACEHOLDER)) continue;
      value[key] = strings[Number(member.slice(1))];
      count++;
    } else if (typeof member === 'object' && member !== null && depth < MAX_RESTORE_DEPTH) {
      count += restore(member as Record<string, unknown>, strings, depth + 1);
    }
  }
  return count;
}

/** The text that was lifted, as it came but for the way in which its long strings are escaped. */
export function wholeText({ skeleton, strings }: LiftedText): string {
  return skeleton.replace(new RegExp(`"${PLACEHOLDER}(\\d+)"`, 'g'), (_, index) =>
    JSON.stringify(strings[Number(index)]),
  );
}
