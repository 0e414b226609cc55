// What can be sent as a file, and how it is read.
import { createHash } from 'node:crypto';
import { open, stat, type FileHandle } from 'node:fs/promises';
import { basename } from 'node:path';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { isAnyArrayBuffer } from 'node:util/types';

import { Blob } from '../../platform';
import { AgentError } from '../../base';
import { CAN_GO_WITHOUT, openPipe, readDevice, WITHOUT_WAITING } from './special-files';

/** Anything with bytes: a path, an open file, bytes in memory, or a stream of them. */
export type FileSource =
  | string
  | URL
  | FileHandle
  | Blob
  | ArrayBuffer
  | ArrayBufferView
  | ReadableStream<Uint8Array>
  | AsyncIterable<Uint8Array | string>;

/** Bytes that are read at once. Two such buffers alternate: one is read while the other is sent. */
const READ_SIZE = 512 * 1024;

/** The beginning of a file whose checksum tells files apart. */
const HEAD = 1024 * 1024;

/** A source that has been opened. */
export interface OpenSource {
  readonly name: string | undefined;
  readonly type: string | undefined;
  /** Bytes; `undefined` if that shows only at the end. */
  readonly size: number | undefined;
  /** Last modification, in milliseconds since 1970. */
  readonly modified: number | undefined;
  /** Whether it can be read again, and from anywhere. */
  readonly resumable: boolean;
  /** The bytes from `offset`. A chunk is good until the next one is asked for. */
  read(offset: number): AsyncIterable<Uint8Array>;
  close(): Promise<void>;
}

/** @throws TypeError - It is not a source at all. */
export function checkSource(source: unknown): FileSource {
  const known =
    typeof source === 'string' ||
    source instanceof URL ||
    source instanceof Blob ||
    isAnyArrayBuffer(source) ||
    ArrayBuffer.isView(source) ||
    isFileHandle(source) ||
    isIterable(source);
  if (known) return source as FileSource;
  throw new TypeError('a file to be sent is a path, a FileHandle, a Blob, bytes, or a stream');
}

/** Opens it. Rejects with the error of the file system. */
export async function openSource(source: FileSource): Promise<OpenSource> {
  if (typeof source === 'string' || source instanceof URL) return await openPath(source);
  if (source instanceof Blob) return openBlob(source);
  if (isAnyArrayBuffer(source)) return openBlob(new Blob([source]));
  if (ArrayBuffer.isView(source)) return openBlob(new Blob([source as Uint8Array<ArrayBuffer>]));
  if (isFileHandle(source)) return await openHandle(source, undefined, false);
  return openStream(source);
}

/** SHA-256 of the first bytes. */
export async function headOf(source: OpenSource): Promise<string> {
  const hash = createHash('sha256');
  let left = HEAD;
  for await (const chunk of source.read(0)) {
    hash.update(chunk.subarray(0, left));
    left -= Math.min(left, chunk.length);
    if (left === 0) break;
  }
  return hash.digest('hex');
}

async function openPath(path: string | URL): Promise<OpenSource> {
  const name = basename(path instanceof URL ? fileURLToPath(path) : path);
  try {
    if (CAN_GO_WITHOUT && (await stat(path)).isFIFO()) return { ...(await pipeSource(path)), name };
    return await openHandle(await open(path, WITHOUT_WAITING), name, true);
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'ENXIO') throw error;
    throw new AgentError(
      'CAPABILITY_FAILED',
      'the file could not be read: it is a socket, or a device that is not there',
    );
  }
}

