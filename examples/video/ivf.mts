// IVF, the file of a single stream of VP8, VP9 or AV1: a header of 32 bytes, and 12 bytes before each frame. All numbers are little-endian.
import { open } from 'node:fs/promises';

/** What frames of each codec are called in the header. */
const NAMES: Record<string, string> = { 'video/VP8': 'VP80', 'video/VP9': 'VP90', 'video/AV1': 'AV01' };
const [HEADER, FRAME_HEADER] = [32, 12];
/** Ticks a second of the times in a file that is written: those of RTP, so that nothing is rounded. */
const CLOCK = 90_000;
/** A frame that claims to be larger is none. */
const LARGEST = 1 << 20;

/** A frame, and when it is to be shown, in seconds. */
export interface IvfFrame {
  data: Uint8Array;
  timestamp: number;
}

/** Begins a file; the size is that of the first picture. */
export async function writeIvf(path: string, mimeType: string, { width, height }: PictureSize) {
  const name = NAMES[mimeType];
  if (name === undefined) throw new Error(`${path}: IVF has no ${mimeType}`);
  const file = await open(path, 'w');
  const header = Buffer.alloc(HEADER);
  header.write('DKIF');
  header.writeUInt16LE(HEADER, 6);
  header.write(name, 8);
  header.writeUInt16LE(width, 12);
  header.writeUInt16LE(height, 14);
  header.writeUInt32LE(CLOCK, 16);
  header.writeUInt32LE(1, 20);
  await file.write(header);
  let frames = 0;
  return {
    async add({ data, timestamp }: IvfFrame): Promise<void> {
      const before = Buffer.alloc(FRAME_HEADER);
      before.writeUInt32LE(data.byteLength);
      before.writeBigUInt64LE(BigInt(Math.round(timestamp * CLOCK)), 4);
      await file.writev([before, data]);
      frames++;
    },
    /** Writes down how many frames there are, which is not known before. */
    async close(): Promise<void> {
      header.writeUInt32LE(frames, 24);
      await file.write(header, 0, HEADER, 0);
      await file.close();
    },
  };
}

/** What a file has: its codec, and its frames one by one. One that ends in the middle of a frame, because who wrote it was stopped, ends before that. */
export async function readIvf(path: string): Promise<{ mimeType: string; frames: () => AsyncGenerator<IvfFrame> }> {
  const header = Buffer.alloc(HEADER);
  const file = await open(path);
  const { bytesRead } = await file.read(header, 0, HEADER, 0).finally(() => file.close());
  if (bytesRead < HEADER || header.toString('latin1', 0, 4) !== 'DKIF') throw new Error(`${path} is no IVF file`);
  const name = header.toString('latin1', 8, 12);
  const mimeType = Object.keys(NAMES).find((type) => NAMES[type] === name);
  if (mimeType === undefined) {
    throw new Error(`${path} is of ${JSON.stringify(name)}: it has to be one of ${Object.values(NAMES).join(', ')}`);
  }
  const [ticks, unit] = [header.readUInt32LE(16), header.readUInt32LE(20)];
  if (ticks === 0) throw new Error(`${path}: its clock has 0 ticks a second`);
  return { mimeType, frames: () => frames(path, header.readUInt16LE(6), unit / ticks) };
}

async function* frames(path: string, begin: number, tick: number): AsyncGenerator<IvfFrame> {
  const file = await open(path);
  try {
    for (let at = begin; ;) {
      const before = Buffer.alloc(FRAME_HEADER);
      if ((await file.read(before, 0, FRAME_HEADER, at)).bytesRead < FRAME_HEADER) return;
      const size = before.readUInt32LE();
      if (size > LARGEST) throw new Error(`${path}: the frame at byte ${at} would have ${size} bytes`);
      const data = Buffer.alloc(size);
      if ((await file.read(data, 0, size, at + FRAME_HEADER)).bytesRead < size) return;
      yield { data, timestamp: Number(before.readBigUInt64LE(4)) * tick };
      at += FRAME_HEADER + size;
    }
  } finally {
    await file.close();
  }
}

/** Of a picture, in pixels. */
export interface PictureSize {
  width: number;
  height: number;
}

/** What a key frame says of its size: VP8 (RFC 6386, section 9.1), or VP9 of profile 0, which browsers send (its specification, section 6.2). */
export function pictureSize(mimeType: string, frame: Uint8Array): PictureSize {
  if (frame.byteLength < 10) throw new Error(`a key frame of ${frame.byteLength} bytes`);
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  if (mimeType === 'video/VP8') {
    return { width: view.getUint16(6, true) & 0x3fff, height: view.getUint16(8, true) & 0x3fff };
  }
  // Behind a byte of flags, three of a start code, and four bits of colours: 16 bits each, less one.
  const [left, right] = [view.getUint32(4), view.getUint32(6)];
  return { width: ((left >>> 12) & 0xffff) + 1, height: ((right >>> 12) & 0xffff) + 1 };
}
