// Rooms whose members are programs of their own: many of them, and one that is killed.
import { join } from 'node:path';

import { createPeer, createSignalingServer } from 'ossa-webrtc';
import type { SignalingServer } from 'ossa-webrtc';

import { Child } from './child';
import { take } from './mesh-helpers';

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
