// A mesh of agents known by name: links to all of them, from whichever side, kept up.
import { AgentError, createPeer, createSignalingServer } from 'ossa-webrtc';
import type { Mesh } from 'ossa-webrtc';

import { Company, complete, next, take, until } from './mesh-helpers';

let company: Company;
beforeEach(() => {
  company = new Company();
});
afterEach(() => company.close());

const uris = (names: readonly string[]) => names.map((name) => `agent://${name}`);

test('agents that all name each other have one link a pair, although all start at once', async () => {
  const names = ['a', 'b', 'c', 'd', 'e'];
  const peers = names.map((name) => company.agent(name));
  await Promise.all(peers.map((peer) => peer.ready));
  const meshes = peers.map((peer) => peer.mesh(uris(names).filter((uri) => uri !== peer.agentId)));
  await Promise.all(meshes.map((mesh) => mesh.ready));
  await complete(meshes);
  expect(peers.map((peer) => peer.links.size)).toEqual([4, 4, 4, 4, 4]);
  await meshes[0]!.broadcast('hello');
  for (const mesh of meshes.slice(1)) expect(await take(mesh, 1)).toMatchObject([{ payload: 'hello' }]);
});

test('two agents that dial each other in the same turn get one link', async () => {
  const [a, b] = [company.agent('a'), company.agent('b')];
  await Promise.all([a.ready, b.ready]);
  const meshes = [a.mesh(['agent://b']), b.mesh(['agent://a'])];
  await complete(meshes);
  expect([a.links.size, b.links.size]).toEqual([1, 1]);
  await Promise.all([meshes[0]!.broadcast('from a'), meshes[1]!.broadcast('from b')]);
  expect((await take(meshes[1]!, 1))[0]!.payload).toBe('from a');
  expect((await take(meshes[0]!, 1))[0]!.payload).toBe('from b');
});

test('a neighbour needs no mesh of its own', async () => {
  const [hub, leaf] = [company.agent('hub'), company.agent('leaf')];
  await leaf.ready;
  leaf.handle('temperature', () => 21);
  const mesh = hub.mesh(['agent://leaf']);
  await mesh.ready;
  expect(await mesh.callAll('temperature')).toEqual([{ member: 'agent://leaf', status: 'answered', result: 21 }]);
  await leaf.links.get('agent://hub')!.send('warm');
  expect(await take(mesh, 1)).toMatchObject([{ payload: 'warm', from: 'agent://leaf' }]);
  // The mesh had made the link, and nobody else uses it.
  const link = mesh.links.get('agent://leaf')!;
  await mesh.close();
  expect(link.state).toBe('closed');
});

test('a neighbour that appears later is connected then, and missed until then', async () => {
  const mesh = company.agent('a').mesh(['agent://late'], { retryDelay: 1, maxRetryDelay: 5 });
  expect((await next<AgentError>(mesh, 'problem')).code).toBe('AGENT_UNREACHABLE');
  await mesh.ready;
  expect(await mesh.broadcast('anybody?')).toMatchObject([
    { member: 'agent://late', status: 'failed', error: { code: 'AGENT_UNREACHABLE', retryable: true } },
  ]);
  const joined = next(mesh, 'join');
  company.agent('late');
  expect(await joined).toBe('agent://late');
});

test('a message to a member that is being connected waits for it', async () => {
  const [a, b] = [company.agent('a'), company.agent('b')];
  await b.ready;
  const mesh = a.mesh(['agent://b']);
  expect(mesh.links.size).toBe(0);
  await mesh.send('agent://b', 'first');
  for await (const { payload } of b.links.get('agent://a')!) {
    expect(payload).toBe('first');
    break;
  }
});

test('only so many links are set up at the same time', async () => {
  const names = Array.from({ length: 12 }, (_, index) => `n${index}`);
  await Promise.all(names.map((name) => company.agent(name).ready));
  const hub = company.agent('hub');
  let most = 0;
  const mesh = hub.mesh(uris(names), { concurrency: 2 });
  const count = () => {
    most = Math.max(most, [...hub.links.values()].filter(({ state }) => state === 'connecting').length);
  };
  mesh.on('join', count);
  const polling = setInterval(count, 0);
  await until([mesh], () => mesh.links.size === names.length);
  clearInterval(polling);
  expect(most).toBeGreaterThan(0);
  expect(most).toBeLessThanOrEqual(2);
});

test('an incoming link of a neighbour counts', async () => {
  const mesh = company.agent('a').mesh(['agent://b'], { retryDelay: 60_000, maxRetryDelay: 60_000 });
  await next(mesh, 'problem');
  const joined = next(mesh, 'join');
  const link = await company.agent('b').connect('agent://a');
  expect(await joined).toBe('agent://b');
  // It is the other side's: leaving the mesh does not close it.
  await mesh.close();
  expect(link.state).toBe('open');
});

test.each([
  [['agent://a'], 'own neighbour'],
  [['http://b'], 'agent'],
  ['agent://b', 'list'],
  [['agent://b', 'agent://c'], 'maxMembers'],
])('mesh(%j) is refused', (agents, text) => {
  const peer = company.agent('a');
  expect(() => peer.mesh(agents, { maxMembers: 1 })).toThrow(TypeError);
  expect(() => peer.mesh(agents, { maxMembers: 1 })).toThrow(text);
});

test('a mesh that is closed while it connects leaves nothing behind', async () => {
  const [a, b] = [company.agent('a'), company.agent('b')];
  await b.ready;
  const mesh = a.mesh(['agent://b', 'agent://nobody']);
  await mesh.close();
  await mesh.close();
  expect(mesh.members).toEqual([]);
  expect(await take(mesh, 0)).toEqual([]);
  while (a.links.size > 0) await new Promise(setImmediate);
});

test('50 agents in one process: all 1,225 links, and a broadcast of each reaches everybody', async () => {
  const names = Array.from({ length: 50 }, (_, index) => `n${index}`);
  const meshes: Mesh[] = await Promise.all(names.map((name) => company.agent(name).join('all')));
  await complete(meshes);
  const received = meshes.map((mesh) => take(mesh, 49));
  await Promise.all(meshes.map((mesh) => mesh.broadcast(mesh.agentId)));
  for (const [index, messages] of (await Promise.all(received)).entries()) {
    const senders = new Set(messages.map(({ from, payload }) => (from === payload ? from : 'forged')));
    expect(senders.size).toBe(49);
    expect(senders.has(meshes[index]!.agentId)).toBe(false);
  }
  // 1,225 handshakes of an unoptimised build are some 45 s of work; a busy machine takes several times as long.
}, 600_000);

test('links of a room go on when the signaling service has gone', async () => {
  const server = await createSignalingServer();
  const peers = ['a', 'b'].map((name) => createPeer({ agentId: `agent://${name}`, signaling: server.url }));
  const rooms = await Promise.all(peers.map((peer) => peer.join('r')));
  await complete(rooms);
  await server.close();
  await rooms[0]!.broadcast('still here');
  expect(await take(rooms[1]!, 1)).toMatchObject([{ payload: 'still here' }]);
  await Promise.all(peers.map((peer) => peer.close()));
});
