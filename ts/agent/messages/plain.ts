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

function isShort(text: unknown): text is string {
  return typeof text === 'string' && text.length <= SHORT;
}
