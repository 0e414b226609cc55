// The transports of a connection, as objects: SCTP over DTLS over ICE, and the states that follow from theirs. No packets.
export { RTCDtlsTransport, type RTCDtlsTransportEventMap } from './dtls';
export { RTCIceCandidatePair, RTCIceTransport, type RTCIceTransportEventMap } from './ice';
export { RTCSctpTransport, type RTCSctpTransportEventMap } from './sctp';
export { connectionState, iceConnectionState, Transports } from './transports';
