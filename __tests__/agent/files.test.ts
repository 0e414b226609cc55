// Files between two agents in one process: every kind of source and destination, refusals, cancellation.
import { randomBytes } from 'node:crypto';
import { createWriteStream, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { open as openFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough, Readable, Writable } from 'node:stream';
import { buffer } from 'node:stream/consumers';

import type { FileSource, IncomingFile } from 'ossa-webrtc';

import { filePair, MIB, sha256 } from './files-setup';

const pair = filePair();

describe('a file', () => {
  test('goes from disk to disk under its name, whole, with its facts', async () => {
    const content = randomBytes(3 * MIB + 17);
    const path = pair.fileOf(content, 'résumé 日本 🎉.bin');
    const progress: number[] = [];
    const incoming = pair.offered();
    const transfer = pair.ab.sendFile(path, { metadata: { page: 1 }, onProgress: ({ bytes }) => progress.push(bytes) });
    const file = await incoming;
    expect({ ...file, done: null }).toMatchObject({
      id: transfer.id,
      name: 'résumé 日本 🎉.bin',
      offeredName: 'résumé 日本 🎉.bin',
      size: content.length,
      metadata: { page: 1 },
      from: 'agent://a',
      modified: expect.any(Date) as Date,
    });
    const received = await file.accept({ directory: pair.inbox }).done;
    const facts = { bytes: content.length, sha256: sha256(content), resumedFrom: 0 };
    expect(received).toEqual({ path: join(pair.inbox, 'résumé 日本 🎉.bin'), ...facts });
    expect(await transfer.done).toEqual(facts);
    expect(readFileSync(received.path!).equals(content)).toBe(true);
    expect(readdirSync(pair.inbox)).toEqual(['résumé 日本 🎉.bin']);
    expect(progress.at(-1)).toBe(content.length);
    expect([...progress].sort((x, y) => x - y)).toEqual(progress);
    expect(transfer.progress).toMatchObject({ bytes: content.length, total: content.length });
  });

  const content = randomBytes(700_001);
  const sources: [string, (path: string) => FileSource | Promise<FileSource>, number | undefined][] = [
    ['a Blob', () => new Blob([content], { type: 'x/y' }), content.length],
    ['bytes', () => content, content.length],
    ['an open file', (path) => openFile(path), content.length],
    ['a URL', (path) => new URL(`file://${path}`), content.length],
    ['a Node stream', () => Readable.from([content.subarray(0, 5), content.subarray(5)]), undefined],
    ['a WHATWG stream', () => new Blob([content]).stream() as ReadableStream<Uint8Array>, undefined],
    [
      'an async generator',
      async function* () {
        yield content.subarray(0, 400_000);
        await Promise.resolve();
        yield content.subarray(400_000);
      },
      undefined,
    ],
  ];
  test.each(sources)('can be %s', async (_kind, make, size) => {
    const source = await make(pair.fileOf(content));
    const incoming = pair.offered();
    const transfer = pair.ab.sendFile(source, { name: 'x' });
    const file = await incoming;
    expect([file.name, file.size]).toEqual(['x', size]);
    const { path } = await file.accept({ directory: pair.inbox }).done;
    await transfer.done;
    expect(readFileSync(path!).equals(content)).toBe(true);
    if ('close' in (source as object)) await (source as { close(): Promise<void> }).close();
  });

  test.each([0, 1, 256 * 1024, 2 * MIB])('of %d bytes arrives', async (size) => {
    const data = randomBytes(size);
    const incoming = pair.offered();
    const transfer = pair.ab.sendFile(pair.fileOf(data));
    const { path } = await (await incoming).accept(join(pair.folder, 'out')).done;
    expect(await transfer.done).toMatchObject({ bytes: size });
    expect(readFileSync(path!).equals(data)).toBe(true);
  });

  test('can go to a Node stream, a WHATWG stream, or be read as one', async () => {
    const next = async () => {
      const incoming = pair.offered();
      const transfer = pair.ab.sendFile(content);
      return [await incoming, transfer] as const;
    };
    const [first] = await next();
    const through = new PassThrough();
    const collected = buffer(through);
    await first.accept(through).done;
    expect((await collected).equals(content)).toBe(true);

    const [second] = await next();
    const chunks: Uint8Array[] = [];
    await second.accept(new WritableStream<Uint8Array>({ write: (chunk) => void chunks.push(chunk) })).done;
    expect(Buffer.concat(chunks).equals(content)).toBe(true);

    const [third, transfer] = await next();
    expect((await buffer(third.readable)).equals(content)).toBe(true);
    expect((await transfer.done).sha256).toBe(sha256(content));
  });

  test('is one of many at the same time', async () => {
    pair.ba.on('file', (file) => void file.accept({ directory: pair.inbox }));
    const contents = Array.from({ length: 20 }, (_, index) => randomBytes(index * 30_000));
    await Promise.all(contents.map((data, index) => pair.ab.sendFile(data, { name: `${index}.bin` }).done));
    contents.forEach((data, index) => expect(readFileSync(join(pair.inbox, `${index}.bin`)).equals(data)).toBe(true));
    expect(readdirSync(pair.inbox)).toHaveLength(20);
  });

  test('is taken from the link if somebody listens there, else from the peer, by event or by loop', async () => {
    const seen: string[] = [];
    pair.b.on('file', (file) => {
      seen.push(`peer ${file.name} ${file.from}`);
      file.accept({ directory: pair.inbox });
    });
    await pair.ab.sendFile(content, { name: 'one' }).done;
    const loop = (async () => {
      for await (const file of pair.ba.files()) {
        seen.push(`link ${file.name}`);
        await file.accept({ directory: pair.inbox }).done;
        return;
      }
    })();
    await pair.ab.sendFile(content, { name: 'two' }).done;
    await loop;
    await pair.ab.sendFile(content, { name: 'three' }).done;
    expect(seen).toEqual(['peer one agent://a', 'link two', 'peer three agent://a']);
  });

  test.each([
    ['../../escape.txt', 'escape.txt'],
    ['/etc/passwd', 'passwd'],
    ['..\\..\\evil.dll', 'evil.dll'],
    ['..', 'file'],
    ['.bashrc', '_bashrc'],
    ['a\0b\nc', 'abc'],
    ['x.part', 'x.part_'],
  ])('called %j stays in its pair.folder as %j', async (name, safe) => {
    const incoming = pair.offered();
    const transfer = pair.ab.sendFile(new Uint8Array([1]), { name });
    const file = await incoming;
    expect([file.offeredName, file.name]).toEqual([name, safe]);
    const { path } = await file.accept({ directory: pair.inbox }).done;
    await transfer.done;
    expect(path).toBe(join(pair.inbox, safe));
    expect(readdirSync(pair.inbox)).toEqual([safe]);
  });
});

describe('a refusal', () => {
  test('comes at once where nobody takes files', async () => {
    await expect(pair.ab.sendFile(new Uint8Array(5)).done).rejects.toMatchObject({ code: 'CAPABILITY_NOT_FOUND' });
  });

  test('carries the code and the text of the application', async () => {
    pair.ba.on('file', (file) => file.reject('TOO_BIG', `${file.size} bytes are too many`));
    await expect(pair.ab.sendFile(new Uint8Array(5)).done).rejects.toMatchObject({
      code: 'TOO_BIG',
      message: '5 bytes are too many',
    });
    expect(pair.ab.state).toBe('open');
  });

  test('comes by itself when nobody decides', async () => {
    const incoming = pair.offered();
    const transfer = pair.ab.sendFile(new Uint8Array(5), { timeout: 100 });
    const file = await incoming;
    await expect(transfer.done).rejects.toMatchObject({ code: 'TASK_TIMEOUT', retryable: true });
    await expect(file.done).rejects.toMatchObject({ code: 'TASK_TIMEOUT' });
    const sink = new PassThrough();
    const failed = new Promise((resolve) => sink.once('error', resolve));
    await expect(file.accept(sink).done).rejects.toMatchObject({ code: 'TASK_TIMEOUT' });
    expect(await failed).toMatchObject({ code: 'TASK_TIMEOUT' });
  });

  test('protects a file that is there, unless it may be replaced', async () => {
    const path = pair.fileOf(Buffer.from('precious'), 'out');
    let overwrite = false;
    pair.ba.on('file', (file) => void file.accept(path, { overwrite }));
    await expect(pair.ab.sendFile(Buffer.from('new')).done).rejects.toMatchObject({
      code: 'CAPABILITY_FAILED',
      message: 'the file could not be written: EEXIST',
    });
    expect(readFileSync(path, 'utf8')).toBe('precious');
    overwrite = true;
    await pair.ab.sendFile(Buffer.from('new')).done;
    expect(readFileSync(path, 'utf8')).toBe('new');
  });

  test.each([
    ['the file is known whole', () => randomBytes(1000)],
    ['the file is a stream', () => Readable.from([randomBytes(1000)])],
  ])('protects what is called like the part of a file, and is none of ours, when %s', async (_what, source) => {
    mkdirSync(pair.inbox);
    const path = join(pair.inbox, 'x.part');
    writeFileSync(path, 'precious');
    const incoming = pair.offered();
    const transfer = pair.ab.sendFile(source(), { name: 'x' });
    (await incoming).accept({ directory: pair.inbox });
    await expect(transfer.done).rejects.toMatchObject({
      code: 'CAPABILITY_FAILED',
      message: 'the file could not be written: EEXIST',
    });
    expect(readFileSync(path, 'utf8')).toBe('precious');
    expect(readdirSync(pair.inbox)).toEqual(['x.part']);
  });

  test('meets files beyond the limit', async () => {
    const c = pair.agent('c', { limits: { incomingFiles: 1 } });
    await c.ready;
    const incoming = new Promise<IncomingFile>((resolve) => c.once('file', resolve));
    const ac = await pair.a.connect('agent://c');
    const first = ac.sendFile(content(10), { name: 'first' });
    const file = await incoming;
    await expect(ac.sendFile(content(10)).done).rejects.toMatchObject({ code: 'RATE_LIMIT_EXCEEDED', retryable: true });
    await file.accept({ directory: pair.inbox }).done;
    await first.done;
  });

  test('of wrong arguments is a TypeError', async () => {
    expect(() => pair.ab.sendFile(5 as never)).toThrow(TypeError);
    expect(() => pair.ab.sendFile('x', { onprogress: () => undefined } as never)).toThrow(/no member "onprogress"/);
    expect(() => pair.ab.sendFile('x', { timeout: -1 })).toThrow(TypeError);
    expect(() => pair.ab.sendFile('x', { priority: 'urgent' as never })).toThrow(/not a priority/);
    await expect(pair.ab.sendFile(join(pair.folder, 'missing')).done).rejects.toMatchObject({
      code: 'CAPABILITY_FAILED',
      message: 'the file could not be read: ENOENT',
    });
    const incoming = pair.offered();
    pair.ab.sendFile(content(1));
    const file = await incoming;
    expect(() => file.accept(5 as never)).toThrow(TypeError);
    expect(() => file.accept('x', { overwrite: 1 as never })).toThrow(TypeError);
    expect(() => file.accept({ directory: 'x', name: 'y' } as never)).toThrow(/no member "name"/);
    file.accept({ directory: pair.inbox });
    expect(() => file.accept({ directory: pair.inbox })).toThrow(/accepted before/);
    expect(() => file.reject()).toThrow(/accepted before/);
    await file.done;
  });
});

const content = (bytes: number) => randomBytes(bytes);

/** A stream that takes bytes and does not say that it has them until it is told to. */
function slowDisk(): { stream: Writable; taken: Promise<void>; release: () => void } {
  let first!: () => void;
  let release!: () => void;
  const taken = new Promise<void>((resolve) => (first = resolve));
  const released = new Promise<void>((resolve) => (release = resolve));
  const stream = new Writable({
    write(_chunk, _encoding, callback) {
      first();
      void released.then(() => callback());
    },
  });
  return { stream, taken, release };
}

describe('backpressure', () => {
  test('a disk that stands still stops the sender within the window, and nothing else', async () => {
    const disk = slowDisk();
    let produced = 0;
    const source = (async function* () {
      for (let i = 0; i < 64; i++) {
        produced += MIB;
        yield Buffer.alloc(MIB, i);
        await Promise.resolve();
      }
    })();
    const incoming = pair.offered();
    const transfer = pair.ab.sendFile(source);
    const file = (await incoming).accept(disk.stream);
    await disk.taken;
    pair.b.handle('ping', (input) => input);
    for (let i = 0; i < 200; i++) await pair.ab.call('ping', i);
    // One window, and what the source has handed over but the credit does not cover.
    expect(produced).toBeLessThanOrEqual(3 * MIB);
    expect([pair.ab.state, file.progress.bytes]).toEqual(['open', 0]);
    disk.release();
    await Promise.all([file.done, transfer.done]);
    expect(produced).toBe(64 * MIB);
  });
});

describe('cancelling', () => {
  test.each(['sender', 'receiver'])('by the %s ends both sides and leaves nothing on the disk', async (who) => {
    let stopped = false;
    const endless = (async function* () {
      try {
        for (;;) {
          yield Buffer.alloc(64 * 1024);
          await Promise.resolve();
        }
      } finally {
        stopped = true;
      }
    })();
    const incoming = pair.offered();
    const transfer = pair.ab.sendFile(endless, { name: 'endless' });
    const file = await incoming;
    await new Promise<void>((resolve) => file.accept({ directory: pair.inbox }, { onProgress: () => resolve() }));
    expect(readdirSync(pair.inbox)).toEqual(['endless.part', 'endless.part.json']);
    (who === 'sender' ? transfer : file).cancel(new Error('enough'));
    await expect(transfer.done).rejects.toMatchObject({ code: 'TASK_CANCELLED' });
    await expect(file.done).rejects.toMatchObject({ code: 'TASK_CANCELLED' });
    expect([readdirSync(pair.inbox), stopped, pair.ab.state]).toEqual([[], true, 'open']);
  });

  const never = () => new Promise<void>(() => undefined);
  test.each([
    ['Node', (taken: () => void) => new Writable({ write: taken })],
    ['WHATWG', (taken: () => void) => new WritableStream<Uint8Array>({ write: () => (taken(), never()) })],
  ])('ends a transfer into a %s stream that is stuck', async (_kind, make) => {
    let taken!: () => void;
    const stuck = new Promise<void>((resolve) => (taken = resolve));
    const incoming = pair.offered();
    const transfer = pair.ab.sendFile(content(2 * MIB));
    const file = (await incoming).accept(make(taken));
    await stuck;
    file.cancel();
    await expect(file.done).rejects.toMatchObject({ code: 'TASK_CANCELLED' });
    await expect(transfer.done).rejects.toMatchObject({ code: 'TASK_CANCELLED' });
  });

  test('works by signal on both sides, before and after the beginning', async () => {
    const aborted = AbortSignal.abort(new Error('never mind'));
    const cancelled = { code: 'TASK_CANCELLED', cause: expect.objectContaining({ message: 'never mind' }) as unknown };
    await expect(pair.ab.sendFile(content(5), { signal: aborted }).done).rejects.toMatchObject(cancelled);
    const incoming = pair.offered();
    const controller = new AbortController();
    const transfer = pair.ab.sendFile(content(5), { signal: controller.signal });
    const file = await incoming;
    controller.abort(new Error('never mind'));
    await expect(transfer.done).rejects.toMatchObject(cancelled);
    await expect(file.done).rejects.toMatchObject({ code: 'TASK_CANCELLED' });
    const again = pair.offered();
    const second = pair.ab.sendFile(content(5));
    await expect((await again).accept({ directory: pair.inbox }, { signal: aborted }).done).rejects.toMatchObject(
      cancelled,
    );
    await expect(second.done).rejects.toMatchObject({ code: 'TASK_CANCELLED' });
  });

  test('a source that fails ends the transfer with its reason on both sides', async () => {
    const failing = (async function* () {
      yield Buffer.alloc(1000);
      await Promise.resolve();
      throw new Error('the tape is torn');
    })();
    const incoming = pair.offered();
    const transfer = pair.ab.sendFile(failing);
    const file = (await incoming).accept({ directory: pair.inbox });
    await expect(transfer.done).rejects.toMatchObject({ code: 'CAPABILITY_FAILED', message: /the tape is torn/ });
    await expect(file.done).rejects.toMatchObject({ code: 'CAPABILITY_FAILED', message: /the tape is torn/ });
  });
});

describe('a full disk', () => {
  test.each([
    [
      'a stream that fails',
      () => new Writable({ write: (_c, _e, done) => done(Object.assign(new Error('no'), { code: 'ENOSPC' })) }),
    ],
    // A device of Linux that is always full.
    ...(existsSync('/dev/full') ? [['/dev/full', () => createWriteStream('/dev/full')] as const] : []),
  ] as const)('is told to both sides: %s', async (_name, make) => {
    const incoming = pair.offered();
    const transfer = pair.ab.sendFile(content(2 * MIB));
    const file = (await incoming).accept(make());
    const failure = { code: 'CAPABILITY_FAILED', message: 'the file could not be written: ENOSPC', retryable: true };
    await expect(file.done).rejects.toMatchObject(failure);
    await expect(transfer.done).rejects.toMatchObject(failure);
    expect(pair.ab.state).toBe('open');
  });
});
