// The adapter over WebSocket and HTTP: its options, proxies, proofs and rooms. What travels through it is opaque here.
export type { SignalingState, WebSocketSignalingOptions } from './options';
export type { SignalingToken } from './prover';
export { WebSocketSignaling } from './websocket';
