// What answers calls, as users see it.
import type { Link } from './link';

/** What a handler is told about a call. */
export interface CallContext {
  /** The calling agent. */
  readonly from: string;
  /** The link that it came over. */
  readonly link: Link;
  /** The name that was called. */
  readonly capability: string;
  /** The id of the call. */
  readonly id: string;
  /** What the caller said about the call: its `priority`, its `ttl`, and whatever else came along. */
  readonly metadata: { agentId: string; [name: string]: unknown };
  /**
   * Fires when nobody waits for the result any more; its `reason` is an `AgentError`: the caller has cancelled
   * (`TASK_CANCELLED`), the ttl of the call is over (`TASK_TIMEOUT`), or the link is gone (`AGENT_UNREACHABLE`).
   */
  readonly signal: AbortSignal;
}

/**
 * Answers calls of one capability. What it returns is sent as the result. An async iterable (such as an async generator
 * or a `ReadableStream`) or a generator is sent item by item to a caller who uses `callStream`, at the pace at which
 * they are read, and as an array of at most 65,536 items and 16 Mi characters of JSON to any other. An `AgentError` that it throws keeps its code,
 * anything else becomes `CAPABILITY_FAILED` with its message.
 */
export type CapabilityHandler = (input: never, context: CallContext) => unknown;
