// Links whose network path is cut, whose other end dies, or whose signaling goes away; with real connections.
import { join } from 'node:path';

import { AgentError, createPeer, createSignalingServer, MemorySignaling, WebSocketSignaling } from 'ossa-webrtc';
import type { AgentPeer, Link, PeerOptions, Reconnected, ReconnectStep, SignalingAdapter } from 'ossa-webrtc';

import { Child } from './child';
import { LossyPath } from './lossy-path';

/** Times short enough for a test, and long enough for a machine that is busy. */
const QUICK: Partial<PeerOptions> = {
  transport: { ice: { maxRto: 100, disconnectedTimeout: 500, failedTimeout: 60_000 } },
  reconnect: { grace: 50, delay: 100, attemptTimeout: 60_000 },
};

const open: AgentPeer[] = [];
let path: LossyPath;
let signaling: MemorySignaling;
let adapter: SignalingAdapter;

beforeEach(() => {
  path = new LossyPath();
  signaling = new MemorySignaling();
  adapter = path.over(signaling);
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((peer) => peer.close()));
  path.close();
});

function agent(name: string, options: Partial<PeerOptions> = {}): AgentPeer {
  const peer = createPeer({ agentId: `agent://${name}`, signaling: adapter, ...QUICK, ...options });
  open.push(peer);
  return peer;
}

async function pair(options: Partial<PeerOptions> = {}, more: Partial<PeerOptions> = options) {
  const [a, b] = [agent('a', options), agent('b', more)];
  for (const peer of [a, b]) peer.handle('who', () => peer.agentId);
  await b.ready;
  const [ab, ba] = await Promise.all([a.connect('agent://b'), next<Link>(b, 'link')]);
  return { a, b, ab, ba };
}

/** The first value of an event. */
function next<T>(emitter: { once(name: never, listener: (value: never) => void): unknown }, name: string): Promise<T> {
  return new Promise((resolve) => emitter.once(name as never, resolve));
}

/** Everything that a link says about its reconnection, in order. */
function history(link: Link): string[] {
  const seen: string[] = [];
  link.on('state', (state) => seen.push(state));
  link.on('reconnecting', ({ how, reason, attempt }) => seen.push(`${how} ${attempt}: ${reason}`));
  link.on('reconnected', ({ how, attempts }) => seen.push(`${how} after ${attempts}`));
  return seen;
}

