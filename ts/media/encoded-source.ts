import { WritableStream } from 'node:stream/web';

import { Emitter } from '../base';
import { detachAudio, openEncodedFeed, pushFrame, pushPacket, type NativeEncodedFeed } from '../native';
import { nativeCall } from '../w3c/events';
import { conversionFailed, isObject } from '../webidl';
import { isEncodedFrame, type RTCEncodedAudioFrame, type RTCEncodedVideoFrame } from './encoded-frame';
import { createMediaStreamTrack, type MediaStreamTrack } from './track';
import { TrackSource } from './track-source';

/** Ticks a second of the clock of each codec. */
const CLOCKS: Record<string, number> = {
  'audio/opus': 48_000,
  'audio/PCMU': 8_000,
  'audio/PCMA': 8_000,
  'video/VP8': 90_000,
  'video/VP9': 90_000,
  'video/H264': 90_000,
  'video/AV1': 90_000,
};

/** Options of {@link EncodedSource}. */
export interface EncodedSourceOptions {
  /** The codec of all frames, as in `RTCRtpCodec`: `audio/opus`, `audio/PCMU`, `audio/PCMA`, `video/VP8`, `video/VP9`, `video/H264` or `video/AV1`. */
  mimeType: string;
  /** Its parameters. Default: for H.264 `packetization-mode=1`, which all browsers have; none for others. */
  sdpFmtpLine?: string;
  /** What its track is called. */
  label?: string;
}

/** A frame as an encoder gives it; the members are those of WebCodecs' `EncodedVideoChunkInit`. */
export interface EncodedFrameInit {
  /** One frame of video, H.264 in Annex B; or one packet of audio. Up to 1 MiB. */
  data: ArrayBuffer | ArrayBufferView;
  /** When it is to be shown, in microseconds from any begin. */
  timestamp: number;
}

/** What an {@link EncodedSource} takes. */
export type EncodedFrameLike = EncodedFrameInit | RTCEncodedAudioFrame | RTCEncodedVideoFrame;

/** Events of {@link EncodedSource}. */
export interface EncodedSourceEvents extends Record<string, unknown[]> {
  /** Somebody can't go on without a key frame: a new receiver, or one that has lost something. At most about once in 10 ms. */
  keyframerequest: [];
  /**
   * What an encoder of video should make from now on, in bit/s: what the narrowest of all connections takes that the track is sent over, as they have found out,
   * without headers, audio and what is sent again, or as `setParameters()` has set. At most about once in 10 ms.
   */
  targetbitrate: [bitsPerSecond: number];
}

/**
 * A track that is fed with frames that are encoded already: by FFmpeg, from a file, from another connection. They are sent as they are to connections
 * that have negotiated the codec, and not to others. Frames go out when they are written: whoever reads a file keeps the pace.
 */
export class EncodedSource extends Emitter<EncodedSourceEvents> {
  /** For `addTrack()`. When all tracks of the source are stopped, it closes. */
  readonly track: MediaStreamTrack;
  /** Takes frames, one by one; closing it ends the track. */
  readonly writable: WritableStream<EncodedFrameLike>;
  readonly #feed: NativeEncodedFeed;
  readonly #id: number;
  readonly #clock: number;
  readonly #source: TrackSource;
  #closed = false;

  /** @throws TypeError for a codec that there is not. */
  constructor({ mimeType, sdpFmtpLine, label }: EncodedSourceOptions) {
    super();
    const known = Object.keys(CLOCKS).find((name) => name.toLowerCase() === String(mimeType).toLowerCase());
    if (known === undefined) {
      throw new TypeError(
        `mimeType is ${JSON.stringify(mimeType)}: it has to be one of ${Object.keys(CLOCKS).join(', ')}`,
      );
    }
    this.#clock = CLOCKS[known]!;
    const fmtp = sdpFmtpLine ?? (known === 'video/H264' ? 'packetization-mode=1' : '');
    [this.#feed, this.#id] = nativeCall(() => openEncodedFeed(known, fmtp, () => this.#wake()));
    const kind = known.startsWith('audio') ? 'audio' : 'video';
    this.#source = new TrackSource({ kind, label, onunused: () => this.close() });
    this.track = createMediaStreamTrack(this.#source, this.#feed.track());
    this.writable = new WritableStream<EncodedFrameLike>({
      write: (frame) => this.write(frame),
      close: () => this.close(),
      abort: () => this.close(),
    });
  }

  /**
   * Sends a frame.
   *
   * @throws TypeError for what is no frame of the codec; RangeError for one above 1 MiB; DOMException `InvalidStateError` when closed.
   */
  write(frame: EncodedFrameLike): void {
    const [data, timestamp] = this.#unpacked(frame);
    nativeCall(() => pushFrame(this.#feed, data, timestamp));
  }

  /**
   * Sends an RTP packet (RFC 3550) as it is, but for its SSRC, payload type and header extensions, which are those of each connection. Not
   * together with {@link write}.
   *
   * @throws TypeError if it is none; DOMException `InvalidStateError` when closed.
   */
  writePacket(packet: ArrayBuffer | ArrayBufferView): void {
    const bytes = bytesOf(packet, 'packet');
    nativeCall(() => pushPacket(this.#feed, bytes));
  }

  /** Ends the track. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    detachAudio(this.#id);
    this.#feed.end();
    this.#source.end();
  }

  #unpacked(frame: EncodedFrameLike): [data: Uint8Array, timestamp: number] {
    if (isEncodedFrame(frame)) return [new Uint8Array(frame.data), frame.getMetadata().rtpTimestamp ?? 0];
    if (!isObject(frame)) conversionFailed('frame', 'is not a frame');
    const { data, timestamp } = frame;
    if (typeof timestamp !== 'number' || !Number.isFinite(timestamp)) {
      throw new TypeError(`timestamp is ${String(timestamp)}: it has to be a number of microseconds`);
    }
    const ticks = Math.round((timestamp * this.#clock) / 1e6) % 2 ** 32;
    return [bytesOf(data, 'data'), ticks < 0 ? ticks + 2 ** 32 : ticks];
  }

  #wake(): void {
    if (this.#feed.takeRequest()) this.emit('keyframerequest');
    const target = this.#feed.takeTarget();
    if (target !== null) this.emit('targetbitrate', target);
  }
}

function bytesOf(data: unknown, name: string): Uint8Array {
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  if (data instanceof ArrayBuffer) return new Uint8Array(data);
  return conversionFailed(name, 'has no bytes: it is neither an ArrayBuffer nor a view of one');
}
