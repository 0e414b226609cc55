// What users say about calls and their handlers.
import type { Priority } from '../channels';

/** Options of `call` and `callStream`. */
export interface CallOptions {
  /**
   * Milliseconds to wait for the answer; with `callStream` the longest wait for an item while there is none to read.
   * The other side is told when the time is over. Default: 30,000.
   */
  timeout?: number;
  /** Gives up waiting, and tells the other side. */
  signal?: AbortSignal;
  /** How urgent the call and its answer are. */
  priority?: Priority;
  /**
   * Seconds in which the answer is of use. The call is not sent later (`MESSAGE_EXPIRED`), and the other side stops its
   * handler when they are over (`TASK_TIMEOUT`), whether it hears from us or not. Default: none.
   */
  ttl?: number;
}

/**
 * What the failure of a call travels as: an `error` message, or a `capability_response` with the payload
 * `{error: {code, message, details?, retryable}}` for callers that wait for responses only and would otherwise wait
 * until their timeout. Callers of this package understand both.
 */
export type FailAs = 'error' | 'response';

/** Options of `handle`. */
export interface HandleOptions {
  /** How many calls of this capability run at a time, over all links. Default: as many as come. */
  concurrency?: number;
  /**
   * How many more may wait for their turn; beyond that the agent that waits with most gets `RATE_LIMIT_EXCEEDED`.
   * Only together with `concurrency`. Default: 1,024.
   */
  queue?: number;
  /** What failures travel as. Default: as for the whole peer. */
  failAs?: FailAs;
}
