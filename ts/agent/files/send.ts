// The sending side of a transfer.
import { createHash, randomUUID, type Hash } from 'node:crypto';

import {
  AgentError,
  checkFunction,
  checkMembers,
  checkMilliseconds,
  checkName,
  checkSignal,
  nativeAgentCall,
  onAbort,
  toJson,
} from '../../base';
import { binding } from '../../native';
import type { AgentChannel, Priority } from '../channels';
import { traced, type AgentTracing, type TraceContext, type TracedFile } from '../tracing';
import { Conversation, localFailure, type MachineEvent } from './conversation';
import { Meter, type FileProgress } from './progress';
import { checkSource, headOf, openSource, type FileSource, type OpenSource } from './source';

/** Options of `sendFile`. */
export interface SendFileOptions {
  /** What the other side sees as its name. Default: that of the path or `File`, else `'file'`. */
  name?: string;
  /** Media type. Default: that of the `Blob`, if any. */
  type?: string;
  /** Anything more for the other side to know, as JSON; at most about 60 KiB. */
  metadata?: unknown;
  /** Cancels the transfer. */
  signal?: AbortSignal;
  /** Called whenever the other side has reported what it has written, about once per MiB. */
  onProgress?: (progress: FileProgress) => void;
  /** Its weight among the channels of the link. Default: `'low'`, so that messages go first. */
  priority?: Priority;
  /** Milliseconds that the other side has to accept or refuse. Default: 60,000. */
  timeout?: number;
}

/** What has arrived at the other side. */
export interface SentFile {
  readonly bytes: number;
  /** SHA-256 of the whole file in hexadecimal, verified by the other side. */
  readonly sha256: string;
  /** Bytes that the other side had already, from an earlier attempt. */
  readonly resumedFrom: number;
}

/** What a transfer needs of its link. */
export interface SendHost {
  readonly remote: string;
  readonly tracing: AgentTracing | undefined;
  /** The largest message of the connection, in bytes. */
  maxMessageSize(): number;
  /** Resolves when the other side is known to take files. @throws AgentError - It does not. */
  supported(signal: AbortSignal): Promise<void>;
  createChannel(priority: Priority, signal: AbortSignal): Promise<AgentChannel>;
  /** Resolves when the link is open (again). @throws AgentError - It is closed for good. */
  usable(signal: AbortSignal): Promise<void>;
}

const OPTIONS = ['name', 'type', 'metadata', 'signal', 'onProgress', 'priority', 'timeout'];
const ANSWER_TIMEOUT = 60_000;

/** Bytes per message: large enough that its cost does not count, small enough that others get their turn. */
const PIECE = 256 * 1024;

/** Attempts in a row that may be lost without any progress before the transfer fails. */
const FRUITLESS = 3;

/** A file on its way to the other side. */
export class OutgoingFile {
  /** Names the transfer on both sides. */
  readonly id = randomUUID();
  /**
   * Resolves when the other side has the whole file in its place and its checksum is right; rejects with an
   * `AgentError`: what the other side refused with, `CAPABILITY_NOT_FOUND` if it takes no files, `TASK_TIMEOUT` if it
   * did not answer, `TASK_CANCELLED`, `AGENT_UNREACHABLE` if the link was closed, `CAPABILITY_FAILED` if the file could
   * not be read here or written there. A rejection that nobody looks at does no harm.
   */
  readonly done: Promise<SentFile>;
  readonly #host: SendHost;
  readonly #options: SendFileOptions;
  readonly #stop = new AbortController();
  #meter: Meter;

  /** @internal */
  constructor(host: SendHost, source: unknown, options: SendFileOptions = {}) {
    checkOptions(options);
    this.#host = host;
    this.#options = options;
    this.#meter = new Meter(undefined, undefined);
    const { signal } = options;
    const checked = checkSource(source);
    const end = onAbort(signal, () => this.cancel(signal?.reason));
    if (signal?.aborted) this.cancel(signal.reason);
    const work = host.tracing?.sending(host.remote, this.id);
    const sending = this.#run(checked, work).finally(end);
    this.done = work ? traced(work, sending) : sending;
    this.done.catch(() => undefined);
  }

  /** How far it is. */
  get progress(): FileProgress {
    return this.#meter.progress;
  }

  /** Gives up; the other side removes what it has. `done` rejects with `TASK_CANCELLED`. */
  cancel(reason?: unknown): void {
    this.#stop.abort(new AgentError('TASK_CANCELLED', 'sending the file was cancelled', { cause: reason }));
  }