describe('a path that is cut', () => {
  test('and mended comes back by an ICE restart: nothing is lost, calls and channels survive', async () => {
    const { ab, ba } = await pair();
    const seen = history(ab);
    const [channel, incoming] = await Promise.all([ab.createChannel('survivor'), next(ba, 'channel')]);
    const received: unknown[] = [];
    ba.on('message', ({ payload }) => received.push(payload));
    const restarting = next<ReconnectStep>(ab, 'reconnecting');
    path.cut = true;
    expect(await restarting).toEqual({ how: 'ice-restart', reason: 'disconnected', attempt: 1, delay: 0 });
    expect(ab.state).toBe('reconnecting');
    const { connection } = ab;
    // Sent while there is no path.
    const call = ab.call('who');
    await ab.send('in the dark');
    await channel.send('still here');
    const reconnected = next<Reconnected>(ab, 'reconnected');
    path.cut = false;
    expect(await reconnected).toMatchObject({ how: 'same', attempts: 0 });
    expect(await call).toBe('agent://b');
    expect(await next(incoming as never, 'message')).toBe('still here');
    expect(received).toEqual(['in the dark']);
    expect(ab.connection).toBe(connection);
    expect(seen).toEqual(['disconnected', 'reconnecting', 'ice-restart 1: disconnected', 'open', 'same after 0']);
  });

  test('for longer than consent lasts comes back over the same connection, on both sides, and nothing is lost', async () => {
    const { ab, ba } = await pair({
      transport: { ice: { maxRto: 100, disconnectedTimeout: 300, failedTimeout: 600 } },
      reconnect: { grace: 60_000, attemptTimeout: 60_000 },
    });
    const [seenA, seenB] = [history(ab), history(ba)];
    const { connection } = ab;
    const [channel, incoming] = await Promise.all([ab.createChannel('survivor'), next<never>(ba, 'channel')]);
    const failed = [ab, ba].map(
      ({ connection: one }) =>
        new Promise<void>((resolve) => {
          one.addEventListener('connectionstatechange', () => one.connectionState === 'failed' && resolve());
        }),
    );
    path.cut = true;
    await Promise.all(failed);
    expect([ab.state, ba.state, channel.state]).toEqual(['reconnecting', 'disconnected', 'open']);
    const call = ab.call('who');
    await channel.send('still here');
    const back = Promise.all([next<Reconnected>(ab, 'reconnected'), next<Reconnected>(ba, 'reconnected')]);
    path.cut = false;
    expect(await back).toMatchObject([{ how: 'same' }, { how: 'same' }]);
    expect(await call).toBe('agent://b');
    expect(await next(incoming, 'message')).toBe('still here');
    expect(ab.connection).toBe(connection);
    expect(seenA).toEqual(['disconnected', 'reconnecting', 'ice-restart 1: disconnected', 'open', 'same after 0']);
    expect(seenB).toEqual(['disconnected', 'open', 'same after 0']);
  });

  test('while the other side loses the connection comes back over a new one of the same link, on both sides', async () => {
    const { ab, ba } = await pair({
      ...QUICK,
      reconnect: { grace: 20, delay: 50, attemptTimeout: 2000, attempts: 1000 },
    });
    const [seenA, seenB] = [history(ab), history(ba)];
    const { connection } = ab;
    const [channel, incoming] = await Promise.all([ab.createChannel('old'), next<never>(ba, 'channel')]);
    const lost = next<AgentError>(channel, 'close');
    const lostThere = next<AgentError>(incoming, 'close');
    path.lose();
    const call = ab.call('who').catch((error: unknown) => error);
    await rebuilding(ab);
    expect(await call).toMatchObject({ code: 'AGENT_UNREACHABLE', retryable: true });
    expect(await lost).toMatchObject({ code: 'AGENT_UNREACHABLE', retryable: true });
    await expect(channel.send('too late')).rejects.toMatchObject({ code: 'AGENT_UNREACHABLE' });
    // Both wait for the next connection.
    const [sent, asked, opened] = [ab.send('queued'), ab.call('who'), ab.createChannel('new')];
    const received = next<{ payload: unknown }>(ba, 'message');
    path.cut = false;
    expect((await received).payload).toBe('queued');
    expect(await sent).toMatch(/^[0-9a-f-]{36}$/);
    expect(await asked).toBe('agent://b');
    expect((await opened).state).toBe('open');
    expect(await ba.call('who')).toBe('agent://a');
    expect((await lostThere).code).toBe('AGENT_UNREACHABLE');
    expect([ab.state, ba.state]).toEqual(['open', 'open']);
    expect(ab.connection).not.toBe(connection);
    expect(connection.connectionState).toBe('closed');
    expect(seenA.slice(0, 5)).toEqual([
      'disconnected',
      'reconnecting',
      'ice-restart 1: disconnected',
      'rebuild 1: disconnected',
      ...seenA.slice(4, 5),
    ]);
    expect(seenA.at(-1)).toMatch(/^rebuilt after \d+$/);
    expect(seenB.at(-1)).toMatch(/^rebuilt after \d+$/);
    expect([...open.map((peer) => peer.links.size)]).toEqual([1, 1]);
  });

  test('for good ends the link on both sides after the attempts, with an error that says so', async () => {
    const quick = { ...QUICK, reconnect: { grace: 20, delay: 20, attemptTimeout: 300, attempts: 2 } };
    const { a, b, ab, ba } = await pair(quick);
    const seen = history(ab);
    const ends = [next<AgentError>(ab, 'close'), next<AgentError>(ba, 'close')];
    path.cut = true;
    const [error, there] = await Promise.all(ends);
    expect(error).toMatchObject({ code: 'AGENT_UNREACHABLE', retryable: true });
    expect(error?.message).toContain(
      'the connection to agent://b was lost (nothing came over the network any more), and 2 new ones did not work',
    );
    expect(error?.causes).toMatchObject([{ kind: 'checks-unanswered' }]);
    expect(there?.code).toBe('AGENT_UNREACHABLE');
    expect(seen.filter((step) => step.startsWith('rebuild'))).toEqual([
      'rebuild 1: disconnected',
      'rebuild 2: disconnected',
    ]);
    expect([a.links.size, b.links.size]).toEqual([0, 0]);
    await expect(ab.send('late')).rejects.toBe(error);
  });

  test('however long comes back where reconnection goes on forever', async () => {
    const { ab } = await pair({
      ...QUICK,
      reconnect: { forever: true, attempts: 1, grace: 1, delay: 1, maxDelay: 1, attemptTimeout: 200 },
    });
    const seventh = new Promise<void>((resolve) => {
      ab.on('reconnecting', ({ how, attempt }) => how === 'rebuild' && attempt === 7 && resolve());
    });
    path.cut = true;
    await seventh;
    const reconnected = next<Reconnected>(ab, 'reconnected');
    path.cut = false;
    expect((await reconnected).attempts).toBeGreaterThanOrEqual(6);
  });

  test('ends the link at once where reconnection is off', async () => {
    const off = { transport: { ice: { maxRto: 100, disconnectedTimeout: 300, failedTimeout: 600 } } };
    const { ab } = await pair({ ...off, reconnect: false });
    const seen = history(ab);
    path.cut = true;
    expect(await next<AgentError>(ab, 'close')).toMatchObject({ code: 'AGENT_UNREACHABLE' });
    expect(seen).toEqual(['disconnected', 'closed']);
  });

  test('is not ended by a stranger who says goodbye in the name of the other side', async () => {
    const { ab } = await pair();
    const reconnecting = next<ReconnectStep>(ab, 'reconnecting');
    path.cut = true;
    await reconnecting;
    for (const sessionId of [undefined, '11111111-2222-3333-4444-555555555555']) {
      for (const code of ['TASK_CANCELLED', 'UNAUTHORIZED']) {
        const message = { type: 'error', from: 'agent://b', to: 'agent://a', error: { code, message: 'bye' } } as const;
        signaling.send({ ...message, ...(sessionId && { sessionId }) });
      }
    }
    const back = next<Reconnected>(ab, 'reconnected');
    path.cut = false;
    expect(await back).toMatchObject({ how: 'same' });
    expect(await ab.call('who')).toBe('agent://b');
  });

  test('lets somebody who closes meanwhile go at once, and tells the other side through the service', async () => {
    const { ab, ba } = await pair();
    const steps = [next(ab, 'reconnecting'), next<AgentError | undefined>(ba, 'close')] as const;
    path.cut = true;
    await steps[0];
    await ab.close();
    expect(await steps[1]).toBeUndefined();
  });
});

