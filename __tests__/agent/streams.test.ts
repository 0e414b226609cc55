// Channels as streams, WHATWG's and Node's: plain ones, and those with flow control and half-close.
import { createHash, randomBytes } from 'node:crypto';
import { PassThrough, Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

import {
  AgentChannel,
  createPeer,
  MemorySignaling,
  RTCPeerConnection,
  STREAM_PROTOCOL,
  toDuplex,
  toWebStreams,
} from 'ossa-webrtc';
import type { AgentPeer, ChannelInit, Link, RTCDataChannel } from 'ossa-webrtc';

const open: AgentPeer[] = [];
let ab: Link;
let ba: Link;

beforeEach(async () => {
  const signaling = new MemorySignaling();
  const a = createPeer({ agentId: 'agent://a', signaling });
  const b = createPeer({ agentId: 'agent://b', signaling });
  open.push(a, b);
  await b.ready;
  const incoming = new Promise<Link>((resolve) => b.once('link', resolve));
  [ab, ba] = await Promise.all([a.connect('agent://b'), incoming]);
});
afterEach(() => Promise.all(open.splice(0).map((peer) => peer.close())));

/** Both ends of a channel. */
async function channels(init?: ChannelInit): Promise<[AgentChannel, AgentChannel]> {
  const announced = new Promise<AgentChannel>((resolve) => ba.once('channel', resolve));
  return await Promise.all([ab.createChannel('stream', init), announced]);
}

const flow = { protocol: STREAM_PROTOCOL };

/** Resolves at the next turn of the event loop at which `probe` holds. */
async function until(probe: () => boolean): Promise<void> {
  while (!probe()) await new Promise((resolve) => setImmediate(resolve));
}

async function collect(readable: AsyncIterable<unknown>): Promise<unknown[]> {
  const chunks: unknown[] = [];
  for await (const chunk of readable) chunks.push(chunk);
  return chunks;
}

/** Not `for await`: leaving such a loop destroys both directions of a Node stream. */
function text(readable: Readable): Promise<string> {
  let all = '';
  return new Promise((resolve, reject) => {
    readable.on('data', (chunk: Buffer) => (all += chunk.toString()));
    readable.on('end', () => resolve(all)).on('error', reject);
  });
}

const sha256 = (data: Uint8Array) => createHash('sha256').update(data).digest('hex');

describe.each([
  ['plain', {}],
  ['flow-controlled', flow],
] as const)('a %s channel', (_kind, init) => {
  test('carries text and bytes, a chunk per message, from one WHATWG stream to the other, and its end', async () => {
    const [a, b] = await channels(init);
    const received = collect(b.readable);
    const writer = a.writable.getWriter();
    for (const chunk of ['héllo', new Uint8Array([1, 2]), '', new Uint8Array([3]).buffer, new Blob(['blob'])]) {
      await writer.write(chunk);
    }
    await writer.close();
    expect(await received).toEqual([
      'héllo',
      new Uint8Array([1, 2]),
      '',
      new Uint8Array([3]),
      new Uint8Array(Buffer.from('blob')),
    ]);
    expect(a.readable).toBe(a.readable);
  });

  test('moves megabytes unchanged through pipeline(), whatever the size of the pieces', async () => {
    const [a, b] = await channels(init);
    const data = randomBytes(6_000_001);
    const pieces = [data.subarray(0, 1), data.subarray(1, 3_000_000), data.subarray(3_000_000)];
    const hash = createHash('sha256');
    await Promise.all([pipeline(Readable.from(pieces), a.duplex()), pipeline(b.duplex(), hash)]);
    expect(hash.digest('hex')).toBe(sha256(data));
  });

  test('keeps messages apart in object mode', async () => {
    const [a, b] = await channels(init);
    const received = collect(b.duplex({ objectMode: true }));
    await pipeline(Readable.from(['one', Buffer.from('two'), '']), a.duplex({ objectMode: true }));
    expect(await received).toEqual(['one', Buffer.from('two'), '']);
  });

  test('makes a writer wait while the other side does not read, and goes on when it does', async () => {
    const [a, b] = await channels(init);
    const readable = b.readable;
    const writer = a.writable.getWriter();
    let written = 0;
    const total = 200;
    const writing = (async () => {
      for (; written < total; written++) await writer.write(new Uint8Array(64 * 1024));
      await writer.close();
    })();
    expect(a.bufferedAmount).toBeLessThan(2 * 1024 * 1024);
    const chunks = await collect(readable);
    await writing;
    expect(chunks).toHaveLength(total);
  });

  test('fails a writer whose other side has cancelled reading', async () => {
    const [a, b] = await channels(init);
    const writer = a.writable.getWriter();
    await writer.write('something');
    await b.readable.cancel(new Error('enough'));
    await expect(writer.closed).rejects.toMatchObject({ name: 'AgentError' });
    await expect(writer.write('more')).rejects.toMatchObject({ name: 'AgentError' });
  });

  test('fails both writers, and a pipeline in progress, when the link is closed', async () => {
    const [a, b] = await channels(init);
    const [c, d] = await channels(init);
    const outcomes = [a, b].map((channel) =>
      expect(channel.writable.getWriter().closed).rejects.toMatchObject({ code: 'AGENT_UNREACHABLE' }),
    );
    const endless = Readable.from(
      (function* () {
        for (;;) yield Buffer.alloc(1000);
      })(),
    );
    const code = init === flow ? 'AGENT_UNREACHABLE' : (expect.any(String) as string);
    outcomes.push(expect(pipeline(endless, c.duplex())).rejects.toMatchObject({ code }));
    await new Promise((resolve) => d.once('message', resolve));
    await open[1]!.close();
    await Promise.all(outcomes);
  });

  test('refuses chunks that are no data, unknown options, and a second use', async () => {
    const [a, b] = await channels(init);
    const writer = a.writable.getWriter();
    await expect(writer.write(5 as never)).rejects.toThrow(/a chunk must be a string/);
    expect(() => a.duplex()).toThrow(/in use as a stream already/);
    expect(() => b.duplex({ highWatermark: 1 } as never)).toThrow(/no member "highWatermark"/);
  });
});

describe('half-close, on a flow-controlled channel', () => {
  test('an answer can follow the end of the question', async () => {
    const [a, b] = await channels(flow);
    const answering = b.duplex();
    const asking = a.duplex();
    asking.end('what is the time?');
    expect(await text(answering)).toBe('what is the time?');
    answering.end('late');
    expect(await text(asking)).toBe('late');
    await Promise.all([a.closed, b.closed]);
  });

  test('the reason of an abort reaches the reader, that of a cancellation the writer', async () => {
    const [a, b] = await channels(flow);
    await a.writable.abort(new Error('disk on fire'));
    await expect(b.readable.getReader().read()).rejects.toMatchObject({
      code: 'TASK_CANCELLED',
      message: expect.stringMatching('disk on fire') as string,
    });
    // The other direction is alive.
    const writer = b.writable.getWriter();
    await writer.write('still here');
    const reader = a.readable.getReader();
    expect(await reader.read()).toEqual({ done: false, value: 'still here' });
    await reader.cancel(new Error('enough'));
    await expect(writer.closed).rejects.toMatchObject({ message: expect.stringMatching('enough') as string });
    await Promise.all([a.closed, b.closed]);
  });

  test('a Node stream that is destroyed on one side is destroyed on the other, with the reason', async () => {
    const [a, b] = await channels(flow);
    const writing = pipeline(new PassThrough(), a.duplex());
    const broken = new Writable({ write: (_chunk, _encoding, callback) => callback(new Error('disk full')) });
    const reading = pipeline(b.duplex(), broken);
    const outcomes = Promise.all([
      expect(reading).rejects.toThrow('disk full'),
      expect(writing).rejects.toThrow(/disk full/),
    ]);
    await a.send(new Uint8Array(10));
    await outcomes;
  });
});

describe('flow control', () => {
  test('a reader that never reads holds one window, however much the writer has, and the channel stays open', async () => {
    const [a, b] = await channels(flow);
    const readable = b.readable;
    const writer = a.writable.getWriter();
    let written = 0;
    const writing = (async () => {
      for (;;) {
        await writer.write(new Uint8Array(64 * 1024));
        written += 64 * 1024;
      }
    })();
    writing.catch(() => undefined);
    const probe = await channels();
    // Far more traffic than the writer would need to go on, on another channel of the same connection.
    await Promise.all([
      pipeline(Readable.from(new Array(64).fill(Buffer.alloc(1 << 20))), probe[0].duplex()),
      pipeline(probe[1].duplex(), new PassThrough().resume()),
    ]);
    expect(written).toBeLessThanOrEqual(1024 * 1024 + 64 * 1024);
    expect(b.state).toBe('open');
    await readable.cancel();
    await expect(writing).rejects.toMatchObject({ name: 'AgentError' });
  });

  test('a writer that ignores it is cut off', async () => {
    const [a, b] = await channels(flow);
    const reader = b.readable.getReader();
    // It may be cut off before it has sent them all.
    for (let i = 0; i < 40; i++) await a.send(new Uint8Array(64 * 1024)).catch(() => undefined);
    await a.closed;
    await expect(reader.read()).rejects.toMatchObject({ code: 'PROTOCOL_ERROR' });
  });

  test.each(['c-1', 'cNaN', 'c99999999999', 'q', ''])('nonsense (%j) ends the channel', async (text) => {
    const [a, b] = await channels(flow);
    const reader = b.readable.getReader();
    await a.send(text);
    await a.closed;
    await expect(reader.read()).rejects.toMatchObject({ code: 'PROTOCOL_ERROR' });
  });

  test('needs a channel that is ordered and reliable', async () => {
    const [a] = await channels({ ...flow, ordered: false });
    expect(() => a.duplex()).toThrow(/must be ordered and reliable/);
  });
});

test('plain data channels can be streams too', async () => {
  const [one, two] = [new RTCPeerConnection(), new RTCPeerConnection()];
  one.onicecandidate = ({ candidate }) => void two.addIceCandidate(candidate ?? undefined);
  two.onicecandidate = ({ candidate }) => void one.addIceCandidate(candidate ?? undefined);
  const other = new Promise<RTCDataChannel>((resolve) => (two.ondatachannel = ({ channel }) => resolve(channel)));
  const { writable } = toWebStreams(one.createDataChannel('x'));
  await one.setLocalDescription();
  await two.setRemoteDescription(one.localDescription!);
  await two.setLocalDescription();
  await one.setRemoteDescription(two.localDescription!);
  const sending = (async () => {
    const writer = writable.getWriter();
    await writer.write('over a data channel');
    await writer.close();
  })();
  const chunks = await collect(toDuplex(await other));
  await sending;
  expect(Buffer.concat(chunks as Buffer[]).toString()).toBe('over a data channel');
  one.close();
  two.close();
});

test('what has been received before a close can still be read', async () => {
  const [a, b] = await channels();
  await a.send('first');
  await a.send('second');
  await a.close();
  await until(() => b.state === 'closed');
  expect(await collect(b.readable as unknown as AsyncIterable<unknown>)).toEqual(['first', 'second']);
});
