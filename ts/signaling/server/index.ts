// The signaling server: its options, whom it registers, TURN credentials, clusters, and running inside another server. No
// agent is needed for it, and it knows none.
export type {
  BearerDetails,
  BearerSignalingAuth,
  BearerVerdict,
  KeysSignalingAuth,
  OpenSignalingAuth,
  SignalingAuthMode,
  SignalingServerAuth,
  TofuSignalingAuth,
} from './auth';
export type { SignalingClusterOptions, SignalingClusterStats } from './cluster';
export type { SignalingFrontOptions, SignalingServerLimits, SignalingTls } from './options';
export type { SignalingRelayLimits, SignalingRelayOptions, SignalingRelayStats } from './relay';
export {
  createSignalingServer,
  type CloseSignalingServerOptions,
  type SignalingServer,
  type SignalingServerOptions,
  type SignalingServerStats,
} from './server';
export type { SignalingTurnOptions } from './turn';
