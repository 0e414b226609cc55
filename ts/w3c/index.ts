// The W3C classes and the types of their dictionaries.
export { RTCPeerConnection } from './peer-connection';
export type { RTCAnswerOptions, RTCOfferOptions, RTCPeerConnectionEventMap } from './peer-connection';
export type { RTCPeerConnectionErrorCallback, RTCSessionDescriptionCallback } from './legacy-callbacks';
export { RTCSessionDescription } from './session-description';
export type { RTCLocalSessionDescriptionInit, RTCSessionDescriptionInit } from './session-description';
export { RTCIceCandidate } from './ice-candidate';
export type { RTCIceCandidateInit, RTCLocalIceCandidateInit } from './ice-candidate';
export { RTCPeerConnectionIceErrorEvent, RTCPeerConnectionIceEvent } from './ice-events';
export type { RTCPeerConnectionIceErrorEventInit, RTCPeerConnectionIceEventInit } from './ice-events';
export type { RTCConfiguration, RTCIceServer } from './configuration';
export type { RTCTransportOptions } from './transport-options';
export { certificateFromPEM, certificateToPEM, RTCCertificate } from './certificate';
export type { RTCCertificateAlgorithm, RTCCertificateExpiration, RTCDtlsFingerprint } from './certificate';
export { RTCDataChannel } from './data-channel';
export type { RTCDataChannelEventMap } from './data-channel';
export type { RTCDataChannelInit } from './data-channel-init';
export { RTCDataChannelEvent } from './data-channel-event';
export type { RTCDataChannelEventInit } from './data-channel-event';
export { RTCSctpTransport } from './sctp-transport';
export type { RTCSctpTransportEventMap } from './sctp-transport';
export { RTCDtlsTransport } from './dtls-transport';
export type { RTCDtlsTransportEventMap } from './dtls-transport';
export { RTCIceCandidatePair, RTCIceTransport } from './ice-transport';
export type { RTCIceParameters, RTCIceTransportEventMap } from './ice-transport';
export { RTCStatsReport } from './stats-report';
export type { RTCStats } from './stats-report';
export { RTCError } from './error';
export type { RTCErrorInit } from './error';
export { RTCErrorEvent } from './error-event';
export type { RTCErrorEventInit } from './error-event';
export type { RTCEventInit } from './event-init';
export type {
  AddEventListener,
  RemoveEventListener,
  RTCEventListener,
  RTCEventListenerOptions,
} from './typed-event-target';
export type { EventHandler } from '../webidl/event-handlers';
// By name: a star would carry the arrays of their values into the bundled declarations, which nobody can import.
export type {
  BinaryType,
  RTCBundlePolicy,
  RTCDataChannelState,
  RTCDtlsTransportState,
  RTCErrorDetailType,
  RTCIceCandidateType,
  RTCIceComponent,
  RTCIceConnectionState,
  RTCIceGathererState,
  RTCIceGatheringState,
  RTCIceProtocol,
  RTCIceRole,
  RTCIceServerTransportProtocol,
  RTCIceTcpCandidateType,
  RTCIceTransportPolicy,
  RTCIceTransportState,
  RTCPeerConnectionState,
  RTCPriorityType,
  RTCRtcpMuxPolicy,
  RTCSctpTransportState,
  RTCSdpType,
  RTCSignalingState,
} from './enums';
