/**
 * `REFUSED`: the server has answered with a status that says no; `UNREACHABLE`: there was no answer; `PROTOCOL_ERROR`: the answer is not
 * what the protocol says; `NOT_SUPPORTED`: the server does not do this; `CLOSED`: the session is closed.
 */
export type WHIPErrorCode = 'CLOSED' | 'NOT_SUPPORTED' | 'PROTOCOL_ERROR' | 'REFUSED' | 'UNREACHABLE';

interface Details {
  status?: number;
  retryAfter?: number;
  cause?: unknown;
}

/** What has gone wrong with a session of {@link WHIPClient} or {@link WHEPClient}. `code` is stable, `message` is for people. */
export class WHIPError extends Error {
  readonly code: WHIPErrorCode;
  /** The status of the server's answer; `undefined` if there was none. */
  readonly status: number | undefined;
  /** After how many seconds to try again, if the server has said so: a stream that is not live yet (409), or too much load (503). */
  readonly retryAfter: number | undefined;

  constructor(code: WHIPErrorCode, message: string, { status, retryAfter, cause }: Details = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'WHIPError';
    this.code = code;
    this.status = status;
    this.retryAfter = retryAfter;
  }
}
