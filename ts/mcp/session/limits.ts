// How much a session keeps in memory, and what travels.
import { checkInteger } from '../../base';

/** What a sender may have on its way without an acknowledgement; part of the protocol. One message may go beyond it. */
export const WINDOW = 1024 * 1024;

/** What a message costs besides its bytes, so that small ones cannot fill the memory of a receiver. */
export const OVERHEAD = 64;

/** UTF-16 units of a part: a large message leaves room for others on the connection, and browsers take it. */
export const PART = 64 * 1024;

/** Bytes of one message that are taken by default: as much as a message of a link. */
export const DEFAULT_MESSAGE_BYTES = 16 * 1024 * 1024;

/** The least that everybody takes: what initializing needs, many times over. */
const LEAST_MESSAGE_BYTES = 64 * 1024;

const MOST_MESSAGE_BYTES = 256 * 1024 * 1024;

/** Messages that wait for room or for the next connection: for somebody who sends without waiting. */
export const QUEUED_MESSAGES = 65_536;

/** Bytes of those messages: as much as a link queues. A larger one is taken if nothing else waits. */
export const QUEUED_BYTES = 64 * 1024 * 1024;

/** What both sides of a session keep to. */
export interface SessionLimits {
  /** Bytes of one message that this side takes. */
  readonly ours: number;
  /** Bytes of one message that the other side takes. */
  readonly theirs: number;
}

/** The option `maxMessageBytes`. @throws TypeError - It is out of range. */
export function checkLimits(maxMessageBytes: unknown): number {
  const value = maxMessageBytes ?? DEFAULT_MESSAGE_BYTES;
  return checkInteger(value, 'maxMessageBytes', LEAST_MESSAGE_BYTES, MOST_MESSAGE_BYTES);
}

/** Whether the other side says something that can be a limit. */
export function isMessageLimit(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= LEAST_MESSAGE_BYTES;
}

/** What a message takes of the window. */
export function costOf(text: string): number {
  return Buffer.byteLength(text) + OVERHEAD;
}
