import { connectedPair, NativeError } from './support';

const MIB = 1 << 20;

/** Keeps this thread from doing anything else. */
function block(milliseconds: number) {
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
}

/** Payload bytes that the core of `peer` has handed to the queue of this thread. */
function takenIn(peer: { native: { getStats(): { type: string; [member: string]: unknown }[] } }): number {
  const stats = peer.native.getStats().find((entry) => entry.type === 'data-channel');
  return Number(stats!.bytesReceived);
}

describe('back pressure', () => {
  test('a receiver that does not come to read takes in a few MiB and no more, and loses nothing', async () => {
    const pair = await connectedPair({}, { a: { sendBufferLimit: 0 } });
    const message = new Uint8Array(16 * 1024).fill(7);
    const count = (40 * MIB) / message.length;
    for (let i = 0; i < count; i++) pair.a.native.send(pair.channel, message);
    block(500);
    // 4 MiB and what was under way when the bound was reached; the accounting adds 64 bytes per message.
    expect(takenIn(pair.b)).toBeLessThanOrEqual(4 * MIB + message.length);
    const messages = await pair.b.received(count);
    expect(messages.every(({ data }) => (data as ArrayBuffer).byteLength === message.length)).toBe(true);
    pair.close();
  }, 60_000);

  test('empty messages count as well', async () => {
    const pair = await connectedPair();
    const count = 100_000;
    const empty = new Uint8Array(0);
    for (let i = 0; i < count; i++) pair.a.native.send(pair.channel, empty);
    await pair.b.received(count);
    pair.close();
  }, 60_000);

  test('a message larger than the send buffer goes when nothing else waits', async () => {
    const pair = await connectedPair({}, { a: { sendBufferLimit: MIB } });
    const large = new Uint8Array(3 * MIB).fill(9);
    pair.a.native.send(pair.channel, large);
    expect(() => pair.a.native.send(pair.channel, new Uint8Array(1))).toThrow(NativeError);
    const [message] = await pair.b.received(1);
    expect(Buffer.compare(Buffer.from(message!.data as ArrayBuffer), large)).toBe(0);
    pair.close();
  });

  test('a full send buffer of one channel leaves the others theirs', async () => {
    const limit = 2 * MIB;
    const pair = await connectedPair({}, { a: { sendBufferLimit: limit } });
    const idle = pair.a.native.createDataChannel({ label: 'idle' });
    await pair.a.event('channelOpen', (event) => event.channel === idle);
    const { channel: remote } = await pair.b.event('channelAnnounced', ({ info }) => info.label === 'idle');
    const fill = () => {
      for (;;) pair.a.native.send(pair.channel, new Uint8Array(100_000));
    };
    expect(fill).toThrow(NativeError);
    expect(pair.a.native.send(idle, 'stop')).toBe(4);
    expect(pair.a.native.send(idle, new Uint8Array(limit - 4))).toBe(limit - 4);
    expect(() => pair.a.native.send(idle, 'more')).toThrow(NativeError);
    await pair.b.until(() => pair.b.messages.filter(({ channel }) => channel === remote).length === 2);
    pair.close();
  });

  test('send() throws once the send buffer is full, and works again when it has drained', async () => {
    const limit = 2 * MIB;
    const pair = await connectedPair({}, { a: { sendBufferLimit: limit } });
    const message = new Uint8Array(100_000);
    let sent = 0;
    const fill = () => {
      for (;;) {
        try {
          sent += pair.a.native.send(pair.channel, message);
        } catch (error) {
          return error;
        }
      }
    };
    const error = fill();
    expect(error).toBeInstanceOf(NativeError);
    expect(error).toMatchObject({ code: 'OperationError' });
    expect(sent).toBe(2_000_000);
    await pair.a.until(() => pair.a.released.get(pair.channel) === sent);
    expect(fill()).toMatchObject({ code: 'OperationError' });
    expect(sent).toBe(4_000_000);
    await pair.b.received(40);
    pair.close();
  });

  test('the release report names the low threshold exactly', async () => {
    const pair = await connectedPair();
    const size = 50_000;
    pair.a.native.setLowThreshold(pair.channel, size / 2);
    const amounts: number[] = [];
    let buffered = 0;
    pair.a.released.clear();
    buffered += pair.a.native.send(pair.channel, new Uint8Array(size));
    await pair.a.until(() => {
      const now = buffered - (pair.a.released.get(pair.channel) ?? 0);
      if (amounts.at(-1) !== now) amounts.push(now);
      return now === 0;
    });
    expect(amounts[0]).toBe(size);
    expect(amounts.at(-1)).toBe(0);
    pair.close();
  });

  test('a listener that is slow does not keep timers from running', async () => {
    const pair = await connectedPair();
    const count = 2000;
    let received = 0;
    const seen: number[] = [];
    pair.b.onMessage = () => {
      received++;
      block(0.5);
    };
    const timer = setInterval(() => seen.push(received), 1);
    for (let i = 0; i < count; i++) pair.a.native.send(pair.channel, 'x');
    await new Promise<void>((resolve) => {
      const poll = () => (received === count ? resolve() : setImmediate(poll));
      poll();
    });
    clearInterval(timer);
    // A second of work was cut into many slices.
    expect(new Set(seen).size).toBeGreaterThan(20);
    pair.close();
  });
});
