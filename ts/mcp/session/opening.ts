// The call that opens a session, or takes it up again after a loss of the connection, and its answer.
import { AgentError } from '../../index';
import { isMessageLimit } from './limits';

/** The subprotocol of the channels of sessions. */
export const SESSION_PROTOCOL = 'ossa-mcp';

/** The only version there is. */
export const VERSION = 1;

/** What the call says. */
export interface Opening {
  readonly version: number;
  /** Bytes of one message that the caller takes. */
  readonly maxMessageBytes: number;
  /** The session to take up again; absent for a new one. */
  readonly session?: string;
  /** How many messages of it have arrived at the caller. */
  readonly received?: number;
}

/** What is answered. */
export interface Answer {
  readonly session: string;
  /** How many messages of the session have arrived at the answering side. */
  readonly received: number;
  readonly maxMessageBytes: number;
}

/** Ids are made by the side that serves; ours are UUIDs. They become labels of channels. */
const MAX_ID = 128;

/** What a stranger's call says. @throws AgentError - `INVALID_MESSAGE`, `UNSUPPORTED_VERSION`. */
export function opening(input: unknown): Opening {
  const { version, maxMessageBytes, session, received } = members(input);
  if (version !== VERSION) {
    throw new AgentError(
      'UNSUPPORTED_VERSION',
      `sessions of version ${VERSION} are served here, not ${String(version)}`,
    );
  }
  if (!isMessageLimit(maxMessageBytes)) throw invalid('maxMessageBytes', maxMessageBytes);
  if (session === undefined && received === undefined) return { version, maxMessageBytes };
  if (!isId(session)) throw invalid('session', session);
  if (!isCount(received)) throw invalid('received', received);
  return { version, maxMessageBytes, session, received };
}

/** What the other side has answered. @throws AgentError - `PROTOCOL_ERROR`. */
export function answerOf(result: unknown): Answer {
  const { session, received, maxMessageBytes } = members(result);
  if (!isId(session) || !isCount(received) || !isMessageLimit(maxMessageBytes)) {
    throw new AgentError('PROTOCOL_ERROR', 'the other agent has answered the opening of a session with something else');
  }
  return { session, received, maxMessageBytes };
}

function members(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

const isId = (value: unknown): value is string =>
  typeof value === 'string' && value.length > 0 && value.length <= MAX_ID;

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

function invalid(member: string, value: unknown): AgentError {
  return new AgentError('INVALID_MESSAGE', `the opening of a session has a wrong member "${member}": ${typeof value}`);
}
