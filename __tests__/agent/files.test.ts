// Files between two agents in one process: every kind of source and destination, refusals, cancellation, resumption.
import { createHash, randomBytes } from 'node:crypto';
import {
  createWriteStream,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { open as openFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable, Writable } from 'node:stream';
import { buffer } from 'node:stream/consumers';

import { AgentError, createPeer, MemorySignaling } from 'ossa-webrtc';
import type { AgentPeer, FileSource, IncomingFile, Link, RTCDataChannel } from 'ossa-webrtc';

const MIB = 1024 * 1024;
const open: AgentPeer[] = [];
let folder: string;
let inbox: string;
let signaling: MemorySignaling;
let a: AgentPeer;
let b: AgentPeer;
let ab: Link;
let ba: Link;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ossa-files-test-'));
  inbox = join(folder, 'inbox');
  signaling = new MemorySignaling();
  a = createPeer({ agentId: 'agent://a', signaling, limits: { fileWindow: MIB } });
  b = createPeer({ agentId: 'agent://b', signaling, limits: { fileWindow: MIB } });
  open.push(a, b);
  await b.ready;
  await connect();
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((peer) => peer.close()));
  rmSync(folder, { recursive: true, force: true });
});

async function connect(): Promise<void> {
  const incoming = new Promise<Link>((resolve) => b.once('link', resolve));
  [ab, ba] = await Promise.all([a.connect('agent://b'), incoming]);
}

/** The next file that is offered to `link`. */
function offered(link: Link = ba): Promise<IncomingFile> {
  return new Promise((resolve) => link.once('file', resolve));
}

function fileOf(content: Uint8Array, name = 'data.bin'): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

const sha256 = (data: Uint8Array) => createHash('sha256').update(data).digest('hex');