describe('a link that is down', () => {
  test('is what connect() waits for', async () => {
    const { a, ab } = await pair({
      ...QUICK,
      reconnect: { grace: 20, delay: 50, attemptTimeout: 2000, attempts: 1000 },
    });
    path.lose();
    await rebuilding(ab);
    await expect(a.connect('agent://b', { timeout: 20 })).rejects.toMatchObject({ code: 'AGENT_UNREACHABLE' });
    const connecting = a.connect('agent://b');
    path.cut = false;
    expect(await connecting).toBe(ab);
    expect(ab.state).toBe('open');
  });

  test('closes when somebody closes its W3C connection', async () => {
    const { a, ab, ba } = await pair();
    const over = next(ba, 'close');
    ab.connection.close();
    expect(ab.state).toBe('closed');
    expect(a.links.size).toBe(0);
    await over;
  });
});

describe('signaling that fails while a link is down', () => {
  test('and comes back: the link does too', async () => {
    const server = await createSignalingServer();
    const { port } = new URL(server.url);
    adapter = path.over(new WebSocketSignaling(server.url, { reconnectDelay: 20, maxReconnectDelay: 100 }));
    const reconnect = { grace: 20, delay: 50, maxDelay: 200, attemptTimeout: 1000, attempts: 1000 };
    const { ab, ba } = await pair({ ...QUICK, reconnect });
    path.cut = true;
    await server.close();
    await next(ab, 'reconnecting');
    path.cut = false;
    const again = await createSignalingServer({ port: Number(port) });
    await Promise.all([next(ab, 'reconnected'), next(ba, 'reconnected')]);
    expect(await ab.call('who')).toBe('agent://b');
    await Promise.all(open.splice(0).map((peer) => peer.close()));
    await again.close();
  });

  test('and is not needed: a link that is open does not notice', async () => {
    const server = await createSignalingServer();
    adapter = path.over(new WebSocketSignaling(server.url, { firstAttempts: 1, attempts: 1, reconnectDelay: 1 }));
    const { a, ab } = await pair();
    const lost = next<AgentError>(a, 'error');
    await server.close();
    await lost;
    expect(await ab.call('who')).toBe('agent://b');
    expect(ab.state).toBe('open');
  });
});

describe('a program that is killed', () => {
  test('and started again gets its links back from those who had called it', async () => {
    const server = await createSignalingServer();
    const start = () => new Child(join(__dirname, 'reconnect-child.mjs'), [server.url]);
    let child = start();
    await child.line(/^ready$/);
    const peer = createPeer({
      agentId: 'agent://caller',
      signaling: server.url,
      ...QUICK,
      reconnect: { grace: 20, delay: 50, maxDelay: 200, attemptTimeout: 5000, attempts: 1000 },
    });
    open.push(peer);
    const link = await peer.connect('agent://killed');
    const first = await link.call('pid');
    const restarting = next<ReconnectStep>(link, 'reconnecting');
    await child.kill();
    expect((await restarting).how).toBe('ice-restart');
    child = start();
    // Whoever is there now does not know the connection.
    await rebuilding(link);
    const second = await link.call('pid');
    expect(second).not.toBe(first);
    expect(second).toBe(child.process.pid);
    expect(link.state).toBe('open');
    expect([...peer.links.values()]).toEqual([link]);
    await peer.close();
    await child.kill();
    await server.close();
  });
});

/** Resolves when the present connection is given up. */
function rebuilding(link: Link): Promise<void> {
  return new Promise((resolve) => {
    link.on('reconnecting', ({ how }) => how === 'rebuild' && resolve());
  });
}
