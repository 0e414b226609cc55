import type { RTCConfiguration } from '../w3c';
import type { AcceptPolicy } from './admission';
import type { AllowOption, AuthOptions } from './auth';
import type { Priority } from './channel';
import type { Limits } from './limits';
import type { Link } from './link';
import type { Logger } from './logger';
import type { ChannelPreset } from './presets';
import type { ReconnectOptions } from './reconnect-options';
import type { SignalingAdapter } from './signaling';

/** Options of {@link createPeer}; every member of `RTCConfiguration` as well. */
export interface PeerOptions extends RTCConfiguration {
  /** The URI under which other agents find this one, `agent://example.com/name`. */
  agentId: string;
  /**
   * How to find the others: the URL of a signaling server (`ws://` and `wss://`, or `http://` and `https://` where WebSockets do not
   * get through), a list of those of which the first that can be reached is used, or an adapter.
   */
  signaling: string | URL | readonly (string | URL)[] | SignalingAdapter;
  /**
   * How the names of agents are proven; see docs/security.md. Without it nobody's is: the signaling service alone vouches
   * for them.
   */
  auth?: AuthOptions;
  /** Who may connect; everybody by default. Asked after authentication, for each offer, and before `accept`. */
  allow?: AllowOption;
  /** Decides whether an agent that calls gets a link. Default: every one does. */
  accept?: AcceptPolicy;
  /** The channels that carry messages; both sides must use the same. Default: `'single'`. See docs/channels.md. */
  channels?: ChannelPreset;
  /**
   * Milliseconds between heartbeats, at least 10; `false` for none. The other side counts as dead when it has sent some
   * and three of its intervals pass without a sign of life. Default: 30,000.
   */
  heartbeat?: number | false;
  /** How a link comes back when its connection is lost; `false`: it does not, the link closes. */
  reconnect?: ReconnectOptions | false;
  /** What is kept in memory for others, and how much of it. */
  limits?: Limits;
  /** Hears what the agent does. Default: nobody. */
  logger?: Logger;
  /**
   * Whether to use the ICE servers that the signaling service offers, besides `iceServers`: TURN servers of
   * `createSignalingServer({turn})`, for example. Default: true.
   */
  signalingIceServers?: boolean;
  /** What failures of calls travel as, unless a handler says otherwise. Default: `'error'`. */
  failAs?: FailAs;
}

/** A message from another agent. */
export interface AgentMessage {
  /** `'message'`, `'status'`, `'state_update'`, or any type that the other side chose; `'binary'` for raw bytes. */
  type: string;
  /** UUID; empty for binary data and the bare messages of naive peers. */
  id: string;
  /** When it was sent, ISO 8601; empty where there is none. */
  timestamp: string;
  /** What was sent: any JSON value, or an `ArrayBuffer`. */
  payload: unknown;
  /** Sender, priority, and whatever else came along. */
  metadata: { agentId: string; [name: string]: unknown };
  /** The agent at the other end of the link. */
  from: string;
}

/** Options of `send`. */
export interface SendOptions {
  /** Default: `'message'`. Those of calls, `heartbeat` and `binary` are not for `send`. */
  type?: string;
  /**
   * Default: `'normal'`. Messages that wait are sent by priority, with shares of 1, 2, 4 and 8 so that none starves; a
   * more urgent one overtakes the rest of a large one.
   */
  priority?: Priority;
  /** Seconds in which the message is of use: it is neither sent nor delivered later (`MESSAGE_EXPIRED`). */
  ttl?: number;
  /** For the other side to tie messages together. At most 256 bytes. */
  correlationId?: string;
  /** More members of the metadata, for example `traceparent`. */
  metadata?: Record<string, unknown>;
  /** Label of the message channel, if the link has several. Default: the first. */
  channel?: string;
  /** Gives up waiting for room. */
  signal?: AbortSignal;
}

/** Options of `trySend`, which does not wait. */
export type TrySendOptions = Omit<SendOptions, 'signal'>;

/** How far a message has come that is too large to travel whole. */
export interface MessageProgress {
  /** Whether this side sends or receives it. */
  direction: 'send' | 'receive';
  /** Its id. */
  id: string;
  /** Parts that have gone or come. */
  parts: number;
  /** Parts that it has. */
  total: number;
  /** Bytes (received) or UTF-16 units (sent) of these parts. */
  bytes: number;
}

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

/** Options of `connect`. */
export interface ConnectOptions {
  /** Milliseconds until it must be connected. Default: 30,000. */
  timeout?: number;
  /**
   * Milliseconds, at most `timeout`, for which an agent that the signaling service does not know is called again: it may be
   * just starting. 0: called once; `Infinity`: for as long as `timeout` allows. Default: 3,000.
   */
  waitForPeer?: number;
  /** Gives up waiting. */
  signal?: AbortSignal;
}

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
