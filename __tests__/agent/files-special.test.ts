// Sources that are no ordinary files, or that have nothing to say: nobody waits for them who does not want to.
import { execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, constants, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { Readable } from 'node:stream';

import { filePair, MIB, sha256 } from './files-setup';

const pair = filePair();

function pipe(name = 'pipe'): string {
  const path = join(pair.folder, name);
  execFileSync('mkfifo', [path]);
  return path;
}

/** Resolves when the other side has offered so many files. */
function offers(count: number): Promise<void> {
  return new Promise((resolve) => {
    let left = count;
    pair.ba.on('file', () => {
      left--;
      if (left === 0) resolve();
    });
  });
}

/** Takes the next file; resolves when the other side has begun to send it. */
async function accepted() {
  const file = await pair.offered();
  file.accept({ directory: pair.inbox });
  return file;
}

const cancelled = { code: 'TASK_CANCELLED' };

describe('a pipe', () => {
  test('without a writer holds up nothing else, and can be cancelled', async () => {
    const all = offers(5);
    const transfers = ['1', '2', '3', '4', '5'].map((name) => pair.ab.sendFile(pipe(name)));
    await Promise.all([all, readFile('/proc/version')]);
    for (const transfer of transfers) transfer.cancel();
    for (const transfer of transfers) await expect(transfer.done).rejects.toMatchObject(cancelled);
    const content = randomBytes(1000);
    const next = accepted();
    const sent = pair.ab.sendFile(pair.fileOf(content));
    await (
      await next
    ).done;
    expect((await sent.done).sha256).toBe(sha256(content));
  });

  test('is sent to the end of its writer', async () => {
    const content = randomBytes(3 * MIB + 1);
    const path = pipe();
    const incoming = accepted();
    const transfer = pair.ab.sendFile(path);
    const file = await incoming;
    expect(file.size).toBeUndefined();
    spawn('sh', ['-c', 'cat "$1" > "$2"', 'sh', pair.fileOf(content), path]);
    expect((await transfer.done).sha256).toBe(sha256(content));
    expect((await file.done).bytes).toBe(content.length);
  });

  test('is empty if its writer leaves without a word', async () => {
    const path = pipe();
    const incoming = accepted();
    const transfer = pair.ab.sendFile(path);
    await incoming;
    spawn('sh', ['-c', ': > "$1"', 'sh', path]);
    expect((await transfer.done).bytes).toBe(0);
  });

  test('can be cancelled while its writer thinks', async () => {
    const path = pipe();
    const incoming = accepted();
    const transfer = pair.ab.sendFile(path);
    await incoming;
    const writer = spawn('sh', ['-c', 'exec > "$1"; printf abc; echo written >&2; exec sleep 1000', 'sh', path]);
    await once(writer.stderr, 'data');
    transfer.cancel();
    await expect(transfer.done).rejects.toMatchObject(cancelled);
    writer.kill();
  });

  test('that the application has opened stays open for it', async () => {
    const path = pipe();
    const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const incoming = accepted();
    const transfer = pair.ab.sendFile(handle);
    await incoming;
    transfer.cancel();
    await expect(transfer.done).rejects.toMatchObject(cancelled);
    const writer = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
    writeFileSync(writer, 'still there');
    closeSync(writer);
    expect(await handle.readFile('utf8')).toBe('still there');
    await handle.close();
  });

  test('in the place of a part or of its journal is not waited for, and not written to', async () => {
    mkdirSync(pair.inbox);
    for (const [name, suffix] of [
      ['journal', '.part.json'],
      ['part', '.part'],
    ] as const) {
      execFileSync('mkfifo', [join(pair.inbox, `${name}${suffix}`)]);
      const incoming = pair.offered();
      const transfer = pair.ab.sendFile(Buffer.from('content'), { name });
      const { done } = (await incoming).accept({ directory: pair.inbox });
      await expect(done).rejects.toMatchObject({
        code: 'CAPABILITY_FAILED',
        message: expect.stringContaining('EEXIST') as string,
      });
      await expect(transfer.done).rejects.toMatchObject({ code: 'CAPABILITY_FAILED' });
    }
  });
});

describe('a device', () => {
  test('that has nothing to say can be cancelled', async () => {
    // The master of a terminal that nobody has opened.
    const all = offers(5);
    const transfers = [1, 2, 3, 4, 5].map(() => pair.ab.sendFile('/dev/ptmx'));
    await Promise.all([all, readFile('/proc/version')]);
    for (const transfer of transfers) transfer.cancel();
    for (const transfer of transfers) await expect(transfer.done).rejects.toMatchObject(cancelled);
  });

  test('without an end is sent until it is cancelled', async () => {
    const incoming = accepted();
    const transfer = pair.ab.sendFile('/dev/zero', {
      onProgress: ({ bytes }) => {
        if (bytes > 4 * MIB) transfer.cancel();
      },
    });
    const { done } = await incoming;
    await expect(transfer.done).rejects.toMatchObject(cancelled);
    await expect(done).rejects.toMatchObject(cancelled);
  });

  test('that is at its end at once is an empty file', async () => {
    const incoming = accepted();
    const transfer = pair.ab.sendFile('/dev/null');
    await incoming;
    expect((await transfer.done).bytes).toBe(0);
  });
});

describe('a path', () => {
  test('to something that the kernel makes is sent with what it has', async () => {
    const incoming = accepted();
    const transfer = pair.ab.sendFile('/proc/version');
    const file = await incoming;
    await transfer.done;
    expect(readFileSync((await file.done).path!)).toEqual(readFileSync('/proc/version'));
  });

  test('to a socket, to a folder or to nothing is refused at once, and why', async () => {
    const path = join(pair.folder, 'socket');
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(path, resolve));
    await expect(pair.ab.sendFile(path).done).rejects.toMatchObject({
      code: 'CAPABILITY_FAILED',
      message: 'the file could not be read: it is a socket, or a device that is not there',
    });
    server.close();
    await expect(pair.ab.sendFile(pair.folder).done).rejects.toThrow('EISDIR');
    await expect(pair.ab.sendFile(join(pair.folder, 'none')).done).rejects.toThrow('ENOENT');
  });

  test('to a file that is removed while it is sent brings the whole file', async () => {
    const content = randomBytes(3 * MIB);
    const path = pair.fileOf(content);
    const incoming = pair.offered();
    const transfer = pair.ab.sendFile(path);
    const file = await incoming;
    rmSync(path);
    await file.accept({ directory: pair.inbox }).done;
    expect((await transfer.done).sha256).toBe(sha256(content));
  });
});

