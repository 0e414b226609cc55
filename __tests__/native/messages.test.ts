import { connectedPair, type Pair } from './support';

const bytes = (data: string | ArrayBuffer) => [...new Uint8Array(data as ArrayBuffer)];

describe('messages between two native peers', () => {
  let pair: Pair;

  beforeAll(async () => {
    pair = await connectedPair();
  });
  afterAll(() => pair.close());

  async function roundTrip(data: string | Uint8Array) {
    const length = pair.a.native.send(pair.channel, data);
    const [message] = await pair.b.received(1);
    expect(message!.channel).toBe(pair.remote);
    return { length, data: message!.data };
  }

  test.each([0, 1, 3, 24, 25, 4095, 4096, 8192, 8193, 65_536, 131_072, 1_000_003])(
    '%i bytes arrive as they were sent',
    async (length) => {
      const sent = Uint8Array.from({ length }, (_, i) => (i * 31 + 7) & 255);
      const received = await roundTrip(sent);
      expect(received.length).toBe(length);
      expect(received.data).toBeInstanceOf(ArrayBuffer);
      expect((received.data as ArrayBuffer).byteLength).toBe(length);
      expect(Buffer.from(received.data as ArrayBuffer).equals(sent)).toBe(true);
    },
  );

  test('a view sends its own part of the memory only', async () => {
    const memory = Uint8Array.from({ length: 100 }, (_, i) => i);
    expect(bytes((await roundTrip(memory.subarray(10, 20))).data)).toEqual([10, 11, 12, 13, 14, 15, 16, 17, 18, 19]);
    const big = new Uint8Array(100_000).map((_, i) => i & 255);
    const received = (await roundTrip(big.subarray(50_000, 90_000))).data as ArrayBuffer;
    expect(Buffer.from(received).equals(big.subarray(50_000, 90_000))).toBe(true);
  });

  test('what is changed after send() does not change the message', async () => {
    for (const length of [10, 1000, 100_000]) {
      const data = new Uint8Array(length).fill(1);
      pair.a.native.send(pair.channel, data);
      data.fill(2);
      const [message] = await pair.b.received(1);
      expect(new Set(bytes(message!.data))).toEqual(new Set([1]));
    }
  });

  test('every binary message has memory of its own', async () => {
    for (let i = 0; i < 3; i++) pair.a.native.send(pair.channel, Uint8Array.of(i, i));
    const messages = await pair.b.received(3);
    new Uint8Array(messages[0]!.data as ArrayBuffer).fill(99);
    expect(messages.map((message) => bytes(message.data))).toEqual([
      [99, 99],
      [1, 1],
      [2, 2],
    ]);
  });

  test.each([
    '',
    'a',
    'plain text that is longer than the loop takes',
    '\u{e9}\u{e9}',
    '\u{1f600} \u{10ffff}',
    '\ufeffwith a byte order mark',
    'nul\0inside',
    'x'.repeat(5000),
    '\u{20ac}'.repeat(5000),
    '\u{1f600}'.repeat(50_000),
  ])('text arrives as it was sent (%#)', async (text) => {
    const received = await roundTrip(text);
    expect(received.data).toBe(text);
    expect(received.length).toBe(Buffer.byteLength(text));
  });

  test('a lone surrogate becomes U+FFFD, as in a USVString', async () => {
    expect((await roundTrip('a\ud83db')).data).toBe('a\ufffdb');
    expect((await roundTrip('\udc00')).data).toBe('\ufffd');
    const long = `${'x'.repeat(10_000)}\ud83d`;
    const received = await roundTrip(long);
    expect(received.data).toBe(`${'x'.repeat(10_000)}\ufffd`);
    expect(received.length).toBe(10_003);
  });

  test('order holds across small and large, text and binary', async () => {
    const sizes = [1, 100_000, 5, 9000, 0, 3000, 200_000, 7, 8193, 8192, 2];
    for (const [i, size] of sizes.entries()) {
      const data = i % 2 === 0 ? new Uint8Array(size) : 't'.repeat(size);
      pair.a.native.send(pair.channel, data);
    }
    const messages = await pair.b.received(sizes.length);
    const shape = messages.map(({ data }) => (typeof data === 'string' ? data.length : data.byteLength));
    expect(shape).toEqual(sizes);
    expect(messages.map(({ data }) => typeof data === 'string')).toEqual(sizes.map((_, i) => i % 2 === 1));
  });

  test('more messages than fit into one slab arrive in order', async () => {
    const count = 20_000;
    const sent = new Uint8Array(64);
    const view = new DataView(sent.buffer);
    for (let i = 0; i < count; i++) {
      view.setUint32(0, i);
      pair.a.native.send(pair.channel, sent);
    }
    const messages = await pair.b.received(count);
    const wrong = messages.findIndex(({ data }, i) => new DataView(data as ArrayBuffer).getUint32(0) !== i);
    expect(wrong).toBe(-1);
  });

  test('each message is a task of its own: promise jobs run in between', async () => {
    const log: string[] = [];
    const original = pair.b.onMessage;
    const done = new Promise<void>((resolve) => {
      pair.b.onMessage = (_channel, data) => {
        const text = data as string;
        log.push(`message ${text}`);
        void Promise.resolve().then(() => log.push(`job ${text}`));
        if (text === '3') setImmediate(resolve);
      };
    });
    for (const text of ['1', '2', '3']) pair.a.native.send(pair.channel, text);
    await done;
    pair.b.onMessage = original;
    expect(log).toEqual(['message 1', 'job 1', 'message 2', 'job 2', 'message 3', 'job 3']);
  });

  test('both directions work', async () => {
    pair.b.native.send(pair.remote, 'back');
    const [message] = await pair.a.received(1);
    expect(message).toEqual({ channel: pair.channel, data: 'back' });
  });

  test('everything that was sent is released in the end', async () => {
    pair.a.released.clear();
    let sent = 0;
    for (const size of [10, 0, 5000, 300_000]) sent += pair.a.native.send(pair.channel, new Uint8Array(size));
    await pair.a.until(() => pair.a.released.get(pair.channel) === sent);
    await pair.b.received(4);
  });
});
