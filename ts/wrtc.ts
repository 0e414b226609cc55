import {
  MediaStream,
  MediaStreamTrack,
  MediaStreamTrackEvent,
  nonstandard,
  RTCEncodedAudioFrame,
  RTCEncodedVideoFrame,
} from './media';
import {
  RTCCertificate,
  RTCDataChannel,
  RTCDataChannelEvent,
  RTCDTMFSender,
  RTCDTMFToneChangeEvent,
  RTCDtlsTransport,
  RTCError,
  RTCErrorEvent,
  RTCIceCandidate,
  RTCIceCandidatePair,
  RTCIceTransport,
  RTCPeerConnection,
  RTCPeerConnectionIceErrorEvent,
  RTCPeerConnectionIceEvent,
  RTCRtpReceiver,
  RTCRtpSender,
  RTCRtpTransceiver,
  RTCSctpTransport,
  RTCSessionDescription,
  RTCStatsReport,
  RTCTrackEvent,
} from './w3c';

/** The type of a global where the program knows it, from the DOM library for example; otherwise that of ours. */
type Global<Name extends string, Ours> = Name extends keyof typeof globalThis ? (typeof globalThis)[Name] : Ours;

/**
 * The interfaces that a browser's `window` has, as one object. In a program with the DOM library they have its types, because
 * libraries that take an implementation ask for those.
 */
export interface Wrtc {
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
  readonly RTCPeerConnectionIceErrorEvent: Global<
    'RTCPeerConnectionIceErrorEvent',
    typeof RTCPeerConnectionIceErrorEvent
  >;
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
export const wrtc: Wrtc = Object.freeze({
  MediaStream,
  MediaStreamTrack,
  MediaStreamTrackEvent,
  nonstandard,
  RTCCertificate,
  RTCDataChannel,
  RTCDataChannelEvent,
  RTCDTMFSender,
  RTCDTMFToneChangeEvent,
  RTCDtlsTransport,
  RTCEncodedAudioFrame,
  RTCEncodedVideoFrame,
  RTCError,
  RTCErrorEvent,
  RTCIceCandidate,
  RTCIceCandidatePair,
  RTCIceTransport,
  RTCPeerConnection,
  RTCPeerConnectionIceErrorEvent,
  RTCPeerConnectionIceEvent,
  RTCRtpReceiver,
  RTCRtpSender,
  RTCRtpTransceiver,
  RTCSctpTransport,
  RTCSessionDescription,
  RTCStatsReport,
  RTCTrackEvent,
}) as unknown as Wrtc;
