import { ReadableStream } from 'node:stream/web';

import { Emitter } from '../base';
import { detachAudio, openEncodedTap, whileWaiting, type NativeEncodedTap } from '../native';
import { nativeCall } from '../w3c/events';
import { conversionFailed, instanceOf } from '../webidl';
import { createEncodedFrame, type RTCEncodedAudioFrame, type RTCEncodedVideoFrame } from './encoded-frame';
import { coreOf, isMediaStreamTrack, type MediaStreamTrack } from './track';

/** Options of {@link EncodedSink} and {@link RTPSink}. */
export interface EncodedSinkOptions {
  /** How many frames or packets may wait for a reader, 1 to 65,536. Default: 256 frames, 2,048 packets. */
  highWaterMark?: number;
}

/** Events of {@link EncodedSink} and {@link RTPSink}. */
export interface EncodedSinkEvents extends Record<string, unknown[]> {
  /** The reader is too slow: something is being dropped. Told once, until it has read again. */
  overrun: [];
  /** The track is over, or `stop()` was called. */
  end: [];
}

/** Frames, or packets. */
export interface EncodedSinkStats {
  /** That were read. */
  read: number;
  /** That were dropped. */
  dropped: number;
  /** How many times the reader was too slow. */
  overruns: number;
}

const convertTrack = instanceOf('MediaStreamTrack', isMediaStreamTrack);

/** What sinks of frames and of packets have in common. */
abstract class Sink<T> extends Emitter<EncodedSinkEvents> {
  /** One by one; closes when the track is over. Cancelling it stops the sink. */
  readonly readable: ReadableStream<T>;
  protected readonly kind: 'audio' | 'video';
  readonly #tap: NativeEncodedTap;
  readonly #id: number;
  readonly #unwatch: () => void;
  /** What was read natively, and not by the program. */
  #batch: T[] = [];
  #stopped = false;
  #overruns = 0;
  #resume: (() => void) | undefined;

  constructor(track: MediaStreamTrack, packets: boolean, highWaterMark: number) {
    super();
    const core = coreOf(convertTrack(track, 'track'));
    const encoded = core.encoded ?? core.audio?.encoded();
    if (!encoded)
      conversionFailed(
        'track',
        'is not a track of encoded frames: it has neither come over a connection nor from an EncodedSource',
      );
    this.kind = core.source.kind;
    [this.#tap, this.#id] = nativeCall(() => openEncodedTap(encoded, packets, highWaterMark, () => this.#wake()));
    this.#unwatch = core.watch(() => {
      if (!core.live) this.stop();
    });
    this.readable = new ReadableStream<T>(
      { pull: (controller) => this.#pull(controller), cancel: () => this.stop() },
      // What nobody has asked for stays where it is counted.
      { highWaterMark: 0 },
    );
  }

  protected abstract read(tap: NativeEncodedTap): T[];

  /** What {@link readable} gives. */
  [Symbol.asyncIterator](): AsyncIterableIterator<T> {
    return this.readable[Symbol.asyncIterator]();
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
    this.#unwatch();
    detachAudio(this.#id);
    this.#resume?.();
    this.emit('end');
  }

  /** Counters. */
  stats(): EncodedSinkStats {
    const { read, dropped, overruns } = this.#tap.state();
    return { read, dropped, overruns };
  }

  async #pull(controller: { enqueue(chunk: T): void; close(): void }): Promise<void> {
    for (;;) {
      if (this.#batch.length === 0) this.#batch = this.read(this.#tap).reverse();
      const next = this.#batch.pop();
      if (next !== undefined) return controller.enqueue(next);
      if (this.#tap.state().ended) this.stop();
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

/**
 * The frames of a track that has come over a connection, or of an {@link EncodedSource}, as they came: not decoded. Video begins with a key
 * frame, which is asked for; a reader that is too slow loses frames up to the next one. Of audio the oldest are lost.
 */
export class EncodedSink extends Sink<RTCEncodedAudioFrame | RTCEncodedVideoFrame> {
  /** @throws TypeError for a track without frames; RangeError for a `highWaterMark` that is out of range. */
  constructor(track: MediaStreamTrack, { highWaterMark = 256 }: EncodedSinkOptions = {}) {
    super(track, false, highWaterMark);
  }

  protected override read(tap: NativeEncodedTap): (RTCEncodedAudioFrame | RTCEncodedVideoFrame)[] {
    return tap.readFrames().map((frame) => createEncodedFrame(this.kind, frame));
  }
}

/**
 * The RTP packets of a track that has come over a connection, as they came, lost ones and double ones and all; without header extensions, which
 * are the connection's. A reader that is too slow loses the oldest.
 */
export class RTPSink extends Sink<Uint8Array> {
  /** @throws TypeError for a track without packets; RangeError for a `highWaterMark` that is out of range. */
  constructor(track: MediaStreamTrack, { highWaterMark = 2048 }: EncodedSinkOptions = {}) {
    super(track, true, highWaterMark);
  }

  protected override read(tap: NativeEncodedTap): Uint8Array[] {
    return tap.readPackets();
  }
}
