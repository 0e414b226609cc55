// Audio and video as W3C's streams of tracks, without devices; sources that tracks are made from and sinks that read them, as samples.
// Knows no connection: what sends and receives tracks stands above, and reaches behind one with `coreOf` and `createMediaStreamTrack`.
export { createMediaStream, isMediaStream, MediaStream, streamCoreOf, type MediaStreamEventMap } from './stream';
export {
  coreOf,
  createMediaStreamTrack,
  isMediaStreamTrack,
  MediaStreamTrack,
  type MediaStreamTrackEventMap,
  type MediaStreamTrackState,
} from './track';
export { TrackSource, type TrackCore, type TrackSourceInit } from './track-source';
export { MediaStreamTrackEvent, type MediaStreamTrackEventInit } from './track-event';
export { OverconstrainedError } from './overconstrained-error';
export type { ConstrainNumber, MediaTrackCapabilities, MediaTrackConstraints, MediaTrackSettings } from './constraints';
export type { RTCAudioData } from './audio-source';
export type { RTCAudioDataEvent, RTCAudioSinkEventMap } from './audio-sink';
export { nonstandard } from './nonstandard';
export { PCMSource, type PCMSourceEvents, type PCMSourceOptions, type PCMSourceStats } from './pcm-source';
export { PCMSink, type PCMSinkEvents, type PCMSinkOptions, type PCMSinkStats } from './pcm-sink';
export type { PCMChunk, PCMEncoding, PCMFormat } from './pcm';
export {
  RTCEncodedAudioFrame,
  RTCEncodedVideoFrame,
  type RTCEncodedAudioFrameMetadata,
  type RTCEncodedAudioFrameOptions,
  type RTCEncodedFrameMetadata,
  type RTCEncodedVideoFrameMetadata,
  type RTCEncodedVideoFrameOptions,
  type RTCEncodedVideoFrameType,
} from './encoded-frame';
export {
  EncodedSource,
  type EncodedFrameInit,
  type EncodedFrameLike,
  type EncodedSourceEvents,
  type EncodedSourceOptions,
} from './encoded-source';
export {
  EncodedSink,
  RTPSink,
  type EncodedSinkEvents,
  type EncodedSinkOptions,
  type EncodedSinkStats,
} from './encoded-sink';
