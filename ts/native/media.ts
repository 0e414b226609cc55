// Audio and video between the native core and the TypeScript classes. Plain data only, as in `types.ts`.

/** `RTCRtpTransceiverDirection`, as far as it can be asked for. */
export type NativeDirection = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive';

/** A transceiver after a description. One that is no longer there has stopped. */
export interface NativeTransceiver {
  id: number;
  kind: 'audio' | 'video';
  /** `null` before it has a section. */
  mid: string | null;
  /** `null`: `stop()` was called. */
  direction: NativeDirection | null;
  /** `null` before it was negotiated. */
  currentDirection: NativeDirection | null;
  /** `stop()` was called, and the peer may not know it yet. */
  stopping: boolean;
  senderTrack: string;
  senderStreams: string[];
  /** Names of the encodings that are sent; one may have none. */
  encodings: (string | null)[];
  receiverTrack: string;
  /** Streams of the peer. */
  receiverStreams: string[];
  /** The peer sends, by the last description that said so: `track` was due. */
  receives: boolean;
  /** An offer of the peer has made it. */
  byPeer: boolean;
}

/** An encoding with its streams. */
export interface NativeEncoding {
  rid: string | null;
  ssrc: number;
  rtxSsrc: number | null;
  /** In bit/s. */
  maxBitrate: number | null;
  active: boolean;
}

/** A codec that both sides have. */
export interface NativePayload {
  payloadType: number;
  /** `audio/opus`. */
  mimeType: string;
  /** In Hz. */
  clockRate: number;
  /** `null` for video. */
  channels: number | null;
  sdpFmtpLine: string | null;
  /** The payload type of its retransmissions. */
  rtx: number | null;
}

/** A header extension that both sides have. */
export interface NativeHeaderExtension {
  uri: string;
  id: number;
}

/** What was negotiated for a section. The preferred payload comes first. */
export interface NativeSectionParameters {
  transceiver: number;
  kind: 'audio' | 'video';
  mid: string | null;
  send: {
    encodings: NativeEncoding[];
    payloads: NativePayload[];
    extensions: NativeHeaderExtension[];
    /** Whether anything is sent. */
    active: boolean;
    reducedSizeRtcp: boolean;
  };
  receive: {
    /** Names of the peer's encodings, with simulcast. */
    rids: string[];
    payloads: NativePayload[];
    extensions: NativeHeaderExtension[];
    /** Whether anything is received. */
    active: boolean;
  };
}

/** Somebody who was heard. */
export interface NativeHeardSource {
  /** SSRC or CSRC. */
  source: number;
  /** A mixer has said so. */
  contributing: boolean;
  /** How many milliseconds ago. */
  ago: number;
  rtpTimestamp: number;
  /** 0 to 1. */
  audioLevel: number | null;
}

/** `RTCRtpCapabilities`, with the retransmissions told apart from the codecs. */
export interface NativeMediaCapabilities {
  codecs: {
    mimeType: string;
    clockRate: number;
    /** Audio only. */
    channels?: number;
    sdpFmtpLine?: string;
    /** Lost packets can be sent again in a stream of their own. */
    rtx: boolean;
  }[];
  headerExtensions: { uri: string }[];
}

/** What is told of audio and video. `transceiver` is its number. */
export type NativeMediaEvent =
  /** Packets have come, for the first time or again: of one layer of simulcast, or (`null`) of any. */
  | { type: 'unmute'; transceiver: number; rid: string | null }
  /** No packet has come for a while. */
  | { type: 'mute'; transceiver: number; rid: string | null }
  /** Media does not flow where both descriptions say that it does; `null`: nowhere. */
  | { type: 'mediaFault'; transceiver: number | null; message: string }
  /** The peer can't go on without a key frame of this encoding. */
  | { type: 'keyFrameRequested'; transceiver: number; encoding: number }
  /** What all senders together may send, in bit/s. */
  | { type: 'targetBitrate'; bps: number }
  | { type: 'streamStarted'; transceiver: number; ssrc: number; rid: string | null }
  /** The peer has ended a stream (RFC 3550, section 6.6). */
  | { type: 'bye'; transceiver: number; ssrc: number; reason: string | null };
