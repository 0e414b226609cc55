// Where a received file goes: to the disk, or into a stream.
import { createHash, type Hash } from 'node:crypto';
import { constants } from 'node:fs';
import { link, lstat, mkdir, open, rename, rm, unlink, type FileHandle } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { Writable } from 'node:stream';

import { clearTimeout, setTimeout } from '../../platform';
import { AgentError, replaceFile } from '../../base';

/** What is there of a file. */
export interface Present {
  offset: number;
  /** Of the bytes before the offset. */
  hash: Hash;
}

/** The journal of the part that may be there, as the core sees it. */
export interface JournalCheck {
  /** What to write beside a part; `null` if this file cannot be resumed. */
  readonly text: string | null;
  /** Whether a journal that was found is about this file. */
  resumes(text: string): boolean;
  readonly size: number | undefined;
}

/** Takes the bytes of one file. */
export interface Sink {
  /** Gets ready; what is there of the file already is kept. */
  open(journal: JournalCheck): Promise<Present>;
  /** Begins anew. */
  restart(): Promise<void>;
  write(chunks: Uint8Array[]): Promise<void>;
  /** The file is complete and right; resolves with its path, if it has one. */
  commit(): Promise<string | undefined>;
  /** The transfer has failed. `keep`: it may be tried again. */
  fail(error: AgentError, keep: boolean): Promise<void>;
  /** Whether `fail` may be called while something is being written: it may be stuck there for ever. */
  readonly interruptible: boolean;
}

/** Where to put a file on the disk. */
export interface FileTarget {
  path: string;
  /** Replace what is there under this name. */
  overwrite: boolean;
  /** Make the folder if it is missing. */
  makeFolder: boolean;
  /** Wait until the disk has it before it counts as received. */
  sync: boolean;
}

/** The journal of a file that cannot be resumed: says that the part is ours. */
const NOT_RESUMABLE = JSON.stringify({ version: 1, resumable: false });

/** Never through a symbolic link that somebody has put there. */
const PART_FLAGS = constants.O_RDWR | constants.O_CREAT | (constants.O_NOFOLLOW ?? 0);

/** Checksums of what is there are made from pieces of this size, in bytes. */
const READ_SIZE = 1024 * 1024;

/** Parts that are being written by this process, and when each of them is let go of. */
const busy = new Map<string, Promise<void>>();

/** How long to wait for that, in milliseconds: an attempt that has just failed is still closing its file. */
const LETTING_GO = 5000;

/** A file on the disk: `<path>.part` and a journal beside it until it is complete. */
export class DiskSink implements Sink {
  readonly interruptible = false;
  readonly #target: FileTarget;
  readonly #part: string;
  readonly #journal: string;
  #file: FileHandle | undefined;
  #position = 0;
  #release: (() => void) | undefined;

  constructor(target: FileTarget) {
    const path = resolve(target.path);
    this.#target = { ...target, path };
    this.#part = `${path}.part`;
    this.#journal = `${path}.part.json`;
  }

