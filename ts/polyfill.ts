// Installs the W3C classes as globals, for libraries that were written for browsers.
/* eslint-disable @typescript-eslint/no-empty-object-type -- what global declarations are made of */
import type * as api from 'ossa-webrtc';

import { wrtc } from './wrtc';

for (const [name, value] of Object.entries(wrtc)) {
  // WebIDL: an interface object is a writable, configurable, non-enumerable property of the global object.
  Object.defineProperty(globalThis, name, {
    value: value as unknown,
    writable: true,
    enumerable: false,
    configurable: true,
  });
}

// In a program with the DOM library its declarations stay as they are. `document` tells, which nothing else declares.
/** What a global type has beyond the DOM library's members: nothing, or everything of ours. */
type Members<Ours> = typeof globalThis extends { document: unknown } ? {} : Ours;

declare global {
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
  interface RTCDtlsTransport extends Members<api.RTCDtlsTransport> {}
  var RTCDtlsTransport: typeof globalThis extends { document: unknown; RTCDtlsTransport: infer Theirs }
    ? Theirs
    : typeof api.RTCDtlsTransport;
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
  interface RTCAnswerOptions extends Members<api.RTCAnswerOptions> {}
  interface RTCConfiguration extends Members<api.RTCConfiguration> {}
  interface RTCDataChannelInit extends Members<api.RTCDataChannelInit> {}
  interface RTCIceCandidateInit extends Members<api.RTCIceCandidateInit> {}
  interface RTCIceServer extends Members<api.RTCIceServer> {}
  interface RTCOfferOptions extends Members<api.RTCOfferOptions> {}
  interface RTCSessionDescriptionInit extends Members<api.RTCSessionDescriptionInit> {}
}
