// Native sources, tracks and sinks of audio, and how they reach those in JavaScript that they belong to: one wake-up for all of this thread.
import { setInterval, clearInterval } from '../platform';
import type * as Binding from './binding';
import { guard } from './error';
import { binding } from './loader';

export type { AudioFeedState, AudioTapState } from './binding';

/** The native side of a track of audio. */
export type NativeAudioTrack = Binding.AudioTrack;
/** The native side of a track whose media is encoded already. */
export type NativeEncodedTrack = Binding.EncodedTrack;
export type NativeAudioSource = Binding.AudioSource;
export type NativeAudioFeed = Binding.AudioFeed;
export type NativeAudioTap = Binding.AudioTap;

/** The shape of PCM. */
export interface NativePCMFormat {
  sampleRate: number;
  channelCount: number;
  format: 's16le' | 'f32le';
}

/** Whom a native object wakes. */
export type Woken = () => void;

let hub: Binding.AudioHub | undefined;
let lastId = 0;

/** Until they are detached; what is playing or being read stays alive. */
const woken = new Map<number, Woken>();

/** Made with the first audio: who has none has no handle either. */
export function openMediaHub(): Binding.AudioHub {
  hub ??= new binding.AudioHub(() => {
    for (const id of hub!.drain()) woken.get(id)?.();
  });
  return hub;
}

/** A number for who is to be woken; {@link detachAudio} ends it. */
export function registerWoken(wake: Woken): number {
  woken.set(++lastId, wake);
  return lastId;
}

/** A source of blocks that are pushed. */
export function openAudioSource(): NativeAudioSource {
  return new binding.AudioSource();
}

/** Gives a block to all sinks. */
export function pushAudio(source: NativeAudioSource, samples: Int16Array, rate: number, channels: number): void {
  guard(() => source.push(samples, rate, channels));
}

/** A source of PCM that is played in real time, and its number for {@link detachAudio}; `bufferDuration` in milliseconds. */
export function openAudioFeed(
  { sampleRate, channelCount, format }: NativePCMFormat,
  bufferDuration: number,
  wake: Woken,
): [feed: NativeAudioFeed, id: number] {
  const id = ++lastId;
  const feed = guard(() => new binding.AudioFeed(openMediaHub(), id, sampleRate, channelCount, format, bufferDuration));
  woken.set(id, wake);
  return [feed, id];
}

/** Lets the clock play it. */
export function playAudioFeed(feed: NativeAudioFeed): void {
  guard(() => feed.start());
}

/** Reads a track, as it comes or as PCM of a format, and its number for {@link detachAudio}; `bufferDuration` in milliseconds. */
export function openAudioTap(
  track: NativeAudioTrack,
  format: NativePCMFormat | undefined,
  bufferDuration: number,
  wake: Woken,
): [tap: NativeAudioTap, id: number] {
  const id = ++lastId;
  const tap = guard(() => new binding.AudioTap(openMediaHub(), id, track, bufferDuration, format));
  woken.set(id, wake);
  return [tap, id];
}

/** Nobody is woken for it any more. */
export function detachAudio(id: number): void {
  woken.delete(id);
}

let holders = 0;
let alive: ReturnType<typeof setInterval> | undefined;

/** The process lives on until the returned function is called, once. */
export function keepAlive(): () => void {
  holders++;
  alive ??= setInterval(() => {}, 2 ** 30);
  return () => {
    if (--holders > 0) return;
    clearInterval(alive);
    alive = undefined;
  };
}

/** Somebody waits for audio, or for room for it: the process lives on as long. */
export async function whileWaiting<T>(wait: Promise<T>): Promise<T> {
  const release = keepAlive();
  try {
    return await wait;
  } finally {
    release();
  }
}
