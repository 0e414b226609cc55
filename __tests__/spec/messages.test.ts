import { errorOf, once, openPair } from '../w3c/helper';
import { receiver, sendChunkedMessage, sendMessage, type WebRTCMessage } from './messages';

function message(payload: unknown): WebRTCMessage {
  return {
    type: 'message',
    id: 'b6a7a7e0-6a4f-4c5e-9b1a-0d8c5d1f2a3b',
    timestamp: '2026-01-01T00:00:00.000Z',
    payload,
    metadata: { agentId: 'agent://example.com/agent-a', priority: 'high', ttl: 60 },
  };
}

/** What arrives when `send` has sent `count` messages. */
async function delivered(send: WebRTCMessage[], init = {}): Promise<{ processed: WebRTCMessage[]; parts: string[] }> {
  const { near, far } = await openPair(init);
  const parts: string[] = [];
  const processed: WebRTCMessage[] = [];
  const done = new Promise<void>((resolve) => {
    const handle = receiver((one) => {
      processed.push(one);
      if (processed.length === send.length) resolve();
    });
    far.onmessage = (event: MessageEvent) => {
      parts.push(event.data as string);
      handle(event);
    };
  });
  for (const one of send) sendMessage(near, one);
  await done;
  return { processed, parts };
}

describe("the specification's sendMessage", () => {
  test('delivers a small message as one text message', async () => {
    const { processed, parts } = await delivered([message({ load: 0.5 })]);
    expect(processed).toEqual([message({ load: 0.5 })]);
    expect(parts).toHaveLength(1);
  });

  test('delivers a large message in chunks that the specification puts together', async () => {
    const large = message('0123456789'.repeat(20_000));
    const { processed, parts } = await delivered([large]);
    expect(processed).toEqual([large]);
    expect(parts.length).toBe(Math.ceil(JSON.stringify(large).length / (16 * 1024)));
  });

  test('delivers chunks that grow to three times their size by escaping', async () => {
    // Each character takes two in the inner JSON text and four in the outer.
    const large = message('"\\'.repeat(30_000));
    const { processed, parts } = await delivered([large]);
    expect(processed).toEqual([large]);
    expect(Math.max(...parts.map((part) => part.length))).toBeGreaterThan(30_000);
  });

  test('delivers a surrogate pair that was cut in two between chunks', async () => {
    for (const shift of ['', 'x']) {
      const large = message(shift + '😀'.repeat(20_000));
      expect((await delivered([large])).processed).toEqual([large]);
    }
  });

  test('keeps the order of large and small messages on an ordered channel', async () => {
    const sent = [message('first'), message('x'.repeat(200_000)), message('last')];
    expect((await delivered(sent)).processed).toEqual(sent);
  });

  test('puts chunks together that arrive in another order', async () => {
    const large = message('y'.repeat(500_000));
    expect((await delivered([large], { ordered: false })).processed).toEqual([large]);
  });

  test('refuses to send on a channel that is not open', async () => {
    const { near } = await openPair();
    near.close();
    expect(() => sendMessage(near, message('late'))).toThrow('Data channel not open');
    // Chunks go past that check; the channel itself refuses them.
    expect(errorOf(() => sendChunkedMessage(near, message('late')))).toMatchObject({ name: 'InvalidStateError' });
  });
});

describe("the specification's backpressure", () => {
  test('pauses at a megabyte, resumes at 64 KB and loses nothing', async () => {
    const { near: dataChannel, far } = await openPair();
    const TOTAL = 400;
    let next = 0;
    let pauses = 0;
    let most = 0;

    const sendWithBackpressure = (data: string) => {
      if (dataChannel.bufferedAmount > 1024 * 1024) {
        // Buffer full, pause sending
        return false;
      }

      dataChannel.send(data);
      return true;
    };
    const resumeSending = () => {
      while (next < TOTAL) {
        if (!sendWithBackpressure(`${next}:`.padEnd(32 * 1024, '.'))) {
          pauses++;
          return;
        }
        next++;
        most = Math.max(most, dataChannel.bufferedAmount);
      }
    };

    dataChannel.bufferedAmountLowThreshold = 65536; // 64KB

    dataChannel.onbufferedamountlow = () => {
      // Resume sending after backpressure
      resumeSending();
    };

    const order: number[] = [];
    const all = new Promise<void>((resolve) => {
      far.onmessage = ({ data }: MessageEvent) => {
        order.push(parseInt(data as string, 10));
        if (order.length === TOTAL) resolve();
      };
    });
    resumeSending();
    await all;
    expect(order).toEqual(Array.from({ length: TOTAL }, (_, i) => i));
    expect(pauses).toBeGreaterThan(0);
    expect(most).toBeLessThanOrEqual(1024 * 1024 + 32 * 1024);
  });
});

describe("the specification's keep-alive", () => {
  afterEach(() => {
    jest.useRealTimers();
  });

  test('sends a heartbeat every 30 seconds while the channel is open', async () => {
    const { near: dataChannel, far } = await openPair();
    // The connection itself runs on real timers: only the interval is at our command.
    jest.useFakeTimers({
      doNotFake: ['setImmediate', 'clearImmediate', 'setTimeout', 'clearTimeout', 'nextTick', 'queueMicrotask', 'Date'],
    });
    const heartbeatInterval = setInterval(() => {
      if (dataChannel.readyState === 'open') {
        dataChannel.send(
          JSON.stringify({
            type: 'heartbeat',
            timestamp: new Date().toISOString(),
          }),
        );
      }
    }, 30000);

    for (let beat = 0; beat < 3; beat++) {
      const received = once<MessageEvent>(far, 'message');
      jest.advanceTimersByTime(30_000);
      const beatMessage = JSON.parse((await received).data as string) as { type: string; timestamp: string };
      expect(beatMessage).toEqual({ type: 'heartbeat', timestamp: new Date(beatMessage.timestamp).toISOString() });
    }
    dataChannel.close();
    jest.advanceTimersByTime(30_000); // no exception
    clearInterval(heartbeatInterval);
  });
});