async function openHandle(handle: FileHandle, name: string | undefined, own: boolean): Promise<OpenSource> {
  const stop = new AbortController();
  const close = async () => {
    stop.abort();
    if (own) await handle.close();
  };
  try {
    const facts = await handle.stat();
    if (facts.isDirectory()) throw Object.assign(new Error('a folder is not a file'), { code: 'EISDIR' });
    // Pipes and devices have no size, and no beginning to return to. This one is the application's: read beside it, it stays open.
    if (facts.isFIFO() && CAN_GO_WITHOUT) return { ...(await pipeSource(`/dev/fd/${handle.fd}`)), name };
    // A device that the application has opened waits if that was wanted.
    if (facts.isCharacterDevice() && own) return { ...unknown(readDevice(handle, stop.signal), close), name };
    if (!facts.isFile()) return { ...unknown(handle.createReadStream({ autoClose: own })), name };
    // What the kernel makes while it is read (`/proc`) has no size either.
    if (facts.size === 0 && !(await isEmpty(handle))) return { ...unknown(readHandle(handle, 0), close), name };
    return {
      name,
      type: undefined,
      size: facts.size,
      modified: Math.floor(facts.mtimeMs),
      resumable: true,
      read: (offset) => readHandle(handle, offset),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function pipeSource(path: string | URL): Promise<OpenSource> {
  const stop = new AbortController();
  return unknown(await openPipe(path, stop.signal), () => {
    stop.abort();
    return Promise.resolve();
  });
}

async function isEmpty(handle: FileHandle): Promise<boolean> {
  return (await handle.read(Buffer.alloc(1), 0, 1, 0)).bytesRead === 0;
}

async function* readHandle(handle: FileHandle, offset: number): AsyncGenerator<Uint8Array> {
  const buffers = [Buffer.allocUnsafeSlow(READ_SIZE), Buffer.allocUnsafeSlow(READ_SIZE)];
  let turn = 0;
  let position = offset;
  const read = () => {
    const reading = handle.read(buffers[turn]!, 0, READ_SIZE, position);
    // Reported in its turn.
    reading.catch(() => undefined);
    return reading;
  };
  let next = read();
  try {
    for (;;) {
      const { bytesRead } = await next;
      if (bytesRead === 0) return;
      const chunk = buffers[turn]!.subarray(0, bytesRead);
      position += bytesRead;
      turn = 1 - turn;
      next = read();
      yield chunk;
    }
  } finally {
    // The file may be closed afterwards.
    await next.catch(() => undefined);
  }
}

function openBlob(blob: Blob): OpenSource {
  const { name, lastModified } = blob as { name?: string; lastModified?: number };
  return {
    name,
    type: blob.type || undefined,
    size: blob.size,
    modified: lastModified,
    resumable: true,
    read: (offset) => blob.slice(offset).stream(),
    close: () => Promise.resolve(),
  };
}

function openStream(source: ReadableStream<Uint8Array> | AsyncIterable<Uint8Array | string>): OpenSource {
  // Node's streams of strings are streams of their bytes.
  return unknown(source as AsyncIterable<Uint8Array | string>);
}

function unknown(
  source: AsyncIterable<Uint8Array | string>,
  closed: () => Promise<void> = () => Promise.resolve(),
): OpenSource {
  let iterator: AsyncIterator<Uint8Array | string> | undefined;
  let waiting = false;
  return {
    name: undefined,
    type: undefined,
    size: undefined,
    modified: undefined,
    resumable: false,
    read: () => {
      iterator = source[Symbol.asyncIterator]();
      return bytesOf(iterator, (now) => (waiting = now));
    },
    // Whoever produces the bytes learns that nobody wants them any more.
    close: async () => {
      if (source instanceof Readable) source.destroy();
      // A generator that is waiting for something itself ends when it gets that: perhaps never.
      else if (waiting) void iterator?.return?.().catch(() => undefined);
      else if (iterator) await iterator.return?.();
      else if (source instanceof ReadableStream) await source.cancel();
      await closed();
    },
  };
}

async function* bytesOf(
  iterator: AsyncIterator<Uint8Array | string>,
  waits: (waiting: boolean) => void,
): AsyncGenerator<Uint8Array> {
  for (;;) {
    waits(true);
    const next = await iterator.next();
    waits(false);
    if (next.done) return;
    if (typeof next.value !== 'string' && !(ArrayBuffer.isView(next.value) && next.value.BYTES_PER_ELEMENT === 1)) {
      throw new TypeError('a stream that is sent as a file must consist of Uint8Arrays');
    }
    yield typeof next.value === 'string' ? Buffer.from(next.value) : next.value;
  }
}

function isFileHandle(value: unknown): value is FileHandle {
  const { fd, read, stat } = (value ?? {}) as Partial<FileHandle>;
  return typeof fd === 'number' && typeof read === 'function' && typeof stat === 'function';
}

function isIterable(value: unknown): boolean {
  return typeof (value as Partial<AsyncIterable<unknown>> | null)?.[Symbol.asyncIterator] === 'function';
}
