// Events and queues: order, late listeners, loops, bounds, listeners that throw.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import { Budget, Emitter, Inbox } from '../../ts/base/events';

type Events = { item: [item: number]; other: [] };

class Source extends Emitter<Events> {
  readonly inbox = new Inbox<number>({ items: 3, bytes: 100 }, (item) => item);
  constructor() {
    super();
    this.buffer('item', this.inbox);
  }
  fire(): void {
    this.emit('other');
  }
}

/** Lets queued microtasks run. */
const settle = () => new Promise(setImmediate);

test('what came before the first listener is delivered in order, before what comes later', async () => {
  const source = new Source();
  const seen: number[] = [];
  source.inbox.push(1);
  source.inbox.push(2);
  source.on('item', (item) => seen.push(item));
  source.inbox.push(3);
  expect(seen).toEqual([]);
  await settle();
  source.inbox.push(4);
  expect(seen).toEqual([1, 2, 3, 4]);
});

test('items and bytes are bounded, and what does not fit is refused', () => {
  const { inbox } = new Source();
  expect([1, 2, 3, 4].map((item) => inbox.push(item))).toEqual([true, true, true, false]);
  const heavy = new Source().inbox;
  expect([60, 60, 40].map((item) => heavy.push(item))).toEqual([true, false, true]);
});

test('loops share items, take what waits first and end with the queue', async () => {
  const { inbox } = new Source();
  inbox.push(1);
  const [one, two] = [inbox.iterate(), inbox.iterate()];
  expect(await one.next()).toEqual({ done: false, value: 1 });
  const waiting = [one.next(), two.next()];
  inbox.push(2);
  inbox.end();
  expect(await Promise.all(waiting)).toEqual([
    { done: false, value: 2 },
    { done: true, value: undefined },
  ]);
  expect(await two.next()).toEqual({ done: true, value: undefined });
});

test('an item that a loop left behind goes to the listener', async () => {
  const source = new Source();
  const loop = source.inbox.iterate();
  const seen: number[] = [];
  source.inbox.push(7);
  await loop.return?.();
  source.on('item', (item) => seen.push(item));
  await settle();
  expect(seen).toEqual([7]);
});

test('once is called once, off takes back, and a removed listener hears nothing', async () => {
  const source = new Source();
  let calls = 0;
  const listener = () => calls++;
  source.once('other', listener);
  source.on('item', listener);
  source.off('item', listener);
  source.fire();
  source.fire();
  source.inbox.push(1);
  await settle();
  expect(calls).toBe(1);
});

test('off takes back what once has added, by the listener that the user knows', async () => {
  const source = new Source();
  let calls = 0;
  const listener = () => calls++;
  for (const name of ['other', 'item'] as const) {
    source.once(name, listener);
    source.off(name, listener);
  }
  source.fire();
  source.inbox.push(1);
  await settle();
  expect(calls).toBe(0);
  expect(source.inbox.length).toBe(1);
});

test('a long queue keeps its order', async () => {
  const inbox = new Inbox<number>({ items: 10_000, bytes: Infinity });
  for (let item = 0; item < 5000; item++) inbox.push(item);
  const seen: number[] = [];
  for await (const item of inbox.iterate()) {
    seen.push(item);
    if (item === 2000) for (let more = 5000; more < 6000; more++) inbox.push(more);
    if (item === 5999) break;
  }
  expect(seen).toEqual(Array.from({ length: 6000 }, (_, index) => index));
});

test('queues of one budget share it, and what has been read leaves room', async () => {
  const budget = new Budget(10);
  const [one, two] = [1, 2].map(() => new Inbox<string>({ items: 9, bytes: Infinity, budget }, (item) => item.length));
  expect([one!.push('123456'), two!.push('12345'), two!.push('1234')]).toEqual([true, false, true]);
  await one!.iterate().next();
  expect([two!.push('1234567'), two!.push('123456')]).toEqual([false, true]);
});

test('a queue that nobody can read any more gives its share back', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const budget = new Budget(10);
  (() => new Inbox<string>({ items: 9, bytes: Infinity, budget }, (item) => item.length).push('1234567890'))();
  expect(budget.take(1)).toBe(false);
  while (!budget.take(10)) {
    collect();
    await new Promise(setImmediate);
  }
});