  async open(journal: JournalCheck): Promise<Present> {
    const { path, overwrite, makeFolder } = this.#target;
    await this.#lock();
    if (makeFolder) await mkdir(dirname(path), { recursive: true });
    const found = await readJournal(this.#journal).catch(() => '');
    const resumes = journal.text !== null && journal.resumes(found);
    // Without a journal of ours they are somebody else's, whatever they are called.
    const ours = overwrite || isJournal(found);
    if (!overwrite) await refuseExisting(path);
    if (!ours) for (const name of [this.#journal, this.#part]) await refuseExisting(name);
    // First: a part without a journal would be taken for somebody else's after a crash.
    if (!resumes) await replaceFile(this.#journal, journal.text ?? NOT_RESUMABLE);
    try {
      this.#file = await openOrdinary(this.#part, ours ? PART_FLAGS : PART_FLAGS | constants.O_EXCL);
    } catch (error) {
      if (!resumes) await rm(this.#journal, { force: true });
      throw error;
    }
    if (resumes) return await this.#resume(journal.size!);
    await this.#file.truncate(0);
    return { offset: 0, hash: createHash('sha256') };
  }

  async restart(): Promise<void> {
    await this.#file!.truncate(0);
    this.#position = 0;
  }

  async write(chunks: Uint8Array[]): Promise<void> {
    let left = chunks;
    while (left.length > 0) {
      const { bytesWritten } = await this.#file!.writev(left, this.#position);
      this.#position += bytesWritten;
      left = after(left, bytesWritten);
    }
  }

  async commit(): Promise<string> {
    const { path, overwrite, sync } = this.#target;
    if (sync) await this.#file!.sync();
    await this.#close();
    if (overwrite) await rename(this.#part, path);
    else await moveToNew(this.#part, path);
    await rm(this.#journal, { force: true });
    this.#unlock();
    return path;
  }

  async fail(_error: AgentError, keep: boolean): Promise<void> {
    const opened = this.#file !== undefined;
    await this.#close();
    // What was there before us is not ours to remove.
    if (opened && !keep) {
      await rm(this.#part, { force: true });
      await rm(this.#journal, { force: true });
    }
    this.#unlock();
  }

  /** The checksum of what is there; a part that is too long is of something else at its end. */
  async #resume(size: number): Promise<Present> {
    const file = this.#file!;
    const length = Math.min((await file.stat()).size, size);
    await file.truncate(length);
    const hash = createHash('sha256');
    const buffer = Buffer.allocUnsafeSlow(READ_SIZE);
    let offset = 0;
    while (offset < length) {
      const { bytesRead } = await file.read(buffer, 0, Math.min(READ_SIZE, length - offset), offset);
      if (bytesRead === 0) break;
      hash.update(buffer.subarray(0, bytesRead));
      offset += bytesRead;
    }
    this.#position = offset;
    return { offset, hash };
  }

  async #close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
  }

  async #lock(): Promise<void> {
    const { path } = this.#target;
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<boolean>((resolve) => (timer = setTimeout(resolve, LETTING_GO, true)));
    try {
      for (let holder = busy.get(path); holder; holder = busy.get(path)) {
        const late = await Promise.race([holder, patience]);
        if (late) throw Object.assign(new Error(`${path} is being received already`), { code: 'EBUSY' });
      }
    } finally {
      clearTimeout(timer);
    }
    busy.set(path, new Promise((resolve) => (this.#release = resolve)));
  }

  #unlock(): void {
    if (!this.#release) return;
    busy.delete(this.#target.path);
    this.#release();
    this.#release = undefined;
  }
}

/** A stream, Node's or WHATWG's. */
export class StreamSink implements Sink {
  readonly interruptible = true;
  readonly #stream: Writable | WritableStream<Uint8Array>;
  #writer: WritableStreamDefaultWriter<Uint8Array> | undefined;
  #written = false;

  constructor(stream: Writable | WritableStream<Uint8Array>) {
    this.#stream = stream;
  }

  open(): Promise<Present> {
    if (this.#stream instanceof WritableStream) {
      this.#writer = this.#stream.getWriter();
      // It is reported by the next write.
      this.#writer.closed.catch(() => undefined);
    } else {
      this.#stream.on('error', () => undefined);
    }
    return Promise.resolve({ offset: 0, hash: createHash('sha256') });
  }

  restart(): Promise<void> {
    if (!this.#written) return Promise.resolve();
    const text = 'the file has changed since its beginning was written to a stream';
    return Promise.reject(new AgentError('CAPABILITY_FAILED', text));
  }

  async write(chunks: Uint8Array[]): Promise<void> {
    this.#written = true;
    for (const chunk of chunks) {
      if (this.#writer) await this.#writer.write(chunk);
      else await this.#writeNode(chunk);
    }
  }

  async commit(): Promise<undefined> {
    if (this.#writer) await this.#writer.close();
    else await new Promise<void>((done, fail) => ended(this.#stream as Writable, done, fail));
  }

  fail(error: AgentError): Promise<void> {
    // Not awaited: a WHATWG stream is not aborted before its present write has ended.
    if (this.#writer) void this.#writer.abort(error).catch(() => undefined);
    else if (this.#stream instanceof WritableStream) void this.#stream.abort(error).catch(() => undefined);
    else this.#stream.destroy(error);
    return Promise.resolve();
  }

  #writeNode(chunk: Uint8Array): Promise<void> {
    const stream = this.#stream as Writable;
    return new Promise((done, fail) => {
      // A stream that was destroyed never calls back in some versions of Node.
      if (stream.destroyed) fail(stream.errored ?? new Error('the stream was destroyed'));
      else stream.write(chunk, (error) => (error ? fail(error) : done()));
    });
  }
}

function ended(stream: Writable, done: () => void, fail: (error: Error) => void): void {
  if (stream.destroyed) return fail(stream.errored ?? new Error('the stream was destroyed'));
  stream.once('error', fail);
  stream.end(done);
}

/** What is left of the chunks after so many bytes of them. */
function after(chunks: Uint8Array[], bytes: number): Uint8Array[] {
  let skipped = 0;
  for (let i = 0; i < chunks.length; i++) {
    const { length } = chunks[i]!;
    if (skipped + length > bytes) return [chunks[i]!.subarray(bytes - skipped), ...chunks.slice(i + 1)];
    skipped += length;
  }
  return [];
}

/** Whether this is what we write beside a part, of whatever file. */
function isJournal(text: string): boolean {
  try {
    const { version, head, resumable } = JSON.parse(text) as Record<string, unknown>;
    return typeof version === 'number' && (typeof head === 'string' || resumable === false);
  } catch {
    return false;
  }
}

/** Pipes and devices that somebody has put there are not written to, nor waited for. */
async function openOrdinary(path: string, flags: number): Promise<FileHandle> {
  const file = await open(path, flags | (constants.O_NONBLOCK ?? 0), 0o666);
  if ((await file.stat()).isFile()) return file;
  await file.close();
  throw Object.assign(new Error(`${path} is not an ordinary file`), { code: 'EEXIST' });
}

async function readJournal(path: string): Promise<string> {
  const file = await openOrdinary(path, constants.O_RDONLY);
  try {
    return await file.readFile('utf8');
  } finally {
    await file.close();
  }
}

async function refuseExisting(path: string): Promise<void> {
  // Of the name itself, not of what a link leads to.
  const exists = await lstat(path).then(
    () => true,
    () => false,
  );
  if (exists) throw Object.assign(new Error(`${path} exists already; pass overwrite: true`), { code: 'EEXIST' });
}

/** Renames without replacing what has come there meanwhile. */
async function moveToNew(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch (error) {
    if ((error as { code?: string }).code === 'EEXIST') throw error;
    // Not every file system knows a second name of a file.
    await refuseExisting(to);
    await rename(from, to);
    return;
  }
  await unlink(from);
}
