// Agents that have all of their links at one port.
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';

import { createPeer, createSignalingServer, type AgentPeer, type Link, type PeerOptions } from 'ossa-webrtc';

import { freePort, isFree, type Pair, pairOf, sockets } from '../one-port';
import { Child } from './child';
import { agents } from './two-agents';

/** Of this file alone. */
const ADDRESS = '127.0.0.84';
const CHILD = '__tests__/agent/one-port-child.mjs';

const { agent } = agents();
const children: Child[] = [];
let port: number;

beforeEach(async () => {
  port = await freePort(ADDRESS);
});
afterEach(async () => {
  await Promise.all(children.splice(0).map((child) => child.kill()));
});

const at = (): Pick<PeerOptions, 'transport'> => ({ transport: { listen: { port, address: ADDRESS } } });

function echoing(peer: AgentPeer): AgentPeer {
  return (peer.handle('echo', (input: unknown) => input), peer);
}

async function works(links: readonly Link[]): Promise<void> {
  const answers = await Promise.all(links.map((link, i) => link.call('echo', i)));
  expect(answers).toEqual(links.map((_, i) => i));
}

/** The other end's address. Who is heard before its candidate comes has none for so long; the candidate is on its way. */
async function remoteOf(link: Link): Promise<Pair['remote']> {
  for (;;) {
    const { remote } = await pairOf(link);
    if (remote.address !== null) return remote;
    await new Promise(setImmediate);
  }
}

test('all links of an agent are at its port, which it has from its beginning to its end', async () => {
  const server = echoing(agent('server', at()));
  expect(sockets(ADDRESS, port)).toEqual({ udp: 1, tcp: 1 });
  await server.ready;
  const links = await Promise.all(['a', 'b', 'c', 'd'].map((name) => agent(name).connect('agent://server')));
  await works(links);
  for (const link of links) expect(await remoteOf(link)).toMatchObject({ address: ADDRESS, port });
  expect(sockets(ADDRESS, port)).toEqual({ udp: 1, tcp: 1 });

  await Promise.all(links.map((link) => link.close()));
  expect(sockets(ADDRESS, port)).toEqual({ udp: 1, tcp: 1 });
  await works([await agent('e').connect('agent://server')]);

  await server.close();
  // Its sockets are closed by a thread of their own.
  while (!(await isFree(ADDRESS, port)));
});

test('an agent calls others from its port, and those have ports of their own', async () => {
  const server = agent('server', at());
  const others = ['a', 'b', 'c'].map((name) => echoing(agent(name)));
  await Promise.all(others.map((other) => other.ready));
  const links = await Promise.all(['a', 'b', 'c'].map((name) => server.connect(`agent://${name}`)));
  await works(links);
  for (const link of links) expect((await pairOf(link)).local).toMatchObject({ address: ADDRESS, port });
});

test('a port that another program has is told when the agent is made, and not when somebody calls', async () => {
  const taken = createSocket('udp4').bind(port, ADDRESS);
  await once(taken, 'listening');
  try {
    const text = new RegExp(`^EADDRINUSE: .*${ADDRESS}:${port}`);
    expect(() => agent('server', at())).toThrow(text);
  } finally {
    taken.close();
  }
});

test('two agents of one process share a port, and one that is closed takes no link of the other one along', async () => {
  const [first, second] = [echoing(agent('first', at())), echoing(agent('second', at()))];
  await Promise.all([first.ready, second.ready]);
  const [a, b] = [agent('a'), agent('b')];
  const [, link] = await Promise.all([a.connect('agent://first'), b.connect('agent://second')]);
  await first.close();
  await works([link]);
  expect(await remoteOf(link)).toMatchObject({ address: ADDRESS, port });
});

test('an agent in a worker shares the port with one of this thread, until the worker is terminated', async () => {
  await using signaling = await createSignalingServer();
  const made = (name: string, options = {}) =>
    echoing(createPeer({ agentId: `agent://${name}`, signaling: signaling.url, ...options }));
  const script = `
    const { createPeer } = require('node:module').createRequire(${JSON.stringify(join(__dirname, 'x.js'))})('ossa-webrtc');
    const { parentPort, workerData } = require('node:worker_threads');
    const peer = createPeer(workerData);
    peer.handle('echo', (input) => input);
    peer.ready.then(() => parentPort.postMessage('ready'));`;
  const workerData = { agentId: 'agent://worker', signaling: signaling.url, ...at() };
  await using ours = made('ours', at());
  await using client = made('client');
  await ours.ready;
  const worker = new Worker(script, { eval: true, workerData });
  await once(worker, 'message');
  const links = [await client.connect('agent://worker'), await client.connect('agent://ours')];
  await works(links);
  for (const link of links) expect(await remoteOf(link)).toMatchObject({ address: ADDRESS, port });
  expect(sockets(ADDRESS, port)).toEqual({ udp: 1, tcp: 1 });
  await worker.terminate();
  await works(links.slice(1));
  // It could not say goodbye; nobody waits until the network notices.
  await links[0]!.close();
});

test('a process whose agent has a port ends by itself after close(), and the next one has the port', async () => {
  await using signaling = await createSignalingServer();
  await using client = createPeer({ agentId: 'agent://client', signaling: signaling.url });
  for (let round = 0; round < 2; round++) {
    const child = new Child(CHILD, [signaling.url, String(port), ADDRESS]);
    children.push(child);
    await child.line(/^ready$/);
    expect(() => agent('too-late', at())).toThrow(/^EADDRINUSE/);
    const link = await client.connect('agent://server');
    await works([link]);
    expect(await remoteOf(link)).toMatchObject({ address: ADDRESS, port });
    expect(await link.call('end')).toBe('bye');
    expect(await child.ended).toBe(0);
    expect(child.output).toEqual(['ready', 'closed']);
    await link.close();
  }
});