  async #run(input: FileSource, work: TracedFile | undefined): Promise<SentFile> {
    const { signal } = this.#stop;
    let source: OpenSource | undefined;
    try {
      source = await this.#open(input);
      this.#meter = new Meter(source.size, this.#options.onProgress);
      if (source.size !== undefined) work?.size(source.size);
      const offer = await this.#offer(source, work?.context);
      await this.#host.supported(signal);
      return await this.#attempts(source, offer);
    } catch (error) {
      // A request that was cancelled fails as such, whatever that has led to.
      if (signal.aborted) throw signal.reason as AgentError;
      throw localFailure(error, 'the file could not be read');
    } finally {
      await source?.close().catch(() => undefined);
    }
  }

  /** A disk may take its time, or never answer: nobody who has given up waits for it. */
  async #open(input: FileSource): Promise<OpenSource> {
    const { signal } = this.#stop;
    const opening = openSource(input);
    try {
      return await new Promise<OpenSource>((resolve, reject) => {
        if (signal.aborted) reject(signal.reason as AgentError);
        onAbort(signal, () => reject(signal.reason as AgentError));
        opening.then(resolve, reject);
      });
    } catch (error) {
      if (signal.aborted) opening.then((source) => source.close()).catch(() => undefined);
      throw error;
    }
  }

  async #attempts(source: OpenSource, offer: string): Promise<SentFile> {
    const { signal } = this.#stop;
    for (let fruitless = 0; ;) {
      await this.#host.usable(signal);
      const before = this.progress.bytes;
      const attempt = new Attempt(source, offer, this.#meter, this.#pieceSize(), signal);
      const sent = await attempt.run(this.#host, this.#options.priority ?? 'low');
      if (sent) return sent;
      fruitless = this.progress.bytes > before ? 0 : fruitless + 1;
      if (!source.resumable || fruitless >= FRUITLESS) {
        const text = `the connection to ${this.#host.remote} was lost while the file was being sent`;
        throw new AgentError('AGENT_UNREACHABLE', text, { retryable: true });
      }
    }
  }

  #pieceSize(): number {
    return Math.min(PIECE, this.#host.maxMessageSize());
  }

  async #offer(source: OpenSource, context: TraceContext | undefined): Promise<string> {
    const { name = source.name ?? 'file', type = source.type, metadata, timeout = ANSWER_TIMEOUT } = this.#options;
    return JSON.stringify({
      id: this.id,
      name: wellFormed(name),
      mediaType: type && wellFormed(type),
      size: source.size,
      modified: source.modified,
      head: source.resumable ? await headOf(source) : undefined,
      resumable: source.resumable,
      timeout: Math.ceil(timeout),
      metadata: metadata === undefined ? undefined : toJson(metadata, 'the metadata'),
      ...context,
    });
  }
}

/** Sending over one channel. */
class Attempt {
  readonly #machine: InstanceType<typeof binding.FileSender>;
  #conversation!: Conversation;
  #accepted: { offset: number; sha256: string | null } | undefined;
  #done = false;
  #lost = false;
  #error: AgentError | undefined;
  #wake: () => void = () => undefined;
  /** Ends the wait for the source. */
  #interrupt: (reason: AgentError) => void = () => undefined;

  constructor(
    private readonly source: OpenSource,
    offer: string,
    private readonly meter: Meter,
    private readonly piece: number,
    private readonly signal: AbortSignal,
  ) {
    this.#machine = nativeAgentCall(() => new binding.FileSender(offer));
  }

