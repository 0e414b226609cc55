// The dictionaries of senders and receivers (webrtc-pc 5.2 and 5.3).
import {
  boolean,
  dictionary,
  double,
  DOMString,
  octet,
  sequence,
  unsignedLong,
  unsignedShort,
  type DictionaryConverter,
} from '../../webidl';

/** A codec (webrtc-pc 5.2.7). */
export interface RTCRtpCodec {
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
export interface RTCRtpCodecParameters extends RTCRtpCodec {
  /** RTP payload type, 0 to 127. */
  payloadType: number;
}

/** A header extension with its number on the wire (webrtc-pc 5.2.6). */
export interface RTCRtpHeaderExtensionParameters {
  /** Its name (RFC 8285). */
  uri: string;
  /** 1 to 255. */
  id: number;
  /** The extension is encrypted (RFC 6904): never here. Default: `false`. */
  encrypted?: boolean;
}

/** What was negotiated for RTCP (webrtc-pc 5.2.5). */
export interface RTCRtcpParameters {
  /** Canonical name of this end (RFC 7022); of senders only. */
  cname?: string;
  /** RTCP packets of reduced size (RFC 5506). */
  reducedSize?: boolean;
}

/** What senders and receivers have in common (webrtc-pc 5.2.2). */
export interface RTCRtpParameters {
  /** Header extensions that were negotiated. */
  headerExtensions: RTCRtpHeaderExtensionParameters[];
  /** RTCP as it was negotiated. */
  rtcp: RTCRtcpParameters;
  /** Codecs that were negotiated, the preferred one first. */
  codecs: RTCRtpCodecParameters[];
}

/** One encoding of what is sent (webrtc-pc 5.2.4). */
export interface RTCRtpEncodingParameters {
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
export interface RTCRtpSendParameters extends RTCRtpParameters {
  /** Tells which `getParameters()` it comes from. */
  transactionId: string;
  /** What can be changed. */
  encodings: RTCRtpEncodingParameters[];
}

/** One layer of the simulcast that a receiver receives. */
export interface RTCRtpReceivedEncoding {
  /** Its name, as the sender has given it (RFC 8852). */
  rid: string;
}

/** What a receiver receives. */
export interface RTCRtpReceiveParameters extends RTCRtpParameters {
  /** The layers of simulcast, in the order of the peer's description; empty without. Not of the W3C's dictionary. */
  encodings: RTCRtpReceivedEncoding[];
}

/** Options of `setParameters()`: none. */
export type RTCSetParameterOptions = Record<never, never>;

/** A header extension that there is. */
export interface RTCRtpHeaderExtensionCapability {
  /** Its name (RFC 8285). */
  uri: string;
}

/** What can be sent and received (webrtc-pc 5.2.9). */
export interface RTCRtpCapabilities {
  /** Codecs, the preferred one first. */
  codecs: RTCRtpCodec[];
  /** Header extensions. */
  headerExtensions: RTCRtpHeaderExtensionCapability[];
}

export const convertCodec = dictionary<RTCRtpCodec>('RTCRtpCodec', {
  mimeType: { type: DOMString, required: true },
  clockRate: { type: unsignedLong, required: true },
  channels: { type: unsignedShort },
  sdpFmtpLine: { type: DOMString },
});

const convertCodecParameters = dictionary<RTCRtpCodecParameters, RTCRtpCodec>(
  'RTCRtpCodecParameters',
  { payloadType: { type: octet, required: true } },
  convertCodec,
);

interface CodingParameters {
  rid?: string;
}

export const convertEncoding: DictionaryConverter<RTCRtpEncodingParameters> = dictionary<
  RTCRtpEncodingParameters,
  CodingParameters
>(
  'RTCRtpEncodingParameters',
  {
    active: { type: boolean, default: () => true },
    codec: { type: convertCodec },
    maxBitrate: { type: unsignedLong },
    maxFramerate: { type: double },
    scaleResolutionDownBy: { type: double },
  },
  dictionary<CodingParameters>('RTCRtpCodingParameters', { rid: { type: DOMString } }),
);

const convertHeaderExtension = dictionary<RTCRtpHeaderExtensionParameters>('RTCRtpHeaderExtensionParameters', {
  uri: { type: DOMString, required: true },
  id: { type: unsignedShort, required: true },
  encrypted: { type: boolean, default: () => false },
});

const convertRtcp = dictionary<RTCRtcpParameters>('RTCRtcpParameters', {
  cname: { type: DOMString },
  reducedSize: { type: boolean },
});

const convertParameters = dictionary<RTCRtpParameters>('RTCRtpParameters', {
  headerExtensions: { type: sequence(convertHeaderExtension), required: true },
  rtcp: { type: convertRtcp, required: true },
  codecs: { type: sequence(convertCodecParameters), required: true },
});

export const convertSendParameters = dictionary<RTCRtpSendParameters, RTCRtpParameters>(
  'RTCRtpSendParameters',
  {
    transactionId: { type: DOMString, required: true },
    encodings: { type: sequence(convertEncoding), required: true },
  },
  convertParameters,
);

export const convertSetParameterOptions = dictionary<RTCSetParameterOptions>('RTCSetParameterOptions', {});

/** A source that has contributed to what was heard in the last ten seconds (webrtc-pc 5.3). */
export interface RTCRtpContributingSource {
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
export type RTCRtpSynchronizationSource = RTCRtpContributingSource;
