// PCM as bytes: what is taken and what is given.
import type { NativePCMFormat } from '../native';
import { isObject } from '../webidl';

/** How a sample is written: 16 bits signed, or 32 bits floating with full scale at 1; the lowest byte first. */
export type PCMEncoding = 's16le' | 'f32le';

/** The shape of PCM. */
export interface PCMFormat {
  /** Samples a second, 8,000 to 96,000. Default: 48,000. */
  sampleRate?: number;
  /** 1, or 2 for left and right, interleaved. Default: 1. */
  channelCount?: number;
  /** How a sample is written. Default: `s16le`. */
  format?: PCMEncoding;
}

/** PCM in a piece of any size. Typed arrays of samples have to be of the format's kind; everything else is bytes. */
export type PCMChunk = ArrayBuffer | ArrayBufferView;

/** The same with defaults; ranges are checked by the core. */
export function formatOf({ sampleRate = 48_000, channelCount = 1, format = 's16le' }: PCMFormat): NativePCMFormat {
  return { sampleRate, channelCount, format };
}

/**
 * The bytes of a chunk.
 *
 * @throws TypeError if it is no chunk, or one of samples of another kind.
 */
export function bytesOf(chunk: unknown, format: PCMEncoding): Uint8Array {
  if (!isObject(chunk))
    throw new TypeError(`a chunk of PCM is a ${typeof chunk}: it has to be an ArrayBuffer or a view of one`);
  // By name: under Jest and in other contexts the classes are others.
  const name = Object.prototype.toString.call(chunk).slice(8, -1);
  if (name === 'ArrayBuffer') return new Uint8Array(chunk as ArrayBuffer);
  if (!ArrayBuffer.isView(chunk)) {
    throw new TypeError(`a chunk of PCM is an object (${name}): it has to be an ArrayBuffer or a view of one`);
  }
  const samples = format === 's16le' ? 'Int16Array' : 'Float32Array';
  if (![samples, 'Uint8Array', 'Uint8ClampedArray', 'DataView'].includes(name)) {
    throw new TypeError(`a chunk of PCM is a ${name}: for ${format} it has to be a ${samples}, or bytes`);
  }
  return new Uint8Array(chunk.buffer as ArrayBuffer, chunk.byteOffset, chunk.byteLength);
}
