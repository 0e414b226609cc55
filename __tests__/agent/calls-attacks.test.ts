// What a malicious agent may try with calls, at either end.
import type { AgentError, Link } from 'ossa-webrtc';

import { agents, envelope, next, rawSender, rejection, until } from './two-agents';

const { agent, pair } = agents();

/** A capability of `b` whose calls stay open until the test answers them by hand, in whatever way. */
async function forger() {
  const two = await pair();
  const ids: string[] = [];
  const stopped: unknown[] = [];
  two.b.handle('open', (_, { id, signal }) => {
    ids.push(id);
    signal.addEventListener('abort', () => stopped.push(signal.reason));
    return new Promise(() => undefined);
  });
  two.b.handle('echo', (input) => input);
  const send = await rawSender(two.ba);
  const answer = (correlationId: string, payload: unknown, stream?: object) =>
    send(envelope('agent://b', 'capability_response', payload, { correlationId, ...(stream && { stream }) }));
  const opened = async () => {
    await until(() => ids.length > 0);
    return ids.shift()!;
  };
  return { ...two, send, answer, opened, stopped };
}

test('an answer to the call of somebody else does not reach it', async () => {
  const [a, b, c] = [agent('a'), agent('b'), agent('c')];
  await Promise.all([b.ready, c.ready]);
  const [ac, ba] = await Promise.all([a.connect('agent://c'), next<Link>(b, 'link'), a.connect('agent://b')]);
  let id = '';
  let finish!: (value: string) => void;
  c.handle('secret', (_, context) => {
    id = context.id;
    return new Promise((resolve) => (finish = resolve));
  });
  a.handle('ping', () => 'pong');
  const call = ac.call('secret');
  await until(() => id !== '');
  const send = await rawSender(ba);
  send(envelope('agent://b', 'capability_response', 'forged', { correlationId: id }));
  send(envelope('agent://c', 'capability_response', 'forged', { correlationId: id }));
  send(envelope('agent://b', 'error', { code: 'X', message: 'forged' }, { correlationId: id }));
  send({ ...envelope('agent://b', 'capability_response', 'forged'), id });
  expect(await ba.call('ping')).toBe('pong');
  expect(ac.pendingCalls).toBe(1);
  finish('true');
  expect(await call).toBe('true');
});

test('of several answers the first one counts', async () => {
  const { ab, answer, send, opened } = await forger();
  const call = ab.call('open');
  const id = await opened();
  answer(id, 'first');
  answer(id, 'second');
  send(envelope('agent://b', 'error', { code: 'X', message: 'third' }, { correlationId: id }));
  expect(await call).toBe('first');
  expect(await ab.call('echo', 1)).toBe(1);
  expect(ab.pendingCalls).toBe(0);
});

test('a flood of calls runs no more handlers than allowed, and every call is answered', async () => {
  const limits = { runningCalls: 4, queuedCalls: 4 };
  const { b, ab, ba } = await pair({ b: { limits } });
  let running = 0;
  let most = 0;
  const release: (() => void)[] = [];
  b.handle('slow', async () => {
    most = Math.max(most, ++running);
    await new Promise<void>((resolve) => release.push(resolve));
    running--;
  });
  const calls = Array.from({ length: 2000 }, () => ab.call('slow'));
  const outcomes = Promise.allSettled(calls);
  await until(() => ab.pendingCalls === 8);
  expect(ba.activeCalls).toBe(8);
  while (ab.pendingCalls > 0) {
    release.shift()?.();
    await new Promise(setImmediate);
  }
  const refused = (await outcomes).filter(({ status }) => status === 'rejected');
  expect(refused).toHaveLength(1992);
  expect(refused[0]).toMatchObject({ reason: { code: 'RATE_LIMIT_EXCEEDED', retryable: true } });
  expect(most).toBe(4);
  expect(ba.activeCalls).toBe(0);
});

test('calling and cancelling in turns does not run more handlers than allowed', async () => {
  const { b, ab, ba } = await pair({ b: { limits: { runningCalls: 4, queuedCalls: 0 } } });
  let running = 0;
  let most = 0;
  const release: (() => void)[] = [];
  // It does not listen to its signal.
  b.handle('deaf', async () => {
    most = Math.max(most, ++running);
    await new Promise<void>((resolve) => release.push(resolve));
    running--;
  });
  b.handle('ping', () => 'pong');
  for (let turn = 0; turn < 50; turn++) {
    const controller = new AbortController();
    const call = rejection(ab.call('deaf', turn, { signal: controller.signal }));
    controller.abort();
    await call;
  }
  await until(() => ba.activeCalls === 4 && running === 4);
  await expect(ab.call('ping')).rejects.toMatchObject({ code: 'RATE_LIMIT_EXCEEDED' });
  expect(most).toBe(4);
  for (const go of release) go();
  await until(() => ba.activeCalls === 0);
  expect(await ab.call('ping')).toBe('pong');
});

