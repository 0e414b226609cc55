// Installs the W3C classes as globals, for libraries that were written for browsers.
import * as api from './w3c';

/** The interfaces that a browser's `window` has; the rest of the module is ours. */
const INTERFACES = [
  'RTCPeerConnection',
  'RTCSessionDescription',
  'RTCIceCandidate',
  'RTCPeerConnectionIceEvent',
  'RTCPeerConnectionIceErrorEvent',
  'RTCCertificate',
  'RTCDataChannel',
  'RTCDataChannelEvent',
  'RTCSctpTransport',
  'RTCDtlsTransport',
  'RTCIceTransport',
  'RTCIceCandidatePair',
  'RTCStatsReport',
  'RTCError',
  'RTCErrorEvent',
] as const;

for (const name of INTERFACES) {
  // WebIDL: an interface object is a writable, configurable, non-enumerable property of the global object.
  Object.defineProperty(globalThis, name, { value: api[name], writable: true, enumerable: false, configurable: true });
}
