// Rooms whose members are programs of their own: many of them, and one that is killed.
import { join } from 'node:path';

import { createPeer, createSignalingServer } from 'ossa-webrtc';
import type { Delivery, Room, SignalingServer } from 'ossa-webrtc';

import { Child } from './child';
import { take, until } from './mesh-helpers';

const script = join(__dirname, 'mesh-child.mjs');
const children: Child[] = [];
let server: SignalingServer;

function member(agent: string, room: string, others: number, ...more: string[]): Child {
  const child = new Child(script, [server.url, agent, room, String(others), ...more]);
  children.push(child);
  return child;
}

beforeAll(async () => {
  server = await createSignalingServer();
});
afterEach(() => Promise.all(children.splice(0).map((child) => child.kill())));
afterAll(() => server.close());

test('20 processes: all 190 links, and each hears from every other exactly once', async () => {
  const members = Array.from({ length: 20 }, (_, index) => member(`agent://p${index}`, 'crowd', 19));
  const ends = await Promise.all(members.map((child) => child.ended));
  expect(members.map((child) => child.output.at(-1))).toEqual(ends.map(() => 'heard 19 messages of 19 members'));
  expect(ends).toEqual(members.map(() => 0));
  // Twenty starts of Node and 190 handshakes of an unoptimised build are some 30 s of work: on a machine that gives this
  // test a tenth of its time, minutes.
}, 600_000);

test('a member that was killed and started anew is connected to again', async () => {
  const peer = createPeer({ agentId: 'agent://survivor', signaling: server.url });
  const room = await peer.join('r');
  const first = member('agent://mortal', 'r', 1, 'stay');
  expect(await take(room, 1)).toMatchObject([{ from: 'agent://mortal' }]);
  await first.kill();
  const second = member('agent://mortal', 'r', 1);
  expect(await take(room, 1)).toMatchObject([{ payload: 'agent://mortal' }]);
  await room.send('agent://mortal', 'agent://survivor');
  expect(await second.ended).toBe(0);
  expect(second.output.at(-1)).toBe('heard 1 messages of 1 members');
  await peer.close();
}, 60_000);

test('a member that has come to a standstill holds up nobody else, and what waits for it is bounded', async () => {
  const peers = ['a', 'c'].map((name) => createPeer({ agentId: `agent://${name}`, signaling: server.url }));
  const rooms = await Promise.all(peers.map((peer) => peer.join('standstill')));
  const still = member('agent://still', 'standstill', 2, 'stay');
  for (const room of rooms) expect(await take(room, 1)).toMatchObject([{ from: 'agent://still' }]);
  await until(rooms, () => rooms.every(({ links }) => links.size === 2));
  still.process.kill('SIGSTOP');
  const [a, c] = rooms as [Room, Room];
  const of = (deliveries: Delivery[], member: string) => deliveries.find((delivery) => delivery.member === member);

  // More than all buffers on the way to it hold.
  const given = new AbortController();
  const large = 'x'.repeat(256 * 1024);
  const pending = Array.from({ length: 64 }, () => a.broadcast(large, { signal: given.signal }));
  expect(await take(c, 64)).toHaveLength(64);
  const late = await a.broadcast('late', { timeout: 50 });
  expect([of(late, 'agent://still'), of(late, 'agent://c')]).toMatchObject([
    { status: 'failed', error: { code: 'TASK_TIMEOUT' } },
    { status: 'sent' },
  ]);
  given.abort();
  const last = (await Promise.all(pending)).at(-1)!;
  expect([of(last, 'agent://still'), of(last, 'agent://c')]).toMatchObject([
    { status: 'failed', error: { code: 'TASK_CANCELLED' } },
    { status: 'sent' },
  ]);

  const rest = new AbortController();
  const flood: Promise<unknown>[] = [];
  const drained = (async () => {
    for await (const { payload } of c) if (payload === 'one too many') break;
  })();
  for (let n = 0; n < 4097; n++) {
    flood.push(a.broadcast(large.slice(0, 1024), { signal: rest.signal }));
    if (n % 100 === 0) await new Promise(setImmediate);
  }
  const refused = await a.broadcast('one too many', { signal: rest.signal });
  expect([of(refused, 'agent://still'), of(refused, 'agent://c')]).toMatchObject([
    { status: 'failed', error: { code: 'RATE_LIMIT_EXCEEDED' } },
    { status: 'sent' },
  ]);
  await drained;
  rest.abort();
  await Promise.all(flood);
  await still.kill();
  await Promise.all(peers.map((peer) => peer.close()));
}, 120_000);
