// The connection as a whole: its class, the order of its operations, its events and statistics. What it negotiates, the core decides.
export type { RTCPeerConnectionErrorCallback, RTCSessionDescriptionCallback } from './legacy-callbacks';
export {
  RTCPeerConnection,
  type RTCAnswerOptions,
  type RTCOfferOptions,
  type RTCPeerConnectionEventMap,
} from './peer-connection';
export { connectionCauses } from './causes';
export { RTCStatsReport, type RTCStats } from './stats-report';
