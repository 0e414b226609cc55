// The one error class of the agent layer, and how errors of the native core become one.
import { isNativeError } from 'node:util/types';

import { queueMicrotask } from '../platform';
import type { ConnectCause } from './causes';
import { systemErrorInWords } from './system-errors';

/** The codes that this package emits. A code that another implementation sends is passed through as it is. */
export type AgentErrorCode =
  | 'AGENT_NOT_FOUND'
  | 'AGENT_UNREACHABLE'
  | 'AUTH_EXPIRED'
  | 'AUTH_FAILED'
  | 'CAPABILITY_FAILED'
  | 'CAPABILITY_NOT_FOUND'
  | 'INTERNAL_ERROR'
  | 'INVALID_MESSAGE'
  | 'MESSAGE_EXPIRED'
  | 'MESSAGE_TOO_LARGE'
  | 'PROTOCOL_ERROR'
  | 'RATE_LIMIT_EXCEEDED'
  | 'TASK_CANCELLED'
  | 'TASK_TIMEOUT'
  | 'UNAUTHORIZED';

/** What an {@link AgentError} is made of besides its text. */
export interface AgentErrorOptions {
  /** Whether the same request may succeed later. Default: `false`. */
  retryable?: boolean;
  /** Anything more; travels as JSON when the error answers a call. Default: `{ causes }`, if there are causes. */
  details?: unknown;
  /** What stood in the way of a connection. Default: nothing. */
  causes?: readonly ConnectCause[];
  /** What led to it. */
  cause?: unknown;
}

/** An error of the agent layer. `code` is stable and for programs, `message` is for people. */
export class AgentError extends Error {
  /** One of {@link AgentErrorCode}, or what the other side sent. */
  readonly code: AgentErrorCode | (string & {});
  /** Whether the same request may succeed later. */
  readonly retryable: boolean;
  /** Anything more that the other side sent; `{ causes }` if this side knows any. */
  readonly details: unknown;
  /** What stood in the way of a connection, as far as this side knows: servers first, then the path. Empty for any other error. */
  readonly causes: readonly ConnectCause[];

  /**
   * Those of another copy of this package, or of another context such as a test's, are errors of this kind as well.
   *
   * @internal
   */
  static override [Symbol.hasInstance](value: unknown): boolean {
    if (Function.prototype[Symbol.hasInstance].call(this, value)) return true;
    if (this !== AgentError || !isNativeError(value)) return false;
    const { name, code, retryable } = value as Partial<AgentError>;
    return name === 'AgentError' && typeof code === 'string' && typeof retryable === 'boolean';
  }

  /** Throw one in a capability handler to give the caller a code of your own. */
  constructor(code: AgentErrorCode | (string & {}), message: string, options: AgentErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'AgentError';
    this.code = code;
    this.retryable = options.retryable ?? false;
    this.causes = options.causes ?? [];
    this.details = options.details ?? (this.causes.length > 0 ? { causes: this.causes } : undefined);
  }
}

/** Errors as they travel: in `error` messages, and from the native core. */
interface WireError {
  code: string;
  message: string;
  details?: unknown;
  retryable?: boolean;
}

/** The error behind its JSON. */
export function errorFromJson(json: string): AgentError {
  const { code, message, details, retryable } = JSON.parse(json) as WireError;
  return new AgentError(code, systemErrorInWords(message), { details, retryable: retryable ?? false });
}

/** The error that a stranger describes, whatever it may have put there. */
export function errorFromStranger(value: unknown): AgentError {
  const { code, message, details, retryable } = (value ?? {}) as Record<string, unknown>;
  return new AgentError(
    typeof code === 'string' ? code : 'INTERNAL_ERROR',
    typeof message === 'string' ? message : 'the other side has sent an error without a text',
    { details, retryable: retryable === true },
  );
}

/** Calls the native core; its errors are JSON in the message of an ordinary error. */
export function nativeAgentCall<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    // Not `instanceof`: under Jest and in other contexts the core's errors have another `Error`.
    if (isNativeError(error) && error.message.startsWith('{"code":')) throw errorFromJson(error.message);
    throw error;
  }
}

/** Rethrows outside of the present call, where the process reports it as uncaught: for errors of listeners. */
export function reportError(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}

/** The text of whatever was thrown. */
export function messageOf(error: unknown): string {
  return isNativeError(error) ? error.message : String(error);
}
