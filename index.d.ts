declare global {
  interface SymbolConstructor {
    readonly asyncDispose: unique symbol;
  }
  interface AsyncDisposable {
    [Symbol.asyncDispose](): PromiseLike<void>;
  }
}

// @ts-ignore -- needs the types of Node
import { WritableStream as WritableStream$1, ReadableStream as ReadableStream$1 } from 'node:stream/web';
// @ts-ignore -- needs the types of Node
import { KeyObject, JsonWebKey } from 'node:crypto';
// @ts-ignore -- needs the types of Node
import { DuplexOptions, Duplex, Writable } from 'node:stream';
// @ts-ignore -- needs the types of Node
import { FileHandle } from 'node:fs/promises';
// @ts-ignore -- needs the types of Node
import { Server } from 'node:http';
// @ts-ignore -- needs the types of Node
import { Server as Server$1 } from 'node:https';

declare const ICE_TRANSPORT_POLICIES: readonly ["relay", "all"];
/** Which candidates ICE may use. */
type RTCIceTransportPolicy = (typeof ICE_TRANSPORT_POLICIES)[number];
declare const BUNDLE_POLICIES: readonly ["balanced", "max-compat", "max-bundle"];
/** How media sections share transports; with data alone there is one transport anyway. */
type RTCBundlePolicy = (typeof BUNDLE_POLICIES)[number];
declare const RTCP_MUX_POLICIES: readonly ["require"];
/** RTP and RTCP always share a transport. */
type RTCRtcpMuxPolicy = (typeof RTCP_MUX_POLICIES)[number];
declare const SDP_TYPES: readonly ["offer", "pranswer", "answer", "rollback"];
/** Kind of a session description. */
type RTCSdpType = (typeof SDP_TYPES)[number];
/** State of offer and answer. */
type RTCSignalingState = 'stable' | 'have-local-offer' | 'have-remote-offer' | 'have-local-pranswer' | 'have-remote-pranswer' | 'closed';
/** Whether candidates are being gathered. */
type RTCIceGatheringState = 'new' | 'gathering' | 'complete';
/** The same, for one transport. */
type RTCIceGathererState = RTCIceGatheringState;
/** State of a connection as a whole: ICE and DTLS together. */
type RTCPeerConnectionState = 'closed' | 'failed' | 'disconnected' | 'new' | 'connecting' | 'connected';
/** State of ICE, over all transports of a connection. */
type RTCIceConnectionState = 'closed' | 'failed' | 'disconnected' | 'new' | 'checking' | 'completed' | 'connected';
/** State of ICE, of one transport. */
type RTCIceTransportState = RTCIceConnectionState;
/** Who nominates pairs. */
type RTCIceRole = 'unknown' | 'controlling' | 'controlled';
declare const ICE_COMPONENTS: readonly ["rtp", "rtcp"];
/** Component of a candidate; data uses `rtp`. */
type RTCIceComponent = (typeof ICE_COMPONENTS)[number];
declare const ICE_PROTOCOLS: readonly ["udp", "tcp"];
/** Transport protocol of a candidate. */
type RTCIceProtocol = (typeof ICE_PROTOCOLS)[number];
declare const ICE_TCP_CANDIDATE_TYPES: readonly ["active", "passive", "so"];
/** Who opens the TCP connection. */
type RTCIceTcpCandidateType = (typeof ICE_TCP_CANDIDATE_TYPES)[number];
declare const ICE_CANDIDATE_TYPES: readonly ["host", "srflx", "prflx", "relay"];
/** Where a candidate comes from. */
type RTCIceCandidateType = (typeof ICE_CANDIDATE_TYPES)[number];
declare const ICE_SERVER_TRANSPORT_PROTOCOLS: readonly ["udp", "tcp", "tls"];
/** How a relayed candidate talks to its TURN server. */
type RTCIceServerTransportProtocol = (typeof ICE_SERVER_TRANSPORT_PROTOCOLS)[number];
/** State of a DTLS transport. */
type RTCDtlsTransportState = 'new' | 'connecting' | 'connected' | 'closed' | 'failed';
/** State of an SCTP transport. */
type RTCSctpTransportState = 'connecting' | 'connected' | 'closed';
/** State of a data channel. */
type RTCDataChannelState = 'connecting' | 'open' | 'closing' | 'closed';
declare const PRIORITY_TYPES: readonly ["very-low", "low", "medium", "high"];
/** Weight of a channel among those of its connection (WebRTC Priority Control API, section 5). */
type RTCPriorityType = (typeof PRIORITY_TYPES)[number];
declare const BINARY_TYPES: readonly ["blob", "arraybuffer"];
/** Type in which binary messages arrive. */
type BinaryType = (typeof BINARY_TYPES)[number];
declare const ERROR_DETAIL_TYPES: readonly ["data-channel-failure", "dtls-failure", "fingerprint-failure", "sctp-failure", "sdp-syntax-error", "hardware-encoder-not-available", "hardware-encoder-error"];
/** What an {@link RTCError} is about. */
type RTCErrorDetailType = (typeof ERROR_DETAIL_TYPES)[number];
declare const TRANSCEIVER_DIRECTIONS: readonly ["sendrecv", "sendonly", "recvonly", "inactive", "stopped"];
/** Which way a transceiver sends; `stopped` for one that is over. */
type RTCRtpTransceiverDirection = (typeof TRANSCEIVER_DIRECTIONS)[number];

/** Content of an {@link RTCError}. */
interface RTCErrorInit {
    /** What failed. */
    errorDetail: RTCErrorDetailType;
    /** Line of the session description, from 1, where the syntax error was found. */
    sdpLineNumber?: number;
    /** Cause code of the SCTP ABORT. */
    sctpCauseCode?: number;
    /** Fatal TLS alert that was received. */
    receivedAlert?: number;
    /** Fatal TLS alert that was sent. */
    sentAlert?: number;
}
/** A `DOMException` named `OperationError` with details that only WebRTC has (webrtc-pc 11.1). */
declare class RTCError extends DOMException {
    /** @throws TypeError if `errorDetail` is missing or unknown. */
    constructor(init: RTCErrorInit, message?: string);
    /** What failed. */
    get errorDetail(): RTCErrorDetailType;
    /** Line of the session description, from 1, where the syntax error was found. */
    get sdpLineNumber(): number | null;
    /** Cause code of the SCTP ABORT. */
    get sctpCauseCode(): number | null;
    /** Fatal TLS alert that was received. */
    get receivedAlert(): number | null;
    /** Fatal TLS alert that was sent. */
    get sentAlert(): number | null;
}

/**
 * What script may assign to an event handler attribute such as `onopen`. `this` is the object that the event is fired at; it is
 * not typed, because the DOM library's own class stands there, and an object of ours has to pass for one of its.
 */
type EventHandler<E extends Event = Event> = ((this: any, event: E) => unknown) | null;

/** Options that every event constructor takes (DOM Standard, 2.2). */
interface RTCEventInit {
    /** The event goes up a tree; these targets have none. Default: `false`. */
    bubbles?: boolean;
    /** `preventDefault()` has an effect. Default: `false`. */
    cancelable?: boolean;
    /** The event crosses the boundary of a shadow tree. Default: `false`. */
    composed?: boolean;
}

/** Options of {@link RTCErrorEvent}. */
interface RTCErrorEventInit extends RTCEventInit {
    /** What went wrong. */
    error: RTCError;
}
/** `error` of a data channel or a DTLS transport (webrtc-pc 11.2). */
declare class RTCErrorEvent extends Event {
    /** @throws TypeError without an `error` that is an {@link RTCError}. */
    constructor(type: string, eventInitDict: RTCErrorEventInit);
    /** What went wrong. */
    get error(): RTCError;
}

/** Where the sources and sinks of one JavaScript thread report. */
declare class AudioHub {
  /** `schedule` is called when `drain` has something, at most about once in 10 ms. It does not keep the process alive. */
  constructor(schedule: () => void)
  /** The ids of those for whom there is something. */
  drain(): Array<number>
}

/** Reads a track whose media is encoded. */
declare class EncodedTap {
  /** Frames, or `packets`; at most `capacity` of them wait. */
  constructor(hub: AudioHub, id: number, track: EncodedTrack, packets: boolean, capacity: number)
  /** All frames that wait. */
  readFrames(): Array<EncodedTapFrame>
  /** All packets that wait, without header extensions. */
  readPackets(): Array<Uint8Array>
  /** Counters, and whether it is over. */
  state(): EncodedTapState
  /** Nothing comes in any more; what is there can be read. */
  stop(): void
}

/** The native side of a `MediaStreamTrack` whose media is encoded already. */
declare class EncodedTrack {
  /** Whether anything comes out. Who goes on after a pause gets a key frame first. */
  setEnabled(enabled: boolean): void
  /** Another track of the same source, as enabled and as live. */
  duplicate(): EncodedTrack
  /** Nothing comes out any more. */
  stop(): void
}

/** DTLS settings. */
interface DtlsOptions {
  /** Versions to offer and accept. Default `auto`: 1.3 if the peer can, else 1.2. */
  versions?: 'auto' | '1.2' | '1.3'
  /** Milliseconds after which an unfinished handshake has failed. Default 30000. */
  handshakeTimeout?: number
  /** First retransmission time-out of a flight, in milliseconds. Default 250. */
  initialRto?: number
  /** Largest handshake datagram, in bytes; with `inChecks` at most 1050. Default 1200. */
  mtu?: number
  /**
   * Whether the handshake travels in the connectivity checks, with a peer that knows it too (draft-hancke-webrtc-sped): a round
   * trip less. Default true.
   */
  inChecks?: boolean
}

/** A frame as it came. */
interface EncodedTapFrame {
  /** What its decoder takes. */
  data: Uint8Array
  /** It can be decoded without those before. */
  keyFrame: boolean
  /** In ticks of the clock. */
  rtpTimestamp: number
  /** The stream. */
  synchronizationSource: number
  /** Who contributed to it. */
  contributingSources: Array<number>
  /** On the connection that it came by. */
  payloadType: number
  /** Of its first packet. */
  sequenceNumber: number
  /** `video/VP8`; none once the connection has forgotten it. */
  mimeType?: string
  /** Ticks a second. */
  clockRate?: number
  /** Audio: −dBov, 0 to 127 (RFC 6464). */
  audioLevel?: number
}

/** Where a tap stands. */
interface EncodedTapState {
  /** What was read. */
  read: number
  /** What was dropped because it was not read in time. */
  dropped: number
  /** How many times that began. */
  overruns: number
  /** No more comes. */
  ended: boolean
}

/** ICE timing, in milliseconds. */
interface IceOptions {
  /** Pace of connectivity checks. Default 5. */
  checkInterval?: number
  /** First retransmission time-out of a check. Default 100. */
  initialRto?: number
  /** Longest time between two checks, which is also the pace of consent checks. Default 2500. */
  maxRto?: number
  /** Silence after which the state becomes `disconnected`. Default 5000. */
  disconnectedTimeout?: number
  /** Silence after which it becomes `failed`; 0: never. Default 30000. */
  failedTimeout?: number
  /** How long a first working pair may take once all candidates are known. Default 15000. */
  checkingTimeout?: number
  /**
   * Be a lite implementation (RFC 8445 section 2.5), which only answers checks: for a server that everybody can reach at its host
   * candidates. Default false.
   */
  lite?: boolean
}

/** A STUN or TURN server. */
interface IceServerOptions {
  /** `stun:`, `stuns:`, `turn:` and `turns:` URLs (RFC 7064, RFC 7065). */
  urls: Array<string>
  /** Long-term user name; needed for TURN. */
  username?: string
  /** Its password. */
  credential?: string
}

/** A port that many connections share. */
interface ListenOptions {
  /** UDP port, and with `tcp: 'passive'` or `'both'` the TCP port of the same number. 1 to 65535. */
  port: number
  /** Local IP address. Default: all that candidates are gathered from. */
  address?: string
  /** IP addresses that are told in place of the local ones of the same family: those of a 1:1 NAT, or of the host of a container. */
  announce?: Array<string>
  /** Tell the local addresses beside those of `announce`. Default false. */
  announceLocal?: boolean
}

/** Settings of a peer; everything may be left out. */
interface PeerOptions$1 {
  /** STUN and TURN servers, at most 64. */
  iceServers?: Array<IceServerOptions>
  /** `relay` uses relayed candidates only. Default `all`. */
  iceTransportPolicy?: 'all' | 'relay'
  /** UDP ports of host candidates. Default: the system chooses. */
  portRange?: PortRange
  /** A port that all connections of this process share which name the same one, instead of sockets of their own. */
  listen?: ListenOptions
  /**
   * Host candidates over TCP (RFC 6544): ones that open connections, ones that accept them, or both. UDP is preferred whenever it
   * works. Default `off`.
   */
  tcp?: 'off' | 'active' | 'passive' | 'both'
  /** TCP ports at which passive candidates accept connections. Default: the system chooses. */
  tcpPortRange?: PortRange
  /** Interfaces to gather from, by name; `*` at the end stands for anything. Default: all. */
  includeInterfaces?: Array<string>
  /** Interfaces not to gather from; wins over `includeInterfaces`. */
  excludeInterfaces?: Array<string>
  /** Gather loopback addresses even if there are others. Default false. */
  includeLoopback?: boolean
  /** Gather link-local addresses too. Default false. */
  includeLinkLocal?: boolean
  /** Whether audio and video can be negotiated. Default false: sections for them in an offer are rejected. */
  media?: boolean
  /** Use this local IP address only; `0.0.0.0` and `::` stand for all of their family. */
  bindAddress?: string
  /** PEM of extra certificate authorities for `turns:` servers. */
  tlsCaPem?: string
  /** Largest message we are willing to receive, in bytes, 1 to 536,870,887. Default 256 MiB. */
  maxMessageSize?: number
  /** Offer a data section even without a channel (W3C `alwaysNegotiateDataChannels`). Default false. */
  alwaysNegotiateDataChannels?: boolean
  /** ICE timing. */
  ice?: IceOptions
  /** DTLS settings. */
  dtls?: DtlsOptions
  /** SCTP tuning. */
  sctp?: SctpOptions
}

/** An inclusive range of ports. */
interface PortRange {
  /** First port, from 1. */
  min: number
  /** Last port, up to 65535. */
  max: number
}

/** Tuning of the SCTP association, in bytes and milliseconds. */
interface SctpOptions {
  /** Our port, 1 to 65535. Default 5000. */
  port?: number
  /** Default `bbr`. */
  congestionControl?: 'bbr' | 'cubic' | 'newreno'
  /** Receive window at the start. Default 1 MiB. */
  minReceiveWindow?: number
  /** The receive window grows up to this. Default 32 MiB. */
  maxReceiveWindow?: number
  /** How long a peer may take to complete the handshake; 0: for ever. Default 30000. */
  handshakeTimeout?: number
  /** Retransmission timeout before the round trip time is known. Default 500. */
  initialRto?: number
  /** Lower bound of the retransmission timeout. Default 100. */
  minRto?: number
  /** Upper bound of the retransmission timeout. Default 4000. */
  maxRto?: number
  /** Longest wait before data is acknowledged, at most 500. Default 20. */
  ackDelay?: number
  /** How often an idle path is probed; 0: never. Default 30000. */
  heartbeatInterval?: number
  /** Largest packet before a larger one is known to pass. Default 1191. */
  initialMtu?: number
  /** Largest packet to try. Default 16300. */
  maxMtu?: number
  /** Whether larger packets than `initialMtu` are searched for (RFC 8899). Default true. */
  pathMtuDiscovery?: boolean
  /** Whether message interleaving (RFC 8260) is offered. Default true. */
  interleaving?: boolean
  /** Whether packets may go without a checksum because DTLS protects them (RFC 9653). Default true. */
  zeroChecksum?: boolean
  /**
   * Whether the handshake travels in the descriptions, with a peer that knows it too (draft-hancke-tsvwg-snap): two round trips
   * less. Default true.
   */
  initInDescriptions?: boolean
  /** Streams to ask for and allow in each direction, 1 to 65535. Default 65535. */
  streams?: number
}

/** The version of the native core. */
declare const version: string;
/**
 * How many connections of this process an internal error of the core has ended, since it was loaded. Each was `failed`, its channels closed with an
 * error, and a line on the standard error output said why. Anything but 0 is a bug: please report that line.
 */
declare const internalErrors: () => number;

/** A certificate's fingerprint (`RTCDtlsFingerprint`). */
interface NativeFingerprint {
    algorithm: string;
    value: string;
}

/** A DTLS certificate with its private key, which stays in the core. */
declare class NativeCertificate {
    private constructor();
    /** Generates an ECDSA P-256 certificate. `expires`: milliseconds from now; default 30 days, at most 1 year. */
    static generate(options?: {
        expires?: number;
    }): NativeCertificate;
    /** Takes a certificate and its private key (PKCS#8 or SEC1) in PEM; ECDSA with P-256 or P-384. */
    static fromPEM(certificate: string, privateKey: string): NativeCertificate;
    /** SHA-256 of the certificate. */
    get fingerprints(): NativeFingerprint[];
    /** Moment of expiry, in milliseconds since the Unix epoch. */
    get expires(): number;
    /** The certificate in DER. */
    get der(): ArrayBuffer;
    /** Certificate and private key in PEM. Keep the latter secret. */
    toPEM(): {
        certificate: string;
        privateKey: string;
    };
}

/** Settings of a peer; everything may be left out. */
interface NativePeerConfig extends PeerOptions$1 {
    /** The first one is used. Without any, the peer generates its own. */
    certificates?: NativeCertificate[];
    /**
     * Most bytes that a channel may have waiting; `send` fails with an OperationError beyond it. 0: no limit.
     * Default 16 MiB.
     */
    sendBufferLimit?: number;
}

type NativeEncodedTap = EncodedTap;

/** Options of `addEventListener` (DOM Standard, 2.7). */
interface RTCEventListenerOptions {
    /** Hear the event before the listeners of the target itself. Default: `false`. */
    capture?: boolean;
    /** Hear the first event only. Default: `false`. */
    once?: boolean;
    /** The listener does not call `preventDefault()`. Default: `false`. */
    passive?: boolean;
    /** Takes the listener away when it is aborted. */
    signal?: AbortSignal;
}
/** A function or an object with `handleEvent`. */
type RTCEventListener<E> = ((event: E) => unknown) | {
    handleEvent(event: E): unknown;
};
/** `addEventListener` of a class, with the types of the events that it fires. */
interface AddEventListener<Events> {
    <K extends keyof Events & string>(type: K, listener: RTCEventListener<Events[K]> | null, options?: RTCEventListenerOptions | boolean): void;
    (type: string, listener: RTCEventListener<any> | null, options?: RTCEventListenerOptions | boolean): void;
}
/** `removeEventListener` of a class, with the types of the events that it fires. */
interface RemoveEventListener<Events> {
    <K extends keyof Events & string>(type: K, listener: RTCEventListener<Events[K]> | null, options?: {
        capture?: boolean;
    } | boolean): void;
    (type: string, listener: RTCEventListener<any> | null, options?: {
        capture?: boolean;
    } | boolean): void;
}

/** A wish about a number (mediacapture-streams 4.3.6); a bare number is a wish, `exact`, `min` and `max` are demands. */
type ConstrainNumber = number | {
    exact?: number;
    ideal?: number;
    min?: number;
    max?: number;
};
/** Wishes and demands (mediacapture-streams 4.3.8). What a source knows nothing of is ignored, as the standard has it. */
interface MediaTrackConstraints {
    /** Samples a second. */
    sampleRate?: ConstrainNumber;
    /** Bits of a sample. */
    sampleSize?: ConstrainNumber;
    /** 1 or 2. */
    channelCount?: ConstrainNumber;
    /** Alternatives; the first one that is met counts. */
    advanced?: MediaTrackConstraints[];
    /** Others, of devices. */
    [other: string]: unknown;
}
/** What a source is like; absent is what it does not know of itself (mediacapture-streams 4.3.9). */
interface MediaTrackSettings {
    /** Samples a second. */
    sampleRate?: number;
    /** Bits of a sample. */
    sampleSize?: number;
    /** 1 or 2. */
    channelCount?: number;
}
/** What a source could be like: the same as it is, since nothing of it can be changed (mediacapture-streams 4.3.7). */
interface MediaTrackCapabilities {
    /** Samples a second. */
    sampleRate?: {
        min: number;
        max: number;
    };
    /** Bits of a sample. */
    sampleSize?: {
        min: number;
        max: number;
    };
    /** 1 or 2. */
    channelCount?: {
        min: number;
        max: number;
    };
}

/** `live` until the track is stopped or its source ends. */
type MediaStreamTrackState = 'live' | 'ended';
/** Events of {@link MediaStreamTrack}. */
interface MediaStreamTrackEventMap {
    /** The source gives nothing for the time being. */
    mute: Event;
    /** The source gives something again. */
    unmute: Event;
    /** The source gives nothing any more. Not fired by `stop()`. */
    ended: Event;
}
/** One stream of audio or video, out of a source of this package (mediacapture-streams 4.3). */
declare class MediaStreamTrack extends EventTarget {
    private constructor();
    /** `audio` or `video`. */
    get kind(): string;
    /** A UUID, or what a remote description says. */
    get id(): string;
    /** What the source is called; may be empty. */
    get label(): string;
    /** Sound or pictures, if `true`; silence or black, if `false`. This track alone. */
    get enabled(): boolean;
    set enabled(value: boolean);
    /** The source gives nothing for the time being. */
    get muted(): boolean;
    /** `live` or `ended`. */
    get readyState(): MediaStreamTrackState;
    /** Another track of the same source, which is enabled, disabled and stopped by itself. */
    clone(): MediaStreamTrack;
    /** Ends this track, without an event. The last track of a source that is stopped ends the source. */
    stop(): void;
    /** What the source could be like: nothing of it can be changed, so each range has one value. */
    getCapabilities(): MediaTrackCapabilities;
    /** What was last given to {@link applyConstraints} with success. */
    getConstraints(): MediaTrackConstraints;
    /** What the source is like. */
    getSettings(): MediaTrackSettings;
    /**
     * Demands (`exact`, `min`, `max`) are checked, wishes change nothing.
     *
     * @throws OverconstrainedError if the source does not meet a demand; it cannot be changed.
     */
    applyConstraints(constraints?: MediaTrackConstraints): Promise<void>;
    /** The source gives nothing for the time being. */
    get onmute(): EventHandler;
    set onmute(value: EventHandler);
    /** The source gives something again. */
    get onunmute(): EventHandler;
    set onunmute(value: EventHandler);
    /** The source gives nothing any more. */
    get onended(): EventHandler;
    set onended(value: EventHandler);
}
interface MediaStreamTrack {
    addEventListener: AddEventListener<MediaStreamTrackEventMap>;
    removeEventListener: RemoveEventListener<MediaStreamTrackEventMap>;
}

/** Options of {@link MediaStreamTrackEvent}. */
interface MediaStreamTrackEventInit extends RTCEventInit {
    /** The track that was added or removed. */
    track: MediaStreamTrack;
}
/** `addtrack` and `removetrack` of a {@link MediaStream} (mediacapture-streams 4.4). */
declare class MediaStreamTrackEvent extends Event {
    /** @throws TypeError without a `track` that is a {@link MediaStreamTrack}. */
    constructor(type: string, eventInitDict: MediaStreamTrackEventInit);
    /** The track that was added or removed. */
    get track(): MediaStreamTrack;
}

