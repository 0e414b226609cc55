// Messages as users see them.
import type { Inbox } from '../../base';
import type { Priority } from '../channels';

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

/** Takes messages. False: there is no room. */
export type MessageSink = Pick<Inbox<AgentMessage>, 'push'>;
