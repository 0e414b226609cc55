// Installs the W3C classes as globals, for libraries that were written for browsers.
/* eslint-disable @typescript-eslint/no-empty-object-type -- what global declarations are made of */
import type * as api from 'ossa-webrtc';

import { wrtc } from './wrtc';

const { nonstandard: _, ...interfaces } = wrtc;

for (const [name, value] of Object.entries(interfaces)) {
  // WebIDL: an interface object is a writable, configurable, non-enumerable property of the global object.
  Object.defineProperty(globalThis, name, {
    value,
    writable: true,
    enumerable: false,
    configurable: true,
  });
}

// In a program with the DOM library its declarations stay as they are. `document` tells, which nothing else declares.
/** What a global type has beyond the DOM library's members: nothing, or everything of ours. */
type Members<Ours> = typeof globalThis extends { document: unknown } ? {} : Ours;

declare global {
  interface MediaStream extends Members<api.MediaStream> {}
  var MediaStream: typeof globalThis extends { document: unknown; MediaStream: infer Theirs }
    ? Theirs
    : typeof api.MediaStream;
  interface MediaStreamTrack extends Members<api.MediaStreamTrack> {}
  var MediaStreamTrack: typeof globalThis extends { document: unknown; MediaStreamTrack: infer Theirs }
    ? Theirs
    : typeof api.MediaStreamTrack;
  interface MediaStreamTrackEvent extends Members<api.MediaStreamTrackEvent> {}
  var MediaStreamTrackEvent: typeof globalThis extends { document: unknown; MediaStreamTrackEvent: infer Theirs }
    ? Theirs
    : typeof api.MediaStreamTrackEvent;
  interface RTCCertificate extends Members<api.RTCCertificate> {}
  var RTCCertificate: typeof globalThis extends { document: unknown; RTCCertificate: infer Theirs }
    ? Theirs
    : typeof api.RTCCertificate;
  interface RTCDataChannel extends Members<api.RTCDataChannel> {}
  var RTCDataChannel: typeof globalThis extends { document: unknown; RTCDataChannel: infer Theirs }
    ? Theirs
    : typeof api.RTCDataChannel;
  interface RTCDataChannelEvent extends Members<api.RTCDataChannelEvent> {}
  var RTCDataChannelEvent: typeof globalThis extends { document: unknown; RTCDataChannelEvent: infer Theirs }
    ? Theirs
    : typeof api.RTCDataChannelEvent;
  interface RTCDTMFSender extends Members<api.RTCDTMFSender> {}
  var RTCDTMFSender: typeof globalThis extends { document: unknown; RTCDTMFSender: infer Theirs }
    ? Theirs
    : typeof api.RTCDTMFSender;
  interface RTCDTMFToneChangeEvent extends Members<api.RTCDTMFToneChangeEvent> {}
  var RTCDTMFToneChangeEvent: typeof globalThis extends { document: unknown; RTCDTMFToneChangeEvent: infer Theirs }
    ? Theirs
    : typeof api.RTCDTMFToneChangeEvent;
  interface RTCDtlsTransport extends Members<api.RTCDtlsTransport> {}
  var RTCDtlsTransport: typeof globalThis extends { document: unknown; RTCDtlsTransport: infer Theirs }
    ? Theirs
    : typeof api.RTCDtlsTransport;
  interface RTCEncodedAudioFrame extends Members<api.RTCEncodedAudioFrame> {}
  var RTCEncodedAudioFrame: typeof globalThis extends { document: unknown; RTCEncodedAudioFrame: infer Theirs }
    ? Theirs
    : typeof api.RTCEncodedAudioFrame;
  interface RTCEncodedVideoFrame extends Members<api.RTCEncodedVideoFrame> {}
  var RTCEncodedVideoFrame: typeof globalThis extends { document: unknown; RTCEncodedVideoFrame: infer Theirs }
    ? Theirs
    : typeof api.RTCEncodedVideoFrame;
  interface RTCError extends Members<api.RTCError> {}
  var RTCError: typeof globalThis extends { document: unknown; RTCError: infer Theirs } ? Theirs : typeof api.RTCError;
  interface RTCErrorEvent extends Members<api.RTCErrorEvent> {}
  var RTCErrorEvent: typeof globalThis extends { document: unknown; RTCErrorEvent: infer Theirs }
    ? Theirs
    : typeof api.RTCErrorEvent;
  interface RTCIceCandidate extends Members<api.RTCIceCandidate> {}
  var RTCIceCandidate: typeof globalThis extends { document: unknown; RTCIceCandidate: infer Theirs }
    ? Theirs
    : typeof api.RTCIceCandidate;
  interface RTCIceCandidatePair extends Members<api.RTCIceCandidatePair> {}
  interface RTCIceTransport extends Members<api.RTCIceTransport> {}
  var RTCIceTransport: typeof globalThis extends { document: unknown; RTCIceTransport: infer Theirs }
    ? Theirs
    : typeof api.RTCIceTransport;
  interface RTCPeerConnection extends Members<api.RTCPeerConnection> {}
  var RTCPeerConnection: typeof globalThis extends { document: unknown; RTCPeerConnection: infer Theirs }
    ? Theirs
    : typeof api.RTCPeerConnection;
  interface RTCPeerConnectionIceErrorEvent extends Members<api.RTCPeerConnectionIceErrorEvent> {}
  var RTCPeerConnectionIceErrorEvent: typeof globalThis extends {
    document: unknown;
    RTCPeerConnectionIceErrorEvent: infer Theirs;
  }
    ? Theirs
    : typeof api.RTCPeerConnectionIceErrorEvent;
  interface RTCPeerConnectionIceEvent extends Members<api.RTCPeerConnectionIceEvent> {}
  var RTCPeerConnectionIceEvent: typeof globalThis extends {
    document: unknown;
    RTCPeerConnectionIceEvent: infer Theirs;
  }
    ? Theirs
    : typeof api.RTCPeerConnectionIceEvent;
  interface RTCRtpReceiver extends Members<api.RTCRtpReceiver> {}
  var RTCRtpReceiver: typeof globalThis extends { document: unknown; RTCRtpReceiver: infer Theirs }
    ? Theirs
    : typeof api.RTCRtpReceiver;
  interface RTCRtpSender extends Members<api.RTCRtpSender> {}
  var RTCRtpSender: typeof globalThis extends { document: unknown; RTCRtpSender: infer Theirs }
    ? Theirs
    : typeof api.RTCRtpSender;
  interface RTCRtpTransceiver extends Members<api.RTCRtpTransceiver> {}
  var RTCRtpTransceiver: typeof globalThis extends { document: unknown; RTCRtpTransceiver: infer Theirs }
    ? Theirs
    : typeof api.RTCRtpTransceiver;
  interface RTCSctpTransport extends Members<api.RTCSctpTransport> {}
  var RTCSctpTransport: typeof globalThis extends { document: unknown; RTCSctpTransport: infer Theirs }
    ? Theirs
    : typeof api.RTCSctpTransport;
  interface RTCSessionDescription extends Members<api.RTCSessionDescription> {}
  var RTCSessionDescription: typeof globalThis extends { document: unknown; RTCSessionDescription: infer Theirs }
    ? Theirs
    : typeof api.RTCSessionDescription;
  interface RTCStatsReport extends Members<api.RTCStatsReport> {}
  var RTCStatsReport: typeof globalThis extends { document: unknown; RTCStatsReport: infer Theirs }
    ? Theirs
    : typeof api.RTCStatsReport;
  interface RTCTrackEvent extends Members<api.RTCTrackEvent> {}
  var RTCTrackEvent: typeof globalThis extends { document: unknown; RTCTrackEvent: infer Theirs }
    ? Theirs
    : typeof api.RTCTrackEvent;
  interface RTCAnswerOptions extends Members<api.RTCAnswerOptions> {}
  interface MediaTrackCapabilities extends Members<api.MediaTrackCapabilities> {}
  interface MediaTrackConstraints extends Members<api.MediaTrackConstraints> {}
  interface MediaTrackSettings extends Members<api.MediaTrackSettings> {}
  interface RTCConfiguration extends Members<api.RTCConfiguration> {}
  interface RTCDataChannelInit extends Members<api.RTCDataChannelInit> {}
  interface RTCIceCandidateInit extends Members<api.RTCIceCandidateInit> {}
  interface RTCIceServer extends Members<api.RTCIceServer> {}
  interface RTCOfferOptions extends Members<api.RTCOfferOptions> {}
  interface RTCRtcpParameters extends Members<api.RTCRtcpParameters> {}
  interface RTCRtpCapabilities extends Members<api.RTCRtpCapabilities> {}
  interface RTCRtpCodec extends Members<api.RTCRtpCodec> {}
  interface RTCRtpCodecParameters extends Members<api.RTCRtpCodecParameters> {}
  interface RTCRtpEncodingParameters extends Members<api.RTCRtpEncodingParameters> {}
  interface RTCRtpHeaderExtensionCapability extends Members<api.RTCRtpHeaderExtensionCapability> {}
  interface RTCRtpHeaderExtensionParameters extends Members<api.RTCRtpHeaderExtensionParameters> {}
  interface RTCRtpParameters extends Members<api.RTCRtpParameters> {}
  interface RTCRtpSendParameters extends Members<api.RTCRtpSendParameters> {}
  interface RTCRtpTransceiverInit extends Members<api.RTCRtpTransceiverInit> {}
  interface RTCSessionDescriptionInit extends Members<api.RTCSessionDescriptionInit> {}
}
