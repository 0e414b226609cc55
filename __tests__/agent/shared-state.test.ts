// The shared state of the examples between agents: real loss, late joiners, strangers, and peers of the specification.
import { AgentError, createPeer, MemorySignaling } from 'ossa-webrtc';
import type { AgentPeer, Link, SignalingAdapter } from 'ossa-webrtc';

import { SharedState, type SharedStateOptions } from '../../examples/shared-state/shared.mts';
import { LossyPath } from './lossy-path';

const open: { close(): Promise<void> }[] = [];
let path: LossyPath;
let signaling: SignalingAdapter;

beforeEach(() => {
  path = new LossyPath();
  signaling = path.over(new MemorySignaling());
});
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
  path.close();
});

/** Often, so that the tests are short. */
const OFTEN = { interval: 50 };

function agent(name: string): AgentPeer {
  const peer = createPeer({ agentId: `agent://${name}`, signaling });
  open.push(peer);
  return peer;
}

async function member(name: string, options: SharedStateOptions = OFTEN): Promise<SharedState> {
  const shared = await SharedState.join(agent(name), 'board', options);
  open.push(shared);
  return shared;
}

/** Resolves when `condition` holds, looked at after each change; a test that waits in vain ends at its time limit. */
function until(copies: SharedState[], condition: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    const stops = copies.map((copy) => copy.onChange(() => look()));
    const look = () => {
      if (!condition()) return;
      for (const stop of stops) stop();
      resolve();
    };
    look();
  });
}

/** Resolves when all copies are equal and as large as they have to be. */
function agreed(copies: SharedState[], keys: number): Promise<void> {
  const text = ({ state }: SharedState) => JSON.stringify(Object.entries(state).sort());
  return until(copies, () => {
    const [first] = copies;
    return Object.keys(first!.state).length === keys && copies.every((copy) => text(copy) === text(first!));
  });
}

const turn = () => new Promise(setImmediate);

test('three agents that all change at once on a path that loses a fifth agree, and so does one who comes late', async () => {
  const copies = [await member('a'), await member('b'), await member('c')];
  path.loss = 0.2;
  for (let step = 0; step < 100; step++) {
    for (const [index, copy] of copies.entries()) {
      copy.set(`own${index}`, step);
      copy.set(`common${step % 5}`, { by: index, step });
    }
    await turn();
  }
  copies[0]!.set('gone', 1);
  copies[0]!.delete('gone');
  await agreed(copies, 8);
  expect(copies[0]!.state).toMatchObject({ own0: 99, own1: 99, own2: 99 });
  expect(path.lost).toBeGreaterThan(0);

  copies.push(await member('d'));
  await agreed(copies, 8);
  copies[3]!.set('late', true);
  await agreed(copies, 9);
});

test('changes that are lost for good come with the next comparison', async () => {
  const [a, b] = [await member('a'), await member('b')];
  a.set('x', 1);
  await until([b], () => b.get('x') === 1);
  path.cut = true;
  a.set('x', 2);
  b.set('y', 3);
  b.delete('x');
  for (let i = 0; i < 10; i++) await turn();
  path.cut = false;
  // Both have made the second change of x: that of b counts.
  await until([a, b], () => a.get('y') === 3 && a.get('x') === undefined && b.get('x') === undefined);
  expect([a.state, b.state]).toEqual([{ y: 3 }, { y: 3 }]);
});

test('a state larger than one message is there for one who comes late', async () => {
  const a = await member('a');
  const value = 'x'.repeat(16_000);
  for (let i = 0; i < 100; i++) a.set(`k${i}`, value + i);
  const b = await member('b');
  expect(Object.keys(b.state)).toHaveLength(100);
  expect(b.get('k99')).toBe(`${value}99`);
});

test('who was away does not bring back what was deleted meanwhile', async () => {
  const a = await member('a');
  const away = await member('b');
  a.set('x', 1);
  await until([away], () => away.get('x') === 1);
  path.cut = true;
  a.delete('x');
  path.cut = false;
  await until([away], () => away.get('x') === undefined);
  const late = await member('c');
  expect([a.state, away.state, late.state]).toEqual([{}, {}, {}]);
});

/** A link of somebody who has no shared state, as both sides see it. */
async function linked(peer: AgentPeer, other: AgentPeer): Promise<[Link, Link]> {
  await peer.ready;
  const incoming = new Promise<Link>((resolve) => peer.once('link', resolve));
  return await Promise.all([other.connect(peer.agentId), incoming]);
}

