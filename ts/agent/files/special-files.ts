// Pipes and devices. A read that waits for somebody holds one of the few threads with which Node reads files and resolves names: here
// nothing waits in a thread.
import { close, constants, fstat, open } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';

/** Otherwise opening a pipe waits for a writer, and opening a serial line for a carrier. Other files do not mind. */
export const WITHOUT_WAITING = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

/** Whether the system has that: Windows reads pipes in ways of its own. */
export const CAN_GO_WITHOUT = constants.O_NONBLOCK !== undefined;

/** Elsewhere a pipe to which no writer has come yet ends at once, like one whose writer has left. */
const WAITS_FOR_WRITER = process.platform === 'linux';

/** Between two looks at a pipe or device where no event tells, in milliseconds. */
const PAUSE = 50;

/** Bytes that are read of a device at once. */
const READ_SIZE = 64 * 1024;

/**
 * What comes out of the pipe at `path` from now on until its last writer leaves. When the signal fires it ends with an error.
 *
 * @throws the error of the file system; `EINVAL`: there is no pipe any more.
 */
export async function openPipe(path: string | URL, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
  // At once: a writer that comes and goes before anybody reads has been there.
  return readPipe(path, await connect(path, signal), signal);
}

async function* readPipe(path: string | URL, first: Socket, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  let socket = first;
  for (let empty = true; empty; socket = await connect(path, signal)) {
    for await (const chunk of socket as AsyncIterable<Buffer>) {
      empty = false;
      yield chunk;
    }
    if (WAITS_FOR_WRITER || !empty) return;
    await pause(PAUSE, undefined, { signal });
  }
}

async function connect(path: string | URL, signal: AbortSignal): Promise<Socket> {
  // Not a `FileHandle`: the socket closes what it has.
  const fd = await promisify(open)(path, WITHOUT_WAITING);
  const stat = await promisify(fstat)(fd);
  if (stat.isFIFO() && !signal.aborted) {
    const socket = new Socket({ fd, readable: true, writable: false, signal });
    // Whoever reads hears of it.
    socket.on('error', () => undefined);
    return socket;
  }
  await promisify(close)(fd);
  signal.throwIfAborted();
  throw Object.assign(new Error('the pipe has been replaced'), { code: 'EINVAL' });
}

/** What a device gives that was opened with {@link WITHOUT_WAITING}. When the signal fires it ends with an error. */
export async function* readDevice(handle: FileHandle, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const buffer = Buffer.allocUnsafeSlow(READ_SIZE);
  for (;;) {
    signal.throwIfAborted();
    const bytesRead = await handle.read(buffer, 0, READ_SIZE).then(
      (read) => read.bytesRead,
      (error: NodeJS.ErrnoException) => {
        if (error.code === 'EAGAIN') return undefined;
        throw error;
      },
    );
    if (bytesRead === 0) return;
    if (bytesRead === undefined) await pause(PAUSE, undefined, { signal });
    else yield buffer.subarray(0, bytesRead);
  }
}