/** Events of {@link MediaStream}. Fired when the other side of a connection changes the stream, not by its own methods. */
interface MediaStreamEventMap {
    /** A track has come. */
    addtrack: MediaStreamTrackEvent;
    /** A track has gone. */
    removetrack: MediaStreamTrackEvent;
}
/** Tracks that belong together (mediacapture-streams 4.2). */
declare class MediaStream extends EventTarget {
    /** Empty, or with the given tracks, or with those of another stream; tracks are shared, not cloned. */
    constructor(streamOrTracks?: MediaStream | Iterable<MediaStreamTrack>);
    /** A UUID, or what a remote description says. */
    get id(): string;
    /** A track of it is live. */
    get active(): boolean;
    /** Its tracks of audio. */
    getAudioTracks(): MediaStreamTrack[];
    /** Its tracks of video. */
    getVideoTracks(): MediaStreamTrack[];
    /** All of its tracks, in the order in which they came. */
    getTracks(): MediaStreamTrack[];
    /** The track of this id; `null` if there is none. */
    getTrackById(trackId: string): MediaStreamTrack | null;
    /** Adds a track, unless it is there already. No event. */
    addTrack(track_: MediaStreamTrack): void;
    /** Takes a track away, if it is there. It goes on. No event. */
    removeTrack(track_: MediaStreamTrack): void;
    /** Another stream, with clones of all tracks. */
    clone(): MediaStream;
    /** A track has come. */
    get onaddtrack(): EventHandler<MediaStreamTrackEvent>;
    set onaddtrack(value: EventHandler<MediaStreamTrackEvent>);
    /** A track has gone. */
    get onremovetrack(): EventHandler<MediaStreamTrackEvent>;
    set onremovetrack(value: EventHandler<MediaStreamTrackEvent>);
}
interface MediaStream {
    addEventListener: AddEventListener<MediaStreamEventMap>;
    removeEventListener: RemoveEventListener<MediaStreamEventMap>;
}

/** A constraint that cannot be met (mediacapture-streams 12.1). */
declare class OverconstrainedError extends DOMException {
    #private;
    /** `constraint` is the name of a member of {@link MediaTrackConstraints}. */
    constructor(constraint: string, message?: string);
    /** The name of the constraint. */
    get constraint(): string;
}

/** A block of audio, as node-webrtc has it. */
interface RTCAudioData {
    /** Interleaved. */
    samples: Int16Array;
    /** Samples a second, 8,000 to 96,000. */
    sampleRate: number;
    /** Default: 16, and nothing else. */
    bitsPerSample?: number;
    /** 1 or 2. Default: 1. */
    channelCount?: number;
    /** Samples in each channel. Default: 10 ms. */
    numberOfFrames?: number;
}
/** Tracks made from blocks of samples, as in node-webrtc: what is handed in is heard at once, so hand in 10 ms every 10 ms. */
declare class RTCAudioSource {
    /** A new track of this source. */
    createTrack(): MediaStreamTrack;
    /**
     * Gives a block to all tracks.
     *
     * @throws TypeError if samples are missing or not as many as the other members say; RangeError for a rate or a number of channels that
     * is not supported.
     */
    onData(data: RTCAudioData): void;
    /** Ends all tracks. **(ours)** */
    close(): void;
}

/** `data`: a block of samples. The block's members are the event's, as in node-webrtc. */
interface RTCAudioDataEvent extends Event, Required<RTCAudioData> {
}
/** Events of {@link RTCAudioSink}. */
interface RTCAudioSinkEventMap {
    /** A block, as the track has it. */
    data: RTCAudioDataEvent;
}
/** Reads a track as blocks of samples, as in node-webrtc. It keeps the process alive until it is stopped. */
declare class RTCAudioSink extends EventTarget {
    /** @throws TypeError if it is not a track of audio whose samples are at hand. */
    constructor(track: MediaStreamTrack);
    /** {@link stop} was called, or the track is over. */
    get stopped(): boolean;
    /** No block comes any more. */
    stop(): void;
    /** A block, as the track has it. */
    get ondata(): EventHandler<RTCAudioDataEvent>;
    set ondata(value: EventHandler<RTCAudioDataEvent>);
}
interface RTCAudioSink {
    addEventListener: AddEventListener<RTCAudioSinkEventMap>;
    removeEventListener: RemoveEventListener<RTCAudioSinkEventMap>;
}

/** What node-webrtc has beyond the standard, name for name, as far as it is about audio. */
declare const nonstandard: Readonly<{
    RTCAudioSource: typeof RTCAudioSource;
    RTCAudioSink: typeof RTCAudioSink;
}>;

/** What kind of thing stands in the way of a connection. Stable, for programs. */
type ConnectCauseKind = 
/** A STUN or TURN server answers that it does not help: `code` says with what. */
'server-refused'
/** Nothing of use came from a server. */
 | 'server-unreachable'
/** The name of a server has no address. */
 | 'server-name-not-found'
/** The certificate of a server is not trusted, or is for another name. */
 | 'server-untrusted'
/** This machine itself, or the configuration: no file descriptors, no addresses, a server without a password. */
 | 'local'
/** Only relayed candidates may be used, and no TURN server is configured. */
 | 'no-relay'
/** This side has no candidate. */
 | 'no-candidates'
/** The other side has told of no candidate. */
 | 'no-remote-candidates'
/** The candidates of the other side are names (`.local`) that were not found. */
 | 'names-not-found'
/** One side has IPv4 only, the other IPv6 only. */
 | 'no-common-family'
/** Connectivity checks were sent, and nothing came back. */
 | 'checks-unanswered'
/** The other side's checks come in, but none of this side's is answered. */
 | 'checks-one-way'
/** Checks are answered, but no pair was chosen. */
 | 'no-pair-chosen'
/** There was a path, and the other side does not answer on it any more. */
 | 'path-lost'
/** ICE has a path, but DTLS has failed. */
 | 'dtls-failed'
/** ICE has a path, but DTLS is not ready. */
 | 'dtls-unfinished'
/** DTLS is ready, but the association for the channels is not. */
 | 'sctp-unfinished'
/** Audio or video was negotiated and can't flow; data is not concerned. */
 | 'media-refused'
/** Agents only: this side has no signaling service at the moment. */
 | 'signaling'
/** Agents only: nothing has come from the other agent. */
 | 'unanswered';
/** Number of candidates of one side, by type. */
interface CandidateCounts {
    readonly host: number;
    readonly srflx: number;
    readonly relay: number;
    /** How many of them all are private, link-local or loopback: they lead nowhere from outside of their network. */
    readonly inner: number;
}
/** One thing that stands, or stood, in the way. */
interface ConnectCause {
    readonly kind: ConnectCauseKind;
    /** What a STUN or TURN server answered (RFC 8489, RFC 8656: 300 to 699); 701: it was not reached, or this machine failed; else 0. */
    readonly code: number;
    /** In words. */
    readonly text: string;
    /** The server. */
    readonly url?: string;
    /** What to do about it, in words. */
    readonly todo?: string;
    /** The candidates of this side, where they matter. */
    readonly local?: CandidateCounts;
    /** Those that the other side has told of. */
    readonly remote?: CandidateCounts;
    /** Connectivity checks (RFC 8445) that were sent. */
    readonly checksSent?: number;
    /** Checks of the other side that came in. */
    readonly checksReceived?: number;
}