test('changes go through the fast channel: nobody has to compare for that', async () => {
  const [a, b] = [agent('a'), agent('b')];
  const copies = [new SharedState(a, OFTEN), new SharedState(b, OFTEN)] as const;
  open.push(...copies);
  const [ab, ba] = await linked(b, a);
  for (const link of [ab, ba]) {
    jest.spyOn(link, 'call').mockRejectedValue(new AgentError('CAPABILITY_NOT_FOUND', 'no comparisons here'));
  }
  await Promise.all([copies[0].add(ab), copies[1].add(ba)]);
  // What is changed before the channel is open is not sent.
  for (let x = 0; copies[1].get('x') === undefined; x++) {
    copies[0].set('x', x);
    await turn();
  }
  for (let y = 0; copies[0].get('y') === undefined; y++) {
    copies[1].set('y', y);
    await turn();
  }
});

test('the bare state_update of the specification counts, and our changes can be read without knowing us', async () => {
  const [a, b, naive] = [agent('a'), agent('b'), agent('naive')];
  const copies = [new SharedState(a, OFTEN), new SharedState(b, OFTEN)];
  open.push(...copies);
  const [ab, ba] = await linked(b, a);
  const [toA, atA] = await linked(a, naive);
  const incoming = new Promise<{ type: string; payload: unknown }>((resolve) => {
    toA.on('channel', (channel) =>
      channel.on('message', (data) => resolve(JSON.parse(data as string) as { type: string; payload: unknown })),
    );
  });
  await Promise.all([copies[0]!.add(ab), copies[1]!.add(ba), copies[0]!.add(atA)]);

  const channel = await toA.createChannel('state-sync', { ordered: false, maxRetransmits: 0 });
  await channel.send(JSON.stringify({ type: 'state_update', payload: { cursor: { x: 1 }, name: 'naive' } }));
  await agreed(copies, 2);
  expect(copies[1]!.state).toEqual({ cursor: { x: 1 }, name: 'naive' });

  let heard = false;
  void incoming.then(() => (heard = true));
  for (let x = 0; !heard; x++) {
    copies[0]!.set('cursor', { x });
    await turn();
  }
  expect(await incoming).toMatchObject({
    type: 'state_update',
    payload: { cursor: { x: expect.any(Number) as number } },
  });
});

test('nonsense changes nothing and is reported; who was not added is refused', async () => {
  const [a, stranger] = [agent('a'), agent('stranger')];
  const problems: Error[] = [];
  let reported = () => undefined as void;
  const onProblem = (error: Error) => {
    problems.push(error);
    reported();
  };
  const shared = new SharedState(a, { ...OFTEN, onProblem });
  open.push(shared);
  const [link, theirs] = await linked(a, stranger);
  for (const call of ['compare', 'exchange']) {
    await expect(link.call(`state-sync.${call}`, {})).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
  }
  await shared.add(theirs);
  const channel = await link.createChannel('state-sync');
  const nonsense = [
    'nonsense',
    '7',
    'null',
    '{"type":"state_update"}',
    '{"type":"other","payload":{"x":1}}',
    '{"type":"state_update","payload":{"x":1},"metadata":{"versions":{"x":[0,"agent://a"]}}}',
    '{"type":"state_update","payload":{"x":1},"metadata":{"versions":{"x":7}}}',
    JSON.stringify({ type: 'state_update', payload: { x: 'x'.repeat(20_000) } }),
    new Uint8Array(4),
  ];
  for (const message of nonsense) {
    const next = new Promise<void>((resolve) => (reported = resolve));
    await channel.send(message);
    await next;
  }
  await expect(link.call('state-sync.exchange', { entries: 'x' })).rejects.toMatchObject({ code: 'CAPABILITY_FAILED' });
  expect(problems).toHaveLength(nonsense.length);
  expect(shared.state).toEqual({});
});

test('wrong values are refused here, before anybody else sees them', async () => {
  const shared = await member('a');
  expect(() => shared.set('x', undefined)).toThrow('delete() takes a key away');
  expect(() => shared.set('x', () => 1)).toThrow(TypeError);
  expect(() => shared.set('x'.repeat(257), 1)).toThrow('at most 256');
  expect(() => shared.set('x', 'x'.repeat(17_000))).toThrow('send what is large as a file');
  expect(shared.state).toEqual({});
});
