// The W3C classes and the types of their dictionaries. The rooms, from the top down: connection, channel, transports, configuration,
// descriptions, events; below them all, the names of the enumerations.
export {
  RTCPeerConnection,
  RTCStatsReport,
  type RTCAnswerOptions,
  type RTCOfferOptions,
  type RTCPeerConnectionErrorCallback,
  type RTCPeerConnectionEventMap,
  type RTCSessionDescriptionCallback,
  type RTCStats,
} from './connection';
export {
  RTCDataChannel,
  RTCDataChannelEvent,
  type RTCDataChannelEventInit,
  type RTCDataChannelEventMap,
  type RTCDataChannelInit,
} from './channel';
export {
  RTCDtlsTransport,
  RTCIceCandidatePair,
  RTCIceTransport,
  RTCSctpTransport,
  type RTCDtlsTransportEventMap,
  type RTCIceTransportEventMap,
  type RTCSctpTransportEventMap,
} from './transports';
export {
  certificateFromPEM,
  certificateToPEM,
  RTCCertificate,
  type RTCCertificateAlgorithm,
  type RTCCertificateExpiration,
  type RTCConfiguration,
  type RTCDtlsFingerprint,
  type RTCIceServer,
  type RTCTransportOptions,
} from './configuration';
export {
  RTCIceCandidate,
  RTCPeerConnectionIceErrorEvent,
  RTCPeerConnectionIceEvent,
  RTCSessionDescription,
  type RTCIceCandidateInit,
  type RTCIceParameters,
  type RTCLocalIceCandidateInit,
  type RTCLocalSessionDescriptionInit,
  type RTCPeerConnectionIceErrorEventInit,
  type RTCPeerConnectionIceEventInit,
  type RTCSessionDescriptionInit,
} from './descriptions';
export {
  RTCError,
  RTCErrorEvent,
  type AddEventListener,
  type RemoveEventListener,
  type RTCErrorEventInit,
  type RTCErrorInit,
  type RTCEventInit,
  type RTCEventListener,
  type RTCEventListenerOptions,
} from './events';
export type { EventHandler } from '../webidl';
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
