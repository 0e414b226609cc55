// What the package exports, room by room.
import { wrtc } from './wrtc';

export { internalErrors, version } from './native';
export * from './w3c';
export {
  EncodedSink,
  EncodedSource,
  MediaStream,
  MediaStreamTrack,
  MediaStreamTrackEvent,
  nonstandard,
  OverconstrainedError,
  PCMSink,
  PCMSource,
  RTCEncodedAudioFrame,
  RTCEncodedVideoFrame,
  RTPSink,
} from './media';
export type {
  ConstrainNumber,
  EncodedFrameInit,
  EncodedFrameLike,
  EncodedSinkEvents,
  EncodedSinkOptions,
  EncodedSinkStats,
  EncodedSourceEvents,
  EncodedSourceOptions,
  MediaStreamEventMap,
  MediaStreamTrackEventInit,
  MediaStreamTrackEventMap,
  MediaStreamTrackState,
  MediaTrackCapabilities,
  MediaTrackConstraints,
  MediaTrackSettings,
  PCMChunk,
  PCMEncoding,
  PCMFormat,
  PCMSinkEvents,
  PCMSinkOptions,
  PCMSinkStats,
  PCMSourceEvents,
  PCMSourceOptions,
  PCMSourceStats,
  RTCAudioData,
  RTCAudioDataEvent,
  RTCAudioSinkEventMap,
  RTCEncodedAudioFrameMetadata,
  RTCEncodedAudioFrameOptions,
  RTCEncodedFrameMetadata,
  RTCEncodedVideoFrameMetadata,
  RTCEncodedVideoFrameOptions,
  RTCEncodedVideoFrameType,
} from './media';
export { WHEPClient, WHIPClient, WHIPError } from './whip';
export type {
  WHEPPlayOptions,
  WHIPErrorCode,
  WHIPPublishOptions,
  WHIPSessionEvents,
  WHIPSessionOptions,
  WHIPToken,
} from './whip';
export { AgentPeer, createPeer } from './agent/peer';
export type { AcceptPolicy, Caller, ConnectOptions, PeerEvents, PeerOptions } from './agent/peer';
export { Link } from './agent/link';
export type { CallContext, CapabilityHandler, LinkEvents } from './agent/link';
export { ResultStream } from './agent/calls';
export type { CallOptions, FailAs, HandleOptions } from './agent/calls';
export type {
  AgentMessage,
  AgentStatus,
  ChannelPreset,
  MessageProgress,
  SendOptions,
  TrySendOptions,
} from './agent/messages';
export { AgentChannel, STREAM_PROTOCOL, toDuplex, toWebStreams } from './agent/channels';
export type {
  ChannelData,
  ChannelDuplexOptions,
  ChannelEvents,
  ChannelInit,
  ChannelPayload,
  ChannelStreams,
  Priority,
  StreamChunk,
} from './agent/channels';
export { SentTrack, type ReceivedTrack } from './agent/media';
export { IncomingFile, OutgoingFile } from './agent/files';
export type {
  AcceptFileOptions,
  FileDestination,
  FileProgress,
  FileSource,
  ReceivedFile,
  SendFileOptions,
  SentFile,
} from './agent/files';
export { Mesh, Room } from './agent/mesh';
export type {
  Answer,
  BroadcastOptions,
  Delivery,
  MemberCallOptions,
  MemberSendOptions,
  MeshEvents,
  MeshOptions,
} from './agent/mesh';
export type { LinkState, Reconnected, ReconnectOptions, ReconnectReason, ReconnectStep } from './agent/connection';
export type { AllowOption, Refused, RemoteAgent } from './agent/auth';
export type { Limits } from './agent/limits';
export type {
  AgentTracing,
  ReceivedTraceContext,
  TraceContext,
  TracedAnswer,
  TracedCall,
  TracedConnecting,
  TracedFile,
  TracedWork,
  Tracing,
  WatchedLink,
} from './agent/tracing';
export { AgentKeys, generateAgentKeys, KnownKeys, loadAgentKeys, normalizeAgentUri, saveAgentKeys } from './identity';
export type {
  AgentKeyAlgorithm,
  AuthHow,
  AuthMode,
  AuthOptions,
  GenerateAgentKeysOptions,
  JwksOptions,
  KnownKeysOptions,
  PublicJwk,
  PublicKeyInput,
} from './identity';
export { MemorySignaling } from './signaling';
export type {
  RoomDetails,
  RoomListener,
  SignalingAdapter,
  SignalingCandidate,
  SignalingMessage,
  SubscriptionContext,
  Unsubscribe,
} from './signaling';
export { WebSocketSignaling } from './signaling/client';
export type { SignalingState, SignalingToken, WebSocketSignalingOptions } from './signaling/client';
export { createSignalingServer } from './signaling/server';
export type {
  BearerDetails,
  BearerSignalingAuth,
  BearerVerdict,
  CloseSignalingServerOptions,
  KeysSignalingAuth,
  OpenSignalingAuth,
  SignalingAuthMode,
  SignalingClusterOptions,
  SignalingClusterStats,
  SignalingFrontOptions,
  SignalingServer,
  SignalingServerAuth,
  SignalingServerLimits,
  SignalingServerOptions,
  SignalingServerStats,
  SignalingTls,
  SignalingRelayLimits,
  SignalingRelayOptions,
  SignalingRelayStats,
  SignalingTurnOptions,
  TofuSignalingAuth,
} from './signaling/server';
export { AgentError, Emitter } from './base';
export type {
  AgentErrorCode,
  AgentErrorOptions,
  CandidateCounts,
  ConnectCause,
  ConnectCauseKind,
  EventArguments,
  LogFields,
  Logger,
} from './base';
export { wrtc, type Wrtc } from './wrtc';
export default wrtc;
