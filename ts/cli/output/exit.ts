// How the program ends: exit codes, and the errors that lead to them.

import { inWords } from './file-errors';

/** Exit codes; stable. */
export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  unreachable: 3,
  unauthorized: 4,
  timeout: 5,
  interrupted: 130,
  pipe: 141,
  terminated: 143,
} as const;

/** The exit codes as the help text and the manual describe them. */
export const EXIT_CODES: readonly (readonly [code: number, meaning: string])[] = [
  [EXIT.ok, 'It worked.'],
  [EXIT.failed, 'It failed: the other side has refused, a file cannot be read, a check of doctor found a problem.'],
  [EXIT.usage, 'The command line is wrong.'],
  [EXIT.unreachable, 'The agent or the signaling server cannot be reached.'],
  [EXIT.unauthorized, 'Refused: a name that belongs to somebody else, a wrong or missing key or token.'],
  [EXIT.timeout, 'The answer did not come in time.'],
  [EXIT.interrupted, 'Ctrl-C (SIGINT). signal, which ends in no other way, ends with 0.'],
  [EXIT.pipe, 'Whoever read the output has stopped reading.'],
  [EXIT.terminated, 'SIGTERM. signal ends with 0.'],
];

/** A wrong command line. */
export class UsageError extends Error {
  override name = 'UsageError';
}

/** A failure that has been described completely. */
export class Failure extends Error {
  override name = 'Failure';
  constructor(
    message: string,
    readonly exitCode: number = EXIT.failed,
    readonly code: string = 'FAILED',
  ) {
    super(message);
  }
}

const BY_CODE: Readonly<Record<string, number>> = {
  AGENT_UNREACHABLE: EXIT.unreachable,
  AGENT_NOT_FOUND: EXIT.unreachable,
  UNAUTHORIZED: EXIT.unauthorized,
  AUTH_FAILED: EXIT.unauthorized,
  AUTH_EXPIRED: EXIT.unauthorized,
  TASK_TIMEOUT: EXIT.timeout,
};

/** An error as the program reports it. */
export interface Report {
  readonly exitCode: number;
  readonly code: string;
  readonly message: string;
}

/** What is said about an error, and the exit code it leads to. */
export function reportOf(error: unknown): Report {
  if (error instanceof UsageError) return { exitCode: EXIT.usage, code: 'USAGE', message: error.message };
  if (error instanceof Failure) return { exitCode: error.exitCode, code: error.code, message: error.message };
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
  const text =
    typeof message === 'string' && message !== ''
      ? inWords(error as Error).replace(/^ossa-webrtc: /, '')
      : String(error);
  if (typeof code !== 'string') return { exitCode: EXIT.failed, code: 'FAILED', message: text };
  return { exitCode: BY_CODE[code] ?? EXIT.failed, code, message: text };
}

/** Runs what checks the user's values: a `TypeError` or `RangeError` of it is a wrong command line. */
export function checkingUsage<T>(check: () => T): T {
  try {
    return check();
  } catch (error) {
    if (
      error instanceof TypeError ||
      error instanceof RangeError ||
      isDomException(error, 'SyntaxError', 'InvalidAccessError')
    ) {
      throw new UsageError(error.message, { cause: error });
    }
    throw error;
  }
}

function isDomException(error: unknown, ...names: string[]): error is Error {
  return error instanceof Error && names.includes(error.name);
}
