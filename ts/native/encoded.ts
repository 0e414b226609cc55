// Native sources and sinks of encoded media.
import { openMediaHub, registerWoken, type Woken } from './audio';
import type * as Binding from './binding';
import { guard } from './error';
import { binding } from './loader';

export type { EncodedTapFrame, EncodedTapState } from './binding';

export type NativeEncodedFeed = Binding.EncodedFeed;
export type NativeEncodedTap = Binding.EncodedTap;

/** A source of frames of a codec, and its number for `detachAudio`; it is woken when a key frame is due. */
export function openEncodedFeed(mimeType: string, fmtp: string, wake: Woken): [feed: NativeEncodedFeed, id: number] {
  const id = registerWoken(wake);
  return [guard(() => new binding.EncodedFeed(openMediaHub(), id, mimeType, fmtp)), id];
}

/** Gives a frame to all who take it; `timestamp` in ticks of the clock. */
export function pushFrame(feed: NativeEncodedFeed, data: Uint8Array, timestamp: number): void {
  guard(() => feed.push(data, timestamp));
}

/** Gives an RTP packet to all who take it. */
export function pushPacket(feed: NativeEncodedFeed, packet: Uint8Array): void {
  guard(() => feed.pushPacket(packet));
}

/** Reads the frames of a track, or its packets, of which at most `capacity` wait; and its number for `detachAudio`. */
export function openEncodedTap(
  track: Binding.EncodedTrack,
  packets: boolean,
  capacity: number,
  wake: Woken,
): [tap: NativeEncodedTap, id: number] {
  const id = registerWoken(wake);
  return [guard(() => new binding.EncodedTap(openMediaHub(), id, track, packets, capacity)), id];
}