  /** `undefined`: the connection was lost. */
  async run(host: SendHost, priority: Priority): Promise<SentFile | undefined> {
    const channel = await host.createChannel(priority, this.signal).catch((error: unknown) => {
      // Lost again before it was open. If it is for good, the link says so.
      if (error instanceof AgentError && error.code === 'AGENT_UNREACHABLE') return undefined;
      throw error;
    });
    if (!channel) return undefined;
    this.#conversation = new Conversation(channel, this.#machine, {
      event: (event) => this.#event(event),
      data: () => this.#fail(new AgentError('PROTOCOL_ERROR', 'the receiver of a file has sent binary data')),
      failed: (error) => {
        this.#error = error;
        this.#over(error);
      },
      lost: () => {
        this.#lost = true;
        this.#over(LOST);
      },
    });
    const end = onAbort(this.signal, () => this.#fail(this.signal.reason as AgentError));
    try {
      return await this.#talk();
    } catch (error) {
      if (error === LOST) return undefined;
      this.#conversation.abort(localFailure(error, 'the file could not be read'));
      throw error;
    } finally {
      end();
    }
  }

  async #talk(): Promise<SentFile> {
    void this.#conversation.say(this.#machine.offer);
    const { offset, sha256 } = await this.#until(() => this.#accepted);
    let hash = await this.#prefix(offset);
    const verified = offset === 0 || hash.copy().digest('hex') === sha256;
    if (!verified) hash = createHash('sha256');
    const from = verified ? offset : 0;
    void this.#conversation.say(nativeAgentCall(() => this.#machine.start(verified)));
    this.meter.start(from);
    const bytes = from + (await this.#send(from, hash));
    const digest = hash.digest('hex');
    void this.#conversation.say(nativeAgentCall(() => this.#machine.finish(digest)));
    await this.#until(() => this.#done || undefined);
    this.meter.update(bytes);
    this.#conversation.finish();
    return { bytes, sha256: digest, resumedFrom: from };
  }

  /** What the other side says it has already; the checksum of the whole file needs it as well. */
  async #prefix(length: number): Promise<Hash> {
    const hash = createHash('sha256');
    if (length === 0) return hash;
    let left = length;
    for await (const chunk of this.source.read(0)) {
      this.#check();
      hash.update(chunk.subarray(0, left));
      left -= Math.min(left, chunk.length);
      if (left === 0) break;
    }
    return hash;
  }

  async #send(offset: number, hash: Hash): Promise<number> {
    const chunks = this.source.read(offset)[Symbol.asyncIterator]();
    let sent = 0;
    for (;;) {
      // What the source waits for may never come, and closing it ends what can be ended.
      const next = await this.#orOver(chunks.next());
      if (next.done) return sent;
      const chunk = next.value;
      for (let at = 0; at < chunk.length; at += this.piece) {
        const piece = chunk.subarray(at, at + this.piece);
        const { length } = piece;
        if (this.#machine.allowance() < length) {
          await this.#until(() => this.#machine.allowance() >= length || undefined);
        }
        this.#check();
        nativeAgentCall(() => this.#machine.sent(length));
        hash.update(piece);
        await this.#bytes(piece);
        sent += length;
      }
    }
  }

  async #bytes(piece: Uint8Array): Promise<void> {
    try {
      await this.#conversation.bytes(piece);
    } catch (error) {
      // The channel is gone, and why it is comes in its turn. Anything else is an error of its own.
      if (error instanceof AgentError && error.code === 'AGENT_UNREACHABLE') await this.#until(() => undefined);
      throw error;
    }
  }

  #event(event: MachineEvent): void {
    if (event.kind === 'accepted') this.#accepted = event as unknown as { offset: number; sha256: string | null };
    else if (event.kind === 'credit') this.meter.update(event.written as number);
    else if (event.kind === 'done') this.#done = true;
    this.#wake();
  }

  #fail(error: AgentError): void {
    this.#error ??= error;
    this.#conversation.abort(error);
    this.#over(error);
  }

  #over(reason: AgentError): void {
    this.#interrupt(reason);
    this.#wake();
  }

  #check(): void {
    if (this.#error) throw this.#error;
    if (this.#lost) throw LOST;
  }

  /** What `promise` gives, unless the attempt is over before. */
  async #orOver<T>(promise: Promise<T>): Promise<T> {
    promise.catch(() => undefined);
    this.#check();
    // Not a race with one promise for all of them: that would keep a note of every chunk.
    return await new Promise<T>((resolve, reject) => {
      this.#interrupt = reject;
      promise.then(resolve, reject);
    }).finally(() => (this.#interrupt = () => undefined));
  }

  /** Waits until `probe` returns something, or the attempt is over. */
  async #until<T>(probe: () => T | undefined): Promise<T> {
    for (;;) {
      const value = probe();
      if (value !== undefined) return value;
      this.#check();
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}

/** Half of a surrogate pair is no text: it becomes U+FFFD, as in W3C's `USVString`s. Names of Windows may have one. */
function wellFormed(text: string): string {
  return text.replace(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, '\ufffd');
}

/** The connection is gone; nothing has failed. Caught in `run`. */
const LOST = new AgentError('AGENT_UNREACHABLE', 'the connection was lost', { retryable: true });

function checkOptions(options: SendFileOptions): void {
  checkMembers(options, 'the options of sendFile', OPTIONS);
  if (options.name !== undefined) checkName(options.name, 'name');
  if (options.type !== undefined) checkName(options.type, 'type');
  if (options.timeout !== undefined) checkMilliseconds(options.timeout, 'timeout');
  if (options.onProgress !== undefined) checkFunction(options.onProgress, 'onProgress');
  checkSignal(options.signal, 'signal');
  const { priority } = options;
  if (priority !== undefined && !['low', 'normal', 'high', 'critical'].includes(priority)) {
    throw new TypeError(`${JSON.stringify(priority)} is not a priority: low, normal, high or critical`);
  }
}
