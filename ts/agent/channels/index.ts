// Channels of raw text and bytes with backpressure, and the streams over them. Messages and files use channels; nothing here
// knows either.
export { Backpressure, sendingFailed } from './backpressure';
export { AgentChannel, channelInit, type ChannelEvents, type ChannelInit } from './channel';
export { toDuplex, toWebStreams } from './data-channel-streams';
export { checkPriority, type Priority } from './priority';
export { STREAM_PROTOCOL } from './streams/flow-pipe';
export type { StreamChunk } from './streams/pipe';
export type { ChannelDuplexOptions, ChannelStreams } from './streams/streams';
export type { ChannelData, ChannelPayload } from './types';
