// Results that stream: whoever reads slowly stops whoever writes, and whoever reads no further stops it for good.
import { Readable } from 'node:stream';

import { AgentError, ResultStream } from 'ossa-webrtc';

import { agents, rejection, until } from './two-agents';

const { agent, pair } = agents();

/** All items of a stream. */
async function all<Item>(stream: AsyncIterable<Item>): Promise<Item[]> {
  const items: Item[] = [];
  for await (const item of stream) items.push(item);
  return items;
}

/** A handler that counts for ever, how far it has come, and whether it has ended. */
function counter(item: (number: number) => unknown = (number) => number) {
  const state = { produced: 0, ended: 0, reason: undefined as unknown };
  async function* handler(_: unknown, { signal }: { signal: AbortSignal }) {
    signal.addEventListener('abort', () => {
      state.reason = signal.reason as unknown;
    });
    try {
      for (;;) {
        await Promise.resolve();
        yield item(state.produced++);
      }
    } finally {
      state.ended++;
    }
  }
  return { handler, state };
}

describe('a handler streams', () => {
  const three = function* () {
    yield* [1, { result: 2 }, null];
  };
  test.each([
    [
      'an async generator',
      async function* () {
        await Promise.resolve();
        yield* three();
      },
    ],
    ['a generator', three],
    [
      'a promise of an async iterable',
      () =>
        Promise.resolve({
          [Symbol.asyncIterator]: () => Readable.from([1, { result: 2 }, 'last'])[Symbol.asyncIterator](),
        }),
    ],
    [
      'a ReadableStream',
      () =>
        new ReadableStream({
          start: (controller) => {
            for (const item of [...three()].slice(0, 2)) controller.enqueue(item);
            controller.close();
          },
        }),
    ],
    ['a Readable', () => Readable.from([1, { result: 2 }])],
  ])('with %s', async (_, handler) => {
    const { b, ab, ba } = await pair();
    b.handle('items', handler);
    const items = await all(ab.callStream('items'));
    expect(items.slice(0, 2)).toEqual([1, { result: 2 }]);
    // Whoever takes it in one piece gets an array.
    expect(await ab.call('items')).toEqual(items);
    expect([ab.pendingCalls, ba.activeCalls]).toEqual([0, 0]);
  });

  test('thousands of items, in order, and nothing at all', async () => {
    const { b, ab } = await pair();
    b.handle('count', async function* (to: number) {
      for (let number = 0; number < to; number++) yield await Promise.resolve(number);
    });
    const numbers = Array.from({ length: 5000 }, (_, index) => index);
    expect(await all(ab.callStream('count', 5000))).toEqual(numbers);
    expect(await all(ab.callStream('count', 0))).toEqual([]);
    expect(await ab.call('count', 0)).toEqual([]);
  });

  test('to several readers at once, of which one stands still', async () => {
    const { b, ab } = await pair();
    b.handle('count', async function* () {
      for (let number = 0; ; number++) yield await Promise.resolve(number);
    });
    b.handle('ping', () => 'pong');
    const still = ab.callStream<number>('count');
    expect(await still.next()).toEqual({ done: false, value: 0 });
    const sums = [0, 0];
    await Promise.all(
      sums.map(async (_, index) => {
        for await (const number of ab.callStream<number>('count')) {
          sums[index]! += number;
          if (number === 999) break;
        }
      }),
    );
    expect(sums).toEqual([499_500, 499_500]);
    expect(await ab.call('ping')).toBe('pong');
    expect(await still.next()).toEqual({ done: false, value: 1 });
    await still.return();
  });
});

describe('the reader sets the pace', () => {
  test('a slow one stops the handler after 64 items, and gets every item all the same', async () => {
    const { b, ab } = await pair();
    const { handler, state } = counter();
    b.handle('count', handler);
    b.handle('ping', () => 'pong');
    const stream = ab.callStream<number>('count');
    for (let read = 0; read < 300; read++) {
      expect(await stream.next()).toEqual({ done: false, value: read });
      if (read % 10) continue;
      // Whatever the handler may send has arrived before the answer to this.
      await ab.call('ping');
      await ab.call('ping');
      expect(state.produced).toBeLessThanOrEqual(read + 1 + 64);
    }
    await stream.return();
    await until(() => state.ended === 1);
  });

  test('large items are a megabyte ahead at most, and one more', async () => {
    const { b, ab } = await pair();
    const { handler, state } = counter((number) => `${number}:${'x'.repeat(400_000)}`);
    b.handle('large', handler);
    b.handle('ping', () => 'pong');
    const stream = ab.callStream<string>('large');
    for (let read = 0; read < 10; read++) {
      const { value } = await stream.next();
      expect(value).toMatch(new RegExp(`^${read}:x+$`));
      await ab.call('ping');
      expect(state.produced).toBeLessThanOrEqual(read + 1 + 3);
    }
    await stream.return();
  });

  test('a stream that nobody reads costs nothing: the call is made with the first item', async () => {
    const { b, ab } = await pair();
    const { handler, state } = counter();
    b.handle('count', handler);
    b.handle('ping', () => 'pong');
    const stream = ab.callStream('count');
    expect(stream).toBeInstanceOf(ResultStream);
    await ab.call('ping');
    expect([state.produced, ab.pendingCalls]).toEqual([0, 0]);
    await stream.return();
    expect(await stream.next()).toEqual({ done: true, value: undefined });
    expect(state.produced).toBe(0);
  });

  test('a collected result has a limit, past which the handler is stopped', async () => {
    const { b, ab, ba } = await pair();
    const { handler, state } = counter();
    b.handle('count', handler);
    await expect(ab.call('count')).rejects.toMatchObject({ code: 'MESSAGE_TOO_LARGE' });
    expect(state).toMatchObject({ produced: 65_537, ended: 1 });
    await until(() => ba.activeCalls === 0);
  });
});

