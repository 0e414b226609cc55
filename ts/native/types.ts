// What crosses between the native core and the TypeScript classes. Plain data only: the names are those of the W3C
// specification where it has one. Times are milliseconds, sizes are bytes.
import type { NativeErrorCode } from './error';
import type { NativeMediaEvent, NativeTransceiver } from './media';

export type { IceServerOptions as NativeIceServer } from './binding';

/** Kind of a description. */
export type NativeSdpType = 'offer' | 'answer' | 'pranswer' | 'rollback';

/** A description with the candidates known so far. */
export interface NativeDescription {
  type: 'offer' | 'answer' | 'pranswer';
  sdp: string;
}

/** Argument of `addIceCandidate`. */
export interface NativeCandidateInit {
  candidate: string;
  sdpMid: string | null;
  sdpMLineIndex: number | null;
  usernameFragment: string | null;
}

/** `RTCPriorityType`. */
export type NativePriority = 'very-low' | 'low' | 'medium' | 'high';

/** Argument of `createDataChannel`; what is left out has the W3C default. */
export interface NativeDataChannelInit {
  label: string;
  protocol?: string;
  ordered?: boolean;
  /** Excludes `maxRetransmits`. */
  maxPacketLifeTime?: number;
  maxRetransmits?: number;
  /** The agreed stream id (0 to 65,534) of a negotiated channel. */
  negotiated?: number;
  priority?: NativePriority;
}

/** The attributes of a channel that the peer has created. */
export interface NativeChannelInfo {
  label: string;
  protocol: string;
  ordered: boolean;
  maxPacketLifeTime: number | null;
  maxRetransmits: number | null;
  negotiated: boolean;
  /** SCTP stream id. */
  id: number | null;
  priority: NativePriority;
}

/** `RTCErrorInit` and the message: why a channel or a transport failed. */
export interface NativeRtcError {
  message: string;
  errorDetail: string;
  sctpCauseCode: number | null;
  receivedAlert: number | null;
  sentAlert: number | null;
}

/** One end of the selected pair. */
export interface NativeCandidate {
  /** `candidate:...`; empty for a peer-reflexive one that was never signaled. */
  candidate: string;
  type: 'host' | 'srflx' | 'prflx' | 'relay';
  address: string;
  port: number;
  priority: number;
  foundation: string;
  relatedAddress: string | null;
  relatedPort: number | null;
  usernameFragment: string;
  sdpMid: string;
  url: string | null;
  relayProtocol: 'udp' | 'tcp' | 'tls' | null;
}

export interface NativeCandidatePair {
  local: NativeCandidate;
  remote: NativeCandidate;
}

export type NativeSignalingState =
  'stable' | 'have-local-offer' | 'have-remote-offer' | 'have-local-pranswer' | 'have-remote-pranswer' | 'closed';
export type NativeConnectionState = 'new' | 'connecting' | 'connected' | 'disconnected' | 'failed' | 'closed';
/** `RTCIceTransportState` and `RTCIceConnectionState`. */
export type NativeIceState = 'new' | 'checking' | 'connected' | 'completed' | 'disconnected' | 'failed' | 'closed';
export type NativeGatheringState = 'new' | 'gathering' | 'complete';
export type NativeDtlsState = 'new' | 'connecting' | 'connected' | 'closed' | 'failed';
export type NativeSctpState = 'connecting' | 'connected' | 'closed';

export interface NativeSctp {
  state: NativeSctpState;
  /** Largest message that may be sent; `Infinity` when the peer sets no limit. */
  maxMessageSize: number;
  maxChannels: number | null;
}

export interface NativeDtls {
  state: NativeDtlsState;
  role: 'client' | 'server' | null;
  /** DER, leaf first; empty until the handshake is done. */
  remoteCertificates: ArrayBuffer[];
}

export interface NativeIce {
  state: NativeIceState;
  gatheringState: NativeGatheringState;
  role: 'unknown' | 'controlling' | 'controlled';
  selectedPair: NativeCandidatePair | null;
}

/** Everything that the attributes of a connection and its transports show, at one moment. */
export interface PeerSnapshot {
  signalingState: NativeSignalingState;
  connectionState: NativeConnectionState;
  iceConnectionState: NativeIceState;
  iceGatheringState: NativeGatheringState;
  /** Which events about candidates count; 0 for none. */
  iceGeneration: number;
  /** How many descriptions have been set. */
  descriptions: number;
  currentLocalDescription: NativeDescription | null;
  pendingLocalDescription: NativeDescription | null;
  currentRemoteDescription: NativeDescription | null;
  pendingRemoteDescription: NativeDescription | null;
  canTrickleIceCandidates: boolean | null;
  negotiationNeeded: boolean;
  transceivers: NativeTransceiver[];
  /** The transports exist once a data section has been negotiated. */
  sctp: NativeSctp | null;
  dtls: NativeDtls | null;
  ice: NativeIce | null;
}

