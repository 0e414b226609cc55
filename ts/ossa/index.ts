// `ossa-webrtc/ossa`: what the public OSSA reference exports for WebRTC.
export { WebRTCTransport } from './transport';
export { InMemorySignalingServer } from './signaling-server';
export type {
  DataChannelConfig,
  MessagePriority,
  SignalingMessage,
  SignalingMessageType,
  WebRTCMessage,
  WebRTCMessageMetadata,
  WebRTCMessageType,
  WebRTCTransportConfig,
} from './types';