/** The codes that this package emits. A code that another implementation sends is passed through as it is. */
type AgentErrorCode = 'AGENT_NOT_FOUND' | 'AGENT_UNREACHABLE' | 'AUTH_EXPIRED' | 'AUTH_FAILED' | 'CAPABILITY_FAILED' | 'CAPABILITY_NOT_FOUND' | 'INTERNAL_ERROR' | 'INVALID_MESSAGE' | 'MESSAGE_EXPIRED' | 'MESSAGE_TOO_LARGE' | 'PROTOCOL_ERROR' | 'RATE_LIMIT_EXCEEDED' | 'TASK_CANCELLED' | 'TASK_TIMEOUT' | 'UNAUTHORIZED';
/** What an {@link AgentError} is made of besides its text. */
interface AgentErrorOptions {
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
declare class AgentError extends Error {
    /** One of {@link AgentErrorCode}, or what the other side sent. */
    readonly code: AgentErrorCode | (string & {});
    /** Whether the same request may succeed later. */
    readonly retryable: boolean;
    /** Anything more that the other side sent; `{ causes }` if this side knows any. */
    readonly details: unknown;
    /** What stood in the way of a connection, as far as this side knows: servers first, then the path. Empty for any other error. */
    readonly causes: readonly ConnectCause[];
    /** Throw one in a capability handler to give the caller a code of your own. */
    constructor(code: AgentErrorCode | (string & {}), message: string, options?: AgentErrorOptions);
}

type Listener<Args extends unknown[]> = (...args: Args) => unknown;
/** Events by name, each with the arguments of its listeners. */
type EventArguments = Record<string, unknown[]>;
/** An object with typed events. */
declare class Emitter<Events extends EventArguments> {
    #private;
    /** Calls `listener` for every event of this name from now on, in the order of their arrival. */
    on<Name extends keyof Events>(name: Name, listener: Listener<Events[Name]>): this;
    /** Like {@link on}, for the next event only. */
    once<Name extends keyof Events>(name: Name, listener: Listener<Events[Name]>): this;
    /** Takes a listener back that was added by {@link on} or {@link once}. */
    off<Name extends keyof Events>(name: Name, listener: Listener<Events[Name]>): this;
}

/** Facts that belong to a log message: agent URIs, ids, codes, sizes. */
type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;
/**
 * Takes log messages: `console` will do, and so will most logging packages behind four small functions. Nothing secret
 * is logged: no credentials, tokens, keys, payloads or addresses of candidates.
 */
interface Logger {
    /** Single steps, for the hunt for a fault. */
    debug(message: string, fields?: LogFields): void;
    /** What an operator may want to see: links that come and go. */
    info(message: string, fields?: LogFields): void;
    /** Something was refused or went wrong, and the agent goes on. */
    warn(message: string, fields?: LogFields): void;
    /** Something does not work any more. */
    error(message: string, fields?: LogFields): void;
}

/** How a sample is written: 16 bits signed, or 32 bits floating with full scale at 1; the lowest byte first. */
type PCMEncoding = 's16le' | 'f32le';
/** The shape of PCM. */
interface PCMFormat {
    /** Samples a second, 8,000 to 96,000. Default: 48,000. */
    sampleRate?: number;
    /** 1, or 2 for left and right, interleaved. Default: 1. */
    channelCount?: number;
    /** How a sample is written. Default: `s16le`. */
    format?: PCMEncoding;
}
/** PCM in a piece of any size. Typed arrays of samples have to be of the format's kind; everything else is bytes. */
type PCMChunk = ArrayBuffer | ArrayBufferView;

/** Options of {@link PCMSource}. */
interface PCMSourceOptions extends PCMFormat {
    /** How much may wait to be played, in milliseconds, 20 to 3,600,000. More of it bridges longer pauses of the writer; a writer that is ahead waits. Default: 200. */
    bufferDuration?: number;
    /** What the track is called. Default: empty. */
    label?: string;
}
/** Events of {@link PCMSource}. */
interface PCMSourceEvents extends Record<string, unknown[]> {
    /** Audio has run out while more may come; silence is played. At the end of a sentence that is as it should be. */
    underrun: [];
    /** All was played, or nobody listens any more: the track has ended. */
    end: [];
}
/** What became of what was written. Frames are samples of one channel. */
interface PCMSourceStats {
    /** Frames that were taken. */
    written: number;
    /** Frames that were played. */
    played: number;
    /** Frames that {@link PCMSource.clear} has dropped. */
    cleared: number;
    /** Frames of silence that were played because nothing was there. */
    silence: number;
    /** How many times audio has run out. */
    underruns: number;
    /** Frames that wait. */
    queued: number;
}
/**
 * A track made from PCM: written in pieces of any size and as fast as the writer can, played in real time. While nothing is there to be
 * played the track is silent.
 */
declare class PCMSource extends Emitter<PCMSourceEvents> {
    #private;
    /** The track. Stopping it, and all of its clones, ends the source: writes reject with `InvalidStateError`. */
    readonly track: MediaStreamTrack;
    /** Takes chunks of PCM. A write resolves when all of it is on its way; `close()` when all of it was played, and ends the track; `abort()` ends it now. */
    readonly writable: WritableStream$1<PCMChunk>;
    /** @throws TypeError or RangeError for an option that is out of its range. */
    constructor(options?: PCMSourceOptions);
    /**
     * A source that plays a stream to its end: a WHATWG `ReadableStream`, a Node `Readable`, or anything else that can be iterated. An
     * error of the stream ends the track and is the reason of {@link PCMSource.done}.
     */
    static from(stream: AsyncIterable<PCMChunk> | Iterable<PCMChunk>, options?: PCMSourceOptions): PCMSource;
    /** Of a source made with {@link PCMSource.from}: resolves when all was played, rejects with what has gone wrong. Otherwise `undefined`. */
    done: Promise<void> | undefined;
    /** The largest sample of the last 10 ms, 0 to 1; 0 if the track is disabled. */
    get level(): number;
    /** How much waits to be played, in milliseconds. */
    get bufferedDuration(): number;
    /** Drops what waits to be played, at once: somebody has interrupted. What is written afterwards is played. Returns milliseconds. */
    clear(): number;
    /** Ends now, whatever waits. */
    close(): void;
    /** Counters. */
    stats(): PCMSourceStats;
}

/** Options of {@link PCMSink}. */
interface PCMSinkOptions extends PCMFormat {
    /** How much may wait for a reader, in milliseconds, up to 3,600,000; more is dropped, the oldest first. Default: 1,000. */
    bufferDuration?: number;
}
/** Events of {@link PCMSink}. */
interface PCMSinkEvents extends Record<string, unknown[]> {
    /** The reader is too slow: audio is being dropped. Told once, until it has read again. */
    overrun: [];
    /** The track is over, or {@link PCMSink.stop} was called. */
    end: [];
}
/** What became of the track's audio. Frames are samples of one channel, at the rate of the sink. */
interface PCMSinkStats {
    /** Frames that were read. */
    read: number;
    /** Frames that were dropped. */
    dropped: number;
    /** How many times the reader was too slow. */
    overruns: number;
}
/** A track read as PCM, at the rate, with the channels and in the format of the reader's choice. */
declare class PCMSink extends Emitter<PCMSinkEvents> {
    #private;
    /** Bytes, as they come, about 10 ms a chunk; closes when the track is over. Cancelling it stops the sink. */
    readonly readable: ReadableStream$1<Uint8Array>;
    /** @throws TypeError if it is not a track of audio whose samples are at hand; TypeError or RangeError for an option out of its range. */
    constructor(track: MediaStreamTrack, options?: PCMSinkOptions);
    /** The chunks of {@link PCMSink.readable}. */
    [Symbol.asyncIterator](): AsyncIterableIterator<Uint8Array>;
    /** The largest sample of the last 10 ms, 0 to 1; 0 if the track is disabled. */
    get level(): number;
    /** The track is over, or {@link stop} was called. */
    get stopped(): boolean;
    /** Nothing comes in any more; what is there can be read. The track goes on. */
    stop(): void;
    /** Counters. */
    stats(): PCMSinkStats;
}

/** What frames of audio and of video say of themselves (webrtc-encoded-transform 4.2). */
interface RTCEncodedFrameMetadata {
    /** The SSRC of its stream; 0 for a frame that has not been sent. */
    synchronizationSource?: number;
    /** Who contributed to it. */
    contributingSources?: number[];
    /** On the connection that it came by. */
    payloadType?: number;
    /** In ticks of the codec's clock: 90,000 a second for video, 48,000 for Opus, 8,000 for G.711. Wraps at 2^32. */
    rtpTimestamp?: number;
    /** `video/VP8`. */
    mimeType?: string;
}
/** What a frame of video says of itself. */
type RTCEncodedVideoFrameMetadata = RTCEncodedFrameMetadata;
/** What a frame of audio says of itself. */
interface RTCEncodedAudioFrameMetadata extends RTCEncodedFrameMetadata {
    /** Of its packet; wraps at 2^16. */
    sequenceNumber?: number;
    /** How loud it is, 0 to 1, if its sender says so. */
    audioLevel?: number;
}
/** `delta`: it depends on frames before it. */
type RTCEncodedVideoFrameType = 'delta' | 'key';
/** For a copy with other metadata. */
interface RTCEncodedVideoFrameOptions {
    /** Members that are to be others. */
    metadata?: RTCEncodedVideoFrameMetadata;
}
/** For a copy with other metadata. */
interface RTCEncodedAudioFrameOptions {
    /** Members that are to be others. */
    metadata?: RTCEncodedAudioFrameMetadata;
}
/** One frame of encoded video (webrtc-encoded-transform 4.3). */
declare class RTCEncodedVideoFrame {
    /** A copy of a frame, with other metadata where they are given. */
    constructor(originalFrame: RTCEncodedVideoFrame, options?: RTCEncodedVideoFrameOptions);
    /** Whether it can be decoded by itself. */
    get type(): RTCEncodedVideoFrameType;
    /** What its decoder takes: H.264 in Annex B, AV1 as a temporal unit. */
    get data(): ArrayBuffer;
    set data(value: ArrayBuffer);
    /** A copy of what it says of itself. */
    getMetadata(): RTCEncodedVideoFrameMetadata;
}
/** One packet of encoded audio (webrtc-encoded-transform 4.4). */
declare class RTCEncodedAudioFrame {
    /** A copy of a frame, with other metadata where they are given. */
    constructor(originalFrame: RTCEncodedAudioFrame, options?: RTCEncodedAudioFrameOptions);
    /** What its decoder takes. */
    get data(): ArrayBuffer;
    set data(value: ArrayBuffer);
    /** A copy of what it says of itself. */
    getMetadata(): RTCEncodedAudioFrameMetadata;
}

/** Options of {@link EncodedSource}. */
interface EncodedSourceOptions {
    /** The codec of all frames, as in `RTCRtpCodec`: `audio/opus`, `audio/PCMU`, `audio/PCMA`, `video/VP8`, `video/VP9`, `video/H264` or `video/AV1`. */
    mimeType: string;
    /** Its parameters. Default: for H.264 `packetization-mode=1`, which all browsers have; none for others. */
    sdpFmtpLine?: string;
    /** What its track is called. */
    label?: string;
}
/** A frame as an encoder gives it; the members are those of WebCodecs' `EncodedVideoChunkInit`. */
interface EncodedFrameInit {
    /** One frame of video, H.264 in Annex B; or one packet of audio. Up to 1 MiB. */
    data: ArrayBuffer | ArrayBufferView;
    /** When it is to be shown, in microseconds from any begin. */
    timestamp: number;
}
/** What an {@link EncodedSource} takes. */
type EncodedFrameLike = EncodedFrameInit | RTCEncodedAudioFrame | RTCEncodedVideoFrame;
/** Events of {@link EncodedSource}. */
interface EncodedSourceEvents extends Record<string, unknown[]> {
    /** Somebody can't go on without a key frame: a new receiver, or one that has lost something. At most about once in 10 ms. */
    keyframerequest: [];
    /**
     * What an encoder of video should make from now on, in bit/s: what the narrowest of all connections takes that the track is sent over, as they have found out,
     * without headers, audio and what is sent again, or as `setParameters()` has set. At most about once in 10 ms.
     */
    targetbitrate: [bitsPerSecond: number];
}
/**
 * A track that is fed with frames that are encoded already: by FFmpeg, from a file, from another connection. They are sent as they are to connections
 * that have negotiated the codec, and not to others. Frames go out when they are written: whoever reads a file keeps the pace.
 */
declare class EncodedSource extends Emitter<EncodedSourceEvents> {
    #private;
    /** For `addTrack()`. When all tracks of the source are stopped, it closes. */
    readonly track: MediaStreamTrack;
    /** Takes frames, one by one; closing it ends the track. */
    readonly writable: WritableStream$1<EncodedFrameLike>;
    /** @throws TypeError for a codec that there is not. */
    constructor({ mimeType, sdpFmtpLine, label }: EncodedSourceOptions);
    /**
     * Sends a frame.
     *
     * @throws TypeError for what is no frame of the codec; RangeError for one above 1 MiB; DOMException `InvalidStateError` when closed.
     */
    write(frame: EncodedFrameLike): void;
    /**
     * Sends an RTP packet (RFC 3550) as it is, but for its SSRC, payload type and header extensions, which are those of each connection. Not
     * together with {@link write}.
     *
     * @throws TypeError if it is none; DOMException `InvalidStateError` when closed.
     */
    writePacket(packet: ArrayBuffer | ArrayBufferView): void;
    /** Ends the track. */
    close(): void;
}

/** Options of {@link EncodedSink} and {@link RTPSink}. */
interface EncodedSinkOptions {
    /** How many frames or packets may wait for a reader, 1 to 65,536. Default: 256 frames, 2,048 packets. */
    highWaterMark?: number;
}
/** Events of {@link EncodedSink} and {@link RTPSink}. */
interface EncodedSinkEvents extends Record<string, unknown[]> {
    /** The reader is too slow: something is being dropped. Told once, until it has read again. */
    overrun: [];
    /** The track is over, or `stop()` was called. */
    end: [];
}
/** Frames, or packets. */
interface EncodedSinkStats {
    /** That were read. */
    read: number;
    /** That were dropped. */
    dropped: number;
    /** How many times the reader was too slow. */
    overruns: number;
}
/** What sinks of frames and of packets have in common. */
declare abstract class Sink<T> extends Emitter<EncodedSinkEvents> {
    #private;
    /** One by one; closes when the track is over. Cancelling it stops the sink. */
    readonly readable: ReadableStream$1<T>;
    protected readonly kind: 'audio' | 'video';
    constructor(track: MediaStreamTrack, packets: boolean, highWaterMark: number);
    protected abstract read(tap: NativeEncodedTap): T[];
    /** What {@link readable} gives. */
    [Symbol.asyncIterator](): AsyncIterableIterator<T>;
    /** The track is over, or {@link stop} was called. */
    get stopped(): boolean;
    /** Nothing comes in any more; what is there can be read. The track goes on. */
    stop(): void;
    /** Counters. */
    stats(): EncodedSinkStats;
}
/**
 * The frames of a track that has come over a connection, or of an {@link EncodedSource}, as they came: not decoded. Video begins with a key
 * frame, which is asked for; a reader that is too slow loses frames up to the next one. Of audio the oldest are lost.
 */
declare class EncodedSink extends Sink<RTCEncodedAudioFrame | RTCEncodedVideoFrame> {
    /** @throws TypeError for a track without frames; RangeError for a `highWaterMark` that is out of range. */
    constructor(track: MediaStreamTrack, { highWaterMark }?: EncodedSinkOptions);
    protected read(tap: NativeEncodedTap): (RTCEncodedAudioFrame | RTCEncodedVideoFrame)[];
}
/**
 * The RTP packets of a track that has come over a connection, as they came, lost ones and double ones and all; without header extensions, which
 * are the connection's. A reader that is too slow loses the oldest.
 */
declare class RTPSink extends Sink<Uint8Array> {
    /** @throws TypeError for a track without packets; RangeError for a `highWaterMark` that is out of range. */
    constructor(track: MediaStreamTrack, { highWaterMark }?: EncodedSinkOptions);
    protected read(tap: NativeEncodedTap): Uint8Array[];
}

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
/** A local candidate also knows the server it came from, which is not signaled. */
interface RTCLocalIceCandidateInit extends RTCIceCandidateInit {
    /** How the TURN server of a relayed candidate is reached. */
    relayProtocol?: RTCIceServerTransportProtocol | null;
    /** URL of the server it was obtained from. */
    url?: string | null;
}
/** An ICE candidate (webrtc-pc 4.8.1). */
declare class RTCIceCandidate {
    /** @throws TypeError if both `sdpMid` and `sdpMLineIndex` are missing or null. */
    constructor(candidateInitDict?: RTCLocalIceCandidateInit);
    /** `candidate:...`; `''` is the end of candidates of a generation. */
    get candidate(): string;
    /** Media stream identification of the section it belongs to. */
    get sdpMid(): string | null;
    /** Index of that section, from 0. */
    get sdpMLineIndex(): number | null;
    /** Equal for candidates of the same type, base and server. */
    get foundation(): string | null;
    /** `rtp` (1) or `rtcp` (2). */
    get component(): RTCIceComponent | null;
    /** Priority, 0 to 2^32 - 1; higher is preferred. */
    get priority(): number | null;
    /** IP address or host name. */
    get address(): string | null;
    /** Transport protocol. */
    get protocol(): RTCIceProtocol | null;
    /** Port, 0 to 65,535. */
    get port(): number | null;
    /** Where the candidate comes from. */
    get type(): RTCIceCandidateType | null;
    /** Who opens the connection, for TCP. */
    get tcpType(): RTCIceTcpCandidateType | null;
    /** Base address of a reflexive or relayed candidate. */
    get relatedAddress(): string | null;
    /** Base port of a reflexive or relayed candidate. */
    get relatedPort(): number | null;
    /** ICE username fragment of the generation it belongs to. */
    get usernameFragment(): string | null;
    /** How the TURN server of a local relayed candidate is reached. */
    get relayProtocol(): RTCIceServerTransportProtocol | null;
    /** URL of the server that a local candidate was obtained from. */
    get url(): string | null;
    /** The candidate as plain data, ready for a signaling message. */
    toJSON(): RTCIceCandidateInit;
}

/** Options of {@link RTCPeerConnectionIceEvent}. */
interface RTCPeerConnectionIceEventInit extends RTCEventInit {
    /** The candidate. Default: `null`, all gathering is over. */
    candidate?: RTCIceCandidate | null;
    /** URL of the server that it was obtained from. Default: `null`. */
    url?: string | null;
}
/** `icecandidate`: a local candidate was gathered (webrtc-pc 4.8.2). */
declare class RTCPeerConnectionIceEvent extends Event {
    /** @throws TypeError for members of a wrong type. */
    constructor(type: string, eventInitDict?: RTCPeerConnectionIceEventInit);
    /** The candidate to signal; empty at the end of a generation, `null` when all gathering is over. */
    get candidate(): RTCIceCandidate | null;
    /** URL of the STUN or TURN server that it was obtained from. */
    get url(): string | null;
}
/** Options of {@link RTCPeerConnectionIceErrorEvent}. */
interface RTCPeerConnectionIceErrorEventInit extends RTCEventInit {
    /** Local address used to reach the server. Default: `null`. */
    address?: string | null;
    /** Local port used to reach the server. Default: `null`. */
    port?: number | null;
    /** URL of the server. Default: `''`. */
    url?: string;
    /** STUN error code, or 701 if the server could not be reached. */
    errorCode: number;
    /** Reason phrase. Default: `''`. */
    errorText?: string;
}
/** `icecandidateerror`: a STUN or TURN server could not be used, or candidates were left out (webrtc-pc 4.8.3). */
declare class RTCPeerConnectionIceErrorEvent extends Event {
    /** @throws TypeError without an `errorCode`. */
    constructor(type: string, eventInitDict: RTCPeerConnectionIceErrorEventInit);
    /** Local address used to reach the server, if it may be told. */
    get address(): string | null;
    /** Local port used to reach the server. */
    get port(): number | null;
    /** URL of the server; empty if no server is to blame: candidates were left out, or the options leave no address. */
    get url(): string;
    /** STUN error code (300 to 699), or 701 if the server could not be reached or none is to blame. */
    get errorCode(): number;
    /** The server's reason phrase, or our own. */
    get errorText(): string;
}

/** ICE credentials of one generation. */
interface RTCIceParameters {
    /** `a=ice-ufrag`, 4 to 256 characters (RFC 8839 section 5.4). */
    usernameFragment?: string;
    /** `a=ice-pwd`, 22 to 256 characters. */
    password?: string;
}

/** A session description as plain data. */
interface RTCSessionDescriptionInit {
    /** Kind of the description. */
    type: RTCSdpType;
    /** The description itself; ignored for a rollback. Default: `''`. */
    sdp?: string;
}
/** Argument of `setLocalDescription`: without a type, the one that the signaling state asks for is made. */
interface RTCLocalSessionDescriptionInit {
    /** Kind of the description. */
    type?: RTCSdpType;
    /** `''` (the default) stands for the description that was created last. */
    sdp?: string;
}
/** A session description (webrtc-pc 4.6.2). */
declare class RTCSessionDescription {
    /** @throws TypeError if the type is missing or unknown. */
    constructor(descriptionInitDict: RTCSessionDescriptionInit);
    /** Kind of the description. */
    get type(): RTCSdpType;
    /** The description (RFC 8866), with the candidates known so far. */
    get sdp(): string;
    /** The description as plain data, ready for a signaling message. */
    toJSON(): {
        type: RTCSdpType;
        sdp: string;
    };
}

/** Gets the description that was created. */
type RTCSessionDescriptionCallback = (description: RTCSessionDescriptionInit) => void;
/** Gets the reason why an operation failed. */
type RTCPeerConnectionErrorCallback = (error: DOMException) => void;

/** Events of {@link RTCDataChannel}. */
interface RTCDataChannelEventMap {
    /** The channel can be used. */
    open: Event;
    /** A message has arrived. */
    message: MessageEvent;
    /** `bufferedAmount` has fallen to the threshold. */
    bufferedamountlow: Event;
    /** The channel has failed; `close` follows. */
    error: RTCErrorEvent;
    /** The peer is closing the channel. */
    closing: Event;
    /** The channel is closed; nothing follows. */
    close: Event;
}
/** A bidirectional channel for messages between two connections (webrtc-pc 6.2). */
declare class RTCDataChannel extends EventTarget {
    private constructor();
    /** Name of the channel. */
    get label(): string;
    /** Whether messages are delivered in the order of sending. */
    get ordered(): boolean;
    /** Milliseconds after which a message is given up, or `null`. */
    get maxPacketLifeTime(): number | null;
    /** Retransmissions after which a message is given up, or `null`. */
    get maxRetransmits(): number | null;
    /** Name of the subprotocol. */
    get protocol(): string;
    /** Whether both sides created the channel with an agreed id. */
    get negotiated(): boolean;
    /** SCTP stream of the channel; `null` until the DTLS roles are known, unless negotiated. */
    get id(): number | null;
    /** Weight among the channels of the connection (WebRTC Priority Control API). */
    get priority(): RTCPriorityType;
    /** State of the channel. */
    get readyState(): RTCDataChannelState;
    /** Bytes given to `send()` that have not been sent to the network yet. Keeps its value when the channel closes. */
    get bufferedAmount(): number;
    /** `bufferedamountlow` is fired when `bufferedAmount` falls to this many bytes. Default: 0. */
    get bufferedAmountLowThreshold(): number;
    set bufferedAmountLowThreshold(value: number);
    /** The channel can be used. */
    get onopen(): EventHandler;
    set onopen(value: EventHandler);
    /** `bufferedAmount` has fallen to the threshold: there is room to send more. */
    get onbufferedamountlow(): EventHandler;
    set onbufferedamountlow(value: EventHandler);
    /** The channel has failed; `close` follows. */
    get onerror(): EventHandler<RTCErrorEvent>;
    set onerror(value: EventHandler<RTCErrorEvent>);
    /** The peer is closing the channel. */
    get onclosing(): EventHandler;
    set onclosing(value: EventHandler);
    /** The channel is closed. */
    get onclose(): EventHandler;
    set onclose(value: EventHandler);
    /** Closes the channel after what was sent has gone out. Closing again does nothing. */
    close(): void;
    /** A message has arrived: `data` is a string, or an ArrayBuffer or Blob as `binaryType` says. */
    get onmessage(): EventHandler<MessageEvent>;
    set onmessage(value: EventHandler<MessageEvent>);
    /** Type in which binary messages arrive. Default: `'arraybuffer'`; unknown values are ignored. */
    get binaryType(): BinaryType;
    set binaryType(value: BinaryType);
    /**
     * Sends one message. The bytes are copied before this returns; a Blob is read later, and what is sent after it waits.
     * @throws DOMException `InvalidStateError` unless the channel is open; `OperationError` if the send buffer is full.
     * @throws TypeError if the message is larger than `sctp.maxMessageSize`, or the data is shared or resizable memory.
     */
    send(data: string | Blob | ArrayBuffer | ArrayBufferView): void;
}
interface RTCDataChannel {
    addEventListener: AddEventListener<RTCDataChannelEventMap>;
    removeEventListener: RemoveEventListener<RTCDataChannelEventMap>;
}

/** Options of {@link RTCDataChannelEvent}. */
interface RTCDataChannelEventInit extends RTCEventInit {
    /** The channel that the peer has created. */
    channel: RTCDataChannel;
}
/** `datachannel`: the peer has created a channel (webrtc-pc 6.4). */
declare class RTCDataChannelEvent extends Event {
    /** @throws TypeError without a `channel` that is an {@link RTCDataChannel}. */
    constructor(type: string, eventInitDict: RTCDataChannelEventInit);
    /** The channel; it is open, and its messages start to arrive after this event. */
    get channel(): RTCDataChannel;
}

/** How a channel delivers (webrtc-pc 6.2, `RTCDataChannelInit`). */
interface RTCDataChannelInit {
    /** Deliver in the order of sending. Default: `true`. */
    ordered?: boolean;
    /** Give a message up after this many milliseconds, 0 to 65,535. Excludes `maxRetransmits`. */
    maxPacketLifeTime?: number;
    /** Give a message up after this many retransmissions, 0 to 65,535. Excludes `maxPacketLifeTime`. */
    maxRetransmits?: number;
    /** Name of the subprotocol. Default: `''`. */
    protocol?: string;
    /** Both sides create the channel, with the same `id`; nothing is announced. Default: `false`. */
    negotiated?: boolean;
    /** The agreed SCTP stream of a negotiated channel, 0 to 65,534. */
    id?: number;
    /** Weight among the channels of the connection. Default: `'low'`. */
    priority?: RTCPriorityType;
}

/** A certificate's fingerprint, as in the `a=fingerprint` line (RFC 8122). */
interface RTCDtlsFingerprint {
    /** Hash function, for example `sha-256`. */
    algorithm: string;
    /** Lower-case hex, separated by colons. */
    value: string;
}
/** How long a new certificate is valid. */
interface RTCCertificateExpiration {
    /** Milliseconds from now. Default: 30 days; at most 365 days. */
    expires?: number;
}
/** Which key to generate: an algorithm name, or an object with its parameters (Web Cryptography API). */
type RTCCertificateAlgorithm = string | ({
    name: string;
    namedCurve?: string;
} & RTCCertificateExpiration);
/** A certificate that a connection authenticates itself with (webrtc-pc 4.9.2). */
declare class RTCCertificate {
    private constructor();
    /** Moment of expiry, in milliseconds since the Unix epoch; a connection does not take it afterwards. */
    get expires(): number;
    /** The fingerprints, one of them by the hash function of its signature. */
    getFingerprints(): RTCDtlsFingerprint[];
}
/**
 * Makes a certificate out of PEM, to keep an identity across runs. Not part of W3C's API.
 * @param certificate the certificate, PEM.
 * @param privateKey its ECDSA key on P-256 or P-384, PEM (PKCS#8 or SEC1).
 * @throws DOMException `DataError` if something is missing, malformed or does not belong together; `NotSupportedError` for
 * other kinds of keys, RSA among them, and for encrypted ones.
 */
declare function certificateFromPEM(certificate: string, privateKey: string): RTCCertificate;
/** Certificate and private key as PEM; keep the latter secret. Not part of W3C's API. */
declare function certificateToPEM(certificate: RTCCertificate): {
    certificate: string;
    privateKey: string;
};

/** Settings of the transport that W3C leaves to the user agent. Everything may be left out. */
type RTCTransportOptions = Omit<NativePeerConfig, 'iceServers' | 'iceTransportPolicy' | 'certificates' | 'media'>;

/** A STUN or TURN server. */
interface RTCIceServer {
    /** `stun:`, `stuns:`, `turn:` or `turns:` URLs (RFC 7064, RFC 7065). */
    urls: string | string[];
    /** User name for TURN, 1 to 509 bytes. */
    username?: string;
    /** Password for TURN, not empty. */
    credential?: string;
}
/** Configuration of a connection (webrtc-pc 4.2.1). */
interface RTCConfiguration {
    /** Servers for reflexive and relayed candidates. Default: none. */
    iceServers?: RTCIceServer[];
    /** `'relay'` uses TURN only. Default: `'all'`. */
    iceTransportPolicy?: RTCIceTransportPolicy;
    /** Without effect: data has one transport. Default: `'balanced'`. */
    bundlePolicy?: RTCBundlePolicy;
    /** Always `'require'`. */
    rtcpMuxPolicy?: RTCRtcpMuxPolicy;
    /** Certificates to authenticate with; the first one is used. Default: one is generated, valid for 30 days. */
    certificates?: RTCCertificate[];
    /** Hint for gathering ahead, 0 to 255; candidates are gathered when needed. Default: 0. */
    iceCandidatePoolSize?: number;
    /** An offer has a section for data channels even without one (webrtc-extensions). Cannot be changed. Default: `false`. */
    alwaysNegotiateDataChannels?: boolean;
    /** Not part of W3C's dictionary: how to use the network. Read by the constructor only. */
    transport?: RTCTransportOptions;
}

/** A codec (webrtc-pc 5.2.7). */
interface RTCRtpCodec {
    /** For example `audio/opus`; case does not matter. */
    mimeType: string;
    /** In Hz. */
    clockRate: number;
    /** Audio only: 1 or 2. */
    channels?: number;
    /** Value of `a=fmtp`. */
    sdpFmtpLine?: string;
}
/** A codec with its number on the wire (webrtc-pc 5.2.8). */
interface RTCRtpCodecParameters extends RTCRtpCodec {
    /** RTP payload type, 0 to 127. */
    payloadType: number;
}
/** A header extension with its number on the wire (webrtc-pc 5.2.6). */
interface RTCRtpHeaderExtensionParameters {
    /** Its name (RFC 8285). */
    uri: string;
    /** 1 to 255. */
    id: number;
    /** The extension is encrypted (RFC 6904): never here. Default: `false`. */
    encrypted?: boolean;
}
/** What was negotiated for RTCP (webrtc-pc 5.2.5). */
interface RTCRtcpParameters {
    /** Canonical name of this end (RFC 7022); of senders only. */
    cname?: string;
    /** RTCP packets of reduced size (RFC 5506). */
    reducedSize?: boolean;
}
/** What senders and receivers have in common (webrtc-pc 5.2.2). */
interface RTCRtpParameters {
    /** Header extensions that were negotiated. */
    headerExtensions: RTCRtpHeaderExtensionParameters[];
    /** RTCP as it was negotiated. */
    rtcp: RTCRtcpParameters;
    /** Codecs that were negotiated, the preferred one first. */
    codecs: RTCRtpCodecParameters[];
}
/** One encoding of what is sent (webrtc-pc 5.2.4). */
interface RTCRtpEncodingParameters {
    /** Its name, where there are several: 1 to 16 letters and digits (RFC 8852). */
    rid?: string;
    /** Whether it is sent. Default: `true`. */
    active?: boolean;
    /** The codec to use. Default: the first one that was negotiated. */
    codec?: RTCRtpCodec;
    /** Upper limit in bit/s. */
    maxBitrate?: number;
    /** Video only: pictures a second. Kept for programs that set it; frames of video are encoded before they come here. */
    maxFramerate?: number;
    /** Video only: how much smaller than the source, 1 or more. Kept as `maxFramerate` is. */
    scaleResolutionDownBy?: number;
}
/** What a sender sends (webrtc-pc 5.2.3). */
interface RTCRtpSendParameters extends RTCRtpParameters {
    /** Tells which `getParameters()` it comes from. */
    transactionId: string;
    /** What can be changed. */
    encodings: RTCRtpEncodingParameters[];
}
/** One layer of the simulcast that a receiver receives. */
interface RTCRtpReceivedEncoding {
    /** Its name, as the sender has given it (RFC 8852). */
    rid: string;
}
/** What a receiver receives. */
interface RTCRtpReceiveParameters extends RTCRtpParameters {
    /** The layers of simulcast, in the order of the peer's description; empty without. Not of the W3C's dictionary. */
    encodings: RTCRtpReceivedEncoding[];
}
/** Options of `setParameters()`: none. */
type RTCSetParameterOptions = Record<never, never>;
/** A header extension that there is. */
interface RTCRtpHeaderExtensionCapability {
    /** Its name (RFC 8285). */
    uri: string;
}
/** What can be sent and received (webrtc-pc 5.2.9). */
interface RTCRtpCapabilities {
    /** Codecs, the preferred one first. */
    codecs: RTCRtpCodec[];
    /** Header extensions. */
    headerExtensions: RTCRtpHeaderExtensionCapability[];
}
/** A source that has contributed to what was heard in the last ten seconds (webrtc-pc 5.3). */
interface RTCRtpContributingSource {
    /** When it was heard last, in milliseconds since the start of the process (`performance.now()`). */
    timestamp: number;
    /** Its SSRC or CSRC. */
    source: number;
    /** How loud it was, 0 to 1; absent if the peer does not say. */
    audioLevel?: number;
    /** RTP timestamp of that moment. */
    rtpTimestamp: number;
}
/** The source of the packets themselves. */
type RTCRtpSynchronizationSource = RTCRtpContributingSource;

/** What a transceiver is made with (webrtc-pc 5.1). */
interface RTCRtpTransceiverInit {
    /** Which way it is to send. Default: `'sendrecv'`. */
    direction?: RTCRtpTransceiverDirection;
    /** Streams that the sent track belongs to. Default: none. */
    streams?: MediaStream[];
    /** Encodings of what is sent; several, for simulcast, need a `rid` each. Default: one. */
    sendEncodings?: RTCRtpEncodingParameters[];
}

/** One entry of a report: these three, and the members of its type (W3C webrtc-stats). */
interface RTCStats {
    /** Identifies the monitored object across reports. */
    id: string;
    /** When the values were taken, in milliseconds since the Unix epoch. */
    timestamp: number;
    /** For example `transport`, `candidate-pair`, `data-channel`. */
    type: string;
    [member: string]: any;
}
/** Names the iterators of a map in any version of TypeScript: only 5.6 and later have `MapIterator`. */
type Entries = ReadonlyMap<string, RTCStats>;
/** Statistics of a connection: a read-only map from id to entry (webrtc-pc 8.4). */
declare class RTCStatsReport {
    private constructor();
    /** Number of entries. */
    get size(): number;
    /** The pairs of id and entry. */
    entries(): ReturnType<Entries['entries']>;
    /** The ids. */
    keys(): ReturnType<Entries['keys']>;
    /** The entries. */
    values(): ReturnType<Entries['values']>;
    /** Calls a function for every entry. */
    forEach(callback: (value: RTCStats, key: string, report: RTCStatsReport) => void, thisArg?: unknown): void;
    /** The entry with this id. */
    get(key: string): RTCStats | undefined;
    /** Whether there is an entry with this id. */
    has(key: string): boolean;
}
interface RTCStatsReport {
    /** The pairs of id and entry. */
    [Symbol.iterator](): ReturnType<Entries['entries']>;
}

/** A local and a remote candidate that packets travel between (webrtc-pc 5.6.2). */
declare class RTCIceCandidatePair {
    private constructor();
    /** Our candidate. */
    get local(): RTCIceCandidate;
    /** The peer's candidate. */
    get remote(): RTCIceCandidate;
}
/** Events of {@link RTCIceTransport}. */
interface RTCIceTransportEventMap {
    /** `state` has changed. */
    statechange: Event;
    /** `gatheringState` has changed. */
    gatheringstatechange: Event;
    /** The selected pair has changed. */
    selectedcandidatepairchange: Event;
}
/** The ICE transport of a connection (webrtc-pc 5.6). */
declare class RTCIceTransport extends EventTarget {
    private constructor();
    /** Who nominates pairs. */
    get role(): RTCIceRole;
    /** Always `rtp`. */
    get component(): RTCIceComponent;
    /** State of the connectivity checks. */
    get state(): RTCIceTransportState;
    /** Whether candidates are being gathered. */
    get gatheringState(): RTCIceGathererState;
    /** The local candidates of the current generation that were told to `onicecandidate`. */
    getLocalCandidates(): RTCIceCandidate[];
    /** The remote candidates that were signaled. */
    getRemoteCandidates(): RTCIceCandidate[];
    /** The pair that packets travel on, or `null` before there is one. */
    getSelectedCandidatePair(): RTCIceCandidatePair | null;
    /** Our credentials, or `null` before a local description. */
    getLocalParameters(): RTCIceParameters | null;
    /** The peer's credentials, or `null` before a remote description. */
    getRemoteParameters(): RTCIceParameters | null;
    /** `state` has changed. */
    get onstatechange(): EventHandler;
    set onstatechange(value: EventHandler);
    /** `gatheringState` has changed. */
    get ongatheringstatechange(): EventHandler;
    set ongatheringstatechange(value: EventHandler);
    /** The selected pair has changed. */
    get onselectedcandidatepairchange(): EventHandler;
    set onselectedcandidatepairchange(value: EventHandler);
}
interface RTCIceTransport {
    addEventListener: AddEventListener<RTCIceTransportEventMap>;
    removeEventListener: RemoveEventListener<RTCIceTransportEventMap>;
}

/** Events of {@link RTCDtlsTransport}. */
interface RTCDtlsTransportEventMap {
    /** `state` has changed. */
    statechange: Event;
    /** The association has failed. */
    error: RTCErrorEvent;
}
/** The DTLS transport of a connection (webrtc-pc 5.5). */
declare class RTCDtlsTransport extends EventTarget {
    private constructor();
    /** The transport below. */
    get iceTransport(): RTCIceTransport;
    /** State of the DTLS association. */
    get state(): RTCDtlsTransportState;
    /** The peer's certificate chain in DER, leaf first; empty until the handshake is done. */
    getRemoteCertificates(): ArrayBuffer[];
    /** `state` has changed. */
    get onstatechange(): EventHandler;
    set onstatechange(value: EventHandler);
    /** The association has failed. */
    get onerror(): EventHandler<RTCErrorEvent>;
    set onerror(value: EventHandler<RTCErrorEvent>);
}
interface RTCDtlsTransport {
    addEventListener: AddEventListener<RTCDtlsTransportEventMap>;
    removeEventListener: RemoveEventListener<RTCDtlsTransportEventMap>;
}

/** Events of {@link RTCSctpTransport}. */
interface RTCSctpTransportEventMap {
    /** `state` has changed. */
    statechange: Event;
}
/** The SCTP transport that carries the data channels of a connection (webrtc-pc 6.1.1). */
declare class RTCSctpTransport extends EventTarget {
    private constructor();
    /** The transport below. */
    get transport(): RTCDtlsTransport;
    /** State of the SCTP association. */
    get state(): RTCSctpTransportState;
    /** Largest message that `send()` takes, in bytes; `null` before an answer (webrtc-pc 6.1.1). */
    get maxMessageSize(): number | null;
    /** Largest number of channels, known once connected. */
    get maxChannels(): number | null;
    /** `state` has changed. */
    get onstatechange(): EventHandler;
    set onstatechange(value: EventHandler);
}
interface RTCSctpTransport {
    addEventListener: AddEventListener<RTCSctpTransportEventMap>;
    removeEventListener: RemoveEventListener<RTCSctpTransportEventMap>;
}

/** Receives a track of the peer (webrtc-pc 5.3). */
declare class RTCRtpReceiver {
    private constructor();
    /** What is received; it is there from the start, and muted until packets come. */
    get track(): MediaStreamTrack;
    /** What its packets come over; `null` before a local description. */
    get transport(): RTCDtlsTransport | null;
    /** What can be received of a kind; `null` for a kind that there is not. */
    static getCapabilities(kind: string): RTCRtpCapabilities | null;
    /** What was negotiated, as a copy. */
    getParameters(): RTCRtpReceiveParameters;
    /**
     * A track of one layer of simulcast (RFC 8853) alone, for `addTrack()`, `replaceTrack()` and sinks, the same one as long as it is not stopped;
     * {@link track} gives one layer as well, whichever comes first. Not of the W3C's interface: its receivers have no simulcast.
     *
     * @param rid one of `getParameters().encodings`.
     * @throws DOMException `InvalidAccessError` for a layer that was not negotiated.
     */
    getLayer(rid: string): MediaStreamTrack;
    /** Whose voices a mixer has put together in the last ten seconds, the latest first. */
    getContributingSources(): RTCRtpContributingSource[];
    /** Who has sent packets in the last ten seconds, the latest first. */
    getSynchronizationSources(): RTCRtpSynchronizationSource[];
    /** Statistics of what is received. */
    getStats(): Promise<RTCStatsReport>;
    /** How many milliseconds packets should be kept back for late ones, 0 to 4,000; `null` leaves it to the network. */
    get jitterBufferTarget(): number | null;
    set jitterBufferTarget(value: number | null);
}

/** Options of {@link RTCDTMFToneChangeEvent}. */
interface RTCDTMFToneChangeEventInit extends RTCEventInit {
    /** The tone that begins. Default: `''`, all have been sent. */
    tone?: string;
}
/** `tonechange` of an {@link RTCDTMFSender} (webrtc-pc 7.3). */
declare class RTCDTMFToneChangeEvent extends Event {
    /** @throws TypeError for members of a wrong type. */
    constructor(type: string, eventInitDict?: RTCDTMFToneChangeEventInit);
    /** The tone that begins; `''` when all have been sent. */
    get tone(): string;
}
/** Events of {@link RTCDTMFSender}. */
interface RTCDTMFSenderEventMap {
    /** A tone begins, or all have been sent. */
    tonechange: RTCDTMFToneChangeEvent;
}
/** Sends the tones of a telephone's keys in place of audio (webrtc-pc 7.2; RFC 4733). */
declare class RTCDTMFSender extends EventTarget {
    private constructor();
    /**
     * Sends tones, in place of those that are still waiting.
     *
     * @param tones `0` to `9`, `A` to `D`, `#` and `*`; a comma is a pause of two seconds. Empty: nothing any more.
     * @param duration of a tone in milliseconds, kept between 40 and 6,000.
     * @param interToneGap between tones in milliseconds, kept between 30 and 6,000.
     * @throws DOMException `InvalidStateError` unless {@link canInsertDTMF}; `InvalidCharacterError` for other characters.
     */
    insertDTMF(tones: string, duration?: number, interToneGap?: number): void;
    /** A tone begins, or all have been sent. */
    get ontonechange(): EventHandler<RTCDTMFToneChangeEvent>;
    set ontonechange(value: EventHandler<RTCDTMFToneChangeEvent>);
    /** The connection stands, audio is sent, and the peer takes tones. */
    get canInsertDTMF(): boolean;
    /** Tones that are still waiting. */
    get toneBuffer(): string;
}
interface RTCDTMFSender {
    addEventListener: AddEventListener<RTCDTMFSenderEventMap>;
    removeEventListener: RemoveEventListener<RTCDTMFSenderEventMap>;
}

/** Sends a track to the peer (webrtc-pc 5.2). */
declare class RTCRtpSender {
    private constructor();
    /** What is sent; `null` for nothing. */
    get track(): MediaStreamTrack | null;
    /** What its packets go over; `null` before a local description. */
    get transport(): RTCDtlsTransport | null;
    /** What can be sent of a kind; `null` for a kind that there is not. */
    static getCapabilities(kind: string): RTCRtpCapabilities | null;
    /**
     * Changes what is sent, without a negotiation. `parameters` are those of {@link getParameters}, called in the same turn of the event
     * loop, with other `encodings`.
     *
     * @returns rejects with `InvalidStateError` for a transceiver that is stopped, or without `getParameters()`; `InvalidModificationError`
     * for a change that is not possible; a RangeError for numbers that are out of range.
     */
    setParameters(parameters: RTCRtpSendParameters, setParameterOptions?: RTCSetParameterOptions): Promise<void>;
    /** What is sent, as a copy. */
    getParameters(): RTCRtpSendParameters;
    /**
     * Sends another track, or nothing, without a negotiation.
     *
     * @returns rejects with a TypeError for a track of another kind; `InvalidStateError` for a transceiver that is stopped.
     */
    replaceTrack(withTrack: MediaStreamTrack | null): Promise<void>;
    /**
     * Tells the peer that the track belongs to these streams. A negotiation is due.
     *
     * @throws DOMException `InvalidStateError` when closed.
     */
    setStreams(...streams: MediaStream[]): void;
    /** Statistics of what is sent. */
    getStats(): Promise<RTCStatsReport>;
    /** Sends tones of a telephone's keys; `null` for video. */
    get dtmf(): RTCDTMFSender | null;
}

/** A sender and a receiver that share a section of the descriptions (webrtc-pc 5.4). */
declare class RTCRtpTransceiver {
    private constructor();
    /** Name of its section; `null` without one. */
    get mid(): string | null;
    /** What it sends with. */
    get sender(): RTCRtpSender;
    /** What it receives with. */
    get receiver(): RTCRtpReceiver;
    /**
     * Which way it is to send. Takes full effect with the next negotiation, which is due; what is sent less, at once.
     *
     * @throws DOMException `InvalidStateError` when closed or stopped; TypeError for `stopped`.
     */
    get direction(): RTCRtpTransceiverDirection;
    set direction(value: RTCRtpTransceiverDirection);
    /** What was negotiated; `null` before. */
    get currentDirection(): RTCRtpTransceiverDirection | null;
    /**
     * Ends it, for good. The peer hears of it with the next negotiation, which is due.
     *
     * @throws DOMException `InvalidStateError` when closed.
     */
    stop(): void;
    /**
     * Sets the codecs to negotiate, the preferred one first; an empty list stands for all that there are.
     *
     * @throws DOMException `InvalidModificationError` for a codec that there is not, and for a list without one to send media with.
     */
    setCodecPreferences(codecs: RTCRtpCodec[]): void;
}

/** Options of {@link RTCTrackEvent}. */
interface RTCTrackEventInit extends RTCEventInit {
    /** What receives the track. */
    receiver: RTCRtpReceiver;
    /** The track. */
    track: MediaStreamTrack;
    /** The peer's streams that it is in. Default: none. */
    streams?: MediaStream[];
    /** What the receiver belongs to. */
    transceiver: RTCRtpTransceiver;
}
/** `track`: the peer sends something (webrtc-pc 5.7). */
declare class RTCTrackEvent extends Event {
    /** @throws TypeError without a receiver, a track and a transceiver. */
    constructor(type: string, eventInitDict: RTCTrackEventInit);
    /** What receives the track. */
    get receiver(): RTCRtpReceiver;
    /** The track; muted until packets come. */
    get track(): MediaStreamTrack;
    /** The peer's streams that it is in. */
    get streams(): readonly MediaStream[];
    /** What the receiver belongs to. */
    get transceiver(): RTCRtpTransceiver;
}

/** `mediafault`, which is not in the standard: audio or video does not flow where both descriptions say that it does. */
interface MediaFaultEvent extends Event {
    /** Why, as in what `connectionCauses()` gives: of the kind `media-refused`, its `text` in words, its `code` 0. */
    readonly cause: ConnectCause;
    /** Which transceiver it is about; `null` if it is about all of the connection. */
    readonly transceiver: RTCRtpTransceiver | null;
}

/** Events of {@link RTCPeerConnection}. */
interface RTCPeerConnectionEventMap {
    /** An offer should be made. */
    negotiationneeded: Event;
    /** A local candidate is to be signaled. */
    icecandidate: RTCPeerConnectionIceEvent;
    /** A STUN or TURN server, or an address of this machine, could not be used. */
    icecandidateerror: RTCPeerConnectionIceErrorEvent;
    /**
     * Not in the standard: the path in use led through a TURN server that has forgotten this connection, and the other side cannot be reached from
     * the new allocation without signaling. `restartIce()` helps, and nothing else does.
     */
    pathlost: Event;
    /** `signalingState` has changed. */
    signalingstatechange: Event;
    /** `iceConnectionState` has changed. */
    iceconnectionstatechange: Event;
    /** `iceGatheringState` has changed. */
    icegatheringstatechange: Event;
    /** `connectionState` has changed. */
    connectionstatechange: Event;
    /**
     * Not in the standard: audio or video does not flow where it should, for a reason that was not told before. The event has it as its `cause`, and
     * `connectionCauses()` has all of them, of the kind `media-refused`.
     */
    mediafault: MediaFaultEvent;
    /** The peer sends a track. */
    track: RTCTrackEvent;
    /** The peer has created a channel. */
    datachannel: RTCDataChannelEvent;
}

/** Options of `createOffer`. */
interface RTCOfferOptions {
    /** New ICE credentials, hence new candidates. Default: `false`. */
    iceRestart?: boolean;
    /** Receive audio, with a transceiver if there is none, or do not. Transceivers are the better way (webrtc-pc 4.4.3.2). */
    offerToReceiveAudio?: boolean;
    /** The same for video. */
    offerToReceiveVideo?: boolean;
}
/** Options of `createAnswer`: none. */
type RTCAnswerOptions = Record<never, never>;

/**
 * A connection to one peer (webrtc-pc 4.4), for data channels, audio and video. From its first description on a connection keeps the process alive, until it is closed by either
 * side or has failed.
 */
declare class RTCPeerConnection extends EventTarget {
    /**
     * @throws TypeError for a value of a wrong type, RangeError for a number in `transport` that is out of range.
     * @throws DOMException `SyntaxError` for a malformed server URL; `InvalidAccessError` for a TURN server without
     * credentials or an expired certificate.
     */
    constructor(configuration?: RTCConfiguration);
    /**
     * Generates a certificate with an ECDSA P-256 key.
     * @returns rejects with `NotSupportedError` for other algorithms, RSA included.
     */
    static generateCertificate(keygenAlgorithm: RTCCertificateAlgorithm): Promise<RTCCertificate>;
    /** Makes an offer. @returns rejects with `InvalidStateError` when closed or when an answer is due. */
    createOffer(options?: RTCOfferOptions): Promise<RTCSessionDescriptionInit>;
    /** @deprecated Use the promise. */
    createOffer(successCallback: RTCSessionDescriptionCallback, failureCallback: RTCPeerConnectionErrorCallback, options?: RTCOfferOptions): Promise<void>;
    /** Makes an answer to the remote offer. @returns rejects with `InvalidStateError` when closed or without an offer. */
    createAnswer(options?: RTCAnswerOptions): Promise<RTCSessionDescriptionInit>;
    /** @deprecated Use the promise. */
    createAnswer(successCallback: RTCSessionDescriptionCallback, failureCallback: RTCPeerConnectionErrorCallback): Promise<void>;
    /**
     * Sets the local description; without an argument the one that is due is made and set. Gathering starts.
     * @returns rejects with `InvalidModificationError` for a description that is not the one created last,
     * `InvalidStateError` for a type that the signaling state does not allow.
     */
    setLocalDescription(description?: RTCLocalSessionDescriptionInit): Promise<void>;
    /** @deprecated Use the promise. */
    setLocalDescription(description: RTCLocalSessionDescriptionInit, successCallback: () => void, failureCallback: RTCPeerConnectionErrorCallback): Promise<void>;
    /** The description being negotiated, else the one in force. */
    get localDescription(): RTCSessionDescription | null;
    /** The local description in force. */
    get currentLocalDescription(): RTCSessionDescription | null;
    /** The local description being negotiated. */
    get pendingLocalDescription(): RTCSessionDescription | null;
    /**
     * Sets the remote description. An offer rolls back our own pending offer, if there is one.
     * @returns rejects with an `RTCError` (`sdp-syntax-error`, with the line) for a malformed description,
     * `InvalidAccessError` for one that cannot be used, `InvalidStateError` for a type that the state does not allow.
     */
    setRemoteDescription(description: RTCSessionDescriptionInit): Promise<void>;
    /** @deprecated Use the promise. */
    setRemoteDescription(description: RTCSessionDescriptionInit, successCallback: () => void, failureCallback: RTCPeerConnectionErrorCallback): Promise<void>;
    /** The description being negotiated, else the one in force. */
    get remoteDescription(): RTCSessionDescription | null;
    /** The remote description in force. */
    get currentRemoteDescription(): RTCSessionDescription | null;
    /** The remote description being negotiated. */
    get pendingRemoteDescription(): RTCSessionDescription | null;
    /**
     * Adds a candidate of the peer; an empty one (or none) ends the candidates.
     * @returns rejects with `InvalidStateError` before the remote description, `OperationError` for a candidate that does
     * not fit it, `TypeError` without `sdpMid` and `sdpMLineIndex`.
     */
    addIceCandidate(candidate?: RTCIceCandidateInit | null): Promise<void>;
    /** @deprecated Use the promise. */
    addIceCandidate(candidate: RTCIceCandidateInit, successCallback: () => void, failureCallback: RTCPeerConnectionErrorCallback): Promise<void>;
    /** State of offer and answer. */
    get signalingState(): RTCSignalingState;
    /** Whether candidates are being gathered. */
    get iceGatheringState(): RTCIceGatheringState;
    /** State of ICE. */
    get iceConnectionState(): RTCIceConnectionState;
    /** State of ICE and DTLS together. */
    get connectionState(): RTCPeerConnectionState;
    /** Whether the peer takes candidates one by one; `null` before its description. */
    get canTrickleIceCandidates(): boolean | null;
    /** Asks for new ICE credentials in the next offer; `negotiationneeded` follows. */
    restartIce(): void;
    /** The configuration in force, as a copy. */
    getConfiguration(): RTCConfiguration;
    /**
     * Replaces servers and policies; they count from the next gathering on.
     * @throws DOMException `InvalidModificationError` for a member that cannot change any more, `InvalidStateError` when
     * closed, and what the constructor throws.
     */
    setConfiguration(configuration?: RTCConfiguration): void;
    /** Ends the connection; the peer is told. Without effect when closed already. */
    close(): void;
    /** An offer should be made: script's turn to negotiate. */
    get onnegotiationneeded(): EventHandler;
    set onnegotiationneeded(value: EventHandler);
    /** A local candidate is to be signaled. */
    get onicecandidate(): EventHandler<RTCPeerConnectionIceEvent>;
    set onicecandidate(value: EventHandler<RTCPeerConnectionIceEvent>);
    /** A STUN or TURN server could not be used. */
    get onicecandidateerror(): EventHandler<RTCPeerConnectionIceErrorEvent>;
    set onicecandidateerror(value: EventHandler<RTCPeerConnectionIceErrorEvent>);
    /** `signalingState` has changed. */
    get onsignalingstatechange(): EventHandler;
    set onsignalingstatechange(value: EventHandler);
    /** `iceConnectionState` has changed. */
    get oniceconnectionstatechange(): EventHandler;
    set oniceconnectionstatechange(value: EventHandler);
    /** `iceGatheringState` has changed. */
    get onicegatheringstatechange(): EventHandler;
    set onicegatheringstatechange(value: EventHandler);
    /** `connectionState` has changed. */
    get onconnectionstatechange(): EventHandler;
    set onconnectionstatechange(value: EventHandler);
    /** The senders of all transceivers that are not stopped. */
    getSenders(): RTCRtpSender[];
    /** The receivers of all transceivers that are not stopped. */
    getReceivers(): RTCRtpReceiver[];
    /** The transceivers, in the order in which they were made. */
    getTransceivers(): RTCRtpTransceiver[];
    /**
     * Sends a track, with a transceiver that has not sent yet or a new one. `negotiationneeded` follows.
     *
     * @param streams that the peer finds the track in.
     * @throws DOMException `InvalidStateError` when closed; `InvalidAccessError` if the track is sent already.
     */
    addTrack(track: MediaStreamTrack, ...streams: MediaStream[]): RTCRtpSender;
    /**
     * Sends nothing any more with this sender, which stays. `negotiationneeded` follows.
     *
     * @throws DOMException `InvalidStateError` when closed; `InvalidAccessError` for a sender of another connection.
     */
    removeTrack(sender: RTCRtpSender): void;
    /**
     * Makes a transceiver, which gets a section of its own. `negotiationneeded` follows.
     *
     * @param trackOrKind what to send, or `'audio'` or `'video'`.
     * @throws DOMException `InvalidStateError` when closed; `OperationError` beyond the number that a description holds; a TypeError or
     * RangeError for encodings that can't be sent.
     */
    addTransceiver(trackOrKind: MediaStreamTrack | string, init?: RTCRtpTransceiverInit): RTCRtpTransceiver;
    /** The peer sends a track. */
    get ontrack(): EventHandler<RTCTrackEvent>;
    set ontrack(value: EventHandler<RTCTrackEvent>);
    /** The transport of the data channels; `null` before one is negotiated. */
    get sctp(): RTCSctpTransport | null;
    /**
     * Makes a channel. The first one makes `negotiationneeded` fire.
     * @throws DOMException `InvalidStateError` when closed; `OperationError` if the id is taken or none is left.
     * @throws TypeError for members that contradict each other or are out of range.
     */
    createDataChannel(label: string, dataChannelDict?: RTCDataChannelInit): RTCDataChannel;
    /** The peer has created a channel. */
    get ondatachannel(): EventHandler<RTCDataChannelEvent>;
    set ondatachannel(value: EventHandler<RTCDataChannelEvent>);
    /**
     * Statistics of the whole connection, or of what sends or receives a track.
     *
     * @returns rejects with `InvalidAccessError` unless exactly one sender or receiver has the track.
     */
    getStats(selector?: MediaStreamTrack | null): Promise<RTCStatsReport>;
}
interface RTCPeerConnection {
    addEventListener: AddEventListener<RTCPeerConnectionEventMap>;
    removeEventListener: RemoveEventListener<RTCPeerConnectionEventMap>;
}

/**
 * What stands in the way of a connection, or has ended it, as far as this side knows: servers first, then the path. To be asked in the state
 * `failed`, or when you have waited long enough. A connection that works may have causes too: servers that did not help. Empty after `close()`.
 *
 * @throws TypeError - `connection` is no `RTCPeerConnection` of this package.
 */
declare function connectionCauses(connection: RTCPeerConnection): ConnectCause[];

/** The type of a global where the program knows it, from the DOM library for example; otherwise that of ours. */
type Global<Name extends string, Ours> = Name extends keyof typeof globalThis ? (typeof globalThis)[Name] : Ours;
/**
 * The interfaces that a browser's `window` has, as one object. In a program with the DOM library they have its types, because
 * libraries that take an implementation ask for those.
 */
interface Wrtc {
    readonly MediaStream: Global<'MediaStream', typeof MediaStream>;
    readonly MediaStreamTrack: Global<'MediaStreamTrack', typeof MediaStreamTrack>;
    readonly MediaStreamTrackEvent: Global<'MediaStreamTrackEvent', typeof MediaStreamTrackEvent>;
    /** What node-webrtc has beyond the standard. */
    readonly nonstandard: typeof nonstandard;
    readonly RTCCertificate: Global<'RTCCertificate', typeof RTCCertificate>;
    readonly RTCDataChannel: Global<'RTCDataChannel', typeof RTCDataChannel>;
    readonly RTCDataChannelEvent: Global<'RTCDataChannelEvent', typeof RTCDataChannelEvent>;
    readonly RTCDTMFSender: Global<'RTCDTMFSender', typeof RTCDTMFSender>;
    readonly RTCDTMFToneChangeEvent: Global<'RTCDTMFToneChangeEvent', typeof RTCDTMFToneChangeEvent>;
    readonly RTCDtlsTransport: Global<'RTCDtlsTransport', typeof RTCDtlsTransport>;
    readonly RTCEncodedAudioFrame: Global<'RTCEncodedAudioFrame', typeof RTCEncodedAudioFrame>;
    readonly RTCEncodedVideoFrame: Global<'RTCEncodedVideoFrame', typeof RTCEncodedVideoFrame>;
    readonly RTCError: Global<'RTCError', typeof RTCError>;
    readonly RTCErrorEvent: Global<'RTCErrorEvent', typeof RTCErrorEvent>;
    readonly RTCIceCandidate: Global<'RTCIceCandidate', typeof RTCIceCandidate>;
    readonly RTCIceCandidatePair: typeof RTCIceCandidatePair;
    readonly RTCIceTransport: Global<'RTCIceTransport', typeof RTCIceTransport>;
    readonly RTCPeerConnection: Global<'RTCPeerConnection', typeof RTCPeerConnection>;
    readonly RTCPeerConnectionIceErrorEvent: Global<'RTCPeerConnectionIceErrorEvent', typeof RTCPeerConnectionIceErrorEvent>;
    readonly RTCPeerConnectionIceEvent: Global<'RTCPeerConnectionIceEvent', typeof RTCPeerConnectionIceEvent>;
    readonly RTCRtpReceiver: Global<'RTCRtpReceiver', typeof RTCRtpReceiver>;
    readonly RTCRtpSender: Global<'RTCRtpSender', typeof RTCRtpSender>;
    readonly RTCRtpTransceiver: Global<'RTCRtpTransceiver', typeof RTCRtpTransceiver>;
    readonly RTCSctpTransport: Global<'RTCSctpTransport', typeof RTCSctpTransport>;
    readonly RTCSessionDescription: Global<'RTCSessionDescription', typeof RTCSessionDescription>;
    readonly RTCStatsReport: Global<'RTCStatsReport', typeof RTCStatsReport>;
    readonly RTCTrackEvent: Global<'RTCTrackEvent', typeof RTCTrackEvent>;
}
/**
 * For libraries that take an implementation of WebRTC, such as `new SimplePeer({ wrtc })`, and for code that was written as
 * `import wrtc from`: it is the default export as well.
 */
declare const wrtc: Wrtc;

/**
 * `REFUSED`: the server has answered with a status that says no; `UNREACHABLE`: there was no answer; `PROTOCOL_ERROR`: the answer is not
 * what the protocol says; `NOT_SUPPORTED`: the server does not do this; `CLOSED`: the session is closed.
 */
type WHIPErrorCode = 'CLOSED' | 'NOT_SUPPORTED' | 'PROTOCOL_ERROR' | 'REFUSED' | 'UNREACHABLE';
interface Details {
    status?: number;
    retryAfter?: number;
    cause?: unknown;
}
/** What has gone wrong with a session of {@link WHIPClient} or {@link WHEPClient}. `code` is stable, `message` is for people. */
declare class WHIPError extends Error {
    readonly code: WHIPErrorCode;
    /** The status of the server's answer; `undefined` if there was none. */
    readonly status: number | undefined;
    /** After how many seconds to try again, if the server has said so: a stream that is not live yet (409), or too much load (503). */
    readonly retryAfter: number | undefined;
    constructor(code: WHIPErrorCode, message: string, { status, retryAfter, cause }?: Details);
}

/** A bearer token (RFC 6750), or what gives one for an address: it is asked for each request. */
type WHIPToken = string | ((url: URL) => string | undefined | Promise<string | undefined>);
interface HttpOptions {
    token?: WHIPToken;
    headers?: Record<string, string>;
    timeout?: number;
    fetch?: typeof fetch;
}
interface Request {
    method: 'POST' | 'PATCH' | 'DELETE';
    url: URL;
    body?: string;
    /** Of the body. */
    type?: string;
    ifMatch?: string;
    signal?: AbortSignal;
}
/** An answer, whatever its status. */
interface Reply {
    /** Where it came from, after redirects. */
    url: URL;
    status: number;
    headers: Headers;
    body: string;
}
/** The requests of one session. */
declare class Http {
    #private;
    constructor(options: HttpOptions);
    /** Sends it and follows redirects; any status but those is an answer. */
    send(request: Request): Promise<Reply>;
}

/** Sends candidates; `false`: the server does not take any. */
type SendFragment = (fragment: string) => Promise<boolean>;
/**
 * The candidates of a connection on their way to the server, several with one request: those that are found while one is under way wait for
 * the next.
 */
declare class Trickle {
    #private;
    constructor(connection: RTCPeerConnection, send: SendFragment);
    /** The session is there: what was found until now is sent. */
    start(): void;
    stop(): void;
    /** Does something else between two requests with candidates. */
    inTurn<T>(work: () => Promise<T>): Promise<T>;
    /** ICE begins anew: candidates of before are of no use to anybody. */
    restart(): void;
}

/** What publishing and playing have in common. */
interface WHIPSessionOptions {
    /** A bearer token for all requests, or a function that gives one for an address. It goes where the endpoint redirects to, but never out of HTTPS. */
    token?: WHIPToken;
    /** More headers for all requests. */
    headers?: Record<string, string>;
    /** Of the connection. The servers for ICE that the endpoint names are added to its own. */
    configuration?: RTCConfiguration;
    /**
     * `true`: candidates follow the offer (`PATCH`), so that no time is lost. `false`: the offer waits for all of them, for a server that takes
     * none later and does not see where packets come from; servers for ICE that the endpoint names come too late then. Default: `true`.
     */
    trickle?: boolean;
    /** How long a request may take, in milliseconds. Default: 30,000. */
    timeout?: number;
    /** Gives up, until the session is there. */
    signal?: AbortSignal;
    /** Sees the connection before its offer is made: for preferences of codecs, encodings or a data channel. */
    prepare?: (connection: RTCPeerConnection) => void | Promise<void>;
    /** What requests are made with, for proxies for example. Default: Node's. */
    fetch?: typeof fetch;
}
/** Events of a session. */
interface WHIPSessionEvents extends Record<string, unknown[]> {
    /** Candidates could not be told to the server. The connection may come about without them. */
    fault: [error: WHIPError];
}
/** What the two sides have said when a session is made. */
interface Established {
    connection: RTCPeerConnection;
    trickle: Trickle;
    http: Http;
    /** Of the session, after redirects. */
    url: URL;
    etag: string | undefined;
}
/** A session with a media server, which goes by a URL of its own. */
declare class HttpSession extends Emitter<WHIPSessionEvents> {
    #private;
    /** What media flows over: its state, statistics, senders and receivers. {@link close} closes it. */
    readonly connection: RTCPeerConnection;
    /** The address of the session. */
    readonly url: string;
    protected constructor({ connection, trickle, http, url, etag }: Established);
    /** From now on candidates are told; those so far as well, unless the offer had them. */
    protected begin(trickle: boolean): void;
    /**
     * Restarts ICE (RFC 9725 4.3.3): after a change of the network. Media goes on over the old path until there is a new one.
     *
     * @returns rejects with a {@link WHIPError}: `NOT_SUPPORTED` if the server can't, `REFUSED`, `UNREACHABLE`, `CLOSED`. The session goes on as it was.
     */
    restartIce(): Promise<void>;
    /**
     * Ends the session on the server (`DELETE`) and closes the connection. Once: later calls get the same promise.
     *
     * @returns rejects with a {@link WHIPError} if the server could not be told; the connection is closed all the same, and the server notices.
     */
    close(): Promise<void>;
}

/** Options of {@link WHIPClient.publish}. */
interface WHIPPublishOptions extends WHIPSessionOptions {
    /** What is sent of each track of video: several for simulcast. */
    videoEncodings?: RTCRtpEncodingParameters[];
}
/** Publishes to a media server: a session of WHIP (RFC 9725). */
declare class WHIPClient extends HttpSession {
    private constructor();
    /**
     * Publishes tracks. Resolves when the server has answered; that media flows, `connection` tells.
     *
     * @param endpoint the address that the server gives out for publishing.
     * @param media a stream, or tracks, which become one.
     * @returns rejects with a `WHIPError`; with the reason of `signal`; a TypeError for an address or media that are none. Nothing stays behind.
     */
    static publish(endpoint: string | URL, media: MediaStream | Iterable<MediaStreamTrack>, options?: WHIPPublishOptions): Promise<WHIPClient>;
}

/** Options of {@link WHEPClient.play}. */
interface WHEPPlayOptions extends WHIPSessionOptions {
    /** Asks for audio. Default: `true`. */
    audio?: boolean;
    /** Asks for video. Default: `true`. */
    video?: boolean;
}
/** Plays from a media server: a session of WHEP (draft-ietf-wish-whep-04). */
declare class WHEPClient extends HttpSession {
    /** What the server sends. Its tracks are muted until packets come. */
    readonly stream: MediaStream;
    private constructor();
    /**
     * Plays what is published there. Resolves when both sides have agreed on it; that media flows, `connection` and the tracks tell.
     *
     * @param endpoint the address that the server gives out for playing.
     * @returns rejects with a `WHIPError`: `REFUSED` with `status` 404 or 409 and perhaps `retryAfter` for what is not live; with the reason of
     * `signal`; a TypeError for an address that is none. Nothing stays behind.
     */
    static play(endpoint: string | URL, options?: WHEPPlayOptions): Promise<WHEPClient>;
}

/**
 * The canonical form of an agent URI: scheme and host lower-cased.
 *
 * @throws TypeError - It is not one; the message says what is wrong.
 */
declare function normalizeAgentUri(uri: string): string;

/** A public key as JWK (RFC 7517). */
interface PublicJwk {
    /** `'OKP'` (Ed25519), `'EC'` (P-256) or `'RSA'`. */
    kty: string;
    [member: string]: unknown;
}
/** A public key: JWK as object or JSON text, PEM (`PUBLIC KEY`), or a public `KeyObject` of `node:crypto`. */
type PublicKeyInput = string | PublicJwk | KeyObject;

/** Algorithms of tokens. */
type AgentKeyAlgorithm = 'ES256' | 'EdDSA' | 'RS256';
/** Options of {@link generateAgentKeys}. */
interface GenerateAgentKeysOptions {
    /**
     * Default: `'ES256'` (ECDSA on P-256), which every JWT library and every browser verifies. `'EdDSA'` is Ed25519,
     * `'RS256'` is RSA with 3,072 bits, whose tokens are larger.
     */
    algorithm?: AgentKeyAlgorithm;
    /** Names the key in tokens. Default: its thumbprint (RFC 7638). */
    kid?: string;
}
/** The key pair of an agent. Printing or serializing it shows the public part only. */
declare class AgentKeys {
    #private;
    /** How tokens are signed with it. */
    readonly algorithm: AgentKeyAlgorithm;
    /** Names the key in tokens. */
    readonly kid: string;
    /** The public key, PEM: what the other agents pin. */
    readonly publicKey: string;
    /**
     * From a private key of your own: a `KeyObject`, PEM or JWK. {@link generateAgentKeys} makes a new one.
     *
     * @throws TypeError - It is not a private key of a kind that is supported.
     */
    constructor(privateKey: KeyObject | string | JsonWebKey, options?: {
        kid?: string;
    });
    /** The public key as JWK, with its `kid`, `alg` and `use`: what belongs into a published key set. */
    get publicJwk(): PublicJwk;
    /** The private key, PEM (PKCS#8). Whoever has it can act as this agent. */
    exportPrivateKey(): string;
}
/** Makes a key pair for an agent. */
declare function generateAgentKeys(options?: GenerateAgentKeysOptions): Promise<AgentKeys>;
/**
 * Writes keys to a file that only its owner can read (mode 0600), at once as a whole: PEM, with the `kid` in a line above.
 *
 * @throws Error - of `node:fs`, if the file cannot be written.
 */
declare function saveAgentKeys(path: string, keys: AgentKeys): Promise<void>;
/**
 * Reads keys that {@link saveAgentKeys} has written, or any private key in PEM without a passphrase.
 *
 * @throws AgentError - `UNAUTHORIZED` if others than the owner can read the file.
 * @throws TypeError - It holds no private key that is supported.
 * @throws Error - of `node:fs`, for example with the code `ENOENT`.
 */
declare function loadAgentKeys(path: string): Promise<AgentKeys>;

/** Options of {@link KnownKeys}. */
interface KnownKeysOptions {
    /**
     * How many agents are remembered; default 10,000. At the bound unknown agents are refused: to forget a key would let
     * somebody else take the name over.
     */
    capacity?: number;
}
/** The keys of agents that were met before. Iterating gives pairs of agent URI and PEM. */
declare class KnownKeys implements Iterable<[string, string]> {
    #private;
    constructor(entries?: Iterable<readonly [string, PublicKeyInput]>, options?: KnownKeysOptions);
    /**
     * Opens a file of known keys, or begins one. Every new key is written to it, as with {@link saveAgentKeys}: others must
     * not be able to put a key in.
     *
     * @throws AgentError - `UNAUTHORIZED` if others than the owner can read the file.
     * @throws TypeError - It holds something else.
     */
    static open(path: string, options?: KnownKeysOptions): Promise<KnownKeys>;
    /** How many agents are known. */
    get size(): number;
    /** No more agents are remembered. */
    get full(): boolean;
    /** The key of an agent, PEM. */
    get(agentId: string): string | undefined;
    /**
     * Remembers a key, in place of the one before.
     *
     * @throws RangeError - The capacity is reached and the agent is a new one.
     */
    set(agentId: string, key: PublicKeyInput): void;
    /** Forgets an agent, for example because it has got new keys: its next contact is a first one. */
    delete(agentId: string): boolean;
    [Symbol.iterator](): IterableIterator<[string, string]>;
    /** For `JSON.stringify`: PEM by agent URI. */
    toJSON(): Record<string, string>;
    /** Resolves when everything is in the file; rejects if the last attempt to write it failed. */
    saved(): Promise<void>;
}

/**
 * How much the name of another agent has to be proven.
 *
 * - `'required'`: offers and answers need a token that a known key has signed. Nobody else gets a connection.
 * - `'tofu'` (trust on first use): the key of the first contact counts from then on.
 * - `'spec-literal'`: as in the specification, with the key that the sender itself supplies. It proves nothing.
 * - `'none'`: tokens of others are not looked at.
 */
type AuthMode = 'required' | 'tofu' | 'spec-literal' | 'none';
/** How the name of an agent was established. */
type AuthHow = 'pinned' | 'resolver' | 'jwks' | 'tofu' | 'self-asserted' | 'none';
/** Where key sets are published. */
interface JwksOptions {
    /**
     * The `https:` URL of a set for all agents, whose keys say in a member `agentId`, or in a `kid` that is the agent's
     * URI alone or followed by `#` and a name, whose they are; or a function that gives the URL of an agent's own set.
     */
    url: string | URL | ((agentId: string) => string | URL | undefined | Promise<string | URL | undefined>);
    /** PEM certificates of authorities to trust instead of the system's. */
    ca?: string;
    /**
     * Milliseconds that a set is used before it is fetched again; a key that was withdrawn counts for as long, also while its
     * server is away. From 1 to 86,400,000. Default: 300,000, five minutes.
     */
    maxAge?: number;
    /**
     * Milliseconds between two attempts to fetch the same set, so that made-up `kid`s do not flood its server; a key that was
     * just published waits for as long. From 1 to `maxAge`. Default: 30,000, at a signaling server 2,000, so that new agents do not
     * give up meanwhile; or `maxAge` if that is less.
     */
    coolDown?: number;
}
/** The option `auth` of {@link createPeer}. */
interface AuthOptions {
    /** The agent's own keys: offers and answers are signed with them. */
    keys?: AgentKeys;
    /** Default: `'required'`. */
    mode?: AuthMode;
    /** Keys of other agents, by URI; several while a key is being replaced. An agent that is here is looked up nowhere else. */
    pinned?: Readonly<Record<string, PublicKeyInput | readonly PublicKeyInput[]>> | ReadonlyMap<string, PublicKeyInput | readonly PublicKeyInput[]>;
    /** Finds the keys of an agent; nothing if there are none. It has five seconds. `kid` is what the token claims. */
    resolve?: (agentId: string, kid: string | undefined) => PublicKeyInput | readonly PublicKeyInput[] | null | undefined | Promise<PublicKeyInput | readonly PublicKeyInput[] | null | undefined>;
    /** Published key sets. */
    jwks?: string | URL | JwksOptions;
    /** Keys of first contacts, for `'tofu'`. Default: kept in memory, forgotten at the end of the process. */
    knownKeys?: KnownKeys;
    /** Say nothing to those that are refused, so that they do not even learn that there is an agent. Default: false. */
    silent?: boolean;
}

/** A trickled ICE candidate, `RTCIceCandidateInit` of W3C. */
interface SignalingCandidate {
    /** `candidate:...` (RFC 8839 section 5.1). */
    candidate?: string;
    /** Media stream identification of the section it belongs to. */
    sdpMid?: string | null;
    /** Index of that section, from 0. */
    sdpMLineIndex?: number | null;
    /** ICE username fragment of the generation it belongs to. */
    usernameFragment?: string | null;
}
/** What two agents tell each other to set up a connection: the `SignalingMessage` of the OSSA specification. */
interface SignalingMessage {
    /** What the message is. */
    type: 'offer' | 'answer' | 'ice-candidate' | 'error';
    /** Sender. Only an `error` may lack it: it then comes from the signaling service, not from an agent. */
    from?: string;
    /** Recipient. */
    to: string;
    /** Names one connection set-up; echoed by the other side. */
    sessionId?: string;
    /** The description of an offer or answer. We send a string and accept `{type, sdp}` as well. */
    sdp?: string | {
        type?: string;
        sdp: string;
    };
    /** Null, absent or with an empty `candidate`: there are no more. */
    candidate?: SignalingCandidate | null;
    /** Proof of the sender's identity, on offers and answers: a signed token, and the key that it is signed with. */
    auth?: {
        token: string;
        publicKey: string;
    };
    /** Of an `error`: a code such as `UNAUTHORIZED`, and a text for people. */
    error?: {
        code: string;
        message: string;
    };
}
/** Ends a subscription; resolves when that is done. */
type Unsubscribe = () => void | Promise<void>;
/** What may be said about a change in a room. */
interface RoomDetails {
    /**
     * The agent has just come into the room, or come back after it was away: those who are new in the list were there
     * before it. The first list means that anyhow.
     */
    entered?: boolean;
    /**
     * Those who are not in the list any more because they wanted to leave. Others that are missing are lost to the
     * signaling service only: open links to them are kept. Default: everybody who is missing has left.
     */
    left?: readonly string[];
    /** The service does not let the agent back in, and is asked again and again. */
    problem?: AgentError;
}
/** What an adapter may make use of. */
interface SubscriptionContext {
    /** The agent's own keys, for services that want proof of its name. */
    readonly keys?: AgentKeys;
    /** Says that others can find the agent, for the first time or again: links that wait for the service go on. May be left out. */
    registered?(): void;
    /**
     * Offers ICE servers to the agent, in place of those offered before. They are used for connections and ICE restarts from
     * then on. Those that should count for the first connection have to be offered before `subscribe()` has resolved.
     */
    offerIceServers(servers: readonly RTCIceServer[]): void;
}
/** Takes the agents that are in a room, the listener's own agent included. */
type RoomListener = (members: readonly string[], details?: RoomDetails) => void;
/**
 * A way for signaling messages to get from agent to agent: two functions over whatever you have, and a third one if there
 * are to be rooms.
 */
interface SignalingAdapter {
    /**
     * Hands a message over for delivery to `message.to`. Messages of one sender to one recipient must arrive in order.
     * If it throws or rejects, the set-up fails with that error.
     */
    send(message: SignalingMessage): void | Promise<void>;
    /**
     * Starts to deliver the messages for an agent. `deliver` never throws. `failed` may be called once, when
     * nothing will be delivered any more. `context` is for services that want to know who the agent is or offer it ICE servers.
     */
    subscribe(agentId: string, deliver: (message: SignalingMessage) => void, failed: (error: AgentError) => void, context?: SubscriptionContext): Unsubscribe | Promise<Unsubscribe>;
    /**
     * Puts an agent that has subscribed into a room. `onMembers` is called once with those who are in it, and then after
     * every change; it never throws. Without this function there are no rooms.
     * @returns a function that takes the agent out of the room. It throws or rejects if the agent may not enter.
     */
    join?(room: string, agentId: string, onMembers: RoomListener): Unsubscribe | Promise<Unsubscribe>;
}

/** Signaling between agents in the same process, for tests and for programs that bring both sides. */
declare class MemorySignaling implements SignalingAdapter {
    #private;
    /** The agents that are registered. */
    get agents(): string[];
    /**
     * Delivers a message in a later turn of the event loop; a recipient that is not there answers with an `error`.
     * @throws TypeError - `to` is no agent URI.
     */
    send(message: SignalingMessage): void;
    /**
     * From now on messages to `agentId` are delivered.
     * @throws AgentError `UNAUTHORIZED` if the name is taken.
     */
    subscribe(agentId: string, deliver: (message: SignalingMessage) => void): Unsubscribe;
    /**
     * Puts an agent into a room.
     * @throws AgentError `UNAUTHORIZED` if it has not subscribed here.
     * @throws TypeError - It is in the room already.
     */
    join(room: string, agentId: string, onMembers: RoomListener): Unsubscribe;
}

/** Who calls, as far as that is known before there is a link. */
interface Caller {
    /** The canonical URI of the calling agent. */
    readonly agentId: string;
    /** Whether it has proved that it is that agent. Without that the signaling service alone vouches for the name. */
    readonly authenticated: boolean;
    /** How it has proved it. */
    readonly how: string;
}
/**
 * Decides about links that others want to make: `false` refuses with `UNAUTHORIZED`; an `AgentError` that it throws
 * refuses with its code and text, any other error with `INTERNAL_ERROR`.
 */
type AcceptPolicy = (caller: Caller) => boolean | Promise<boolean>;

/** Who may connect: agent URIs, patterns with `*`, a regular expression for the whole URI, or a function. */
type AllowOption = string | Iterable<string> | RegExp | ((agentId: string) => boolean | Promise<boolean>);

/** Bounds of one agent; what happens at each of them is said there. All are optional. */
interface Limits {
    /**
     * Messages of one link that are kept until somebody reads them; more are refused with `RATE_LIMIT_EXCEEDED`.
     * Default: 4,096.
     */
    unreadMessages?: number;
    /** Bytes of those messages, as far as they are known. Default: 16 MiB. */
    unreadBytes?: number;
    /**
     * Bytes of one message, sent or received; larger ones are refused with `MESSAGE_TOO_LARGE`. The other side learns
     * it if it is one of ours. Default: 16 MiB.
     */
    messageBytes?: number;
    /** Bytes of all messages of a link of which parts are missing; beyond them `MESSAGE_TOO_LARGE`. Default: 64 MiB. */
    incompleteBytes?: number;
    /** Messages of a link of which parts are missing; further ones are refused with `MESSAGE_TOO_LARGE`. Default: 64. */
    incompleteMessages?: number;
    /** Milliseconds without a part after which such a message is given up and reported as `problem`. Default: 30,000. */
    incompleteIdle?: number;
    /** Messages of a link that wait to be sent; beyond them `send` rejects with `RATE_LIMIT_EXCEEDED`. Default: 65,536. */
    queuedMessages?: number;
    /** Bytes of those messages. A larger one is taken if nothing else waits. Default: 64 MiB. */
    queuedBytes?: number;
    /** Ids that a link remembers to drop messages that come again; older ones are forgotten. Default: 4,096. */
    dedupeIds?: number;
    /** Milliseconds by which the clocks of two agents may differ when a ttl is judged on receipt. Default: 60,000. */
    clockSkew?: number;
    /** Channels of one link that the other side has opened and nobody has taken; more are closed. Default: 1,024. */
    unreadChannels?: number;
    /** Tracks of one link that the other side sends and nobody has taken; more are refused. Default: 64. */
    unreadTracks?: number;
    /**
     * Bytes that the channels of one link have received together and nobody has read, each message counting 64 more than it
     * has. The channel whose message does not fit is closed with `RATE_LIMIT_EXCEEDED`; the link goes on. Default: 64 MiB.
     */
    unreadChannelBytes?: number;
    /**
     * Connections that others begin and that are not open yet. At the bound an authenticated agent takes the place of the
     * oldest one that is not; others are refused with `RATE_LIMIT_EXCEEDED`. Default: 256.
     */
    halfOpen?: number;
    /** Milliseconds until such a connection has to be open; then it gives its place up. Default: 60,000. */
    halfOpenTime?: number;
    /** Agents whose offer or answer is being verified at the same time; further ones are dropped. Default: 256. */
    pendingOffers?: number;
    /**
     * Tokens that are remembered until they expire, so that none is used twice; at the bound new ones are refused.
     * Default: 16,384, of 1.1 KiB at most.
     */
    replays?: number;
    /** Senders that the rate limits tell apart; further ones share one limit. Default: 4,096. */
    senders?: number;
    /** Offers that one sender may make at once; more are refused with `RATE_LIMIT_EXCEEDED`, unverified. Default: 100. */
    offerBurst?: number;
    /** Offers that one sender may make in the long run. Default: 300. */
    offersPerMinute?: number;
    /** Refusals that one sender is told of at once, and that are logged; after them it is told nothing. Default: 5. */
    refusalBurst?: number;
    /** Refusals that one sender is told of in the long run. Default: 12. */
    refusalsPerMinute?: number;
    /** Refusals that all senders together are told of at once, whoever they say they are. Default: 100. */
    allRefusalsBurst?: number;
    /** Refusals that all senders together are told of in the long run. Default: 1,200. */
    allRefusalsPerMinute?: number;
    /** Files of one link that are offered or being received; more are refused. Default: 64. */
    incomingFiles?: number;
    /** Bytes of each such file that may be on their way or wait to be written, from 512 KiB to 64 MiB. Default: 4 MiB. */
    fileWindow?: number;
    /** Calls of this side over one link that wait for an answer; more fail with `RATE_LIMIT_EXCEEDED`. Default: 16,384. */
    pendingCalls?: number;
    /** Calls of the other side of one link whose handlers run at a time; more wait. Default: 16,384. */
    runningCalls?: number;
    /** How many of those may wait; more are refused with `RATE_LIMIT_EXCEEDED`. Default: 1,024. */
    queuedCalls?: number;
    /**
     * Bytes of JSON of the inputs of the running and the waiting calls of one link; more are refused with
     * `RATE_LIMIT_EXCEEDED`. Default: 64 MiB.
     */
    callInputBytes?: number;
}

/** Who is at the other end of a link. */
interface RemoteAgent {
    /** Its URI. */
    readonly agentId: string;
    /**
     * Whether a key that is known as that agent's has signed the certificate of this connection. With `'tofu'` it is false
     * at the first contact: there was nothing to compare with.
     */
    readonly authenticated: boolean;
    /** How that was established; `'none'` also while a link is being made. */
    readonly how: AuthHow;
    /** Fingerprint of the certificate in use, `sha-256 AB:CD:...`; there once the link is open. */
    readonly fingerprint?: string;
}
/** An offer or answer that was refused. */
interface Refused {
    /** The sender that the message names; it may be another in truth. */
    readonly agentId: string;
    /** What was refused. */
    readonly type: 'offer' | 'answer';
    /** Stable name of the reason, for example `'signature-invalid'`; see docs/security.md. */
    readonly reason: string;
    /** The reason in words. */
    readonly message: string;
}

/** What a channel carries: text stays text, binary data arrives as `ArrayBuffer`. */
type ChannelData = string | ArrayBuffer;
/** What can be sent. */
type ChannelPayload = string | ArrayBuffer | ArrayBufferView | Blob;

/** One message as streams deliver it. */
type StreamChunk = Uint8Array | string;

/** How urgent something is; a channel's priority is its weight among the channels of the connection. */
type Priority = 'low' | 'normal' | 'high' | 'critical';

/** Both directions of a channel as WHATWG streams. */
interface ChannelStreams {
    /** What the other side sends, a chunk per message: a `Uint8Array` or a string. */
    readable: ReadableStream<StreamChunk>;
    /** Sends a message per chunk. A write resolves when there is room for the next one. */
    writable: WritableStream<ChannelPayload>;
}
/** Options of `duplex()`; those of Node's streams except the functions. */
interface ChannelDuplexOptions extends Pick<DuplexOptions, 'highWaterMark' | 'readableHighWaterMark' | 'writableHighWaterMark' | 'encoding' | 'defaultEncoding' | 'signal'> {
    /**
     * `false` (the default): a stream of bytes, cut into messages anyhow. `true`: a chunk per message; text arrives as a
     * string and binary data as a `Buffer`.
     */
    objectMode?: boolean;
}

/** How a channel delivers; the members of W3C's `RTCDataChannelInit`, with our names of priorities. */
interface ChannelInit extends Omit<RTCDataChannelInit, 'priority'> {
    /** Default: `'normal'`. */
    priority?: Priority;
}
/** Events of an {@link AgentChannel}. */
type ChannelEvents = {
    /** A message has arrived. Messages are kept for the first listener or iterator. */
    message: [data: ChannelData];
    /** The channel is closed, by either side or with its link; with an error if it failed. */
    close: [error?: AgentError];
};
/** A data channel of a link: raw text and binary messages both ways, without envelopes. */
declare class AgentChannel extends Emitter<ChannelEvents> implements AsyncIterable<ChannelData>, AsyncDisposable {
    #private;
    /** The name given by whoever made it. */
    get label(): string;
    /** The name of the subprotocol, `''` if there is none. */
    get protocol(): string;
    /** `'connecting'`, `'open'`, `'closing'` or `'closed'`. */
    get state(): RTCDataChannel['readyState'];
    /** Bytes that are queued and not sent yet. */
    get bufferedAmount(): number;
    /** The W3C channel below, for its remaining attributes. Do not take its `onmessage` or `binaryType` away. */
    get dataChannel(): RTCDataChannel;
    /** Resolves when the channel can be used; rejects if it closes before. */
    get opened(): Promise<void>;
    /** Resolves when the channel is closed, by whom- and whyever. */
    get closed(): Promise<void>;
    /**
     * Sends one message when there is room (less than 1 MiB buffered) and resolves then. Typed arrays send their own
     * bytes only. Messages are sent in the order of the calls.
     *
     * @throws AgentError - `AGENT_UNREACHABLE` if the channel is not open or closes meanwhile, `MESSAGE_TOO_LARGE`,
     * `TASK_CANCELLED`.
     */
    send(data: ChannelPayload, options?: {
        signal?: AbortSignal;
    }): Promise<void>;
    /** Sends one message if there is room now. False: nothing was taken. */
    trySend(data: ChannelPayload): boolean;
    /**
     * What the other side sends as a WHATWG stream: a `Uint8Array` or a string per message. Cancelling it closes the
     * channel, unless the protocol of the channel is `ossa-stream` (see docs/streams.md).
     */
    get readable(): ReadableStream<StreamChunk>;
    /** Sends a message per chunk, with backpressure. Closing or aborting it closes the channel, as for `readable`. */
    get writable(): WritableStream<ChannelPayload>;
    /**
     * The channel as a Node stream, of bytes or (`objectMode`) of messages. `end()` closes the channel after everything
     * has gone out; on a channel of protocol `ossa-stream` it ends this direction only.
     *
     * @throws TypeError - An unknown option, or the channel has streams already.
     */
    duplex(options?: ChannelDuplexOptions): Duplex;
    /** Takes messages in order; ends when the channel is closed. */
    [Symbol.asyncIterator](): AsyncIterableIterator<ChannelData>;
    /** Closes after what was sent has gone out; resolves when both sides are done. Idempotent. */
    close(): Promise<void>;
    /** Closes the channel at the end of an `await using` block. */
    [Symbol.asyncDispose](): Promise<void>;
}

/**
 * A plain data channel as WHATWG streams, see `AgentChannel.readable` and `writable`. Call it before messages arrive:
 * in the `datachannel` event, or right after `createDataChannel()`. It takes `binaryType` and
 * `bufferedAmountLowThreshold` for itself.
 */
declare function toWebStreams(dataChannel: RTCDataChannel): ChannelStreams;
/** A plain data channel as a Node stream, see `AgentChannel.duplex`. Call it when {@link toWebStreams} would have to be. */
declare function toDuplex(dataChannel: RTCDataChannel, options?: ChannelDuplexOptions): Duplex;

/** The subprotocol of channels that are used as streams on both sides, with flow control and half-close. */
declare const STREAM_PROTOCOL = "ossa-stream";

/** Where in a trace something belongs, as it travels (W3C Trace Context). */
interface TraceContext {
    /** Section 3.2: version, trace, parent and flags. */
    traceparent: string;
    /** Section 3.3: what tracing systems add. */
    tracestate?: string | undefined;
}
/** What came with a call or a file, from an agent that may have written anything. */
interface ReceivedTraceContext {
    readonly traceparent?: unknown;
    readonly tracestate?: unknown;
}
/** Something under way. */
interface TracedWork {
    /** What the other side goes on from; nothing if it is not traced at all. */
    readonly context: TraceContext | undefined;
    /** It is over; with what it failed with, if it did. Only the first time counts. */
    end(error?: unknown): void;
}
/** Connecting to another agent. */
interface TracedConnecting extends TracedWork {
    /** It is connected, by this connection. */
    connected(connection: RTCPeerConnection): void;
}
/** A call of this side whose result comes item by item, or may. */
interface TracedCall extends TracedWork {
    /** Items that were received until it ended. */
    items(count: number): void;
}
/** A call of the other side. */
interface TracedAnswer extends TracedWork {
    /** Runs the handler, and what that does, as part of it. */
    run<Result>(handle: () => Result): Result;
}
/** A file on its way. */
interface TracedFile extends TracedWork {
    /** Bytes of the whole file, once they are known. */
    size(bytes: number): void;
}
/** A link as far as it is watched. */
interface WatchedLink {
    readonly remote: {
        readonly agentId: string;
    };
    /** Resolves when it is closed. */
    readonly closed: Promise<void>;
    /** Why it is closed, if it was not by choice. */
    readonly error: {
        readonly code: string;
    } | undefined;
    getStats(): Promise<RTCStatsReport>;
}
/** Watches one agent. */
interface AgentTracing {
    /** Where in a trace a message that is sent now belongs; nothing if it belongs to none. */
    current(): TraceContext | undefined;
    /** Connects to another agent. */
    connecting(remote: string): TracedConnecting;
    /** Calls another agent. */
    calling(remote: string, capability: string): TracedCall;
    /** Answers a call. `known`: there is a handler for it; other names are whatever somebody came up with. */
    answering(remote: string, capability: string, known: boolean, received: ReceivedTraceContext): TracedAnswer;
    /** Sends a file. */
    sending(remote: string, file: string): TracedFile;
    /** Is offered a file. */
    receiving(remote: string, file: string, received: ReceivedTraceContext): TracedFile;
    /** A link is open. */
    linked(link: WatchedLink): void;
}
/** Watches agents: the option `tracing` of `createPeer`. Made by `openTelemetry()` of `ossa-webrtc/tracing`. */
interface Tracing {
    /** Watches the agent of this URI. */
    forAgent(agentId: string): AgentTracing;
}

/** How far a transfer is. */
interface FileProgress {
    /** Bytes of the file that the receiver has written, those of an earlier attempt included. */
    readonly bytes: number;
    /** Size of the file; `undefined` for a stream of unknown length. */
    readonly total: number | undefined;
    /** Bytes per second, on average since bytes began to flow in this attempt; 0 before. */
    readonly rate: number;
}

/** Where an incoming file goes: a path, a folder (under its own name), or a stream. */
type FileDestination = string | URL | {
    directory: string | URL;
} | Writable | WritableStream<Uint8Array>;
/** Options of `accept`. */
interface AcceptFileOptions {
    /** Replace a file of that name. Default: `false`; then the transfer is refused if there is one. */
    overwrite?: boolean;
    /** Wait until the disk has the file before it counts as received. Default: `false`, the system writes it when it likes. */
    sync?: boolean;
    /** Cancels the transfer. */
    signal?: AbortSignal;
    /** Called whenever a piece has been written. */
    onProgress?: (progress: FileProgress) => void;
}
/** A file that has arrived. */
interface ReceivedFile {
    /** Where it is; `undefined` if it went into a stream. */
    readonly path: string | undefined;
    readonly bytes: number;
    /** SHA-256 of the whole file in hexadecimal; it is what the sender has sent. */
    readonly sha256: string;
    /** Bytes that were here already, from an earlier attempt. */
    readonly resumedFrom: number;
}
/** A file that another agent offers. Accept or reject it: after a while (`timeout` of the sender, a minute) it is refused. */
declare class IncomingFile {
    #private;
    /** Names the transfer on both sides. */
    readonly id: string;
    /** A name that is safe in any folder: no path, no device, not hidden; never empty. */
    readonly name: string;
    /** The name as the sender wrote it. Do not use it as a path. */
    readonly offeredName: string;
    /** Bytes, if the sender knows. */
    readonly size: number | undefined;
    /** Media type, as the sender says. */
    readonly type: string | undefined;
    /** Last modification, as the sender says. */
    readonly modified: Date | undefined;
    /** Whatever the sender has added. */
    readonly metadata: unknown;
    /** The agent that sends it. */
    readonly from: string;
    /**
     * Resolves when the file is complete, its checksum is right and it is in its place; rejects with an `AgentError`
     * (`TASK_CANCELLED` by either side, `AGENT_UNREACHABLE`, `CAPABILITY_FAILED` if it cannot be written or was damaged,
     * `TASK_TIMEOUT` if it was not accepted in time). A rejection that nobody looks at does no harm.
     */
    readonly done: Promise<ReceivedFile>;
    /** How far it is. */
    get progress(): FileProgress;
    /**
     * Takes the file. On the disk it is `<name>.part` until it is complete; if that is there from an earlier attempt at
     * the same file of the same agent, only the rest is sent. Look at `done` for the outcome.
     *
     * @throws TypeError - A wrong argument, or it was answered before.
     */
    accept(destination: FileDestination, options?: AcceptFileOptions): this;
    /** Accepts the file as a stream, which fails if the file is damaged or cancelled: only its end makes it good. */
    get readable(): ReadableStream<Uint8Array>;
    /** Refuses the file. The sender gets code and message. */
    reject(code?: string, message?: string): void;
    /** Gives up; what has arrived is removed. `done` rejects with `TASK_CANCELLED`. */
    cancel(reason?: unknown): void;
}

/** Options of `sendFile`. */
interface SendFileOptions {
    /** What the other side sees as its name. Default: that of the path or `File`, else `'file'`. */
    name?: string;
    /** Media type. Default: that of the `Blob`, if any. */
    type?: string;
    /** Anything more for the other side to know, as JSON; at most about 60 KiB. */
    metadata?: unknown;
    /** Cancels the transfer. */
    signal?: AbortSignal;
    /** Called whenever the other side has reported what it has written, about once per MiB. */
    onProgress?: (progress: FileProgress) => void;
    /** Its weight among the channels of the link. Default: `'low'`, so that messages go first. */
    priority?: Priority;
    /** Milliseconds that the other side has to accept or refuse. Default: 60,000. */
    timeout?: number;
}
/** What has arrived at the other side. */
interface SentFile {
    readonly bytes: number;
    /** SHA-256 of the whole file in hexadecimal, verified by the other side. */
    readonly sha256: string;
    /** Bytes that the other side had already, from an earlier attempt. */
    readonly resumedFrom: number;
}
/** A file on its way to the other side. */
declare class OutgoingFile {
    #private;
    /** Names the transfer on both sides. */
    readonly id: `${string}-${string}-${string}-${string}-${string}`;
    /**
     * Resolves when the other side has the whole file in its place and its checksum is right; rejects with an
     * `AgentError`: what the other side refused with, `CAPABILITY_NOT_FOUND` if it takes no files, `TASK_TIMEOUT` if it
     * did not answer, `TASK_CANCELLED`, `AGENT_UNREACHABLE` if the link was closed, `CAPABILITY_FAILED` if the file could
     * not be read here or written there. A rejection that nobody looks at does no harm.
     */
    readonly done: Promise<SentFile>;
    /** How far it is. */
    get progress(): FileProgress;
    /** Gives up; the other side removes what it has. `done` rejects with `TASK_CANCELLED`. */
    cancel(reason?: unknown): void;
}

/** Anything with bytes: a path, an open file, bytes in memory, or a stream of them. */
type FileSource = string | URL | FileHandle | Blob | ArrayBuffer | ArrayBufferView | ReadableStream<Uint8Array> | AsyncIterable<Uint8Array | string>;

/**
 * The channels that carry messages. Both sides must use the same:
 * - `'single'`: one channel, `ossa-channel`, ordered and reliable.
 * - `'multiplex'`: `control` (ordered), `data` (unordered, reliable) and `events` (ordered, at most 3 retransmissions),
 *   negotiated with the ids 0, 1 and 2 as in the specification's chapter on multiplexing.
 * - `'reference'`: `control` (ordered) and `data` (unordered, no retransmissions), as the reference class of OSSA makes them.
 */
type ChannelPreset = 'single' | 'multiplex' | 'reference';

/** What an agent says about itself. */
interface AgentStatus {
    status: 'healthy' | 'degraded' | 'unhealthy' | 'offline';
    /** How busy it is: 0 for idle, 1 for as much as it can do; not negative. */
    load?: number;
    /** Connections to other agents, a whole number. */
    activeConnections?: number;
    /** Names of what it can be called for. */
    capabilities?: string[];
    /** Anything that it measures, as JSON. */
    metrics?: Record<string, unknown>;
}

/** A message from another agent. */
interface AgentMessage {
    /** `'message'`, `'status'`, `'state_update'`, or any type that the other side chose; `'binary'` for raw bytes. */
    type: string;
    /** UUID; empty for binary data and the bare messages of naive peers. */
    id: string;
    /** When it was sent, ISO 8601; empty where there is none. */
    timestamp: string;
    /** What was sent: any JSON value, or an `ArrayBuffer`. */
    payload: unknown;
    /** Sender, priority, and whatever else came along. */
    metadata: {
        agentId: string;
        [name: string]: unknown;
    };
    /** The agent at the other end of the link. */
    from: string;
}
/** Options of `send`. */
interface SendOptions {
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
type TrySendOptions = Omit<SendOptions, 'signal'>;
/** How far a message has come that is too large to travel whole. */
interface MessageProgress {
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
interface CallOptions {
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
type FailAs = 'error' | 'response';
/** Options of `handle`. */
interface HandleOptions {
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

/**
 * Items of a result as they arrive. The call is made when the first item is asked for. Leaving a `for await` loop
 * early cancels the call, which stops the handler at the other end.
 */
declare class ResultStream<Item> implements AsyncIterableIterator<Item>, AsyncDisposable {
    #private;
    /** The next item. Rejects once if the call fails, after the items that came before. */
    next(): Promise<IteratorResult<Item, undefined>>;
    /** Reads no further: the call is cancelled if it is not over. */
    return(): Promise<IteratorResult<Item, undefined>>;
    /** Reads no further, as the end of an `await using` block does. */
    [Symbol.asyncDispose](): Promise<void>;
    /** Items are read once: every loop goes on where the last one ended. */
    [Symbol.asyncIterator](): this;
}

/** How a link comes back when its connection is lost; times in milliseconds. */
interface ReconnectOptions {
    /**
     * New connections to try before the link is given up; 0 for none: then an ICE restart is all. None is tried, and no time counts, while this
     * machine has no network; then they are counted anew. Default: 5.
     */
    attempts?: number;
    /**
     * Go on for as long as the link lives, whatever `attempts` says: for programs that nobody restarts. Both sides should say so. Default: `false`.
     */
    forever?: boolean;
    /** Longest wait after the first attempt that failed; it doubles from there: 2, 4, 8, 16 s. Default: 2,000. */
    delay?: number;
    /** No wait is longer. Default: 30,000. */
    maxDelay?: number;
    /**
     * Share of a wait that chance takes off at most, 0 to 1, so that agents which lost a third one together do not all
     * come back at the same moment. Default: 0.25.
     */
    jitter?: number;
    /** Time for one attempt, and for the first ICE restart; further ones have up to `maxDelay` more. Default: 15,000. */
    attemptTimeout?: number;
    /** How long the state `disconnected` may last before ICE is restarted: it often passes by itself. Default: 5,000. */
    grace?: number;
    /** How often the addresses of this machine are looked at for changes; 0 for never. Default: 1,000. */
    networkInterval?: number;
}

/** Why a link looks for a better connection. */
type ReconnectReason = 
/** Nothing has come over the network for some seconds. */
'disconnected'
/** ICE or DTLS have given up, or the message channel has failed. */
 | 'failed'
/** The other agent's heartbeats are missing. */
 | 'heartbeat'
/** This machine has other addresses or another default route than before. */
 | 'network'
/** The path led through a TURN server that has forgotten this agent. */
 | 'relay'
/** This machine, or this program, stood still. */
 | 'woken'
/** The other agent has made a new connection. */
 | 'redialled';
/** What a link does to come back. */
interface ReconnectStep {
    /**
     * `'ice-restart'`: looks for a path for the connection that there is, nothing is lost; `'rebuild'`: makes a new connection;
     * `'wait'`: the other side makes one, or is making it.
     */
    readonly how: 'ice-restart' | 'rebuild' | 'wait';
    /** What led to it. */
    readonly reason: ReconnectReason;
    /** Number of the attempt, from 1, among those of its kind; 0 for `'wait'`. */
    readonly attempt: number;
    /** Milliseconds until it begins; for `'wait'`, for how long this side waits. */
    readonly delay: number;
}
/** How a link has come back. */
interface Reconnected {
    /** `'same'`: over the connection that it had, nothing was lost; `'rebuilt'`: over a new one. */
    readonly how: 'same' | 'rebuilt';
    /** New connections that were tried. */
    readonly attempts: number;
    /** Milliseconds without a working connection. */
    readonly downtime: number;
}

/**
 * `'connecting'`, then `'open'`; `'disconnected'` when nothing comes over the network, `'reconnecting'` when something is
 * done about that, `'open'` again; `'closed'` in the end.
 */
type LinkState = 'connecting' | 'open' | 'disconnected' | 'reconnecting' | 'closed';

/** A track that this side sends over a link, whatever becomes of the connection below. */
declare class SentTrack {
    #private;
    /** The streams that the other side finds it in, by their ids. */
    readonly streams: readonly MediaStream[];
    /** What is sent now; `null` for nothing. */
    get track(): MediaStreamTrack | null;
    /** The W3C sender on the connection of the moment, for its parameters, statistics and tones; `null` when removed. */
    get sender(): RTCRtpSender | null;
    /**
     * Sends another track of the same kind in its place, or nothing, without asking the other side; on the connections to come as well.
     *
     * @returns rejects with a DOMException `InvalidModificationError` if it would need a negotiation, `InvalidStateError` if it was removed.
     * @throws TypeError for a track of the other kind.
     */
    replaceTrack(track: MediaStreamTrack | null): Promise<void>;
    /** Sends it no more: the other side's track falls silent and leaves its streams. Idempotent. */
    remove(): void;
}

/** A track that the other side sends. After a reconnect by a new connection it comes again, with the same ids of streams. */
interface ReceivedTrack {
    /** Muted until something comes; `ended` when its connection is over. */
    readonly track: MediaStreamTrack;
    /** Those that the other side has put it in, by its ids. */
    readonly streams: readonly MediaStream[];
    /** For its parameters, statistics and encoded frames. */
    readonly receiver: RTCRtpReceiver;
    /** To send something back in the same section. */
    readonly transceiver: RTCRtpTransceiver;
}

/** Events of a {@link Link}. */
type LinkEvents = {
    /** A message has arrived. Messages are kept for the first listener or iterator. */
    message: [message: AgentMessage];
    /** The other side has opened a channel. Channels are kept for the first listener. */
    channel: [channel: AgentChannel];
    /**
     * The other side offers a file. If nobody listens here, the event `file` of the peer is next; if nobody listens
     * there either, the file is refused with `CAPABILITY_NOT_FOUND`.
     */
    file: [file: IncomingFile];
    /** The other side sends a track of audio or video. Tracks are kept for the first listener. */
    track: [received: ReceivedTrack];
    /** The other agent has said how it is. Statuses that are not as specified arrive as messages. */
    status: [status: AgentStatus];
    /** A part of a message has been sent or received that is too large to travel whole. */
    progress: [progress: MessageProgress];
    /** The state has changed. */
    state: [state: LinkState];
    /** Something went wrong that the link survives: an error message from the other side, or an invalid one. */
    problem: [error: AgentError];
    /** The connection is lost, and this is being done about it; once for every step. */
    reconnecting: [step: ReconnectStep];
    /** The link works again. */
    reconnected: [how: Reconnected];
    /** The connection works and looks for a better path, because this machine has other addresses or has slept. */
    refresh: [reason: ReconnectReason];
    /** The link is closed: by either side, or because of the error. */
    close: [error?: AgentError];
};

/** A connection to another agent. */
declare class Link extends Emitter<LinkEvents> implements AsyncIterable<AgentMessage>, AsyncDisposable {
    #private;
    /** The other agent. Who it is counts as proven once the link has been open, and if `authenticated` says so. */
    get remote(): RemoteAgent;
    /** How much the names of others have to be proven to this side. */
    get authMode(): AuthMode;
    /** The W3C connection below; another one after each rebuild. */
    get connection(): RTCPeerConnection;
    /** The state of the link. */
    get state(): LinkState;
    /** What the other agent has said about itself last; nothing if it never did. */
    get status(): AgentStatus | undefined;
    /** Calls of this side that wait for an answer. */
    get pendingCalls(): number;
    /** Calls of the other side that run here or wait for their turn. */
    get activeCalls(): number;
    /** Resolves when the link is closed. */
    get closed(): Promise<void>;
    /** Why the link is closed, if it was not by choice. */
    get error(): AgentError | undefined;
    /**
     * Sends a message when there is room (less than 1 MiB buffered) and resolves then with its id. A payload is any
     * JSON value; binary data is sent as it is, without an envelope and an id. Until there is room, and while the link
     * reconnects, the message waits: by priority, in the order of the calls within each, within `limits.queuedMessages`
     * and `limits.queuedBytes`, and for its `ttl`.
     *
     * @throws AgentError - `MESSAGE_TOO_LARGE`, `MESSAGE_EXPIRED`, `AGENT_UNREACHABLE` if the link is not open or closes,
     * `TASK_CANCELLED`, `INVALID_MESSAGE` if the payload cannot be written as JSON, `RATE_LIMIT_EXCEEDED` if too much
     * waits already.
     * @throws TypeError - An option is unknown or not valid.
     */
    send(payload: unknown, options?: SendOptions): Promise<string>;
    /**
     * Sends a message if there is room now. False: nothing was taken; {@link drained} tells when to try again.
     *
     * @throws AgentError - As {@link send}.
     */
    trySend(payload: unknown, options?: TrySendOptions): boolean;
    /** Resolves when {@link trySend} has room. @throws AgentError - `AGENT_UNREACHABLE` if the link is closed before. */
    drained(): Promise<void>;
    /**
     * Calls a capability of the other agent and resolves with its result: any JSON value, as it is or in an object
     * `{result}` or `{capability, result}`, as other implementations send it. A result that streams comes as an array.
     *
     * @throws AgentError - what the other side answered (`CAPABILITY_NOT_FOUND`, `CAPABILITY_FAILED`, ...), or
     * `TASK_TIMEOUT`, `TASK_CANCELLED`, `AGENT_UNREACHABLE` when the connection is lost, `MESSAGE_TOO_LARGE`,
     * `MESSAGE_EXPIRED`, `RATE_LIMIT_EXCEEDED` if too many calls wait already, `INVALID_MESSAGE` if the input cannot be
     * written as JSON.
     */
    call<Result = unknown>(capability: string, input?: unknown, options?: CallOptions): Promise<Result>;
    /**
     * Calls a capability of the other agent and gives its result item by item, for `for await`. A slow reader slows the
     * other side down; leaving the loop cancels the call. The call is made when the first item is asked for. An agent
     * that does not stream gives one item, its result.
     *
     * @throws TypeError - An argument is wrong. The loop throws what {@link call} throws, after the items that came
     * before; `PROTOCOL_ERROR` if the other side does not keep to the rules of streams.
     */
    callStream<Item = unknown>(capability: string, input?: unknown, options?: CallOptions): ResultStream<Item>;
    /**
     * Says how this agent is; the other one gets it as the event `status`.
     *
     * @throws TypeError - The status is not as specified.
     * @throws AgentError - As {@link send}.
     */
    sendStatus(status: AgentStatus, options?: Pick<SendOptions, 'priority' | 'ttl' | 'signal'>): Promise<void>;
    /**
     * Opens another channel to the same agent, for raw text and binary data. Resolves when it is open. The other side
     * gets it as the event `channel`, unless it is negotiated: then both sides create it with the same `id`.
     */
    createChannel(label: string, init?: ChannelInit, options?: {
        signal?: AbortSignal;
    }): Promise<AgentChannel>;
    /**
     * Sends a file: a path, an open file, a `Blob`, bytes or a stream of bytes. Returns at once; look at `done` of what it
     * returns. Memory stays small at any size, the other side verifies the checksum, and what it has received already
     * is not sent again after a loss of the connection or a restart of either agent.
     *
     * @throws TypeError - An argument is not valid.
     */
    sendFile(source: FileSource, options?: SendFileOptions): OutgoingFile;
    /** Takes the files that the other side offers, instead of the event `file`. Ends when the link is closed. */
    files(): AsyncIterableIterator<IncomingFile>;
    /**
     * Sends a track of audio or video, on this connection and on those that come after it, beside messages, calls and files. The other side gets
     * the event `track`. Negotiated over the link's own signaling: the signaling service has to be reachable when a track is added or removed.
     *
     * @throws AgentError - `AGENT_UNREACHABLE` if the link is closed.
     * @throws TypeError - An argument is no track or no stream.
     * @throws DOMException - `InvalidAccessError` if the track is sent over this link already.
     */
    addTrack(track: MediaStreamTrack, ...streams: MediaStream[]): SentTrack;
    /** W3C statistics of the connection. */
    getStats(): Promise<RTCStatsReport>;
    /** Takes messages in order; ends when the link is closed, with an error if it failed. */
    [Symbol.asyncIterator](): AsyncIterableIterator<AgentMessage>;
    /**
     * Closes after what was sent has gone out, for two seconds at most; calls that wait are rejected. Idempotent;
     * resolves when the connection is gone.
     */
    close(): Promise<void>;
    /** Closes the link at the end of an `await using` block. */
    [Symbol.asyncDispose](): Promise<void>;
}

/** What a handler is told about a call. */
interface CallContext {
    /** The calling agent. */
    readonly from: string;
    /** The link that it came over. */
    readonly link: Link;
    /** The name that was called. */
    readonly capability: string;
    /** The id of the call. */
    readonly id: string;
    /** What the caller said about the call: its `priority`, its `ttl`, and whatever else came along. */
    readonly metadata: {
        agentId: string;
        [name: string]: unknown;
    };
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
type CapabilityHandler = (input: never, context: CallContext) => unknown;

/** Events of an {@link AgentPeer}. */
type PeerEvents = {
    /** Another agent has connected. Links are kept for the first listener or iterator. */
    link: [link: Link];
    /** Another agent offers a file, and nobody takes it from its link. */
    file: [file: IncomingFile];
    /** Another agent has said how it is. */
    status: [status: AgentStatus, link: Link];
    /** The signaling service is lost for good: open links go on, but nobody new is found. */
    error: [error: AgentError];
    /** An offer or answer was refused; see docs/security.md. */
    refused: [refused: Refused];
};

/** Options of {@link createPeer}; every member of `RTCConfiguration` as well. */
interface PeerOptions extends RTCConfiguration {
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
    /** Traces and measures what the agent does: `openTelemetry()` of `ossa-webrtc/tracing`. Default: nothing does. */
    tracing?: Tracing;
    /**
     * Whether to use the ICE servers that the signaling service offers, besides `iceServers`: TURN servers of
     * `createSignalingServer({turn})`, for example. Default: true.
     */
    signalingIceServers?: boolean;
    /**
     * Lets `npx ossa-webrtc top` of the same user show the links of this agent; see docs/security.md. Default: what the environment
     * variable `OSSA_WEBRTC_INSPECT` says, `1` or `0`; without it, no.
     */
    inspect?: boolean;
    /** What failures of calls travel as, unless a handler says otherwise. Default: `'error'`. */
    failAs?: FailAs;
}
/** Options of `connect`. */
interface ConnectOptions {
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

/** Options of `peer.mesh` and `peer.join`; times in milliseconds. */
interface MeshOptions {
    /** Agents besides this one that the mesh connects to, 1 to 65,535. Default: 256. */
    maxMembers?: number;
    /** Links that are set up at the same time, so that a large room does not set up all at once. Default: 8. */
    concurrency?: number;
    /** Time for one attempt to connect. Default: 30,000. */
    connectTimeout?: number;
    /** Longest delay before the first attempt to repair a link; it doubles with each one that fails. Default: 500. */
    retryDelay?: number;
    /** Longest delay between such attempts. Default: 30,000. */
    maxRetryDelay?: number;
}
/** Options of `broadcast`. */
interface BroadcastOptions extends SendOptions {
    /** Milliseconds to wait for members that are slow to take it. Default: 30,000. */
    timeout?: number;
}
/** What became of a broadcast at one member. */
type Delivery = {
    readonly member: string;
    readonly status: 'sent';
    readonly id: string;
} | {
    readonly member: string;
    readonly status: 'failed';
    readonly error: AgentError;
};
/** What one member answered. */
type Answer<Result = unknown> = {
    readonly member: string;
    readonly status: 'answered';
    readonly result: Result;
} | {
    readonly member: string;
    readonly status: 'failed';
    readonly error: AgentError;
};
/** Options of `send` to one member. */
type MemberSendOptions = SendOptions;
/** Options of `call` and `callAll`. */
type MemberCallOptions = CallOptions;
/** Events of a mesh. */
type MeshEvents = {
    /** A member can be reached: the link to it has opened, for the first time or again. */
    join: [member: string, link: Link];
    /** A member cannot be reached any more: it has left, or its link is lost because of the error. */
    leave: [member: string, error?: AgentError];
    /** A message from a member. Messages are kept for the first listener or iterator. */
    message: [message: AgentMessage];
    /** Something went wrong that the mesh survives, for example an attempt to connect to a member. */
    problem: [error: AgentError, member?: string];
};

/**
 * Links to a group of agents, kept up while the mesh is open: one to each member, whichever side makes it. Made by
 * `peer.mesh()` for agents known by name; {@link Room} is the one whose members find each other.
 */
declare class Mesh extends Emitter<MeshEvents> implements AsyncIterable<AgentMessage>, AsyncDisposable {
    #private;
    /** The agent whose mesh this is. */
    readonly agentId: string;
    /** The other members, connected or not. */
    get members(): string[];
    /** The links that are open, by agent URI. They are closed with the mesh, unless `peer.connect()` was called for them. */
    get links(): ReadonlyMap<string, Link>;
    /** `close()` has been called, or the peer is closed. */
    get closed(): boolean;
    /**
     * Resolves when everybody who is a member now has been connected, or has not been reached at the first attempt: those
     * are tried again, and reported as `problem`.
     */
    get ready(): Promise<void>;
    /**
     * Sends a message to one member and resolves with its id; connects first if the link is just being made.
     *
     * @throws AgentError - `AGENT_NOT_FOUND` if it is not a member; what {@link Link.send} throws.
     */
    send(member: string, payload: unknown, options?: MemberSendOptions): Promise<string>;
    /**
     * Sends a message to all members that are connected, and says for each member what became of it. Messages reach each
     * member in the order of the calls. A member that is slow holds up the result for at most `timeout`, and nobody else.
     */
    broadcast(payload: unknown, options?: BroadcastOptions): Promise<Delivery[]>;
    /** Calls a capability of one member; see {@link Link.call}. */
    call<Result = unknown>(member: string, capability: string, input?: unknown, options?: MemberCallOptions): Promise<Result>;
    /** Calls a capability of all members that are connected, and says what each of them answered. */
    callAll<Result = unknown>(capability: string, input?: unknown, options?: MemberCallOptions): Promise<Answer<Result>[]>;
    /** Takes messages in order; ends when the mesh is closed. */
    [Symbol.asyncIterator](): AsyncIterableIterator<AgentMessage>;
    /**
     * Leaves: links that a mesh has made and nobody else uses are closed, others stay. Idempotent; resolves when that is
     * done.
     */
    close(): Promise<void>;
    /** Closes the mesh at the end of an `await using` block. */
    [Symbol.asyncDispose](): Promise<void>;
}

/**
 * A mesh whose members find each other: everybody in the room of a signaling service is connected to everybody else.
 * Messages of a room reach the room only, also if the same agents share several rooms or talk without one. Made by
 * `peer.join()`.
 */
declare class Room extends Mesh {
    #private;
    /** The name of the room. */
    readonly name: string;
    /** Leaves the room; the same as {@link Mesh.close}. */
    leave(): Promise<void>;
}

/** An agent: reachable under its URI, and able to reach others. Made by {@link createPeer}. */
declare class AgentPeer extends Emitter<PeerEvents> implements AsyncIterable<Link>, AsyncDisposable {
    #private;
    /** The canonical URI of this agent. */
    readonly agentId: string;
    /**
     * Resolves when other agents can find this one; rejects if the signaling service cannot be reached or refuses.
     * Nobody has to wait for it: `connect()` does.
     */
    readonly ready: Promise<void>;
    /** The links that are open or being made, by agent URI. */
    get links(): ReadonlyMap<string, Link>;
    /**
     * Connects to an agent, or returns the link that is there. Both sides may do so at the same time: one link is made. An agent
     * that the signaling service does not know (yet) is called again for three seconds, or for as long as `waitForPeer` says.
     *
     * @throws AgentError - `AGENT_UNREACHABLE` if the agent is not there, refuses, or no path to it works in time;
     * `TASK_CANCELLED`; whatever the other side refuses with. If this side knows what stood in the way, such as a TURN server that
     * refuses the password, the text says so, and `causes` has it as data, a list of {@link ConnectCause}.
     */
    connect(agentId: string, options?: ConnectOptions): Promise<Link>;
    /**
     * Connects if necessary and sends a message; see {@link Link.send}. `timeout` and `signal` count for both together.
     */
    send(agentId: string, payload: unknown, options?: SendOptions & ConnectOptions): Promise<string>;
    /** Connects if necessary and opens a channel; see {@link Link.createChannel}. */
    createChannel(agentId: string, label: string, init?: ChannelInit, options?: ConnectOptions): Promise<AgentChannel>;
    /** Connects if necessary and calls a capability; see {@link Link.call}. The timeout covers both. */
    call<Result = unknown>(agentId: string, capability: string, input?: unknown, options?: CallOptions): Promise<Result>;
    /** Connects if necessary, when the first item is asked for, and calls a capability; see {@link Link.callStream}. */
    callStream<Item = unknown>(agentId: string, capability: string, input?: unknown, options?: CallOptions): ResultStream<Item>;
    /**
     * Answers calls of `capability` from any agent, until the returned function is called. See {@link CapabilityHandler}
     * for what may be returned.
     *
     * @throws TypeError - It has a handler already, or an option is wrong.
     */
    handle(capability: string, handler: CapabilityHandler, options?: HandleOptions): () => void;
    /** Takes the files that other agents offer, instead of the event `file`. Ends when the peer is closed. */
    files(): AsyncIterableIterator<IncomingFile>;
    /**
     * Connects to these agents and keeps it so until the mesh is closed. The other side needs no mesh.
     *
     * @throws TypeError - One of them is not an agent URI or is this agent, or there are more than `maxMembers`.
     */
    mesh(agents: Iterable<string>, options?: MeshOptions): Mesh;
    /**
     * Enters a room and connects to everybody who is or comes there. Resolves when the agent is in the room;
     * `room.ready` resolves when it is connected.
     *
     * @throws AgentError - `RATE_LIMIT_EXCEEDED` if the room is full, has more than `maxMembers` others, or the agent is in too
     * many; `PROTOCOL_ERROR` if the signaling has no rooms; what `ready` rejects with.
     * @throws TypeError - The agent is in this room already, or `room` is not a name of 1 to 128 bytes.
     */
    join(room: string, options?: MeshOptions): Promise<Room>;
    /** Takes the links that other agents have made; ends when the peer is closed. */
    [Symbol.asyncIterator](): AsyncIterableIterator<Link>;
    /** Closes all links and leaves the signaling service. Idempotent; resolves when everything is gone. */
    close(): Promise<void>;
    /** Closes the peer at the end of an `await using` block. */
    [Symbol.asyncDispose](): Promise<void>;
}
/**
 * Makes an agent that others can find under `agentId`. It registers with the signaling service at once.
 *
 * @throws TypeError - An option is unknown or not valid.
 */
declare function createPeer(options: PeerOptions): AgentPeer;

/** A bearer token, or what gives one; asked again for every connection. */
type SignalingToken = string | ((agentId: string) => string | Promise<string>);

/** How the registration of an agent stands. */
interface SignalingState {
    /**
     * - `'connecting'`: an attempt has begun.
     * - `'registered'`: other agents can reach this one.
     * - `'disconnected'`: an attempt has failed or a connection was lost; the next one begins in `retryIn` milliseconds.
     * - `'closed'`: the end; `error` says why, unless the agent wanted it.
     */
    state: 'connecting' | 'registered' | 'disconnected' | 'closed';
    /** The agent. */
    agentId: string;
    /** The server concerned. */
    url: string;
    /** What happened, for people: with `'disconnected'`, and with `'closed'` after an error. */
    reason?: string;
    /** With `'disconnected'`: milliseconds until the next attempt, which may be with another server. */
    retryIn?: number;
    /** With `'closed'`: why there will be no other attempt. */
    error?: AgentError;
}
/** Options of {@link WebSocketSignaling}; times in milliseconds. */
interface WebSocketSignalingOptions {
    /** Time for connecting and registering, each attempt. Default: 10,000. */
    connectTimeout?: number;
    /** A server that does not take something for so long counts as lost. Default: 10,000. */
    writeTimeout?: number;
    /** Silence of the server after which it is asked for a sign of life. Default: 25,000. */
    pingInterval?: number;
    /** Silence after which the connection counts as lost; longer than `pingInterval`. Default: 60,000. */
    idleTimeout?: number;
    /** Longest delay before the first reconnection; it doubles from there. Default: 250. */
    reconnectDelay?: number;
    /** Longest delay between reconnections. Default: 30,000. */
    maxReconnectDelay?: number;
    /** Attempts in a row until the first registration; each goes through all servers. Default: 5. */
    firstAttempts?: number;
    /** Attempts in a row after a loss. Default: no limit. */
    attempts?: number;
    /**
     * While another server than the first has the registration, the first is looked for every so many milliseconds, and
     * returned to. `false` stays until the connection is lost. Default: 300,000.
     */
    failBack?: number | false;
    /**
     * The proxy on the way: `http://[user:password@]host:port`, `https://` if the proxy itself speaks TLS, `socks5://`, or `socks5h://`
     * if the proxy is to look up the name of the server; `false` for none.
     * Default: what `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY` say, except for servers on this host.
     */
    proxy?: string | URL | false;
    /** Headers for the upgrade of a WebSocket and for every HTTP request. */
    headers?: Readonly<Record<string, string>>;
    /** Proves who the agent is where the server wants that. Default: the keys of `createPeer({auth: {keys}})`. */
    keys?: AgentKeys;
    /** For a server that wants a bearer token: the token, or a function that gives it, for every connection. */
    token?: SignalingToken;
    /** PEM certificates of authorities to trust for `wss:` and `https:` besides the operating system's. */
    ca?: string;
    /** PEM certificate to show to servers that ask for one, followed by those that lead to its authority. */
    cert?: string;
    /** PEM private key of `cert`, without a password. */
    key?: string;
    /** Ends all registrations, and those being made, when it is aborted. */
    signal?: AbortSignal;
    /** Called for every change of the registration of an agent. */
    onState?: (state: SignalingState) => void;
    /** Called when the connection is lost and will be tried again in `retryIn` milliseconds. */
    onDisconnect?: (agentId: string, reason: string, retryIn: number) => void;
    /** Called for every registration: the first, and each after a loss. */
    onRegister?: (agentId: string) => void;
}

/**
 * Signaling through a server, `createSignalingServer()` for example, over a WebSocket (`ws:`, `wss:`) or plain HTTP requests
 * (`http:`, `https:`), or through the first of several servers that can be reached. Each agent has its own connection.
 */
declare class WebSocketSignaling implements SignalingAdapter {
    #private;
    /** The URL of the server; of the preferred one if there are several. */
    readonly url: string;
    /** The URLs of all servers, the preferred one first. */
    readonly urls: readonly string[];
    /**
     * Connects when the first agent subscribes.
     *
     * @param server - URL of a server, or of up to 16 that know the same agents: the first that can be reached is used.
     * @throws TypeError for a URL that is not `ws:`, `wss:`, `http:` or `https:`, for unknown options and for values of a wrong
     * type or range.
     */
    constructor(server: string | URL | readonly (string | URL)[], options?: WebSocketSignalingOptions);
    /**
     * Sends a message over the connection of its sender.
     * @throws AgentError `UNAUTHORIZED` if the sender is not registered from here.
     */
    send(message: SignalingMessage): void;
    /**
     * Connects and registers an agent; resolves when others can reach it. A connection that is lost is made again; `failed` is
     * called when that is given up.
     * @returns rejects with `UNAUTHORIZED` if the name is taken, and with the reason if the service cannot be reached.
     */
    subscribe(agentId: string, deliver: (message: SignalingMessage) => void, failed: (error: AgentError) => void, context?: SubscriptionContext): Promise<Unsubscribe>;
    /**
     * Enters a room of the server; after a loss of the connection the agent enters it again.
     * @returns rejects with `RATE_LIMIT_EXCEEDED` if the room is full or the agent is in too many, `INVALID_MESSAGE` for a name
     * that is not one, `UNAUTHORIZED` if the agent is not registered from here, `PROTOCOL_ERROR` if the server knows no rooms.
     */
    join(room: string, agentId: string, onMembers: RoomListener): Promise<Unsubscribe>;
}

/** Names of the server, as agents dial them. */
interface WithAudience {
    /**
     * The names under which agents dial the server, `'signal.example'` or `'signal.example:8443'`: their proofs have to be
     * made for one of them. Default: whatever the `Host` of a request says. Then another server that an agent dials could pass
     * on a challenge of this one and register here in its name: set it wherever agents use more than one server.
     */
    audience?: string | readonly string[];
}
/** Nothing has to be shown: whoever comes first has the name as long as it is connected. For development. */
interface OpenSignalingAuth {
    mode: 'open';
}
/** Trust on first use: a name belongs to the first key that proves itself under it. */
interface TofuSignalingAuth extends WithAudience {
    mode: 'tofu';
    /** Milliseconds that a name stays its owner's after it was last connected. Default: 604,800,000, seven days. */
    retention?: number;
    /** Names that are remembered; at this bound new ones are refused. Default: 100,000. */
    capacity?: number;
}
/** Agents prove to hold a key that the server knows as theirs. Sources of keys are those of the option `auth` of agents. */
interface KeysSignalingAuth extends WithAudience, Pick<AuthOptions, 'pinned' | 'resolve' | 'jwks'> {
    mode: 'keys';
}
/** Who bears a token. */
interface BearerDetails {
    /** The agent that wants to be registered. */
    readonly agentId: string;
    /** IP address that it connects from. */
    readonly address: string;
}
/** What `verify` may say of a token: yes, no, or yes and who it is. */
type BearerVerdict = boolean | {
    readonly owner?: string;
};
/** Agents show a bearer token (RFC 6750), in the option `token` of their client or in the header `Authorization`. */
interface BearerSignalingAuth {
    mode: 'bearer';
    /**
     * Decides whether the bearer of a token may register `details.agentId`; it has five seconds. Two bearers with the same
     * `owner` are the same agent: the later one takes its name over at once. Without an `owner` an agent that is connected and
     * answers keeps its name.
     */
    verify?: (token: string, details: BearerDetails) => BearerVerdict | Promise<BearerVerdict>;
    /** Tokens of single agents by their URI, or tokens that are good for every name. */
    tokens?: readonly string[] | Readonly<Record<string, string | readonly string[]>>;
}
/** The option `auth` of {@link createSignalingServer}; see docs/signaling-security.md. */
type SignalingServerAuth = OpenSignalingAuth | TofuSignalingAuth | KeysSignalingAuth | BearerSignalingAuth;
/** How names are proven at a server. */
type SignalingAuthMode = SignalingServerAuth['mode'];

/** Several signaling servers that share agents, rooms and messages through Redis; times in milliseconds. */
interface SignalingClusterOptions {
    /**
     * The Redis server (version 6 or later, or Valkey): `redis://[[user]:password@]host[:port][/database]`, `rediss://...` for
     * TLS, or `unix:///path`. It is never logged.
     */
    redis: string;
    /** Begins every key and channel: servers with the same one are one cluster. 1 to 64 visible ASCII characters. Default: `'ossa:'`. */
    prefix?: string;
    /** PEM certificates of authorities to trust for `rediss:`, besides the system's. */
    ca?: string;
    /** PEM certificate for a Redis server that asks for one (`tls-auth-clients`), followed by those that lead to its authority. */
    cert?: string;
    /** PEM private key of `cert`, without a password. */
    key?: string;
    /**
     * A server that Redis has not heard for so long is dead, and its agents are not registered any more. It says so three times
     * as often. Default: 10,000; at least 300.
     */
    lease?: number;
    /** Redis is lost when it does not answer for so long, or cannot be connected to in that time. Default: 2,000. */
    timeout?: number;
    /**
     * Bytes that may wait for Redis. Beyond it messages to other servers are undeliverable and registrations are refused, for
     * the moment. Default: 8,388,608.
     */
    maxQueueBytes?: number;
}
/** A cluster as one of its servers sees it. */
interface SignalingClusterStats {
    /**
     * `connecting` until it is in the cluster for the first time; `lost` while Redis is: then it serves its own agents, and those
     * of other servers are unreachable.
     */
    state: 'connecting' | 'connected' | 'lost';
    /** Why it is lost. */
    reason?: string;
    /** Servers alive, this one included, some seconds ago. */
    nodes: number;
    /** Agents registered with all of them, some seconds ago. */
    agents: number;
    /** Times that Redis was lost since the start. */
    losses: number;
    /** Messages that Redis took for other servers. */
    sent: number;
    /** Messages that came from other servers. */
    received: number;
    /** What came from other servers and is unknown in this release: skipped. */
    unknown: number;
    /** Bytes that wait for Redis. */
    queuedBytes: number;
}

/** Limits of a relay; docs/relay.md has the reasons. */
interface SignalingRelayLimits {
    /** Allocations in total; more get the error 508. Default: 4,000. */
    maxAllocations?: number;
    /** Allocations of one agent; more get the error 486. Default: 200. */
    maxAllocationsPerAgent?: number;
    /** Allocations of one address, of IPv6 of one /64; more get the error 486. Default: 1,000. */
    maxAllocationsPerAddress?: number;
    /** The longest that an allocation lives without a refresh, in seconds. Default: 3,600. */
    maxLifetime?: number;
    /** Bytes relayed in a second in total, both directions together; what is more is dropped. Default: 125,000,000. */
    bandwidth?: number;
    /** Bytes relayed in a second for one agent. Default: 12,500,000. */
    bandwidthPerAgent?: number;
    /** Bytes relayed in a second for one address, of IPv6 for one /64. Default: 62,500,000. */
    bandwidthPerAddress?: number;
}
/**
 * The option `relay` of {@link createSignalingServer}: a TURN server (RFC 8656) at the address and port of the signaling server, by UDP,
 * TCP and, where the server has `tls`, TLS. Agents get its URLs and credentials that expire when they are registered, and new ones when
 * half of their time is over.
 */
interface SignalingRelayOptions extends SignalingRelayLimits {
    /**
     * What credentials are made with, at least 16 characters. Default: a random one, so that those of before a restart are refused; agents
     * get new ones when they register again.
     */
    secret?: string;
    /** Seconds that credentials are good for new allocations; running ones can be refreshed beyond that. Default: 3,600. */
    ttl?: number;
    /** What user names say about the agent in events: `'hash'`, the default, is always the same for an agent; `'uri'` shows which it is. */
    username?: 'hash' | 'uri';
    /** Also for the agents of an open server, that is for everybody. Default: false. */
    allowOpen?: boolean;
    /**
     * The host in the URLs that agents are told, `'relay.example'` or `'relay.example:443'`. Default: what each agent has dialled for
     * signaling. Behind a proxy it is required, which does not pass TURN on.
     */
    host?: string;
    /**
     * IP addresses to relay from, at most one of IPv4 and one of IPv6. Default: the one that the client has reached; for the other family
     * the one that packets to the internet leave from.
     */
    addresses?: string | readonly string[];
    /** Behind a 1:1 NAT: what those addresses are called outside, at most one of IPv4 and one of IPv6. */
    announce?: string | readonly string[];
    /** The first and the last UDP port to relay from. Default: `[49152, 65535]`. */
    ports?: readonly [first: number, last: number];
    /**
     * Peers that may be reached although they are in private networks, on this host or the like: addresses and ranges. Default: none. Other
     * clients of this relay are reached in any case.
     */
    allowPeers?: readonly string[];
    /** Peers that may not be reached, whatever else is said: addresses and ranges. Default: none. */
    denyPeers?: readonly string[];
}
/** What a relay counts. */
interface SignalingRelayStats {
    /** Allocations at this moment. */
    allocations: number;
    /** Allocations since the start. */
    totalAllocations: number;
    /** Datagrams passed on, both directions. */
    relayed: number;
    /** Bytes of those, without what TURN adds. */
    relayedBytes: number;
    /** Datagrams dropped because a limit of bandwidth was reached. */
    overBandwidth: number;
    /** Datagrams dropped because a socket or the connection of a client was full. */
    congested: number;
    /** Datagrams dropped because there was no permission for the peer. */
    notPermitted: number;
    /** Requests for peers that may not be reached. */
    forbiddenPeers: number;
    /** Allocations refused: too many, or no port left. */
    refused: number;
    /** Requests with a wrong user name or password, or with credentials that have expired. */
    denied: number;
    /** Requests of strangers that were not answered because there were too many of them. */
    rateLimited: number;
    /** Datagrams that were neither STUN nor of a client. */
    malformed: number;
}

/**
 * The option `turn` of {@link createSignalingServer}: agents get credentials that expire, as coturn takes them with
 * `use-auth-secret`, and new ones when half of their time is over.
 */
interface SignalingTurnOptions {
    /** `turn:`, `turns:` and `stun:` URLs. */
    urls: string | readonly string[];
    /** The `static-auth-secret` of the TURN servers. */
    secret: string;
    /** Seconds that credentials are valid. Default: 3,600. */
    ttl?: number;
    /**
     * What user names say about the agent to those who read the logs of the TURN servers: `'hash'`, the default, is always the
     * same for an agent and does not show which it is; `'uri'` does.
     */
    username?: 'hash' | 'uri';
    /** Also for the agents of an open server, that is for everybody. Default: false. */
    allowOpen?: boolean;
}

/** Certificate and key of a signaling server. */
interface SignalingTls {
    /** The certificate, followed by those that lead to an authority that clients trust; PEM. */
    cert: string | Uint8Array;
    /** The key of the first certificate: PKCS #8, PKCS #1 or SEC1, PEM, not encrypted. */
    key: string | Uint8Array;
}
/** Limits of a signaling server; docs/signaling-operations.md has the reasons. Times in milliseconds, sizes in bytes. */
interface SignalingServerLimits {
    /** Longest message accepted. Default: 65,536. */
    maxMessageSize?: number;
    /** Bytes that may wait for a client that does not read, which is then disconnected. Default: 262,144. */
    maxQueueBytes?: number;
    /** Agents per connection. Default: 16. */
    maxRegistrations?: number;
    /** Connections in total; more get HTTP 503. Default: 20,000. */
    maxConnections?: number;
    /** Connections of one address, of IPv6 of one /64; more get HTTP 429. Default: 1,000. */
    maxConnectionsPerAddress?: number;
    /** Connections that have not sent a whole request yet; beyond it the oldest is dropped. Default: 1,000. */
    maxHalfOpen?: number;
    /** Rooms that one agent may be in at the same time. Default: 16. */
    maxRooms?: number;
    /** Agents in one room. Default: 256. */
    maxRoomMembers?: number;
    /** Frames of one connection in a second, in the long run. Default: 500. */
    messageRate?: number;
    /** Frames of one connection at once. Default: 5,000, or `messageRate` if that is more. */
    messageBurst?: number;
    /** Rooms entered and left on one connection in a second, in the long run. Default: 10. */
    roomRate?: number;
    /** Rooms entered and left on one connection at once. Default: 512, or `roomRate` if that is more. */
    roomBurst?: number;
    /** Offers from one agent to another in a minute. Default: 60. */
    offersPerPair?: number;
    /** Candidates that one agent sends in one session after its last description. Default: 256. */
    candidatesPerSession?: number;
    /** Time for a request and for TLS, and again for the first registration. Default: 10,000. */
    handshakeTimeout?: number;
    /** Silence after which a client gets a ping. Default: 25,000. */
    pingInterval?: number;
    /** Silence after which a client is disconnected. Default: 60,000. */
    idleTimeout?: number;
    /** Time for the owner of an agent URI to answer when somebody else claims it. Default: 2,000. */
    takeoverTimeout?: number;
}
/** Where a signaling server listens, and for whom. */
interface SignalingFrontOptions {
    /** Host name or IP address to listen on. Default: `'127.0.0.1'`, this host only. */
    host?: string;
    /** Port to listen on. Default: 0, any free one. */
    port?: number;
    /**
     * The only path that is served, `/signaling` for example, with what is below it: `/signaling/health`. Default: WebSockets at
     * every path, the rest at the root. With `server` it is required.
     */
    path?: string;
    /** Certificate and key: clients come by `wss:` and `https:`. Default: neither, `ws:` and `http:`. */
    tls?: SignalingTls;
    /**
     * A Node `http` or `https` server to be part of, instead of `host`, `port` and `tls`: everything at `path` and below goes to
     * the signaling server, without another port; everything else stays with the server's other listeners.
     */
    server?: Server | Server$1;
    /**
     * Web pages that may use the server, by their exact origins, `'https://example.com'`; `'*'` for all. Default: pages from the
     * host that the request is for, and pages from this machine. Clients that are no web pages send no origin and are served.
     */
    origins?: '*' | readonly string[];
    /**
     * Proxies whose `X-Forwarded-For` or `Forwarded` says where clients come from: addresses and ranges, `'10.0.0.0/8'`.
     * Default: none.
     */
    trustProxy?: readonly string[];
    /**
     * A secret that lets its bearer see `metrics` and `status` (`Authorization: Bearer`), at least 16 characters. Default: none;
     * they are for clients on this machine.
     */
    adminToken?: string;
    /**
     * What agents have to show to be registered; see docs/signaling-security.md. Default: nothing, which is for development; a
     * warning says so if other hosts can reach the server.
     */
    auth?: SignalingServerAuth;
    /** TURN servers for agents that have shown who they are. */
    turn?: SignalingTurnOptions;
    /**
     * A TURN server on the same address and port, which agents get credentials for by themselves; `true` for all defaults. Default: none.
     * Needs `auth`, or `relay.allowOpen`.
     */
    relay?: boolean | SignalingRelayOptions;
    /** Threads that serve clients. Default: as many as the machine has processors, at most 4. */
    threads?: number;
    /** Other servers to be one with, through Redis. Default: none. */
    cluster?: SignalingClusterOptions;
    /** Hears what happens. Default: nobody. No secrets are logged. */
    logger?: Logger;
}

/** Options of {@link createSignalingServer}; times in milliseconds, sizes in bytes. */
interface SignalingServerOptions extends SignalingFrontOptions, SignalingServerLimits {
}
/** What a signaling server counts. */
interface SignalingServerStats {
    /** Connected clients. */
    connections: number;
    /** Registered agents. */
    agents: number;
    /** Rooms that somebody is in. */
    rooms: number;
    /** Clients since the start. */
    totalConnections: number;
    /** Messages handed to the connection of their recipient. */
    relayed: number;
    /** Bytes of those messages. */
    relayedBytes: number;
    /** Messages whose recipient was not registered. */
    undeliverable: number;
    /** Frames and registrations refused. */
    refused: number;
    /** Clients disconnected because they did not read. */
    slowConsumers: number;
    /** Frames refused because of a rate limit. */
    rateLimited: number;
    /** Registrations whose proof or token was wrong. */
    denied: number;
    /** Connections and requests turned away before they became clients: too many, or from a page of a foreign origin. */
    turnedAway: number;
    /** Attempts to accept a connection that have failed; most often there are no file descriptors left. */
    acceptFailures: number;
    /** The relay, if the server has one. */
    relay?: SignalingRelayStats;
    /** The cluster, if the server is part of one. */
    cluster?: SignalingClusterStats;
}
/** How a signaling server is closed. */
interface CloseSignalingServerOptions {
    /**
     * Milliseconds over which the agents are sent away, one after the other, so that they do not all come to other servers at
     * the same moment. Meanwhile `ready` answers 503 and nobody new is let in. Default: 0, all at once.
     */
    drain?: number;
}
/** A signaling server that is listening. Like a listening socket it keeps the process alive until it is closed. */
interface SignalingServer extends AsyncDisposable {
    /**
     * Where agents on this host find it.
     *
     * @throws AgentError - `AGENT_UNREACHABLE`: the `server` that it is part of does not listen.
     */
    readonly url: string;
    /** The port listened on; 0 while the `server` that it is part of does not listen. */
    readonly port: number;
    /** Counters at this moment. */
    stats(): SignalingServerStats;
    /**
     * Uses another certificate for clients that connect from now on; those that are connected stay.
     *
     * @throws AgentError - `INVALID_MESSAGE`: not PEM, or the server was started without `tls`.
     */
    updateTls(tls: SignalingTls): void;
    /** Tells the agents, stops listening and resolves when everything is gone. Idempotent. */
    close(options?: CloseSignalingServerOptions): Promise<void>;
}
/**
 * Starts a signaling server in this process, on threads of its own.
 *
 * @throws Error - It cannot listen there: `code` is Node's, `EADDRINUSE`, `EACCES`, `EADDRNOTAVAIL`, `ENOTFOUND`, `EMFILE` and so on, with
 *   `address`, `port`, `syscall` and `errno` as with a `net.Server`; the text says what to do.
 * @throws AgentError - `INVALID_MESSAGE` if certificate and key are of no use.
 * @throws TypeError - An option is unknown or out of range.
 */
declare function createSignalingServer(options?: SignalingServerOptions): Promise<SignalingServer>;

export { AgentChannel, AgentError, AgentKeys, AgentPeer, Emitter, EncodedSink, EncodedSource, IncomingFile, KnownKeys, Link, MediaStream, MediaStreamTrack, MediaStreamTrackEvent, MemorySignaling, Mesh, OutgoingFile, OverconstrainedError, PCMSink, PCMSource, RTCCertificate, RTCDTMFSender, RTCDTMFToneChangeEvent, RTCDataChannel, RTCDataChannelEvent, RTCDtlsTransport, RTCEncodedAudioFrame, RTCEncodedVideoFrame, RTCError, RTCErrorEvent, RTCIceCandidate, RTCIceCandidatePair, RTCIceTransport, RTCPeerConnection, RTCPeerConnectionIceErrorEvent, RTCPeerConnectionIceEvent, RTCRtpReceiver, RTCRtpSender, RTCRtpTransceiver, RTCSctpTransport, RTCSessionDescription, RTCStatsReport, RTCTrackEvent, RTPSink, ResultStream, Room, STREAM_PROTOCOL, SentTrack, WHEPClient, WHIPClient, WHIPError, WebSocketSignaling, certificateFromPEM, certificateToPEM, connectionCauses, createPeer, createSignalingServer, wrtc as default, generateAgentKeys, internalErrors, loadAgentKeys, nonstandard, normalizeAgentUri, saveAgentKeys, toDuplex, toWebStreams, version, wrtc };
export type { AcceptFileOptions, AcceptPolicy, AddEventListener, AgentErrorCode, AgentErrorOptions, AgentKeyAlgorithm, AgentMessage, AgentStatus, AgentTracing, AllowOption, Answer, AuthHow, AuthMode, AuthOptions, BearerDetails, BearerSignalingAuth, BearerVerdict, BinaryType, BroadcastOptions, CallContext, CallOptions, Caller, CandidateCounts, CapabilityHandler, ChannelData, ChannelDuplexOptions, ChannelEvents, ChannelInit, ChannelPayload, ChannelPreset, ChannelStreams, CloseSignalingServerOptions, ConnectCause, ConnectCauseKind, ConnectOptions, ConstrainNumber, Delivery, EncodedFrameInit, EncodedFrameLike, EncodedSinkEvents, EncodedSinkOptions, EncodedSinkStats, EncodedSourceEvents, EncodedSourceOptions, EventArguments, EventHandler, FailAs, FileDestination, FileProgress, FileSource, GenerateAgentKeysOptions, HandleOptions, JwksOptions, KeysSignalingAuth, KnownKeysOptions, Limits, LinkEvents, LinkState, LogFields, Logger, MediaFaultEvent, MediaStreamEventMap, MediaStreamTrackEventInit, MediaStreamTrackEventMap, MediaStreamTrackState, MediaTrackCapabilities, MediaTrackConstraints, MediaTrackSettings, MemberCallOptions, MemberSendOptions, MeshEvents, MeshOptions, MessageProgress, OpenSignalingAuth, PCMChunk, PCMEncoding, PCMFormat, PCMSinkEvents, PCMSinkOptions, PCMSinkStats, PCMSourceEvents, PCMSourceOptions, PCMSourceStats, PeerEvents, PeerOptions, Priority, PublicJwk, PublicKeyInput, RTCAnswerOptions, RTCAudioData, RTCAudioDataEvent, RTCAudioSinkEventMap, RTCBundlePolicy, RTCCertificateAlgorithm, RTCCertificateExpiration, RTCConfiguration, RTCDTMFSenderEventMap, RTCDTMFToneChangeEventInit, RTCDataChannelEventInit, RTCDataChannelEventMap, RTCDataChannelInit, RTCDataChannelState, RTCDtlsFingerprint, RTCDtlsTransportEventMap, RTCDtlsTransportState, RTCEncodedAudioFrameMetadata, RTCEncodedAudioFrameOptions, RTCEncodedFrameMetadata, RTCEncodedVideoFrameMetadata, RTCEncodedVideoFrameOptions, RTCEncodedVideoFrameType, RTCErrorDetailType, RTCErrorEventInit, RTCErrorInit, RTCEventInit, RTCEventListener, RTCEventListenerOptions, RTCIceCandidateInit, RTCIceCandidateType, RTCIceComponent, RTCIceConnectionState, RTCIceGathererState, RTCIceGatheringState, RTCIceParameters, RTCIceProtocol, RTCIceRole, RTCIceServer, RTCIceServerTransportProtocol, RTCIceTcpCandidateType, RTCIceTransportEventMap, RTCIceTransportPolicy, RTCIceTransportState, RTCLocalIceCandidateInit, RTCLocalSessionDescriptionInit, RTCOfferOptions, RTCPeerConnectionErrorCallback, RTCPeerConnectionEventMap, RTCPeerConnectionIceErrorEventInit, RTCPeerConnectionIceEventInit, RTCPeerConnectionState, RTCPriorityType, RTCRtcpMuxPolicy, RTCRtcpParameters, RTCRtpCapabilities, RTCRtpCodec, RTCRtpCodecParameters, RTCRtpContributingSource, RTCRtpEncodingParameters, RTCRtpHeaderExtensionCapability, RTCRtpHeaderExtensionParameters, RTCRtpParameters, RTCRtpReceiveParameters, RTCRtpSendParameters, RTCRtpSynchronizationSource, RTCRtpTransceiverDirection, RTCRtpTransceiverInit, RTCSctpTransportEventMap, RTCSctpTransportState, RTCSdpType, RTCSessionDescriptionCallback, RTCSessionDescriptionInit, RTCSetParameterOptions, RTCSignalingState, RTCStats, RTCTrackEventInit, RTCTransportOptions, ReceivedFile, ReceivedTraceContext, ReceivedTrack, ReconnectOptions, ReconnectReason, ReconnectStep, Reconnected, Refused, RemoteAgent, RemoveEventListener, RoomDetails, RoomListener, SendFileOptions, SendOptions, SentFile, SignalingAdapter, SignalingAuthMode, SignalingCandidate, SignalingClusterOptions, SignalingClusterStats, SignalingFrontOptions, SignalingMessage, SignalingRelayLimits, SignalingRelayOptions, SignalingRelayStats, SignalingServer, SignalingServerAuth, SignalingServerLimits, SignalingServerOptions, SignalingServerStats, SignalingState, SignalingTls, SignalingToken, SignalingTurnOptions, StreamChunk, SubscriptionContext, TofuSignalingAuth, TraceContext, TracedAnswer, TracedCall, TracedConnecting, TracedFile, TracedWork, Tracing, TrySendOptions, Unsubscribe, WHEPPlayOptions, WHIPErrorCode, WHIPPublishOptions, WHIPSessionEvents, WHIPSessionOptions, WHIPToken, WatchedLink, WebSocketSignalingOptions, Wrtc };
