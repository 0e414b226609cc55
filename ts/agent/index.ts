// The agent layer: what most programs use.
export { AgentPeer, createPeer } from './peer';
export type { PeerEvents } from './peer-types';
export { Link } from './link';
export type { LinkEvents } from './link-types';
export type { LinkState } from './lifeline';
export type { AcceptPolicy, Caller } from './admission';
export type { ChannelPreset } from './presets';
export type { ReconnectOptions } from './reconnect-options';
export type { Reconnected, ReconnectReason, ReconnectStep } from './reconnection';
export type { Limits } from './limits';
export type { LogFields, Logger } from './logger';
export { AgentKeys, generateAgentKeys, KnownKeys, loadAgentKeys, saveAgentKeys } from './auth';
export type {
  AgentKeyAlgorithm,
  AllowOption,
  AuthHow,
  AuthMode,
  AuthOptions,
  GenerateAgentKeysOptions,
  JwksOptions,
  KnownKeysOptions,
  PublicJwk,
  PublicKeyInput,
  Refused,
  RemoteAgent,
} from './auth';
export { ResultStream } from './call-stream';
export type { AgentStatus } from './status';
export { AgentChannel } from './channel';
export type { ChannelData, ChannelEvents, ChannelInit, ChannelPayload, Priority } from './channel';
export { STREAM_PROTOCOL } from './streams';
export type { ChannelDuplexOptions, ChannelStreams, StreamChunk } from './streams';
export { toDuplex, toWebStreams } from './data-channel-streams';
export { IncomingFile, OutgoingFile } from './files';
export type {
  AcceptFileOptions,
  FileDestination,
  FileProgress,
  FileSource,
  ReceivedFile,
  SendFileOptions,
  SentFile,
} from './files';
export { AgentError } from './errors';
export type { AgentErrorCode, AgentErrorOptions } from './errors';
export { Emitter } from './events';
export type { EventArguments } from './events';
export type {
  AgentMessage,
  CallContext,
  CallOptions,
  CapabilityHandler,
  ConnectOptions,
  FailAs,
  HandleOptions,
  PeerOptions,
  MessageProgress,
  SendOptions,
  TrySendOptions,
} from './types';
export { Mesh } from './mesh';
export { Room } from './room';
export type {
  Answer,
  BroadcastOptions,
  Delivery,
  MemberCallOptions,
  MemberSendOptions,
  MeshEvents,
  MeshOptions,
} from './mesh-types';
export type {
  RoomDetails,
  RoomListener,
  SignalingAdapter,
  SignalingCandidate,
  SignalingMessage,
  SubscriptionContext,
  Unsubscribe,
} from './signaling';
export { MemorySignaling } from './memory-signaling';
export { WebSocketSignaling } from './websocket-signaling';
export type { SignalingState, WebSocketSignalingOptions } from './signaling-client-options';
export type {
  BearerDetails,
  BearerSignalingAuth,
  BearerVerdict,
  KeysSignalingAuth,
  OpenSignalingAuth,
  SignalingAuthMode,
  SignalingServerAuth,
  TofuSignalingAuth,
} from './signaling-auth';
export type { SignalingToken } from './signaling-prover';
export type { SignalingTurnOptions } from './signaling-turn';
export type { SignalingClusterOptions, SignalingClusterStats } from './signaling-cluster';
export { createSignalingServer } from './signaling-server';
export type {
  CloseSignalingServerOptions,
  SignalingServer,
  SignalingServerOptions,
  SignalingServerStats,
} from './signaling-server';
export type { SignalingFrontOptions, SignalingServerLimits, SignalingTls } from './signaling-server-options';
export { normalizeAgentUri } from './options';
