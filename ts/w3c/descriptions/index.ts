// What two connections tell each other: session descriptions and candidates, as objects; the core parses them in full.
export {
  RTCPeerConnectionIceErrorEvent,
  RTCPeerConnectionIceEvent,
  type RTCPeerConnectionIceErrorEventInit,
  type RTCPeerConnectionIceEventInit,
} from './candidate-events';
export {
  convertIceCandidateInit,
  RTCIceCandidate,
  type RTCIceCandidateInit,
  type RTCLocalIceCandidateInit,
} from './candidate';
export {
  describedSections,
  hasDataSection,
  hasSection,
  iceCandidates,
  iceParameters,
  maxMessageSize,
  type DescribedSection,
  type RTCIceParameters,
} from './sdp';
export {
  convertLocalSessionDescriptionInit,
  convertSessionDescriptionInit,
  RTCSessionDescription,
  type RTCLocalSessionDescriptionInit,
  type RTCSessionDescriptionInit,
} from './session-description';
export { Descriptions, isDescribed, isLegal, wrongState } from './slots';
