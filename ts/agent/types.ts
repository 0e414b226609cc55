import type { RTCConfiguration } from '../w3c';
import type { AcceptPolicy } from './admission';
import type { AllowOption, AuthOptions } from './auth';
import type { Priority } from './channel';
import type { Limits } from './limits';
import type { Link } from './link';
import type { Logger } from './logger';
import type { ReconnectOptions } from './reconnect-options';
import type { SignalingAdapter } from './signaling';

/** Options of {@link createPeer}; every member of `RTCConfiguration` as well. */
export interface PeerOptions extends RTCConfiguration {
  /** The URI under which other agents find this one, `agent://example.com/name`. */
  agentId: string;
  /** How to find the others: the URL of a signaling server (`ws://`, `wss://`), or an adapter. */
  signaling: string | URL | SignalingAdapter;
  /**
   * How the names of agents are proven; see docs/security.md. Without it nobody's is: the signaling service alone vouches
   * for them.
   */
  auth?: AuthOptions;
  /** Who may connect; everybody by default. Asked after authentication, for each offer, and before `accept`. */
  allow?: AllowOption;
  /** Decides whether an agent that calls gets a link. Default: every one does. */
  accept?: AcceptPolicy;
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
  /** Default: `'message'`. `capability_call`, `capability_response` and `heartbeat` are not for `send`. */
  type?: string;
  /** For the other side to know. */
  priority?: Priority;
  /** Seconds in which the message is of use: it is neither sent nor delivered later (`MESSAGE_EXPIRED`). */
  ttl?: number;
  /** For the other side to tie messages together. */
  correlationId?: string;
  /** Gives up waiting for room. */
  signal?: AbortSignal;
}

/** Options of `call`. */
export interface CallOptions {
  /** Milliseconds to wait for the answer. Default: 30,000. */
  timeout?: number;
  /** Gives up waiting. */
  signal?: AbortSignal;
}

/** Options of `connect`. */
export interface ConnectOptions {
  /** Milliseconds until it must be connected. Default: 30,000. */
  timeout?: number;
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
  /** Fires when nobody waits for the result any more because the link is closed. */
  readonly signal: AbortSignal;
}

/**
 * Answers calls of one capability. What it returns is sent as the result; an `AgentError` that it throws keeps its code,
 * anything else becomes `CAPABILITY_FAILED` with its message.
 */
export type CapabilityHandler = (input: never, context: CallContext) => unknown;
