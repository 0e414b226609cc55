import { openAudioSource, pushAudio } from '../native';
import { nativeCall } from '../w3c/events';
import { conversionFailed, exposeInterface, isObject, requireArguments } from '../webidl';
import type { MediaTrackSettings } from './constraints';
import { createMediaStreamTrack, type MediaStreamTrack } from './track';
import { TrackSource } from './track-source';

/** A block of audio, as node-webrtc has it. */
export interface RTCAudioData {
  /** Interleaved. */
  samples: Int16Array;
  /** Samples a second, 8,000 to 96,000. */
  sampleRate: number;
  /** Default: 16, and nothing else. */
  bitsPerSample?: number;
  /** 1 or 2. Default: 1. */
  channelCount?: number;
  /** Samples in each channel. Default: 10 ms. */
  numberOfFrames?: number;
}

/** Tracks made from blocks of samples, as in node-webrtc: what is handed in is heard at once, so hand in 10 ms every 10 ms. */
export class RTCAudioSource {
  readonly #native = openAudioSource();
  #settings: MediaTrackSettings = {};
  readonly #source = new TrackSource({ kind: 'audio', settings: () => this.#settings });

  /** A new track of this source. */
  createTrack(): MediaStreamTrack {
    return createMediaStreamTrack(this.#source, this.#native.track());
  }

  /**
   * Gives a block to all tracks.
   *
   * @throws TypeError if samples are missing or not as many as the other members say; RangeError for a rate or a number of channels that
   * is not supported.
   */
  onData(data: RTCAudioData): void {
    requireArguments(arguments.length, 1, 'onData');
    if (!isObject(data)) conversionFailed('data', 'is not an object (dictionary RTCAudioData)');
    const { samples, sampleRate, bitsPerSample = 16, channelCount = 1 } = data;
    if (Object.prototype.toString.call(samples) !== '[object Int16Array]') {
      conversionFailed('RTCAudioData.samples', 'is not an Int16Array');
    }
    if (bitsPerSample !== 16) conversionFailed('RTCAudioData.bitsPerSample', `is ${bitsPerSample}: it has to be 16`);
    const { numberOfFrames = sampleRate / 100 } = data;
    if (samples.length !== numberOfFrames * channelCount) {
      const said = `${numberOfFrames} frames of ${channelCount} channels`;
      conversionFailed('RTCAudioData.samples', `has ${samples.length} samples, but ${said} were said`);
    }
    nativeCall(() => pushAudio(this.#native, samples, sampleRate, channelCount));
    this.#settings = { sampleRate, channelCount, sampleSize: 16 };
  }

  /** Ends all tracks. **(ours)** */
  close(): void {
    this.#native.end();
    this.#source.end();
  }
}

exposeInterface(RTCAudioSource, 'RTCAudioSource');