describe('a stream ends', () => {
  test('a call that is given up while it waits for room is never made', async () => {
    const { b, ab } = await pair();
    const { handler, state } = counter();
    b.handle('count', handler);
    b.handle('sync', () => true);
    const sending = Array.from({ length: 12 }, () => ab.send('x'.repeat(200_000)));
    const stream = ab.callStream<number>('count');
    const first = stream.next();
    await stream.return();
    expect(await first).toEqual({ done: true, value: undefined });
    await Promise.all(sending);
    expect(await ab.call('sync')).toBe(true);
    expect(state).toMatchObject({ produced: 0, ended: 0 });
  });

  test('for both sides when its reader leaves the loop', async () => {
    const { b, ab, ba } = await pair();
    const { handler, state } = counter();
    b.handle('count', handler);
    for await (const number of ab.callStream<number>('count')) if (number === 5) break;
    await until(() => ba.activeCalls === 0);
    expect(state).toMatchObject({ ended: 1, reason: { code: 'TASK_CANCELLED' } });
    expect(ab.pendingCalls).toBe(0);
    {
      await using stream = ab.callStream<number>('count');
      await stream.next();
    }
    await until(() => state.ended === 2 && ba.activeCalls === 0);
  });

  test('with what the handler throws, after the items before', async () => {
    const { b, ab, ba } = await pair();
    b.handle('breaks', async function* () {
      yield await Promise.resolve(1);
      yield 2;
      throw new AgentError('WORN_OUT', 'no more', { retryable: true });
    });
    const items: unknown[] = [];
    const reading = (async () => {
      for await (const item of ab.callStream('breaks')) items.push(item);
    })();
    expect(await rejection(reading)).toMatchObject({ code: 'WORN_OUT', message: 'no more', retryable: true });
    expect(items).toEqual([1, 2]);
    await expect(ab.call('breaks')).rejects.toMatchObject({ code: 'WORN_OUT' });
    await expect(ab.callStream('unknown').next()).rejects.toMatchObject({ code: 'CAPABILITY_NOT_FOUND' });
    expect([ab.pendingCalls, ba.activeCalls]).toEqual([0, 0]);
  });

  test('with its signal, while it waits and between items', async () => {
    const { b, ab, ba } = await pair();
    const { handler, state } = counter();
    b.handle('count', handler);
    b.handle('silent', async function* (_, { signal }) {
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      yield 1;
    });
    const controller = new AbortController();
    const { signal } = controller;
    const stream = ab.callStream('count', null, { signal });
    await stream.next();
    const waiting = rejection(ab.callStream('silent', null, { signal }).next());
    await until(() => ba.activeCalls === 2);
    controller.abort();
    expect(await waiting).toMatchObject({ code: 'TASK_CANCELLED' });
    const rest = rejection(all(stream));
    expect(await rest).toMatchObject({ code: 'TASK_CANCELLED' });
    expect(await stream.next()).toEqual({ done: true, value: undefined });
    await until(() => ba.activeCalls === 0);
    expect(state.ended).toBe(1);
    await expect(ab.callStream('count', null, { signal }).next()).rejects.toMatchObject({ code: 'TASK_CANCELLED' });
  });

  test('when no item comes in time, but not because its reader takes long', async () => {
    const { b, ab, ba } = await pair();
    b.handle('two', async function* (_, { signal }) {
      yield 1;
      yield 2;
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
    });
    const stream = ab.callStream('two', null, { timeout: 30 });
    await stream.next();
    // Longer than the time limit, by any clock.
    await rejection(ab.call('two', null, { timeout: 60 }));
    expect(await stream.next()).toEqual({ done: false, value: 2 });
    expect(await rejection(stream.next())).toMatchObject({ code: 'TASK_TIMEOUT', retryable: true });
    await until(() => ba.activeCalls === 0);
  });

  test('with its link', async () => {
    const { b, ab, ba } = await pair();
    const { handler, state } = counter();
    b.handle('count', handler);
    const stream = ab.callStream('count');
    await stream.next();
    await ba.close();
    expect(await rejection(all(stream))).toMatchObject({ code: 'AGENT_UNREACHABLE', retryable: true });
    await until(() => state.ended === 1);
    await expect(ab.callStream('count').next()).rejects.toMatchObject({ code: 'AGENT_UNREACHABLE' });
  });
});

test('what answers once gives one item, an array too', async () => {
  const { b, ab } = await pair();
  b.handle('echo', (input) => input);
  expect(await all(ab.callStream('echo', 7))).toEqual([7]);
  expect(await all(ab.callStream('echo', [1, 2]))).toEqual([[1, 2]]);
  expect(await all(ab.callStream('echo', null))).toEqual([null]);
});

test('items are handed out in order to readers that ask before they come', async () => {
  const { b, ab } = await pair();
  b.handle('letters', function* () {
    yield* ['a', 'b'];
  });
  const stream = ab.callStream('letters');
  const asked = [stream.next(), stream.next(), stream.next()];
  expect(await Promise.all(asked)).toEqual([
    { done: false, value: 'a' },
    { done: false, value: 'b' },
    { done: true, value: undefined },
  ]);
});

test('peer.callStream connects when the first item is asked for', async () => {
  const [a, b] = [agent('a'), agent('b')];
  await b.ready;
  b.handle('letters', function* () {
    yield* ['a', 'b'];
  });
  const stream = a.callStream('agent://b', 'letters');
  expect(a.links.size).toBe(0);
  expect(await all(stream)).toEqual(['a', 'b']);
  await expect(a.callStream('agent://nobody', 'x').next()).rejects.toMatchObject({ code: 'AGENT_UNREACHABLE' });
});
