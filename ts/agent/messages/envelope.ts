// Envelopes of what the application sends. The payload's JSON is made here, so the rest of the text is put around it
// here as well: a trip into the native core and back would copy it twice.
import { checkMembers, checkName, describe, toJson } from '../../base';
import { checkPriority, type Priority } from '../channels';

/** The longest type and the longest id that receivers take, in bytes; known to `crates/agent/src/envelope.rs`. */
const MAX_TYPE = 64;
const MAX_ID = 256;

/** Types that `send` leaves to `call`, to the keep-alive and to binary messages. */
const RESERVED_TYPES = new Set([
  'capability_call',
  'capability_response',
  'capability_cancel',
  'capability_ack',
  'heartbeat',
  'binary',
]);

/** Members of the metadata that have an option of their own or a meaning that is ours. */
const RESERVED_METADATA = new Set([
  'agentId',
  'channelId',
  'correlationId',
  'priority',
  'ttl',
  'chunked',
  'ossaRawResult',
  'ossa',
  'stream',
]);

/** Priorities by urgency; the numbers are known to `src/agent/schedule.rs`. */
export const URGENCY: Readonly<Record<Priority, number>> = { low: 0, normal: 1, high: 2, critical: 3 };

/** What may be said about a message. */
export interface Head {
  type?: string;
  priority?: Priority;
  ttl?: number;
  correlationId?: string;
  metadata?: Record<string, unknown>;
}

/**
 * Checks what a user says about a message.
 *
 * @throws TypeError - A member is not what it has to be.
 */
export function checkHead({ type, priority, ttl, correlationId, metadata }: Head): void {
  if (type !== undefined) {
    if (RESERVED_TYPES.has(checkName(type, 'type'))) throw new TypeError(`"${type}" is not a type for send()`);
    checkBytes(type, 'type', MAX_TYPE);
  }
  checkPriority(priority, 'priority');
  checkTtl(ttl, 'ttl');
  if (correlationId !== undefined) checkBytes(checkName(correlationId, 'correlationId'), 'correlationId', MAX_ID);
  if (metadata === undefined) return;
  if (typeof metadata !== 'object' || metadata === null) checkMembers(metadata, 'metadata', []);
  for (const name of Object.keys(metadata)) {
    if (RESERVED_METADATA.has(name))
      throw new TypeError(`metadata cannot have a member "${name}": it is set elsewhere`);
  }
}

function checkBytes(text: string, what: string, most: number): void {
  const bytes = Buffer.byteLength(text);
  if (bytes > most) throw new TypeError(`${what} has ${bytes} bytes, at most ${most} are allowed`);
}

/** A time to live in seconds, if there is one. */
export function checkTtl(value: unknown, what: string): number | undefined {
  if (value === undefined || (typeof value === 'number' && Number.isFinite(value) && value > 0)) return value;
  throw new TypeError(`${what} must be a positive number of seconds, not ${describe(value)}`);
}

/** Writes the envelopes of one link. */
export class EnvelopeWriter {
  readonly #agentId: string;
  #at = 0;
  #timestamp = '';

  constructor(agentId: string) {
    this.#agentId = JSON.stringify(agentId);
  }

  /** ISO 8601 with milliseconds: many messages share one. */
  get timestamp(): string {
    const now = Date.now();
    if (now !== this.#at) {
      this.#at = now;
      this.#timestamp = new Date(now).toISOString();
    }
    return this.#timestamp;
  }

  /** The end of an envelope that says nothing beyond the sender and the channel. */
  tail(label: string): string {
    return `,"metadata":{"agentId":${this.#agentId},"channelId":${JSON.stringify(label)}}}`;
  }

  /** The beginning of an envelope, up to its payload. */
  start(id: string, type = 'message'): string {
    return `{"type":${JSON.stringify(type)},"id":"${id}","timestamp":"${this.timestamp}","payload":`;
  }

  /** A message with a payload in JSON; `tail` is what {@link tail} says about the channel. */
  plain(id: string, json: string, tail: string): string {
    return `{"type":"message","id":"${id}","timestamp":"${this.timestamp}","payload":${json}${tail}`;
  }

  /** The same with more about it. */
  full(id: string, json: string, label: string, head: Head): string {
    return this.start(id, head.type) + json + this.end(label, head);
  }

  /** The end of such an envelope. */
  end(label: string, { priority, ttl, correlationId, metadata }: Head): string {
    const about = toJson(
      { ...metadata, agentId: undefined, channelId: label, correlationId, priority, ttl },
      'the metadata',
    );
    const rest = about === '{}' ? '}' : `,${about.slice(1)}`;
    return `,"metadata":{"agentId":${this.#agentId}${rest}}`;
  }
}
