// Streams over channels: WHATWG and Node.
import { Duplex, type DuplexOptions } from 'node:stream';
import { isAnyArrayBuffer } from 'node:util/types';

import { Blob } from '../../../platform';
import { checkMembers } from '../../../base';
import type { ChannelPayload } from '../types';
import { FlowPipe, STREAM_PROTOCOL } from './flow-pipe';
import { asAgentError, PlainPipe, type Pipe, type StreamChunk, type StreamedChannel } from './pipe';

/** In byte mode larger pieces are cut: every peer takes messages of this size, and others get their turn between. */
const PIECE = 64 * 1024;

/** Both directions of a channel as WHATWG streams. */
export interface ChannelStreams {
  /** What the other side sends, a chunk per message: a `Uint8Array` or a string. */
  readable: ReadableStream<StreamChunk>;
  /** Sends a message per chunk. A write resolves when there is room for the next one. */
  writable: WritableStream<ChannelPayload>;
}

/** Options of `duplex()`; those of Node's streams except the functions. */
export interface ChannelDuplexOptions extends Pick<
  DuplexOptions,
  'highWaterMark' | 'readableHighWaterMark' | 'writableHighWaterMark' | 'encoding' | 'defaultEncoding' | 'signal'
> {
  /**
   * `false` (the default): a stream of bytes, cut into messages anyhow. `true`: a chunk per message; text arrives as a
   * string and binary data as a `Buffer`.
   */
  objectMode?: boolean;
}

const DUPLEX_OPTIONS = [
  'objectMode',
  'highWaterMark',
  'readableHighWaterMark',
  'writableHighWaterMark',
  'encoding',
  'defaultEncoding',
  'signal',
];

/** The streams of one channel: made when they are asked for, and of one kind only. */
export class ChannelStreamsUse {
  #pipe: Pipe | undefined;
  #web: ChannelStreams | undefined;

  web(channel: StreamedChannel): ChannelStreams {
    this.#web ??= webStreams(this.#use(channel));
    return this.#web;
  }

  duplex(channel: StreamedChannel, options?: ChannelDuplexOptions): Duplex {
    checkMembers(options, 'the options of duplex', DUPLEX_OPTIONS);
    return nodeDuplex(this.#use(channel), options);
  }

  #use(channel: StreamedChannel): Pipe {
    if (this.#pipe) throw new TypeError(`the channel "${channel.label}" is in use as a stream already`);
    this.#pipe = channel.protocol === STREAM_PROTOCOL ? new FlowPipe(channel) : new PlainPipe(channel);
    return this.#pipe;
  }
}

/** Both directions of a pipe as WHATWG streams. */
function webStreams(pipe: Pipe): ChannelStreams {
  const readable = new ReadableStream<StreamChunk>(
    {
      async pull(controller) {
        const chunk = await pipe.read();
        if (chunk === undefined) controller.close();
        else controller.enqueue(chunk);
      },
      cancel: (reason) => pipe.stop(reason),
    },
    // Nothing is taken before somebody wants it.
    { highWaterMark: 0 },
  );
  const writable = new WritableStream<ChannelPayload>({
    start(controller) {
      // A writer learns at once that its stream is broken, not at its next write.
      void pipe.broken.then((reason) => controller.error(reason));
    },
    // The types of Node 20 do not know the signal, which Node itself has had since 18.
    write: (chunk, controller) => pipe.write(checkChunk(chunk), (controller as { signal?: AbortSignal }).signal),
    close: () => pipe.end(),
    abort: (reason) => pipe.abort(reason),
  });
  return { readable, writable };
}

/** A pipe as a Node stream. */
function nodeDuplex(pipe: Pipe, options: ChannelDuplexOptions = {}): Duplex {
  const { objectMode = false } = options;
  let reading = false;
  let ended = false;
  const writing = new AbortController();
  const duplex = new Duplex({
    ...options,
    objectMode,
    allowHalfOpen: pipe.halfClose,
    read() {
      if (reading) return;
      reading = true;
      void fill(this, pipe, objectMode).then(() => (reading = false));
    },
    write(chunk: ChannelPayload, _encoding, callback) {
      send(pipe, chunk, objectMode, writing.signal).then(() => callback(), callback);
    },
    final(callback) {
      ended = true;
      pipe.end().then(() => callback(), callback);
    },
    destroy(error, callback) {
      // At a regular end both have had their end already, and this does nothing.
      writing.abort();
      const reason = error ?? undefined;
      if (!ended) pipe.abort(reason);
      pipe.stop(reason);
      callback(error);
    },
  });
  void pipe.broken.then((reason) => {
    // The readable side learns it in its turn, after what came before.
    if (pipe.halfClose && !duplex.writableEnded) duplex.destroy(asAgentError(reason, 'the stream is broken'));
  });
  return duplex;
}

/** Reads until the stream has enough. */
async function fill(duplex: Duplex, pipe: Pipe, objectMode: boolean): Promise<void> {
  try {
    for (;;) {
      const chunk = await pipe.read();
      if (duplex.destroyed) return;
      if (chunk === undefined) {
        duplex.push(null);
        return;
      }
      if (!duplex.push(toNode(chunk, objectMode))) return;
    }
  } catch (error) {
    duplex.destroy(error as Error);
  }
}

function toNode(chunk: StreamChunk, objectMode: boolean): Buffer | string {
  if (typeof chunk === 'string') return objectMode ? chunk : Buffer.from(chunk);
  return Buffer.from(chunk.buffer as ArrayBuffer, chunk.byteOffset, chunk.byteLength);
}

async function send(pipe: Pipe, chunk: ChannelPayload, objectMode: boolean, signal: AbortSignal): Promise<void> {
  if (objectMode) return pipe.write(checkChunk(chunk), signal);
  const bytes = chunk as Buffer;
  for (let start = 0; start < bytes.length; start += PIECE) {
    await pipe.write(bytes.subarray(start, start + PIECE), signal);
  }
}

/** Data channels would turn anything else into a string without a word. */
function checkChunk(chunk: unknown): ChannelPayload {
  if (typeof chunk === 'string' || ArrayBuffer.isView(chunk)) return chunk;
  if (isAnyArrayBuffer(chunk) || chunk instanceof Blob) return chunk as ChannelPayload;
  throw new TypeError(`a chunk must be a string, an ArrayBuffer, a view or a Blob, not ${typeof chunk}`);
}
