import type { NativeEncodedFrame } from '../native';
import { constructible, conversionFailed, exposeInterface, isObject } from '../webidl';

/** What frames of audio and of video say of themselves (webrtc-encoded-transform 4.2). */
export interface RTCEncodedFrameMetadata {
  /** The SSRC of its stream; 0 for a frame that has not been sent. */
  synchronizationSource?: number;
  /** Who contributed to it. */
  contributingSources?: number[];
  /** On the connection that it came by. */
  payloadType?: number;
  /** In ticks of the codec's clock: 90,000 a second for video, 48,000 for Opus, 8,000 for G.711. Wraps at 2^32. */
  rtpTimestamp?: number;
  /** `video/VP8`. */
  mimeType?: string;
}

/** What a frame of video says of itself. */
export type RTCEncodedVideoFrameMetadata = RTCEncodedFrameMetadata;

/** What a frame of audio says of itself. */
export interface RTCEncodedAudioFrameMetadata extends RTCEncodedFrameMetadata {
  /** Of its packet; wraps at 2^16. */
  sequenceNumber?: number;
  /** How loud it is, 0 to 1, if its sender says so. */
  audioLevel?: number;
}

/** `delta`: it depends on frames before it. */
export type RTCEncodedVideoFrameType = 'delta' | 'key';

/** For a copy with other metadata. */
export interface RTCEncodedVideoFrameOptions {
  /** Members that are to be others. */
  metadata?: RTCEncodedVideoFrameMetadata;
}

/** For a copy with other metadata. */
export interface RTCEncodedAudioFrameOptions {
  /** Members that are to be others. */
  metadata?: RTCEncodedAudioFrameMetadata;
}

interface Made<Metadata> {
  data: ArrayBuffer;
  type: RTCEncodedVideoFrameType;
  metadata: Metadata;
}

function converted(value: unknown): ArrayBuffer {
  if (!(value instanceof ArrayBuffer)) conversionFailed('data', 'is not an ArrayBuffer');
  return value;
}

/** One frame of encoded video (webrtc-encoded-transform 4.3). */
export class RTCEncodedVideoFrame {
  readonly #made: Made<RTCEncodedVideoFrameMetadata>;

  /** A copy of a frame, with other metadata where they are given. */
  constructor(originalFrame: RTCEncodedVideoFrame, options?: RTCEncodedVideoFrameOptions);
  constructor(...args: unknown[]) {
    const [given, made] = args;
    if (given === constructible) {
      this.#made = made as Made<RTCEncodedVideoFrameMetadata>;
    } else if (isObject(given) && #made in given) {
      this.#made = copied(given.#made, made as RTCEncodedVideoFrameOptions | undefined);
    } else {
      conversionFailed('originalFrame', 'is not an RTCEncodedVideoFrame');
    }
  }

  /** Whether it can be decoded by itself. */
  get type(): RTCEncodedVideoFrameType {
    return this.#made.type;
  }
  /** What its decoder takes: H.264 in Annex B, AV1 as a temporal unit. */
  get data(): ArrayBuffer {
    return this.#made.data;
  }
  set data(value: ArrayBuffer) {
    this.#made.data = converted(value);
  }
  /** A copy of what it says of itself. */
  getMetadata(): RTCEncodedVideoFrameMetadata {
    return copyOf(this.#made.metadata);
  }

  /** @internal */
  static is(value: unknown): value is RTCEncodedVideoFrame {
    return isObject(value) && #made in value;
  }
}

/** One packet of encoded audio (webrtc-encoded-transform 4.4). */
export class RTCEncodedAudioFrame {
  readonly #made: Made<RTCEncodedAudioFrameMetadata>;

  /** A copy of a frame, with other metadata where they are given. */
  constructor(originalFrame: RTCEncodedAudioFrame, options?: RTCEncodedAudioFrameOptions);
  constructor(...args: unknown[]) {
    const [given, made] = args;
    if (given === constructible) {
      this.#made = made as Made<RTCEncodedAudioFrameMetadata>;
    } else if (isObject(given) && #made in given) {
      this.#made = copied(given.#made, made as RTCEncodedAudioFrameOptions | undefined);
    } else {
      conversionFailed('originalFrame', 'is not an RTCEncodedAudioFrame');
    }
  }

  /** What its decoder takes. */
  get data(): ArrayBuffer {
    return this.#made.data;
  }
  set data(value: ArrayBuffer) {
    this.#made.data = converted(value);
  }
  /** A copy of what it says of itself. */
  getMetadata(): RTCEncodedAudioFrameMetadata {
    return copyOf(this.#made.metadata);
  }

  /** @internal */
  static is(value: unknown): value is RTCEncodedAudioFrame {
    return isObject(value) && #made in value;
  }
}

function copyOf<Metadata extends RTCEncodedFrameMetadata>(metadata: Metadata): Metadata {
  const { contributingSources } = metadata;
  return { ...metadata, ...(contributingSources && { contributingSources: [...contributingSources] }) };
}

function copied<Metadata extends RTCEncodedFrameMetadata>(
  { data, type, metadata }: Made<Metadata>,
  options: { metadata?: Metadata } | undefined,
): Made<Metadata> {
  return { data: data.slice(0), type, metadata: copyOf({ ...metadata, ...options?.metadata }) };
}

/** A frame of what a receiver has got. */
export function createEncodedFrame(
  kind: 'audio' | 'video',
  native: NativeEncodedFrame,
): RTCEncodedAudioFrame | RTCEncodedVideoFrame {
  const { data, keyFrame, payloadType, rtpTimestamp, synchronizationSource, contributingSources, mimeType } = native;
  const { sequenceNumber, audioLevel } = native;
  const metadata = { synchronizationSource, contributingSources, payloadType, rtpTimestamp, mimeType };
  const whole = data.byteOffset === 0 && data.byteLength === data.buffer.byteLength;
  const buffer = (whole ? data.buffer : data.slice().buffer) as ArrayBuffer;
  const made = { data: buffer, type: keyFrame ? 'key' : 'delta', metadata };
  if (kind === 'video')
    return new (RTCEncodedVideoFrame as unknown as Maker<RTCEncodedVideoFrame>)(constructible, made);
  const audio = {
    ...metadata,
    sequenceNumber,
    // −dBov to a level, as for `audioLevel` of statistics.
    ...(audioLevel !== undefined && { audioLevel: audioLevel === 127 ? 0 : 10 ** (-audioLevel / 20) }),
  };
  return new (RTCEncodedAudioFrame as unknown as Maker<RTCEncodedAudioFrame>)(constructible, {
    ...made,
    metadata: audio,
  });
}

type Maker<T> = new (...args: unknown[]) => T;

/** Brand check of both classes. */
export function isEncodedFrame(value: unknown): value is RTCEncodedAudioFrame | RTCEncodedVideoFrame {
  return RTCEncodedVideoFrame.is(value) || RTCEncodedAudioFrame.is(value);
}

exposeInterface(RTCEncodedVideoFrame, 'RTCEncodedVideoFrame');
exposeInterface(RTCEncodedAudioFrame, 'RTCEncodedAudioFrame');
