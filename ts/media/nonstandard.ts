import { RTCAudioSink } from './audio-sink';
import { RTCAudioSource } from './audio-source';

/** What node-webrtc has beyond the standard, name for name, as far as it is about audio. */
export const nonstandard: Readonly<{
  RTCAudioSource: typeof RTCAudioSource;
  RTCAudioSink: typeof RTCAudioSink;
}> = Object.freeze({ RTCAudioSource, RTCAudioSink });
