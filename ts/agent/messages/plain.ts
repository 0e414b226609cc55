// Messages that say nothing but what they carry, which most do: the core need not look at the text of these. It would be written out as
// UTF-8 and parsed a second time for that.
import type { AgentMessage } from './types';

/** How our own agents begin the envelope of a message. */
const START = '{"type":"message"';

/** Ids and labels up to this length, in UTF-16 units, are never too long for a receiver, whatever is in them. */
const SHORT = 85;

/** Members of the metadata that are for the core to act on; known to `crates/agent/src/envelope.rs`. */
const MEANINGFUL = new Set(['correlationId', 'priority', 'ttl', 'chunked', 'stream', 'ossaRawResult', 'ossaFailure']);

/** Parses what looks like a message; `undefined` for anything else, and for what is no JSON. */
export function parseMessage(text: string): Partial<AgentMessage> | undefined {
  if (!text.startsWith(START)) return undefined;
  try {
    return JSON.parse(text) as Partial<AgentMessage>;
  } catch {
    // The core says what is wrong with it.
    return undefined;
  }
}

/**
 * Whether an envelope from this agent is valid and has nothing to act on. False if that is not certain: then it is to be taken like any
 * other.
 */
export function isPlain(
  message: Partial<AgentMessage>,
  remote: string,
): message is Partial<AgentMessage> & { id: string } {
  const { type, id, timestamp, metadata } = message;
  if (type !== 'message' || !isShort(id) || id === '' || typeof timestamp !== 'string') return false;
  if (typeof metadata !== 'object' || metadata === null || Array.isArray(metadata)) return false;
  if (metadata.agentId !== remote) return false;
  const label = metadata['channelId'];
  if (label !== undefined && !isShort(label)) return false;
  for (const name in metadata) if (MEANINGFUL.has(name)) return false;
  return true;
}

/** What stands around the id, the time and the payload of an envelope as our own agents write it, see `EnvelopeWriter.plain`. */
const BEFORE_ID = `${START},"id":"`;
const BEFORE_TIME = '","timestamp":"';
const BEFORE_PAYLOAD = '","payload":';

/** Where these are: an id is a UUID, and a time has milliseconds. */
export const PLAIN_ID = BEFORE_ID.length;
const ID_END = PLAIN_ID + 36;
const TIME = ID_END + BEFORE_TIME.length;
const TIME_END = TIME + 24;
const PAYLOAD = TIME_END + BEFORE_PAYLOAD.length;

/**
 * Reads the plain envelopes of one channel that look exactly as our own agents write them. Of these only the payload has to be parsed,
 * which is the smaller part of a small message.
 */
export class PlainReader {
  readonly #remote: string;
  readonly #label: string;
  readonly #end: string;
  readonly #enabled: boolean;
  /** What stood between the id and the payload of the last one: messages of one millisecond share it. */
  #middle = '';
  #timestamp = '';

  constructor(remote: string, label: string) {
    this.#remote = remote;
    this.#label = label;
    this.#enabled = isShort(label);
    this.#end = `,"metadata":{"agentId":${JSON.stringify(remote)},"channelId":${JSON.stringify(label)}}}`;
  }

  /** `undefined`: it looks different, or its payload is no JSON. Whether the id is a UUID has still to be looked at. */
  read(text: string): AgentMessage | undefined {
    const end = text.length - this.#end.length;
    if (end <= PAYLOAD || !text.startsWith(BEFORE_ID) || !text.endsWith(this.#end)) return undefined;
    if (!this.#enabled || !this.#hasTime(text)) return undefined;
    let payload: unknown;
    try {
      payload = JSON.parse(text.slice(PAYLOAD, end));
    } catch {
      return undefined;
    }
    const [id, from] = [copyOf(text, PLAIN_ID, ID_END), this.#remote];
    const metadata = { agentId: from, channelId: this.#label };
    return { type: 'message', id, timestamp: this.#timestamp, payload, metadata, from };
  }

  #hasTime(text: string): boolean {
    const middle = text.slice(ID_END, PAYLOAD);
    if (middle === this.#middle) return true;
    if (!text.startsWith(BEFORE_TIME, ID_END) || !text.startsWith(BEFORE_PAYLOAD, TIME_END)) return false;
    if (!isSimple(text, TIME, TIME_END)) return false;
    this.#middle = middle;
    this.#timestamp = copyOf(text, TIME, TIME_END);
    return true;
  }
}

/** Whether a piece of a string literal of JSON stands for itself, and nothing in it ends the literal. */
function isSimple(text: string, start: number, end: number): boolean {
  for (let i = start; i < end; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x2d || unit > 0x7a || unit === 0x5c) return false;
  }
  return true;
}

/** The longest piece of a string that V8 copies. */
const COPIED = 12;

/** Made of pieces that the engine copies: a longer one would keep the whole text alive for as long as somebody remembers the id. */
function copyOf(text: string, start: number, end: number): string {
  let copy = '';
  for (let at = start; at < end; at += COPIED) copy += text.slice(at, Math.min(at + COPIED, end));
  return copy;
}

function isShort(text: unknown): text is string {
  return typeof text === 'string' && text.length <= SHORT;
}
