/// <reference lib="esnext.disposable" />
// @ts-ignore -- needs the types of Node
import { EventEmitter } from 'node:events';

/** State of a connection as a whole: ICE and DTLS together. */
type RTCPeerConnectionState = 'closed' | 'failed' | 'disconnected' | 'new' | 'connecting' | 'connected';

/** An ICE candidate as plain data, as signaling carries it. */
interface RTCIceCandidateInit {
    /** `candidate:...` (RFC 8839 section 5.1); `''` is the end of candidates. Default: `''`. */
    candidate?: string;
    /** Media stream identification of the section it belongs to. Default: `null`. */
    sdpMid?: string | null;
    /** Index of that section, from 0. Default: `null`. */
    sdpMLineIndex?: number | null;
    /** ICE username fragment of the generation it belongs to. Default: `null`, the current one. */
    usernameFragment?: string | null;
}

/** A STUN or TURN server. */
interface RTCIceServer {
    /** `stun:`, `stuns:`, `turn:` or `turns:` URLs (RFC 7064, RFC 7065). */
    urls: string | string[];
    /** User name for TURN, at most 509 bytes. */
    username?: string;
    /** Password for TURN. */
    credential?: string;
}

/** What a message is about. */
type WebRTCMessageType = 'message' | 'capability_call' | 'capability_response' | 'status' | 'error' | 'heartbeat';
/** Four levels of importance. They travel with the message; the transport sends in the order of the calls. */
type MessagePriority = 'low' | 'normal' | 'high' | 'critical';
/** What travels beside the payload of a message. */
interface WebRTCMessageMetadata {
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
interface WebRTCMessage<T = unknown> {
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
type SignalingMessageType = 'offer' | 'answer' | 'ice-candidate' | 'error';
/** What two agents tell each other in order to connect. */
interface SignalingMessage {
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
interface DataChannelConfig {
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
interface WebRTCTransportConfig {
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

/** Options of `send`. */
interface MessageOptions {
    /** Ties a response to its call. */
    correlationId?: string;
    /** Importance, for the receiver to read. Default: `'normal'`. */
    priority?: MessagePriority;
    /** Seconds in which the message is of use: it is neither sent nor delivered later. */
    ttl?: number;
}

/**
 * A connection to one other agent, with the interface of the public OSSA reference class of this name.
 *
 * Events: `connectionstatechange` (state), `connected`, `disconnected`, `failed`, `closed`, `channel:open` (label),
 * `channel:close` (label), `channel:error` (`{channel, error}`), `capability_call` (message), `capability_response`
 * (message), `error` (an `Error`, or what the other side sent), `message`, `status` and every other type (message),
 * and for those `'*'` (message) as well. An `error` that nobody listens for becomes a warning of the process.
 */
declare class WebRTCTransport extends EventEmitter {
    #private;
    private peerConnection;
    private dataChannels;
    /** @throws TypeError - `chunkSize` or `heartbeatInterval` is not a positive number. */
    constructor(config: WebRTCTransportConfig);
    /** Begins to connect: opens the channels and sends an offer to the other agent. A connection that is there is replaced. */
    createOffer(): Promise<void>;
    /** Answers an offer. A connection that is there is replaced. Called by itself for offers that come by the signaling. */
    handleOffer(sdp: string): Promise<void>;
    /**
     * Takes the answer to the own offer. Called by itself for answers that come by the signaling.
     *
     * @throws Error - There is no connection.
     */
    handleAnswer(sdp: string): Promise<void>;
    /** Adds a candidate of the other agent; one that comes before its description waits for it. */
    addIceCandidate(candidate: RTCIceCandidateInit): Promise<void>;
    /** Closes. Calls that wait are rejected; resolves when what was sent has gone out, after two seconds at most. */
    close(): Promise<void>;
    /**
     * Sends a message; resolves when it has been given to the connection, which waits as long as 1 MiB is under way.
     *
     * @throws Error - There is no open channel with this label.
     */
    send<T>(channelLabel: string, type: WebRTCMessageType, payload: T, options?: MessageOptions): Promise<void>;
    /**
     * Calls a capability of the other agent and resolves with what it answers.
     *
     * @throws Error - `Capability call timeout` after `timeout` milliseconds (30,000), `Connection closed`, that the channel
     * (`control`) is not open, or what the other side answered, an `AgentError`.
     */
    invokeCapability<TInput, TOutput>(capability: string, input: TInput, options?: {
        channel?: string;
        timeout?: number;
    }): Promise<TOutput>;
    /** Whether the connection is up. */
    isConnected(): boolean;
    /** The state of the connection; `'closed'` before the first and after the last. */
    getConnectionState(): RTCPeerConnectionState;
}

/**
 * Signaling between agents of one process, for tests and small programs. What an agent emits as `'message'` on its
 * emitter is emitted on the emitter of the agent that `to` names, in the same turn. A message to nobody is dropped.
 */
declare class InMemorySignalingServer extends EventEmitter {
    private agents;
    /** The emitter of an agent, to be passed to its transports as `signaling`. Takes the place of an earlier one. */
    registerAgent(agentId: string): EventEmitter;
    /** Nothing more is delivered to the agent, or from it. */
    unregisterAgent(agentId: string): void;
    /** Unregisters everybody. */
    clear(): void;
}

export { InMemorySignalingServer, WebRTCTransport };
export type { DataChannelConfig, MessagePriority, SignalingMessage, SignalingMessageType, WebRTCMessage, WebRTCMessageMetadata, WebRTCMessageType, WebRTCTransportConfig };
