// Making and reading messages, and reading options.
import { AgentError } from '../base';
import { chunksOf } from './chunks';
import type { MessagePriority, SignalingMessage, WebRTCMessage, WebRTCMessageType } from './types';

/** Milliseconds by which the clocks of two agents may differ before a message with a ttl is taken as expired. */
const CLOCK_SKEW = 60_000;

/** What only this side says: a message of one of these types is not emitted under its type, or the peer could fake it. */
export const OWN_EVENTS: readonly string[] = [
  'connectionstatechange',
  'connected',
  'disconnected',
  'failed',
  'closed',
  'channel:open',
  'channel:close',
  'channel:error',
  // Of EventEmitter itself.
  'newListener',
  'removeListener',
];

/** @throws TypeError - The option is not a number above zero. */
export function positive(value: unknown, what: string): number {
  if (typeof value !== 'number' || !(value > 0))
    throw new TypeError(`${what} must be a positive number, not ${String(value)}`);
  return value;
}

/** Some send a description in the place of its text. */
export function sdpOf({ sdp }: SignalingMessage): string {
  return typeof sdp === 'object' ? (sdp as { sdp: string }).sdp : (sdp ?? '');
}

/** The message behind its JSON. @throws AgentError - It is none. */
export function parse(text: string): WebRTCMessage {
  const message = JSON.parse(text) as WebRTCMessage;
  if (typeof message !== 'object' || message === null || typeof message.type !== 'string') {
    throw new AgentError('INVALID_MESSAGE', 'not an object with a type');
  }
  return message;
}

/** Whether the time to live of a message is over. */
export function isExpired({ timestamp, metadata }: WebRTCMessage): boolean {
  const ttl = metadata?.ttl;
  // Without a time that can be read (NaN for a text) nothing expires.
  return (
    typeof ttl === 'number' &&
    typeof timestamp === 'string' &&
    Date.now() > Date.parse(timestamp) + ttl * 1000 + CLOCK_SKEW
  );
}

/** Options of `send`. */
export interface MessageOptions {
  /** Ties a response to its call. */
  correlationId?: string;
  /** Importance, for the receiver to read. Default: `'normal'`. */
  priority?: MessagePriority;
  /** Seconds in which the message is of use: it is neither sent nor delivered later. */
  ttl?: number;
}

/** A message of today. */
export function compose(
  agentId: string,
  channelId: string,
  type: WebRTCMessageType,
  payload: unknown,
  { correlationId, priority, ttl }: MessageOptions,
  id: string,
): WebRTCMessage {
  const metadata = { agentId, channelId, correlationId, priority: priority || 'normal', ttl };
  return { type, id, timestamp: new Date().toISOString(), payload, metadata };
}

/** How a message travels: as one text, or in pieces if that has more than `chunkSize` bytes. */
export function textsOf(message: WebRTCMessage, chunkSize: number): (() => string)[] {
  const text = JSON.stringify(message);
  // No character takes more than three bytes for each code unit: short texts need not be counted.
  const small = text.length * 3 <= chunkSize || Buffer.byteLength(text) <= chunkSize;
  return small ? [() => text] : chunksOf(message, text, chunkSize);
}