describe('a stream that gives nothing', () => {
  const never = () => new Promise<never>(() => undefined);
  const silent = {
    // eslint-disable-next-line require-yield -- that is the point
    generator: async function* (): AsyncGenerator<Uint8Array> {
      await never();
    },
    'Node stream': () => new Readable({ read: () => undefined }),
    'WHATWG stream': () => new ReadableStream<Uint8Array>(),
  };

  for (const [name, make] of Object.entries(silent)) {
    test(`does not keep a cancelled transfer waiting: ${name}`, async () => {
      const incoming = accepted();
      const transfer = pair.ab.sendFile(make());
      const { done } = await incoming;
      transfer.cancel();
      await expect(transfer.done).rejects.toMatchObject(cancelled);
      await expect(done).rejects.toMatchObject(cancelled);
    });
  }

  test('does not keep a transfer that the other side has cancelled', async () => {
    const incoming = accepted();
    const transfer = pair.ab.sendFile(silent.generator());
    (await incoming).cancel();
    await expect(transfer.done).rejects.toMatchObject(cancelled);
  });

  test('does not keep a transfer whose link is closed', async () => {
    const incoming = accepted();
    const transfer = pair.ab.sendFile(silent.generator());
    await incoming;
    await pair.ab.close();
    await expect(transfer.done).rejects.toMatchObject({ code: 'AGENT_UNREACHABLE' });
  });
});
