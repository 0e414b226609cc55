// How one message goes over a channel: whole, in the specification's chunks, or in the parts of our own agents.
import { AgentError, nativeAgentCall } from '../../base';
import { binding } from '../../native';
import { MAX_ESCAPED_BYTES_PER_UNIT, MAX_WHOLE, type LargeText } from './large-text';

/** Most bytes of a message that everybody takes whole. Larger ones go to strangers in chunks of this size. */
export const MAX_CHUNK = 16_384;

/** UTF-16 units in a part. */
const PART = 64 * 1024;

/** Three bytes are the most that UTF-8 takes for a UTF-16 unit. */
const MAX_BYTES_PER_UNIT = 3;

/** Begins a part; no JSON does. Known to `crates/agent/src/chunk`. */
const PART_MARK = '\u0001';

/** What is known of the way and of the other end. */
export interface Way {
  /** The other side takes parts. */
  parts: boolean;
  /** Largest message of the connection, in bytes; may be `Infinity`. */
  maxMessageSize: number;
}

/** The messages on the wire that make up one of ours. */
export interface Pieces {
  readonly total: number;
  /** The next one; it is only gone when `next` is called again. */
  next(): string;
  /** Tells the other side that no more will come, where it can be told. */
  abandon?: string;
}

/** Whether a text goes over this way as it is. */
export function goesWhole(text: string, { parts, maxMessageSize }: Way): boolean {
  const most = parts ? Math.min(maxMessageSize, MAX_WHOLE * MAX_BYTES_PER_UNIT) : Math.min(maxMessageSize, MAX_CHUNK);
  if (parts && text.length > MAX_WHOLE) return false;
  return text.length * MAX_BYTES_PER_UNIT <= most || (text.length <= most && Buffer.byteLength(text) <= most);
}

/** The same for a text with long strings, of which the length is not known exactly. */
export function goesInPieces({ units }: LargeText, { parts, maxMessageSize }: Way): boolean {
  return parts && units <= MAX_WHOLE && units * MAX_ESCAPED_BYTES_PER_UNIT <= maxMessageSize;
}

/** Cuts a text that does not go whole. */
export function cut(text: string, id: string, { parts, maxMessageSize }: Way): Pieces {
  if (parts) return new Parts(text, id, maxMessageSize);
  if (maxMessageSize < MAX_CHUNK) {
    const reason = `the other side takes messages of ${maxMessageSize} bytes only, and chunks have ${MAX_CHUNK}`;
    throw new AgentError('MESSAGE_TOO_LARGE', reason);
  }
  const writer = nativeAgentCall(() => new binding.ChunkWriter(text));
  return { total: writer.total, next: () => writer.next() ?? '' };
}

/** Slices of the text, each with a line before it that says where it belongs. */
class Parts implements Pieces {
  readonly total: number;
  readonly abandon: string;
  readonly #ends: number[] = [];
  #index = 0;

  constructor(
    readonly text: string,
    readonly id: string,
    maxMessageSize: number,
  ) {
    const head = MAX_CHUNK / 16;
    const most = Math.max(1024, Math.min(PART, Math.floor((maxMessageSize - head) / MAX_BYTES_PER_UNIT)));
    for (let end = 0; end < text.length; this.#ends.push(end)) {
      end = Math.min(end + most, text.length);
      // Not through a pair of surrogates: each half alone would not survive UTF-8.
      const unit = text.charCodeAt(end - 1);
      if (unit >= 0xd800 && unit < 0xdc00 && end < text.length) end--;
    }
    this.total = this.#ends.length;
    this.abandon = `${PART_MARK}${id},0,0\n`;
  }

  next(): string {
    const index = this.#index++;
    const slice = this.text.slice(index === 0 ? 0 : this.#ends[index - 1], this.#ends[index]);
    return `${PART_MARK}${this.id},${index},${this.total}\n${slice}`;
  }
}
