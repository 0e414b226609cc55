import { WritableStream } from 'node:stream/web';

import { Emitter } from '../base';
import {
  detachAudio,
  openAudioFeed,
  playAudioFeed,
  whileWaiting,
  type NativeAudioFeed,
  type NativeAudioTrack,
  type NativePCMFormat,
} from '../native';
import { DOMException } from '../platform';
import { nativeCall } from '../w3c/events';
import { bytesOf, formatOf, type PCMChunk, type PCMFormat } from './pcm';
import { createMediaStreamTrack, type MediaStreamTrack } from './track';
import { TrackSource } from './track-source';

/** Options of {@link PCMSource}. */
export interface PCMSourceOptions extends PCMFormat {
  /** How much may wait to be played, in milliseconds, 20 to 3,600,000. More of it bridges longer pauses of the writer; a writer that is ahead waits. Default: 200. */
  bufferDuration?: number;
  /** What the track is called. Default: empty. */
  label?: string;
}

/** Events of {@link PCMSource}. */
export interface PCMSourceEvents extends Record<string, unknown[]> {
  /** Audio has run out while more may come; silence is played. At the end of a sentence that is as it should be. */
  underrun: [];
  /** All was played, or nobody listens any more: the track has ended. */
  end: [];
}

/** What became of what was written. Frames are samples of one channel. */
export interface PCMSourceStats {
  /** Frames that were taken. */
  written: number;
  /** Frames that were played. */
  played: number;
  /** Frames that {@link PCMSource.clear} has dropped. */
  cleared: number;
  /** Frames of silence that were played because nothing was there. */
  silence: number;
  /** How many times audio has run out. */
  underruns: number;
  /** Frames that wait. */
  queued: number;
}

/**
 * A track made from PCM: written in pieces of any size and as fast as the writer can, played in real time. While nothing is there to be
 * played the track is silent.
 */
export class PCMSource extends Emitter<PCMSourceEvents> {
  /** The track. Stopping it, and all of its clones, ends the source: writes reject with `InvalidStateError`. */
  readonly track: MediaStreamTrack;
  /** Takes chunks of PCM. A write resolves when all of it is on its way; `close()` when all of it was played, and ends the track; `abort()` ends it now. */
  readonly writable: WritableStream<PCMChunk>;
  readonly #format: NativePCMFormat;
  readonly #feed: NativeAudioFeed;
  readonly #id: number;
  readonly #track: NativeAudioTrack;
  readonly #source: TrackSource;
  #underruns = 0;
  #over = false;
  /** The writer, which waits for room or for the end. */
  #resume: (() => void) | undefined;

  /** @throws TypeError or RangeError for an option that is out of its range. */
  constructor(options: PCMSourceOptions = {}) {
    super();
    const { bufferDuration = 200, label } = options;
    const format = (this.#format = formatOf(options));
    if (!(bufferDuration >= 20))
      throw new RangeError(`bufferDuration is ${bufferDuration}: it has to be at least 20 ms`);
    [this.#feed, this.#id] = nativeCall(() => openAudioFeed(format, bufferDuration, () => this.#wake()));
    const settings = {
      sampleRate: format.sampleRate,
      channelCount: format.channelCount,
      sampleSize: format.format === 's16le' ? 16 : 32,
    };
    const onunused = () => this.close();
    this.#source = new TrackSource({ kind: 'audio', label, settings: () => settings, onunused });
    this.#track = this.#feed.track();
    this.track = createMediaStreamTrack(this.#source, this.#track);
    nativeCall(() => playAudioFeed(this.#feed));
    this.writable = new WritableStream<PCMChunk>({
      // A write that waits for room would be waited for.
      start: (controller) => {
        // The types of Node 20 lack the member.
        const { signal } = controller as unknown as { signal: AbortSignal };
        signal.addEventListener('abort', () => this.close());
      },
      write: (chunk) => this.#write(chunk),
      close: () => this.#finish(),
    });
  }

  /**
   * A source that plays a stream to its end: a WHATWG `ReadableStream`, a Node `Readable`, or anything else that can be iterated. An
   * error of the stream ends the track and is the reason of {@link PCMSource.done}.
   */
  static from(stream: AsyncIterable<PCMChunk> | Iterable<PCMChunk>, options: PCMSourceOptions = {}): PCMSource {
    const source = new PCMSource(options);
    source.done = source.#play(stream);
    // Who wants to know looks at it; who does not is not to end for it.
    source.done.catch(() => undefined);
    return source;
  }

  /** Of a source made with {@link PCMSource.from}: resolves when all was played, rejects with what has gone wrong. Otherwise `undefined`. */
  done: Promise<void> | undefined;

  /** The largest sample of the last 10 ms, 0 to 1; 0 if the track is disabled. */
  get level(): number {
    return this.#track.level();
  }

  /** How much waits to be played, in milliseconds. */
  get bufferedDuration(): number {
    return (this.#feed.state().queued * 1000) / this.#format.sampleRate;
  }

  /** Drops what waits to be played, at once: somebody has interrupted. What is written afterwards is played. Returns milliseconds. */
  clear(): number {
    return (this.#feed.clear() * 1000) / this.#format.sampleRate;
  }

  /** Ends now, whatever waits. */
  close(): void {
    this.#feed.close();
    this.#end();
  }

  /** Counters. */
  stats(): PCMSourceStats {
    const { written, played, cleared, silence, underruns, queued } = this.#feed.state();
    return { written, played, cleared, silence, underruns, queued };
  }

  async #play(stream: AsyncIterable<PCMChunk> | Iterable<PCMChunk>): Promise<void> {
    const writer = this.writable.getWriter();
    try {
      for await (const chunk of stream) await writer.write(chunk);
      await writer.close();
    } catch (error) {
      this.close();
      throw error;
    }
  }

  async #write(chunk: PCMChunk): Promise<void> {
    let bytes = bytesOf(chunk, this.#format.format);
    while (bytes.length > 0) {
      if (this.#over)
        throw new DOMException('the source has ended: nobody can hear what is written', 'InvalidStateError');
      bytes = bytes.subarray(this.#feed.write(bytes));
      if (bytes.length > 0) await this.#wait();
    }
  }

  async #finish(): Promise<void> {
    this.#feed.finish();
    while (!this.#over) await this.#wait();
  }

  #wait(): Promise<void> {
    return whileWaiting(new Promise((resolve) => (this.#resume = resolve)));
  }

  #wake(): void {
    const { over, underruns } = this.#feed.state();
    if (over) this.#end();
    this.#resume?.();
    if (underruns > this.#underruns) {
      this.#underruns = underruns;
      this.emit('underrun');
    }
  }

  #end(): void {
    if (this.#over) return;
    this.#over = true;
    detachAudio(this.#id);
    this.#source.end();
    this.#resume?.();
    this.emit('end');
  }
}
