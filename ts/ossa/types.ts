// The types of the public OSSA reference, under its names.
import type { EventEmitter } from 'node:events';

import type { RTCIceCandidateInit, RTCIceServer } from '../w3c';

/** What a message is about. */
export type WebRTCMessageType =
  'message' | 'capability_call' | 'capability_response' | 'status' | 'error' | 'heartbeat';

/** Four levels of importance. They travel with the message; the transport sends in the order of the calls. */
export type MessagePriority = 'low' | 'normal' | 'high' | 'critical';

/** What travels beside the payload of a message. */
export interface WebRTCMessageMetadata {
  /** The URI of the sending agent. */
  agentId: string;
  /** The label of the channel that it was sent over. */
  channelId?: string;
  /** Ties a response to its call. */
  correlationId?: string;
  /** Importance, for the receiver to read. */
  priority?: MessagePriority;
  /** Seconds from `timestamp` in which the message is of use. */
  ttl?: number;
  /** Set on each piece of a message that was too large for one. The receiver puts them together; users never see it. */
  chunked?: {
    /** From 0. */
    chunkIndex: number;
    /** The same in all pieces. */
    totalChunks: number;
    /** Names the message that the pieces belong to. */
    messageId: string;
  };
}

/** A message between two agents. */
export interface WebRTCMessage<T = unknown> {
  /** What it is about. */
  type: WebRTCMessageType;
  /** UUID. */
  id: string;
  /** When it was sent, ISO 8601. */
  timestamp: string;
  /** Any JSON value. */
  payload: T;
  /** Everything else. */
  metadata: WebRTCMessageMetadata;
}

/** What a signaling message is about. */
export type SignalingMessageType = 'offer' | 'answer' | 'ice-candidate' | 'error';

/** What two agents tell each other in order to connect. */
export interface SignalingMessage {
  /** What it is about. */
  type: SignalingMessageType;
  /** The URI of the sending agent. */
  from: string;
  /** The URI of the agent that it is for. */
  to: string;
  /** Names one attempt to connect. */
  sessionId?: string;
  /** The description, of an offer or an answer. */
  sdp?: string;
  /** Of an `ice-candidate`. */
  candidate?: RTCIceCandidateInit;
  /** Of an `error`. */
  error?: {
    /** A stable name, such as `UNAUTHORIZED`. */
    code: string;
    /** A text for people. */
    message: string;
  };
}

/** A channel that the offering side opens. The members are those of `RTCDataChannelInit`, with the label. */
export interface DataChannelConfig {
  /** The name by which `send()` finds the channel. */
  label: string;
  /** Whether messages arrive in order. Default: `true`, as in W3C. */
  ordered?: boolean;
  /** Milliseconds for which a message is tried, 0 to 65,535. Not together with `maxRetransmits`. */
  maxPacketLifeTime?: number;
  /** How often a message is tried again, 0 to 65,535. Not together with `maxPacketLifeTime`. */
  maxRetransmits?: number;
  /** A subprotocol, for the other side to read. */
  protocol?: string;
  /** Both sides make the channel, with the same `id`; it is not announced. */
  negotiated?: boolean;
  /** The number of the channel, 0 to 65,534, if it is negotiated. */
  id?: number;
}

/** Options of {@link WebRTCTransport}. */
export interface WebRTCTransportConfig {
  /** The URI of this agent. */
  agentId: string;
  /** The URI of the other agent. */
  remoteAgentId: string;
  /** STUN and TURN servers. Default: `stun:stun.l.google.com:19302`; an empty array stands for none. */
  iceServers?: RTCIceServer[];
  /** Signaling messages are emitted on it as `'message'`, and listened to. */
  signaling: EventEmitter;
  /** Default: `control` (ordered, reliable) and `data` (unordered, `maxRetransmits: 0`). */
  channels?: DataChannelConfig[];
  /** Bytes of one piece of a large message, everything included. Default: 16,384. */
  chunkSize?: number;
  /** Milliseconds between two heartbeats on the channel `control`. Default: 30,000. */
  heartbeatInterval?: number;
}
