import { ReadableStream } from 'node:stream/web';

import { Emitter } from '../base';
import { detachAudio, openAudioTap, whileWaiting, type NativeAudioTap, type NativeAudioTrack } from '../native';
import { nativeCall } from '../w3c/events';
import { conversionFailed, instanceOf } from '../webidl';
import { formatOf, type PCMFormat } from './pcm';
import { coreOf, isMediaStreamTrack, type MediaStreamTrack } from './track';

/** Options of {@link PCMSink}. */
export interface PCMSinkOptions extends PCMFormat {
  /** How much may wait for a reader, in milliseconds, up to 3,600,000; more is dropped, the oldest first. Default: 1,000. */
  bufferDuration?: number;
}

/** Events of {@link PCMSink}. */
export interface PCMSinkEvents extends Record<string, unknown[]> {
  /** The reader is too slow: audio is being dropped. Told once, until it has read again. */
  overrun: [];
  /** The track is over, or {@link PCMSink.stop} was called. */
  end: [];
}

/** What became of the track's audio. Frames are samples of one channel, at the rate of the sink. */
export interface PCMSinkStats {
  /** Frames that were read. */
  read: number;
  /** Frames that were dropped. */
  dropped: number;
  /** How many times the reader was too slow. */
  overruns: number;
}

const convertTrack = instanceOf('MediaStreamTrack', isMediaStreamTrack);

/** A track read as PCM, at the rate, with the channels and in the format of the reader's choice. */
export class PCMSink extends Emitter<PCMSinkEvents> {
  /** Bytes, as they come, about 10 ms a chunk; closes when the track is over. Cancelling it stops the sink. */
  readonly readable: ReadableStream<Uint8Array>;
  readonly #tap: NativeAudioTap;
  readonly #track: NativeAudioTrack;
  readonly #id: number;
  #stopped = false;
  #overruns = 0;
  #resume: (() => void) | undefined;

  /** @throws TypeError if it is not a track of audio whose samples are at hand; TypeError or RangeError for an option out of its range. */
  constructor(track: MediaStreamTrack, options: PCMSinkOptions = {}) {
    super();
    const { audio } = coreOf(convertTrack(track, 'track'));
    if (!audio) conversionFailed('track', 'is not a track of audio samples');
    const { bufferDuration = 1000 } = options;
    this.#track = audio;
    [this.#tap, this.#id] = nativeCall(() =>
      openAudioTap(audio, formatOf(options), bufferDuration, () => this.#wake()),
    );
    this.readable = new ReadableStream<Uint8Array>(
      { pull: async (controller) => this.#pull(controller), cancel: () => this.stop() },
      // What nobody has asked for stays where it is counted.
      { highWaterMark: 0 },
    );
  }

  /** The chunks of {@link PCMSink.readable}. */
  [Symbol.asyncIterator](): AsyncIterableIterator<Uint8Array> {
    return this.readable[Symbol.asyncIterator]();
  }

  /** The largest sample of the last 10 ms, 0 to 1; 0 if the track is disabled. */
  get level(): number {
    return this.#track.level();
  }

  /** The track is over, or {@link stop} was called. */
  get stopped(): boolean {
    return this.#stopped;
  }

  /** Nothing comes in any more; what is there can be read. The track goes on. */
  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#tap.stop();
    detachAudio(this.#id);
    this.#resume?.();
    this.emit('end');
  }

  /** Counters. */
  stats(): PCMSinkStats {
    const { read, dropped, overruns } = this.#tap.state();
    return { read, dropped, overruns };
  }

  async #pull(controller: { enqueue(chunk: Uint8Array): void; close(): void }): Promise<void> {
    for (;;) {
      const bytes = this.#tap.readBytes();
      if (bytes) return controller.enqueue(bytes);
      if (this.#tap.ended()) this.stop();
      if (this.#stopped) return controller.close();
      await whileWaiting(new Promise<void>((resolve) => (this.#resume = resolve)));
    }
  }

  #wake(): void {
    const { ended, overruns } = this.#tap.state();
    if (overruns > this.#overruns) {
      this.#overruns = overruns;
      this.emit('overrun');
    }
    if (ended) this.stop();
    this.#resume?.();
  }
}
