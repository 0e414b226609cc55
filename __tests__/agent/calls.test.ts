// Calls: what reaches the handler besides its input, who has to wait, and that nothing is left behind.
import { join } from 'node:path';

import { AgentError } from 'ossa-webrtc';
import type { AgentMessage, AgentStatus } from 'ossa-webrtc';

import { Child } from './child';
import { agents, next, rejection, until } from './two-agents';

const { agent, pair } = agents();

/** A handler that runs until it is told to stop, and what it was told. */
function patient() {
  const stopped: unknown[] = [];
  let calls = 0;
  const handler = (_: unknown, { signal }: { signal: AbortSignal }) =>
    new Promise((_resolve, reject) => {
      calls++;
      signal.addEventListener('abort', () => {
        stopped.push(signal.reason);
        reject(signal.reason as Error);
      });
    });
  return { handler, stopped, calls: () => calls };
}

describe('the end of a call', () => {
  test.each([
    ['a cancelled call', (signal: AbortSignal) => ({ signal }), 'TASK_CANCELLED'],
    ['a call that takes too long', () => ({ timeout: 20 }), 'TASK_TIMEOUT'],
  ])('%s stops its handler and leaves nothing', async (_, options, code) => {
    const { b, ab, ba } = await pair();
    const { handler, stopped, calls } = patient();
    b.handle('work', handler);
    const controller = new AbortController();
    const call = rejection(ab.call('work', null, options(controller.signal)));
    await until(() => calls() === 1);
    controller.abort();
    expect(await call).toMatchObject({ code });
    await until(() => ba.activeCalls === 0);
    expect(stopped).toMatchObject([{ name: 'AgentError', code: 'TASK_CANCELLED' }]);
    expect([ab.pendingCalls, ab.activeCalls, ba.pendingCalls]).toEqual([0, 0, 0]);
  });

  test('a large call that is given up while it is being sent never reaches its handler', async () => {
    const { b, ab, ba } = await pair();
    const { handler, calls } = patient();
    b.handle('work', handler);
    b.handle('ping', () => 'pong');
    const controller = new AbortController();
    const call = rejection(ab.call('work', 'x'.repeat(8_000_000), { signal: controller.signal }));
    controller.abort();
    expect(await call).toMatchObject({ code: 'TASK_CANCELLED' });
    expect(await ab.call('ping')).toBe('pong');
    expect([calls(), ab.pendingCalls, ba.activeCalls]).toEqual([0, 0, 0]);
  });

  test('a ttl stops the handler by itself, and the caller learns it', async () => {
    const { b, ab, ba } = await pair();
    const { handler, stopped } = patient();
    b.handle('work', handler);
    const error = await rejection(ab.call('work', null, { ttl: 0.02 }));
    expect(error).toMatchObject({ code: 'TASK_TIMEOUT', retryable: true });
    await until(() => ba.activeCalls === 0);
    expect(stopped).toMatchObject([{ code: 'TASK_TIMEOUT' }]);
    await expect(ab.call('work', null, { ttl: -1 })).rejects.toThrow(/ttl/);
  });

  test('a closed link stops handlers, and one that ends later harms nothing', async () => {
    const { b, ab, ba } = await pair();
    const { handler, stopped, calls } = patient();
    b.handle('work', handler);
    let finish!: (value: unknown) => void;
    b.handle('deaf', () => new Promise((resolve) => (finish = resolve)));
    const waiting = Promise.allSettled([ab.call('work'), ab.call('deaf')]);
    await until(() => calls() === 1 && finish !== undefined);
    await ab.close();
    expect(await waiting).toMatchObject([
      { reason: { code: 'AGENT_UNREACHABLE', retryable: true } },
      { reason: { code: 'AGENT_UNREACHABLE', retryable: true } },
    ]);
    await ba.closed;
    expect(stopped).toMatchObject([{ code: 'AGENT_UNREACHABLE' }]);
    finish(1);
    await new Promise(setImmediate);
    expect([ab.pendingCalls, ba.activeCalls]).toEqual([0, 0]);
  });

  test('a lost connection rejects what waits, stops what runs, and the link can be called again', async () => {
    const { b, ab, ba } = await pair();
    const { handler, stopped, calls } = patient();
    b.handle('work', handler);
    b.handle('echo', (input) => input);
    const waiting = [rejection(ab.call('work')), rejection(ab.callStream('work').next())];
    await until(() => calls() === 2);
    const error = new AgentError('AGENT_UNREACHABLE', 'the connection is lost', { retryable: true });
    for (const link of [ab, ba]) (link as unknown as { calls: { lost(error: AgentError): void } }).calls.lost(error);
    expect(await Promise.all(waiting)).toEqual([error, error]);
    await until(() => stopped.length === 2);
    expect(stopped).toEqual([error, error]);
    expect(await ab.call('echo', 7)).toBe(7);
    expect([ab.pendingCalls, ba.activeCalls]).toEqual([0, 0]);
  });

  test('ten thousand at once are answered, each with its own result, and leave nothing', async () => {
    const { b, ab, ba } = await pair();
    let most = 0;
    const release: (() => void)[] = [];
    b.handle('echo', async (input: number) => {
      most = Math.max(most, ba.activeCalls);
      // Half of them wait until all are there: they are concurrent indeed.
      if (input % 2) {
        await new Promise<void>((resolve) => {
          if (release.push(resolve) === 5000) for (const go of release) go();
        });
      }
      if (input % 7 === 0) throw new AgentError('SEVEN', String(input));
      return { input };
    });
    const inputs = Array.from({ length: 10_000 }, (_, index) => index);
    const calls = inputs.map((input) => ab.call('echo', input, { timeout: 600_000 }));
    const outcomes = await Promise.allSettled(calls);
    for (const [input, outcome] of outcomes.entries()) {
      if (input % 7 === 0) expect(outcome).toMatchObject({ reason: { code: 'SEVEN', message: String(input) } });
      else expect(outcome).toEqual({ status: 'fulfilled', value: { input } });
    }
    expect(most).toBeGreaterThanOrEqual(5000);
    expect([ab.pendingCalls, ba.activeCalls]).toEqual([0, 0]);
  }, 60_000);

  test('cancelled and timed-out calls leave no memory in use', async () => {
    const child = new Child(join(__dirname, 'calls-memory.mjs'));
    try {
      const { grown, left } = JSON.parse(await child.line(/^\{/)) as { grown: number; left: number[] };
      expect(left).toEqual([0, 0, 0, 0]);
      // Ten thousand calls and more: whatever one of them left would be a multiple of this.
      expect(grown).toBeLessThan(512 * 1024);
      expect(await child.ended).toBe(0);
    } finally {
      await child.kill();
    }
  }, 60_000);
});

describe('limits', () => {
  test('so many handlers of a capability run at a time, so many wait, and the others are refused', async () => {
    const { b, ab } = await pair();
    let running = 0;
    let most = 0;
    const release: (() => void)[] = [];
    const handler = async (input: number) => {
      most = Math.max(most, ++running);
      await new Promise<void>((resolve) => release.push(resolve));
      running--;
      return input;
    };
    b.handle('slow', handler, { concurrency: 2, queue: 3 });
    b.handle('fast', () => 'fast');
    const calls = [0, 1, 2, 3, 4].map((input) => ab.call('slow', input));
    const refused = await rejection(ab.call('slow', 5));
    expect(refused).toMatchObject({ code: 'RATE_LIMIT_EXCEEDED', retryable: true });
    expect(await ab.call('fast')).toBe('fast');
    for (let finished = 0; finished < 5; finished++) {
      await until(() => release.length > 0);
      release.shift()!();
    }
    expect(await Promise.all(calls)).toEqual([0, 1, 2, 3, 4]);
    expect(most).toBe(2);
  });

  test('one that is cancelled while it waits never runs', async () => {
    const { b, ab, ba } = await pair();
    const { handler, calls } = patient();
    b.handle('work', handler, { concurrency: 1 });
    const [first, second] = [new AbortController(), new AbortController()];
    const outcomes = [first, second].map(({ signal }) => rejection(ab.call('work', null, { signal })));
    await until(() => ba.activeCalls === 2);
    second.abort();
    await until(() => ba.activeCalls === 1);
    first.abort();
    expect(await Promise.all(outcomes)).toMatchObject([{ code: 'TASK_CANCELLED' }, { code: 'TASK_CANCELLED' }]);
    await until(() => ba.activeCalls === 0);
    expect(calls()).toBe(1);
  });

  test('an agent that floods a capability does not keep another one out', async () => {
    const [a, b, c] = [agent('a'), agent('b'), agent('c')];
    await b.ready;
    const release: (() => void)[] = [];
    const order: string[] = [];
    b.handle(
      'slow',
      (_, { from }) => {
        order.push(from);
        return new Promise<void>((resolve) => release.push(resolve));
      },
      { concurrency: 1, queue: 4 },
    );
    const flood = Array.from({ length: 5 }, () => a.call('agent://b', 'slow'));
    const outcomes = Promise.allSettled(flood);
    const ba = () => b.links.get('agent://a');
    await until(() => ba()?.activeCalls === 5);
    const modest = c.call('agent://b', 'slow');
    await until(() => b.links.get('agent://c')?.activeCalls === 1);
    for (let finished = 0; finished < 5; finished++) {
      await until(() => release.length > 0);
      release.shift()!();
    }
    expect(await modest).toBeNull();
    // One of the flood was sent away, and the modest one has had its turn after at most one more.
    expect((await outcomes).filter(({ status }) => status === 'rejected')).toMatchObject([
      { reason: { code: 'RATE_LIMIT_EXCEEDED' } },
    ]);
    expect(order.indexOf('agent://c')).toBeLessThanOrEqual(2);
  });

  test('a link has limits of its own, in both directions', async () => {
    const { b, ab, ba } = await pair({
      a: { limits: { pendingCalls: 4 } },
      b: { limits: { runningCalls: 1, queuedCalls: 1, callInputBytes: 2000 } },
    });
    const { handler, calls } = patient();
    b.handle('work', handler);
    const controller = new AbortController();
    const { signal } = controller;
    const waiting = [1, 2].map(() => rejection(ab.call('work', null, { signal })));
    await until(() => ba.activeCalls === 2);
    expect(calls()).toBe(1);
    const refused = { code: 'RATE_LIMIT_EXCEEDED', retryable: true };
    expect(await rejection(ab.call('work'))).toMatchObject(refused);
    controller.abort();
    await Promise.all(waiting);
    await until(() => ba.activeCalls === 0);
    await expect(ab.call('work', 'x'.repeat(2000))).rejects.toMatchObject(refused);
    const mute = new AbortController();
    const four = [1, 2, 3, 4].map(() => rejection(ab.call('work', null, { signal: mute.signal })));
    expect(await rejection(ab.call('work'))).toMatchObject(refused);
    mute.abort();
    await Promise.all(four);
  });

  test('wrong options are refused by name', async () => {
    const { a, ab } = await pair();
    const never = <T>(value: T) => value as never;
    expect(() => a.handle('x', () => 1, { concurrency: 0 })).toThrow(/concurrency/);
    expect(() => a.handle('x', () => 1, { concurrency: 1, queue: -1 })).toThrow(/queue/);
    expect(() => a.handle('x', () => 1, { queue: 1 })).toThrow(/concurrency/);
    expect(() => a.handle('x', () => 1, never({ failAs: 'x' }))).toThrow(/failAs/);
    expect(() => a.handle('x', () => 1, never({ concurency: 1 }))).toThrow(/concurency/);
    expect(() => agent('z', never({ failAs: 1 }))).toThrow(/failAs/);
    await expect(ab.call('x', 1, never({ priority: 'urgent' }))).rejects.toThrow(/urgent/);
    await expect(ab.call('x', 1, { ttl: Infinity })).rejects.toThrow(/ttl/);
    await expect(ab.call('x', 1, never({ timeOut: 1 }))).rejects.toThrow(/timeOut/);
    expect(() => ab.callStream('')).toThrow(/capability/);
    expect(() => a.callStream('nobody', 'x')).toThrow(/nobody/);
    await expect(a.call('agent://b', '')).rejects.toThrow(/capability/);
  });
});

test('a handler hears who calls, over what, how urgently and until when', async () => {
  const { b, ab, ba } = await pair();
  b.handle('context', (_, { from, link, capability, id, metadata }) => ({
    from,
    same: link === ba,
    capability,
    id: typeof id,
    priority: metadata.priority,
    ttl: metadata.ttl,
  }));
  expect(await ab.call('context', null, { priority: 'high', ttl: 30 })).toEqual({
    from: 'agent://a',
    same: true,
    capability: 'context',
    id: 'string',
    priority: 'high',
    ttl: 30,
  });
});

test('failures arrive the same whatever they travel as', async () => {
  const { b, ab } = await pair({ b: { failAs: 'response' } });
  const fail = () => {
    throw new AgentError('MY_CODE', 'no', { retryable: true, details: [1] });
  };
  b.handle('as the peer', fail);
  b.handle('as an error', fail, { failAs: 'error' });
  const expected = { name: 'AgentError', code: 'MY_CODE', message: 'no', retryable: true, details: [1] };
  await expect(ab.call('as the peer')).rejects.toMatchObject(expected);
  await expect(ab.call('as an error')).rejects.toMatchObject(expected);
  await expect(ab.call('unknown')).rejects.toMatchObject({ code: 'CAPABILITY_NOT_FOUND' });
});

test('peer.call connects, and gives up when connecting takes too long', async () => {
  const [a, b] = [agent('a'), agent('b')];
  await b.ready;
  b.handle('echo', (input) => input);
  expect(await a.call('agent://b', 'echo', [1])).toEqual([1]);
  await expect(a.call('agent://nobody', 'echo')).rejects.toMatchObject({ code: 'AGENT_UNREACHABLE' });
});

describe('status', () => {
  test('of the other agent is an event of the link and of the peer', async () => {
    const { a, b, ab, ba } = await pair();
    expect(ba.status).toBeUndefined();
    const status: AgentStatus = {
      status: 'degraded',
      load: 0.5,
      activeConnections: 3,
      capabilities: ['echo'],
      metrics: { p50: 1 },
    };
    const [atLink, atPeer] = [next(ba, 'status'), next(b, 'status')];
    await ab.sendStatus(status);
    expect([await atLink, await atPeer, ba.status]).toEqual([status, status, status]);
    const other = next(a, 'status');
    await ba.sendStatus({ status: 'healthy' });
    expect(await other).toEqual({ status: 'healthy' });
  });

  test.each([
    [undefined, /object/],
    [{}, /status/],
    [{ status: 'fine' }, /healthy/],
    [{ status: 'healthy', load: -1 }, /load/],
    [{ status: 'healthy', load: NaN }, /load/],
    [{ status: 'healthy', activeConnections: 1.5 }, /activeConnections/],
    [{ status: 'healthy', capabilities: [1] }, /capabilities/],
    [{ status: 'healthy', metrics: [] }, /metrics/],
    [{ status: 'healthy', mood: 1 }, /mood/],
  ])('%j is not sent', async (status, text) => {
    const { ab } = await pair();
    const refusal = await rejection(ab.sendStatus(status as AgentStatus));
    expect(refusal).toBeInstanceOf(TypeError);
    expect((refusal as Error).message).toMatch(text);
  });

  test('that is not as specified arrives as a message', async () => {
    const { ab, ba } = await pair();
    const message = next<AgentMessage>(ba, 'message');
    await ab.send({ status: 'fine' }, { type: 'status' });
    expect(await message).toMatchObject({ type: 'status', payload: { status: 'fine' } });
    expect(ba.status).toBeUndefined();
  });
});