test('cancellations and acknowledgements of nothing do nothing', async () => {
  const { a, ab, ba, send } = await forger();
  const problems: AgentError[] = [];
  ab.on('problem', (error) => problems.push(error));
  a.handle('echo', (input) => input);
  for (const correlationId of ['unknown', '', 'x'.repeat(200)]) {
    send(envelope('agent://b', 'capability_cancel', null, { correlationId }));
    send(envelope('agent://b', 'capability_ack', null, { correlationId, stream: { index: 5, done: false } }));
  }
  send(envelope('agent://b', 'capability_cancel', null));
  send(envelope('agent://b', 'capability_ack', null));
  expect(await ba.call('echo', 1)).toBe(1);
  expect(await ab.call('echo', 2)).toBe(2);
  expect(ab.state).toBe('open');
});

test('an acknowledgement of items that were not sent does not open the window', async () => {
  const { a, ab, ba, send } = await forger();
  let produced = 0;
  let id = '';
  a.handle('count', async function* (_, context) {
    id = context.id;
    for (;;) yield await Promise.resolve(produced++);
  });
  a.handle('ping', () => 'pong');
  const problem = next<AgentError>(ab, 'problem');
  const stream = ba.callStream('count');
  await stream.next();
  await until(() => produced >= 64);
  send(envelope('agent://b', 'capability_ack', null, { correlationId: id, stream: { index: 1e6, done: false } }));
  expect(await problem).toMatchObject({ code: 'PROTOCOL_ERROR' });
  await ba.call('ping');
  expect(produced).toBeLessThanOrEqual(66);
  await stream.return();
});

describe('a stream is broken off', () => {
  test.each([
    ['an item that comes twice', [0, 0]],
    ['an item out of order', [1]],
    ['an item far ahead', [0, 2 ** 40]],
    ['items without a place after others', [0, undefined]],
  ])('at %s', async (_, indexes) => {
    const { ab, ba, answer, opened, stopped } = await forger();
    const stream = ab.callStream('open');
    const first = stream.next();
    first.catch(() => undefined);
    const id = await opened();
    for (const index of indexes) answer(id, index, index === undefined ? undefined : { index, done: false });
    const reading = (async () => {
      await first;
      for await (const item of stream) void item;
    })();
    expect(await rejection(reading)).toMatchObject({ code: 'PROTOCOL_ERROR' });
    // The handler at the other end is told to stop, as if the reader had left.
    await until(() => stopped.length === 1);
    answer(id, 'late', { index: 1, done: false });
    expect(await ab.call('echo', 1)).toBe(1);
    expect([ab.pendingCalls, ba.state]).toEqual([0, 'open']);
  });

  test('when more items are sent than the reader has room for', async () => {
    const { ab, answer, opened } = await forger();
    const stream = ab.callStream('open');
    const first = stream.next();
    const id = await opened();
    for (let index = 0; index < 200; index++) answer(id, index, { index, done: false });
    expect(await first).toEqual({ done: false, value: 0 });
    await ab.call('echo', 1);
    expect(ab.pendingCalls).toBe(0);
    let read = 1;
    const reading = (async () => {
      for await (const item of stream) expect(item).toBe(read++);
    })();
    expect(await rejection(reading)).toMatchObject({ code: 'PROTOCOL_ERROR' });
    expect(read).toBeLessThanOrEqual(66);
  });

  test('and after its end nothing more belongs to it', async () => {
    const { ab, answer, opened } = await forger();
    const stream = ab.callStream('open');
    const first = stream.next();
    const id = await opened();
    answer(id, 'only', { index: 0, done: false });
    answer(id, null, { index: 1, done: true });
    answer(id, 'more', { index: 1, done: false });
    answer(id, 'more', { index: 2, done: false });
    expect(await first).toEqual({ done: false, value: 'only' });
    await ab.call('echo', 1);
    expect(await stream.next()).toEqual({ done: true, value: undefined });
    expect(await stream.next()).toEqual({ done: true, value: undefined });
  });

  test('when it answers a call that asked for one result', async () => {
    const { ab, answer, opened } = await forger();
    const call = rejection(ab.call('open'));
    answer(await opened(), 1, { index: 0, done: false });
    expect(await call).toMatchObject({ code: 'PROTOCOL_ERROR' });
  });
});

test('a call that is no call is refused, and its sender goes on', async () => {
  const { a, ab, ba, send } = await forger();
  a.handle('echo', (input) => input);
  const problems: AgentError[] = [];
  ab.on('problem', (error) => problems.push(error));
  for (const payload of [null, 7, {}, { capability: 7 }, { capability: 'x'.repeat(300) }]) {
    send(envelope('agent://b', 'capability_call', payload));
  }
  send(envelope('agent://b', 'capability_call', { capability: 'echo', input: 1 }, { stream: 'what' }));
  expect(await ba.call('echo', 1)).toBe(1);
  await until(() => problems.length === 5);
  expect(new Set(problems.map(({ code }) => code))).toEqual(new Set(['INVALID_MESSAGE']));
});