/** What happens in the core, in the order in which it happens. */
export type NativeEvent =
  | NativeMediaEvent
  | {
      type: 'iceCandidate';
      generation: number;
      descriptions: number;
      candidate: string;
      sdpMid: string;
      sdpMLineIndex: number;
      usernameFragment: string;
      url: string | null;
      relayProtocol: 'udp' | 'tcp' | 'tls' | null;
      /** The local description including this candidate; `null` if others have been set since, which have it. */
      sdp: string | null;
    }
  | {
      type: 'endOfCandidates';
      generation: number;
      descriptions: number;
      sdpMid: string;
      sdpMLineIndex: number;
      usernameFragment: string;
      sdp: string | null;
    }
  | {
      type: 'iceCandidateError';
      address: string | null;
      port: number | null;
      url: string;
      errorCode: number;
      errorText: string;
    }
  | { type: 'iceGatheringState'; generation: number; state: NativeGatheringState }
  | { type: 'iceTransportState'; state: NativeIceState }
  | { type: 'iceConnectionState'; state: NativeIceState }
  | { type: 'connectionState'; state: NativeConnectionState }
  | { type: 'selectedPair'; local: NativeCandidate; remote: NativeCandidate }
  /** The path in use is gone for good, and only an ICE restart helps. */
  | { type: 'pathLost' }
  | { type: 'dtlsState'; state: NativeDtlsState; error: NativeRtcError | null }
  | { type: 'sctpState'; state: NativeSctpState; maxMessageSize: number; maxChannels: number | null }
  /** The peer has created a channel; `channelOpen` follows. */
  | { type: 'channelAnnounced'; channel: number; info: NativeChannelInfo }
  | { type: 'channelOpen'; channel: number; id: number }
  /** The peer is closing the channel. */
  | { type: 'channelClosing'; channel: number }
  | { type: 'channelClosed'; channel: number; error: NativeRtcError | null }
  /**
   * A message was refused after `send` had taken it: it is above what the peer has allowed in the meantime. It will
   * not be released.
   */
  | { type: 'sendFailed'; channel: number; bytes: number; code: NativeErrorCode; message: string };

/**
 * JSON whose long strings were taken out. In place of each stands a string of {@link PLACEHOLDER} and its number, and no
 * other string in it begins like that. It is valid if and only if the whole was.
 */
export interface LiftedText {
  skeleton: string;
  strings: readonly string[];
  /** Size of the whole in UTF-8. */
  bytes: number;
}

/** See {@link LiftedText}. Known to `crates/agent/src/large`. */
export const PLACEHOLDER = '\u007f';

/**
 * Receives what happens to one peer. Calls come in order, each in a step of its own: promise jobs and `nextTick`s that
 * one call has caused run before the next. Nothing is called any more after `close()`.
 */
export interface PeerListener {
  onEvent(event: NativeEvent): void;
  /** Binary data always comes as an ArrayBuffer of its own, of the exact size. */
  onMessage(channel: number, data: string | ArrayBuffer): void;
  /** A text message of a channel for which that was asked. */
  onLifted?(channel: number, text: LiftedText): void;
  /**
   * Bytes of a channel have left the send buffer. Reports are put together: one comes when the channel has drained
   * completely, when it falls to its low threshold, and otherwise every 64 KiB.
   */
  onReleased(channel: number, bytes: number): void;
}

/** One entry of a statistics report: `id`, `timestamp`, `type` and the W3C members of that type. */
export interface NativeStats {
  id: string;
  timestamp: number;
  type: string;
  [member: string]: unknown;
}

/**
 * Candidates of one side, by kind; `reflexive` are those that servers or the peer have seen. `ipv6` of them all are IPv6, `inner` are
 * addresses of a private network, link-local or loopback.
 */
export interface NativeKindCounts {
  host: number;
  reflexive: number;
  relay: number;
  ipv6: number;
  inner: number;
}

/** What a connection knows of its own set-up. What is ICE's is of the newest generation. */
export interface NativeDiagnosis {
  relayOnly: boolean;
  /** All servers have answered, or their time is over. */
  gathered: boolean;
  /** Both descriptions are known. */
  described: boolean;
  local: NativeKindCounts;
  remote: NativeKindCounts;
  /** Candidates of the peer whose host name was not found. */
  namesNotFound: number;
  checksSent: number;
  checksReceived: number;
  answersReceived: number;
  /** A pair has been in use. */
  hadPath: boolean;
  ice: NativeIceState;
  dtls: NativeDtlsState;
  dtlsError: string | null;
  sctp: NativeSctpState;
  /** Servers that did not help; those without a URL are failures of this machine. */
  faults: {
    url: string;
    code: number;
    text: string;
    fault: 'refused' | 'unreachable' | 'name-not-found' | 'untrusted' | 'local';
  }[];
}

/** A certificate's fingerprint (`RTCDtlsFingerprint`). */
export interface NativeFingerprint {
  algorithm: string;
  value: string;
}
