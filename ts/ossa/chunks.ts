// Messages that are too large for one piece: "Message Chunking" of the OSSA specification, in bytes and with bounds.
//
// Not the core's `Splitter` and `Reassembly`, which agents use: what they cut is always 16 KiB and named by the id of its
// message, what they join belongs to a session that knows its sender, who must have one channel and one name. The
// reference class has none of that: its callers choose `chunkSize`, each message in pieces gets a name of its own, and anybody's
// pieces are joined. It is there for programs that were written for it; speed is the agents' business.
import { randomUUID } from 'node:crypto';

import { clearInterval, setInterval } from '../platform';
import { AgentError } from '../base';
import type { WebRTCMessage } from './types';

/** The text inside a piece is never cut shorter than this, even if `chunkSize` has no room for it beside the envelope. */
const LEAST_SLICE = 256;

/** Bytes of one message in pieces; the memory that a single message of a peer may take. */
const MAX_MESSAGE = 16 * 1024 * 1024;

/** Bytes of all messages in pieces; the memory that a peer may take which never finishes any. */
const MAX_TOTAL = 64 * 1024 * 1024;

/** Messages in pieces at a time: bounds the entries of a peer that begins many and sends next to nothing. */
const MAX_MESSAGES = 256;

/** Bytes that a piece takes beside its text: a peer might send any number of empty ones. */
const PIECE_OVERHEAD = 64;

/** Milliseconds without a new piece after which a message is given up: pieces get lost on a lossy channel. */
const IDLE = 30_000;

/** Bytes of a code unit once it stands escaped in the JSON of a piece. Half of a surrogate pair counts two. */
function weigh(unit: number): number {
  if (unit === 0x22 || unit === 0x5c) return 2; // " and \
  if (unit < 0x80) return 1; // JSON text has no control characters
  if (unit < 0x800 || (unit & 0xf800) === 0xd800) return 2;
  return 3;
}

/** Where to cut JSON text so that no part is larger than `room` bytes, escaped, and no character is cut in two. */
function cuts(text: string, room: number): number[] {
  const ends: number[] = [];
  let used = 0;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    const pair = (unit & 0xfc00) === 0xd800;
    const weight = pair ? 4 : weigh(unit);
    if (used + weight > room) {
      ends.push(at);
      used = 0;
    }
    used += weight;
    if (pair) at++;
  }
  ends.push(text.length);
  return ends;
}

/**
 * The pieces of a message whose JSON is `text`: each is a message with the same id and metadata, whose payload is a
 * part of the text, and has at most `chunkSize` bytes as long as the envelope leaves room for that.
 */
export function chunksOf(message: WebRTCMessage, text: string, chunkSize: number): (() => string)[] {
  const messageId = randomUUID();
  const piece = (payload: string, chunkIndex: number, totalChunks: number) =>
    JSON.stringify({
      ...message,
      payload,
      metadata: { ...message.metadata, chunked: { chunkIndex, totalChunks, messageId } },
    });
  // With the largest numbers that can occur.
  const envelope = Buffer.byteLength(piece('', text.length, text.length));
  const ends = cuts(text, Math.max(chunkSize - envelope, LEAST_SLICE));
  return ends.map((end, index) => () => piece(text.slice(ends[index - 1] ?? 0, end), index, ends.length));
}

interface Partial {
  parts: Map<number, string>;
  total: number;
  bytes: number;
  touched: number;
}

/** Puts pieces together, in whatever order and however often they come. */
export class Reassembly {
  readonly #messages = new Map<string, Partial>();
  #bytes = 0;
  #timer: NodeJS.Timeout | undefined;

  /**
   * Takes a piece; returns the text of the message with the last one.
   *
   * @throws AgentError - `INVALID_MESSAGE`: it is none. `MESSAGE_TOO_LARGE`: a bound is passed; the message that it
   * belongs to is given up.
   */
  take({ payload, metadata }: WebRTCMessage): string | undefined {
    const { messageId, chunkIndex, totalChunks } = metadata.chunked!;
    if (typeof payload !== 'string' || typeof messageId !== 'string' || !isIndex(chunkIndex, totalChunks)) {
      throw new AgentError('INVALID_MESSAGE', `not a piece of a message: ${JSON.stringify(metadata.chunked)}`);
    }
    this.#dropIdle();
    const message = this.#messages.get(messageId) ?? this.#begin(messageId, totalChunks);
    if (message.total !== totalChunks) {
      throw new AgentError('INVALID_MESSAGE', `totalChunks changes from ${message.total} to ${totalChunks}`);
    }
    message.touched = performance.now();
    if (message.parts.has(chunkIndex)) return undefined;
    this.#grow(messageId, message, payload.length * 2 + PIECE_OVERHEAD);
    message.parts.set(chunkIndex, payload);
    if (message.parts.size < totalChunks) return undefined;
    this.#forget(messageId);
    return Array.from({ length: totalChunks }, (_, index) => message.parts.get(index)).join('');
  }

  /** Forgets everything. */
  clear(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#messages.clear();
    this.#bytes = 0;
  }

  #begin(messageId: string, total: number): Partial {
    if (this.#messages.size >= MAX_MESSAGES) {
      throw new AgentError('MESSAGE_TOO_LARGE', `${MAX_MESSAGES} messages in pieces are not complete; one was refused`);
    }
    const message = { parts: new Map<number, string>(), total, bytes: 0, touched: 0 };
    this.#messages.set(messageId, message);
    this.#timer ??= setInterval(() => this.#dropIdle(), IDLE).unref();
    return message;
  }

  #grow(messageId: string, message: Partial, bytes: number): void {
    message.bytes += bytes;
    this.#bytes += bytes;
    // Two bytes for each code unit, as JavaScript stores text at worst.
    if (message.bytes <= MAX_MESSAGE * 2 && this.#bytes <= MAX_TOTAL) return;
    this.#forget(messageId);
    throw new AgentError(
      'MESSAGE_TOO_LARGE',
      `a message in pieces passed ${MAX_MESSAGE / 2 ** 20} MiB; it was refused`,
    );
  }

  #forget(messageId: string): void {
    this.#bytes -= this.#messages.get(messageId)?.bytes ?? 0;
    this.#messages.delete(messageId);
    if (this.#messages.size === 0) this.clear();
  }

  #dropIdle(): void {
    const oldest = performance.now() - IDLE;
    for (const [messageId, { touched }] of this.#messages) if (touched < oldest) this.#forget(messageId);
  }
}

/** Pieces of at least one character: a message within the bound has no more of them than that. */
function isIndex(index: number, total: number): boolean {
  return Number.isInteger(index) && Number.isInteger(total) && index >= 0 && index < total && total <= MAX_MESSAGE;
}
