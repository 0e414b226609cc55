// The receiving side of a transfer.
import { createHash, type Hash } from 'node:crypto';
import { join, resolve } from 'node:path';
import type { Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';

import { AgentError, checkFunction, checkMembers, checkName, checkSignal, messageOf, onAbort } from '../../base';
import { binding } from '../../native';
import { localFailure } from './conversation';
import type { Offer } from './offer';
import { Meter, type FileProgress } from './progress';
import type { Reception } from './reception';
import { DiskSink, StreamSink, type Sink } from './sink';

/** Where an incoming file goes: a path, a folder (under its own name), or a stream. */
export type FileDestination = string | URL | { directory: string | URL } | Writable | WritableStream<Uint8Array>;

/** Options of `accept`. */
export interface AcceptFileOptions {
  /** Replace a file of that name. Default: `false`; then the transfer is refused if there is one. */
  overwrite?: boolean;
  /** Wait until the disk has the file before it counts as received. Default: `false`, the system writes it when it likes. */
  sync?: boolean;
  /** Cancels the transfer. */
  signal?: AbortSignal;
  /** Called whenever a piece has been written. */
  onProgress?: (progress: FileProgress) => void;
}

/** A file that has arrived. */
export interface ReceivedFile {
  /** Where it is; `undefined` if it went into a stream. */
  readonly path: string | undefined;
  readonly bytes: number;
  /** SHA-256 of the whole file in hexadecimal; it is what the sender has sent. */
  readonly sha256: string;
  /** Bytes that were here already, from an earlier attempt. */
  readonly resumedFrom: number;
}

/** A file that another agent offers. Accept or reject it: after a while (`timeout` of the sender, a minute) it is refused. */
export class IncomingFile {
  /** Names the transfer on both sides. */
  readonly id: string;
  /** A name that is safe in any folder: no path, no device, not hidden; never empty. */
  readonly name: string;
  /** The name as the sender wrote it. Do not use it as a path. */
  readonly offeredName: string;
  /** Bytes, if the sender knows. */
  readonly size: number | undefined;
  /** Media type, as the sender says. */
  readonly type: string | undefined;
  /** Last modification, as the sender says. */
  readonly modified: Date | undefined;
  /** Whatever the sender has added. */
  readonly metadata: unknown;
  /** The agent that sends it. */
  readonly from: string;
  /**
   * Resolves when the file is complete, its checksum is right and it is in its place; rejects with an `AgentError`
   * (`TASK_CANCELLED` by either side, `AGENT_UNREACHABLE`, `CAPABILITY_FAILED` if it cannot be written or was damaged,
   * `TASK_TIMEOUT` if it was not accepted in time). A rejection that nobody looks at does no harm.
   */
  readonly done: Promise<ReceivedFile>;
  readonly #offer: string;
  #reception: Reception;
  #meter: Meter;
  #sink: Sink | undefined;
  #hash: Hash | undefined;
  #written = 0;
  #resumedFrom = 0;
  #readable: ReadableStream<Uint8Array> | undefined;
  #settled = false;
  #writing: Promise<void> = Promise.resolve();
  #resolve!: (file: ReceivedFile) => void;
  #reject!: (error: AgentError) => void;

  /** @internal */
  constructor(offer: Offer, from: string, reception: Reception) {
    this.id = offer.id;
    this.offeredName = offer.name;
    this.name = binding.safeFileName(offer.name.normalize());
    this.size = offer.size;
    this.type = offer.mediaType;
    this.modified = offer.modified === undefined ? undefined : new Date(offer.modified);
    this.metadata = parse(offer.metadata);
    this.from = from;
    this.#offer = JSON.stringify(offer);
    this.#reception = reception;
    this.#meter = new Meter(offer.size, undefined);
    this.done = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.done.catch(() => undefined);
  }

  /** How far it is. */
  get progress(): FileProgress {
    return this.#meter.progress;
  }

  /** Nothing will follow. @internal */
  get settled(): boolean {
    return this.#settled;
  }

  /**
   * Takes the file. On the disk it is `<name>.part` until it is complete; if that is there from an earlier attempt at
   * the same file of the same agent, only the rest is sent. Look at `done` for the outcome.
   *
   * @throws TypeError - A wrong argument, or it was answered before.
   */
  accept(destination: FileDestination, options: AcceptFileOptions = {}): this {
    checkMembers(options, 'the options of accept', ['overwrite', 'sync', 'signal', 'onProgress']);
    if (options.onProgress !== undefined) checkFunction(options.onProgress, 'onProgress');
    const signal = checkSignal(options.signal, 'signal');
    const sink = this.#sinkFor(destination, options);
    if (this.#sink) throw new TypeError('the file was accepted before');
    this.#sink = sink;
    this.#meter = new Meter(this.size, options.onProgress);
    if (this.#settled) {
      // It ended before anybody took it; streams have to learn that.
      void this.done.catch((error: AgentError) => sink.fail(error, true)).catch(() => undefined);
      return this;
    }
    const end = onAbort(signal, () => this.cancel(signal?.reason));
    void this.done.catch(() => undefined).finally(end);
    if (signal?.aborted) this.cancel(signal.reason);
    else this.#writing = this.#receive(this.#reception);
    return this;
  }

  /** Accepts the file as a stream, which fails if the file is damaged or cancelled: only its end makes it good. */
  get readable(): ReadableStream<Uint8Array> {
    if (this.#readable) return this.#readable;
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    this.accept(writable);
    this.#readable = readable;
    return readable;
  }

  /** Refuses the file. The sender gets code and message. */
  reject(code = 'UNAUTHORIZED', message = 'the file was refused'): void {
    if (this.#sink) throw new TypeError('the file was accepted before; cancel() ends it');
    this.end(new AgentError(checkName(code, 'code'), checkName(message, 'message')), true);
  }

  /** Gives up; what has arrived is removed. `done` rejects with `TASK_CANCELLED`. */
  cancel(reason?: unknown): void {
    this.end(new AgentError('TASK_CANCELLED', 'receiving the file was cancelled', { cause: reason }), false);
  }

  /** Whether this is the same offer again. @internal */
  is(offer: Offer): boolean {
    return JSON.stringify(offer) === this.#offer;
  }

  /** The sender has come back over another channel. @internal */
  resume(reception: Reception): void {
    this.#reception.drop();
    this.#reception = reception;
    // Before it is accepted there is nothing to go on with: the application has its time again.
    if (this.#sink) this.#writing = this.#writing.then(() => this.#receive(reception));
  }

  /** Ends it by an error. `keep`: what has arrived stays for another attempt. @internal */
  end(error: AgentError, keep: boolean): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#reception.abort(error);
    const writing = this.#writing;
    // The file must be closed before anybody tries again.
    void (async () => {
      if (!this.#sink?.interruptible) await writing.catch(() => undefined);
      await this.#sink?.fail(error, keep).catch(() => undefined);
      this.#reject(error);
    })();
  }

  /** One attempt, from the acceptance to the end of the file or of the channel. */
  async #receive(reception: Reception): Promise<void> {
    try {
      reception.prepare();
      const { offset, hash } = await this.#prepare(reception);
      if (this.#settled || reception.over) return;
      const from = await reception.accept(offset, hash.copy().digest('hex'));
      if (from === undefined) return;
      if (from !== offset) await this.#restart();
      this.#resumedFrom = from;
      this.#meter.start(from);
      for (;;) {
        const chunks = await reception.take();
        if (this.#settled || !chunks) return;
        if (chunks.length === 0) break;
        await this.#write(chunks, reception);
      }
      await this.#complete(reception);
    } catch (error) {
      this.end(localFailure(error, 'the file could not be written'), true);
    }
  }

  async #prepare(reception: Reception): Promise<{ offset: number; hash: Hash }> {
    // After a reconnection this side still knows what it has.
    if (this.#hash) return { offset: reception.resumable ? this.#written : 0, hash: this.#hash };
    const present = await this.#sink!.open(reception.journal(this.from));
    this.#hash = present.hash;
    this.#written = present.offset;
    return present;
  }

  async #restart(): Promise<void> {
    await this.#sink!.restart();
    this.#hash = createHash('sha256');
    this.#written = 0;
  }

  async #write(chunks: Uint8Array[], reception: Reception): Promise<void> {
    // The disk works while the checksum is made.
    const writing = this.#sink!.write(chunks);
    let bytes = 0;
    for (const chunk of chunks) {
      this.#hash!.update(chunk);
      bytes += chunk.length;
    }
    await writing;
    this.#written += bytes;
    reception.written(this.#written);
    this.#meter.update(this.#written);
  }

  async #complete(reception: Reception): Promise<void> {
    const sha256 = this.#hash!.digest('hex');
    const last = reception.complete(sha256);
    if (last instanceof AgentError) {
      // Whatever is wrong with it, another attempt must not begin with it.
      this.end(last, false);
      return;
    }
    const path = await this.#sink!.commit();
    if (this.#settled) return;
    this.#settled = true;
    await reception.leave(last);
    this.#resolve({ path, bytes: this.#written, sha256, resumedFrom: this.#resumedFrom });
  }

  #sinkFor(destination: FileDestination, { overwrite = false, sync = false }: AcceptFileOptions): Sink {
    for (const [name, value] of Object.entries({ overwrite, sync })) {
      if (typeof value !== 'boolean') throw new TypeError(`${name} must be a boolean`);
    }
    if (typeof destination === 'string' || destination instanceof URL) {
      return new DiskSink({ path: pathOf(destination), overwrite, makeFolder: false, sync });
    }
    if (destination instanceof WritableStream || isWritable(destination)) return new StreamSink(destination);
    checkMembers(destination, 'the destination of a file', ['directory']);
    const directory = pathOf(destination.directory);
    return new DiskSink({ path: join(directory, this.name), overwrite, makeFolder: true, sync });
  }
}

function isWritable(value: unknown): value is Writable {
  const { write, end } = (value ?? {}) as Partial<Writable>;
  return typeof write === 'function' && typeof end === 'function';
}

function pathOf(path: string | URL): string {
  if (path instanceof URL) return fileURLToPath(path);
  return resolve(checkName(path, 'the path'));
}

function parse(json: string | undefined): unknown {
  if (json === undefined) return undefined;
  try {
    return JSON.parse(json);
  } catch (error) {
    throw new AgentError('INVALID_MESSAGE', `the metadata of a file is not JSON: ${messageOf(error)}`);
  }
}
