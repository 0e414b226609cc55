// The connection as a whole: its class, the order of its operations, its events. What it negotiates, the core decides.
export type { RTCPeerConnectionErrorCallback, RTCSessionDescriptionCallback } from './legacy-callbacks';
export { RTCPeerConnection } from './peer-connection';
export type { RTCAnswerOptions, RTCOfferOptions } from './options';
export type { RTCPeerConnectionEventMap } from './event-map';
export { connectionCauses } from './causes';