describe('a file', () => {
  test('goes from disk to disk under its name, whole, with its facts', async () => {
    const content = randomBytes(3 * MIB + 17);
    const path = fileOf(content, 'résumé 日本 🎉.bin');
    const progress: number[] = [];
    const incoming = offered();
    const transfer = ab.sendFile(path, { metadata: { page: 1 }, onProgress: ({ bytes }) => progress.push(bytes) });
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
    const received = await file.accept({ directory: inbox }).done;
    const facts = { bytes: content.length, sha256: sha256(content), resumedFrom: 0 };
    expect(received).toEqual({ path: join(inbox, 'résumé 日本 🎉.bin'), ...facts });
    expect(await transfer.done).toEqual(facts);
    expect(readFileSync(received.path!).equals(content)).toBe(true);
    expect(readdirSync(inbox)).toEqual(['résumé 日本 🎉.bin']);
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
    const source = await make(fileOf(content));
    const incoming = offered();
    const transfer = ab.sendFile(source, { name: 'x' });
    const file = await incoming;
    expect([file.name, file.size]).toEqual(['x', size]);
    const { path } = await file.accept({ directory: inbox }).done;
    await transfer.done;
    expect(readFileSync(path!).equals(content)).toBe(true);
    if ('close' in (source as object)) await (source as { close(): Promise<void> }).close();
  });

  test.each([0, 1, 256 * 1024, 2 * MIB])('of %d bytes arrives', async (size) => {
    const data = randomBytes(size);
    const incoming = offered();
    const transfer = ab.sendFile(fileOf(data));
    const { path } = await (await incoming).accept(join(folder, 'out')).done;
    expect(await transfer.done).toMatchObject({ bytes: size });
    expect(readFileSync(path!).equals(data)).toBe(true);
  });

  test('can go to a Node stream, a WHATWG stream, or be read as one', async () => {
    const next = async () => {
      const incoming = offered();
      const transfer = ab.sendFile(content);
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
    ba.on('file', (file) => void file.accept({ directory: inbox }));
    const contents = Array.from({ length: 20 }, (_, index) => randomBytes(index * 30_000));
    await Promise.all(contents.map((data, index) => ab.sendFile(data, { name: `${index}.bin` }).done));
    contents.forEach((data, index) => expect(readFileSync(join(inbox, `${index}.bin`)).equals(data)).toBe(true));
    expect(readdirSync(inbox)).toHaveLength(20);
  });

  test('is taken from the link if somebody listens there, else from the peer, by event or by loop', async () => {
    const seen: string[] = [];
    b.on('file', (file) => {
      seen.push(`peer ${file.name} ${file.from}`);
      file.accept({ directory: inbox });
    });
    await ab.sendFile(content, { name: 'one' }).done;
    const loop = (async () => {
      for await (const file of ba.files()) {
        seen.push(`link ${file.name}`);
        await file.accept({ directory: inbox }).done;
        return;
      }
    })();
    await ab.sendFile(content, { name: 'two' }).done;
    await loop;
    await ab.sendFile(content, { name: 'three' }).done;
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
  ])('called %j stays in its folder as %j', async (name, safe) => {
    const incoming = offered();
    const transfer = ab.sendFile(new Uint8Array([1]), { name });
    const file = await incoming;
    expect([file.offeredName, file.name]).toEqual([name, safe]);
    const { path } = await file.accept({ directory: inbox }).done;
    await transfer.done;
    expect(path).toBe(join(inbox, safe));
    expect(readdirSync(inbox)).toEqual([safe]);
  });
});

describe('a refusal', () => {
  test('comes at once where nobody takes files', async () => {
    await expect(ab.sendFile(new Uint8Array(5)).done).rejects.toMatchObject({ code: 'CAPABILITY_NOT_FOUND' });
  });

  test('carries the code and the text of the application', async () => {
    ba.on('file', (file) => file.reject('TOO_BIG', `${file.size} bytes are too many`));
    await expect(ab.sendFile(new Uint8Array(5)).done).rejects.toMatchObject({
      code: 'TOO_BIG',
      message: '5 bytes are too many',
    });
    expect(ab.state).toBe('open');
  });

  test('comes by itself when nobody decides', async () => {
    const incoming = offered();
    const transfer = ab.sendFile(new Uint8Array(5), { timeout: 100 });
    const file = await incoming;
    await expect(transfer.done).rejects.toMatchObject({ code: 'TASK_TIMEOUT', retryable: true });
    await expect(file.done).rejects.toMatchObject({ code: 'TASK_TIMEOUT' });
    const sink = new PassThrough();
    const failed = new Promise((resolve) => sink.once('error', resolve));
    await expect(file.accept(sink).done).rejects.toMatchObject({ code: 'TASK_TIMEOUT' });
    expect(await failed).toMatchObject({ code: 'TASK_TIMEOUT' });
  });

  test('protects a file that is there, unless it may be replaced', async () => {
    const path = fileOf(Buffer.from('precious'), 'out');
    let overwrite = false;
    ba.on('file', (file) => void file.accept(path, { overwrite }));
    await expect(ab.sendFile(Buffer.from('new')).done).rejects.toMatchObject({
      code: 'CAPABILITY_FAILED',
      message: 'the file could not be written: EEXIST',
    });
    expect(readFileSync(path, 'utf8')).toBe('precious');
    overwrite = true;
    await ab.sendFile(Buffer.from('new')).done;
    expect(readFileSync(path, 'utf8')).toBe('new');
  });

  test('meets files beyond the limit', async () => {
    const c = createPeer({ agentId: 'agent://c', signaling, limits: { incomingFiles: 1 } });
    open.push(c);
    await c.ready;
    const incoming = new Promise<IncomingFile>((resolve) => c.once('file', resolve));
    const ac = await a.connect('agent://c');
    const first = ac.sendFile(content(10), { name: 'first' });
    const file = await incoming;
    await expect(ac.sendFile(content(10)).done).rejects.toMatchObject({ code: 'AGENT_UNREACHABLE', retryable: true });
    await file.accept({ directory: inbox }).done;
    await first.done;
  });

  test('of wrong arguments is a TypeError', async () => {
    expect(() => ab.sendFile(5 as never)).toThrow(TypeError);
    expect(() => ab.sendFile('x', { onprogress: () => undefined } as never)).toThrow(/no member "onprogress"/);
    expect(() => ab.sendFile('x', { timeout: -1 })).toThrow(TypeError);
    expect(() => ab.sendFile('x', { priority: 'urgent' as never })).toThrow(/not a priority/);
    await expect(ab.sendFile(join(folder, 'missing')).done).rejects.toMatchObject({
      code: 'CAPABILITY_FAILED',
      message: 'the file could not be read: ENOENT',
    });
    const incoming = offered();
    ab.sendFile(content(1));
    const file = await incoming;
    expect(() => file.accept(5 as never)).toThrow(TypeError);
    expect(() => file.accept('x', { overwrite: 1 as never })).toThrow(TypeError);
    expect(() => file.accept({ directory: 'x', name: 'y' } as never)).toThrow(/no member "name"/);
    file.accept({ directory: inbox });
    expect(() => file.accept({ directory: inbox })).toThrow(/accepted before/);
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
    const incoming = offered();
    const transfer = ab.sendFile(source);
    const file = (await incoming).accept(disk.stream);
    await disk.taken;
    b.handle('ping', (input) => input);
    for (let i = 0; i < 200; i++) await ab.call('ping', i);
    // One window, and what the source has handed over but the credit does not cover.
    expect(produced).toBeLessThanOrEqual(3 * MIB);
    expect([ab.state, file.progress.bytes]).toEqual(['open', 0]);
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
    const incoming = offered();
    const transfer = ab.sendFile(endless, { name: 'endless' });
    const file = await incoming;
    await new Promise<void>((resolve) => file.accept({ directory: inbox }, { onProgress: () => resolve() }));
    expect(readdirSync(inbox)).toEqual(['endless.part']);
    (who === 'sender' ? transfer : file).cancel(new Error('enough'));
    await expect(transfer.done).rejects.toMatchObject({ code: 'TASK_CANCELLED' });
    await expect(file.done).rejects.toMatchObject({ code: 'TASK_CANCELLED' });
    expect([readdirSync(inbox), stopped, ab.state]).toEqual([[], true, 'open']);
  });

  const never = () => new Promise<void>(() => undefined);
  test.each([
    ['Node', (taken: () => void) => new Writable({ write: taken })],
    ['WHATWG', (taken: () => void) => new WritableStream<Uint8Array>({ write: () => (taken(), never()) })],
  ])('ends a transfer into a %s stream that is stuck', async (_kind, make) => {
    let taken!: () => void;
    const stuck = new Promise<void>((resolve) => (taken = resolve));
    const incoming = offered();
    const transfer = ab.sendFile(content(2 * MIB));
    const file = (await incoming).accept(make(taken));
    await stuck;
    file.cancel();
    await expect(file.done).rejects.toMatchObject({ code: 'TASK_CANCELLED' });
    await expect(transfer.done).rejects.toMatchObject({ code: 'TASK_CANCELLED' });
  });

  test('works by signal on both sides, before and after the beginning', async () => {
    const aborted = AbortSignal.abort(new Error('never mind'));
    const cancelled = { code: 'TASK_CANCELLED', cause: expect.objectContaining({ message: 'never mind' }) as unknown };
    await expect(ab.sendFile(content(5), { signal: aborted }).done).rejects.toMatchObject(cancelled);
    const incoming = offered();
    const controller = new AbortController();
    const transfer = ab.sendFile(content(5), { signal: controller.signal });
    const file = await incoming;
    controller.abort(new Error('never mind'));
    await expect(transfer.done).rejects.toMatchObject(cancelled);
    await expect(file.done).rejects.toMatchObject({ code: 'TASK_CANCELLED' });
    const again = offered();
    const second = ab.sendFile(content(5));
    await expect((await again).accept({ directory: inbox }, { signal: aborted }).done).rejects.toMatchObject(cancelled);
    await expect(second.done).rejects.toMatchObject({ code: 'TASK_CANCELLED' });
  });

  test('a source that fails ends the transfer with its reason on both sides', async () => {
    const failing = (async function* () {
      yield Buffer.alloc(1000);
      await Promise.resolve();
      throw new Error('the tape is torn');
    })();
    const incoming = offered();
    const transfer = ab.sendFile(failing);
    const file = (await incoming).accept({ directory: inbox });
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
    const incoming = offered();
    const transfer = ab.sendFile(content(2 * MIB));
    const file = (await incoming).accept(make());
    const failure = { code: 'CAPABILITY_FAILED', message: 'the file could not be written: ENOSPC', retryable: true };
    await expect(file.done).rejects.toMatchObject(failure);
    await expect(transfer.done).rejects.toMatchObject(failure);
    expect(ab.state).toBe('open');
  });
});

/** Speaks for itself over a channel of its own. */
async function liar(): Promise<{ channel: RTCDataChannel; answer: () => Promise<Record<string, unknown>> }> {
  const channel = ab.connection.createDataChannel('ossa-file', { protocol: 'ossa-file' });
  const answers: Record<string, unknown>[] = [];
  let wake = () => undefined as void;
  channel.onmessage = ({ data }) => {
    answers.push(JSON.parse(data as string) as Record<string, unknown>);
    wake();
  };
  await new Promise((resolve) => (channel.onopen = resolve));
  const answer = async () => {
    while (answers.length === 0) await new Promise<void>((resolve) => (wake = resolve));
    return answers.shift()!;
  };
  return { channel, answer };
}

const offer = JSON.stringify({
  type: 'offer',
  version: 1,
  id: '1',
  name: 'x',
  size: 4,
  resumable: true,
  head: 'a'.repeat(64),
  timeout: 9000,
});

describe('resumption', () => {
  const size = 8 * MIB;
  let data: Buffer;
  let path: string;
  beforeEach(() => {
    data = randomBytes(size);
    path = fileOf(data);
  });

  /** Sends until the receiver has some of it, then ends the link. Resolves with how much is there. */
  async function interrupted(): Promise<number> {
    const incoming = offered();
    const transfer = ab.sendFile(path);
    const file = await incoming;
    await new Promise<void>((resolve) => {
      file.accept({ directory: inbox }, { onProgress: ({ bytes }) => bytes >= 2 * MIB && resolve() });
    });
    await ba.close();
    await expect(file.done).rejects.toMatchObject({ code: 'AGENT_UNREACHABLE', retryable: true });
    await expect(transfer.done).rejects.toMatchObject({ code: 'AGENT_UNREACHABLE', retryable: true });
    expect(readdirSync(inbox).sort()).toEqual(['data.bin.part', 'data.bin.part.json']);
    return readFileSync(join(inbox, 'data.bin.part')).length;
  }

  /** Sends it again over a new link. */
  async function again(): Promise<number> {
    await connect();
    const incoming = offered();
    const transfer = ab.sendFile(path);
    const file = (await incoming).accept({ directory: inbox });
    const [received, sent] = await Promise.all([file.done, transfer.done]);
    expect(readFileSync(received.path!).equals(readFileSync(path))).toBe(true);
    expect(readdirSync(inbox)).toEqual(['data.bin']);
    expect(sent.resumedFrom).toBe(received.resumedFrom);
    return received.resumedFrom;
  }

  test('goes on where a lost link has left the file', async () => {
    const there = await interrupted();
    expect(there).toBeGreaterThanOrEqual(2 * MIB);
    expect(there).toBeLessThan(size);
    expect(await again()).toBe(there);
  });

  test.each([
    ['the part was damaged', () => corrupt(join(inbox, 'data.bin.part'))],
    ['the journal was damaged', () => writeFileSync(join(inbox, 'data.bin.part.json'), '{"version":1')],
    ['the journal is gone', () => rmSync(join(inbox, 'data.bin.part.json'))],
    ['the file has changed', () => writeFileSync(path, randomBytes(size))],
    ['the file has another date', () => utimesSync(path, 1, 1)],
    ['the part is too long', () => writeFileSync(join(inbox, 'data.bin.part'), Buffer.alloc(size + 5))],
  ])('begins anew, and right, if %s', async (_why, damage) => {
    await interrupted();
    damage();
    expect(await again()).toBe(0);
  });

  test('happens by itself when the channel of the file is lost, and sends only the rest', async () => {
    const channels: RTCDataChannel[] = [];
    ab.connection.addEventListener('datachannel', () => undefined);
    ba.connection.addEventListener('datachannel', ({ channel }) => {
      if (channel.protocol === 'ossa-file') channels.push(channel);
    });
    const incoming = offered();
    const transfer = ab.sendFile(path);
    const file = await incoming;
    let cut = false;
    file.accept(
      { directory: inbox },
      {
        onProgress: ({ bytes }) => {
          if (cut || bytes < 3 * MIB) return;
          cut = true;
          channels[0]!.close();
        },
      },
    );
    const [received, sent] = await Promise.all([file.done, transfer.done]);
    expect(channels).toHaveLength(2);
    expect(received.resumedFrom).toBeGreaterThanOrEqual(3 * MIB);
    expect(sent.resumedFrom).toBe(received.resumedFrom);
    expect(readFileSync(received.path!).equals(data)).toBe(true);
  });

  test('of a transfer whose end the sender did not hear confirms it, and offers nothing a second time', async () => {
    let offers = 0;
    ba.on('file', (file) => {
      offers++;
      file.accept({ directory: inbox }, { overwrite: true });
    });
    const sum = sha256(Buffer.alloc(4));
    const say = (channel: RTCDataChannel, message: object) => channel.send(JSON.stringify(message));
    for (const offset of [0, 4]) {
      const { channel, answer } = await liar();
      channel.send(offer);
      expect(await answer()).toEqual({ type: 'preparing' });
      expect(await answer()).toMatchObject({ type: 'accept', offset, sha256: offset === 0 ? null : sum });
      say(channel, { type: 'start', offset });
      if (offset === 0) channel.send(new Uint8Array(4));
      say(channel, { type: 'finish', size: 4, sha256: sum });
      let last = await answer();
      if (last.type === 'credit') last = await answer();
      expect(last).toEqual({ type: 'done', size: 4, sha256: sum });
      channel.close();
    }
    expect(offers).toBe(1);
  });

  test('with another file under the same id is refused', async () => {
    const incoming = offered();
    (await liar()).channel.send(offer);
    const file = await incoming;
    const { channel, answer } = await liar();
    channel.send(offer.replace('"size":4', '"size":5'));
    expect(await answer()).toMatchObject({ type: 'abort', code: 'PROTOCOL_ERROR' });
    expect(file.size).toBe(4);
    file.reject();
  });

  test('is not possible for streams, which says so', async () => {
    ba.connection.addEventListener('datachannel', ({ channel }) => {
      channel.addEventListener('message', ({ data }) => typeof data !== 'string' && channel.close());
    });
    const incoming = offered();
    const transfer = ab.sendFile(Readable.from([content(MIB), content(MIB), content(MIB)]));
    (await incoming).accept({ directory: inbox });
    await expect(transfer.done).rejects.toMatchObject({ code: 'AGENT_UNREACHABLE', retryable: true });
  });
});

function corrupt(path: string): void {
  const bytes = readFileSync(path);
  bytes[bytes.length >> 1]! ^= 1;
  writeFileSync(path, bytes);
}

describe('a sender that lies', () => {
  test('about the checksum: nothing of the file remains', async () => {
    const incoming = offered();
    const { channel, answer } = await liar();
    channel.send(offer);
    const file = (await incoming).accept({ directory: inbox });
    expect(await answer()).toEqual({ type: 'preparing' });
    expect(await answer()).toMatchObject({ type: 'accept', offset: 0 });
    channel.send(JSON.stringify({ type: 'start', offset: 0 }));
    channel.send(new Uint8Array(4));
    channel.send(JSON.stringify({ type: 'finish', size: 4, sha256: 'b'.repeat(64) }));
    await expect(file.done).rejects.toMatchObject({ code: 'CAPABILITY_FAILED', message: /SHA-256/ });
    expect(await answer()).toMatchObject({ type: 'abort', code: 'CAPABILITY_FAILED' });
    expect(readdirSync(inbox)).toEqual([]);
  });

  test.each([
    ['bytes before it is asked for them', (channel: RTCDataChannel) => channel.send(new Uint8Array(1))],
    ['nonsense', (channel: RTCDataChannel) => channel.send('nonsense')],
    ['a second offer', (channel: RTCDataChannel) => channel.send(offer)],
  ])('by sending %s is stopped', async (_what, lie) => {
    const incoming = offered();
    const { channel, answer } = await liar();
    channel.send(offer);
    const file = await incoming;
    lie(channel);
    await expect(file.done).rejects.toMatchObject({ code: 'PROTOCOL_ERROR' });
    expect(await answer()).toMatchObject({ type: 'abort', code: 'PROTOCOL_ERROR' });
    await new Promise((resolve) => (channel.onclose = resolve));
    expect(ba.state).toBe('open');
  });

  test('without a valid offer reaches nobody but the log of problems', async () => {
    const problem = new Promise<AgentError>((resolve) => ba.once('problem', resolve));
    ba.on('file', () => {
      throw new Error('must not be offered');
    });
    const { channel, answer } = await liar();
    channel.send(offer.replace('"version":1', '"version":7'));
    expect(await answer()).toMatchObject({ type: 'abort', code: 'UNSUPPORTED_VERSION' });
    expect((await problem).code).toBe('UNSUPPORTED_VERSION');
  });
});
