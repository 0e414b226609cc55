/** Two signaling servers, each a process of its own, with a real Redis server: as one to agents, whatever is killed. */
import {
  createPeer,
  createSignalingServer,
  WebSocketSignaling,
  type Link,
  type AgentPeer,
  type SignalingServerStats,
} from 'ossa-webrtc';

import { Child } from '../agent/child';
import { Redis } from './redis';

const SCRIPT = '__tests__/signaling/cluster-server.mjs';

let redis: Redis;
const servers: Node[] = [];
const peers: AgentPeer[] = [];

/** A server in a process of its own. */
class Node extends Child {
  #questions = 0;

  static async start(lease = 60_000): Promise<Node> {
    const node = new Node(SCRIPT, [redis.url, String(lease)]);
    servers.push(node);
    await node.line(/^connected 1$/);
    return node;
  }

  async url(): Promise<string> {
    return await this.line(/^ws:/);
  }

  async stats(): Promise<SignalingServerStats> {
    const answer = `stats ${++this.#questions} `;
    this.process.kill('SIGUSR2');
    return JSON.parse((await this.line(new RegExp(`^${answer}`))).slice(answer.length)) as SignalingServerStats;
  }
}

/** An agent that answers `echo`, and how often it was registered. */
interface Agent {
  readonly peer: AgentPeer;
  registered(times: number): Promise<void>;
}

async function agent(name: string, url: string | string[]): Promise<Agent> {
  let count = 0;
  let arrived = (): void => undefined;
  const signaling = new WebSocketSignaling(url, {
    reconnectDelay: 50,
    maxReconnectDelay: 500,
    onRegister: () => {
      count++;
      arrived();
    },
  });
  const peer = createPeer({ agentId: `agent://example.com/${name}`, signaling });
  peers.push(peer);
  peer.handle('echo', (input) => input);
  await peer.ready;
  const registered = async (times: number): Promise<void> => {
    while (count < times) await new Promise<void>((resolve) => (arrived = resolve));
  };
  return { peer, registered };
}

async function works(link: Link): Promise<void> {
  expect(await link.call('echo', { n: 1 })).toEqual({ n: 1 });
}

beforeEach(async () => {
  redis = await Redis.start();
});

afterEach(async () => {
  await Promise.all(peers.splice(0).map((peer) => peer.close()));
  await Promise.all(servers.splice(0).map((server) => server.kill()));
  await redis.remove();
});

test('agents on different servers connect', async () => {
  const [one, two] = await Promise.all([Node.start(), Node.start()]);
  const [a, b] = await Promise.all([agent('a', await one.url()), agent('b', await two.url())]);
  await works(await a.peer.connect(b.peer.agentId));
  const [there, here] = await Promise.all([one.stats(), two.stats()]);
  expect([there.agents, here.agents]).toEqual([1, 1]);
  expect(there.cluster).toMatchObject({ state: 'connected', losses: 0 });
  // Nothing could have come but through the other one.
  expect(here.cluster!.received).toBe(here.relayed);
  expect(here.relayed).toBeGreaterThan(1);
});

test('agents of a server that is killed in mid-traffic go on with another one', async () => {
  const [one, two] = await Promise.all([Node.start(), Node.start()]);
  const both = [await one.url(), await two.url()];
  const [a, b, c] = await Promise.all([agent('a', both), agent('b', both), agent('c', await two.url())]);
  expect((await one.stats()).agents).toBe(2);
  const link = await c.peer.connect(a.peer.agentId);
  // Calls go on all the time, and so do attempts to connect: some of them meet the end of the server.
  let over = false;
  const calls = (async () => {
    let count = 0;
    for (; !over; count++) await works(link);
    return count;
  })();
  const attempts = (async () => {
    while (!over) {
      const attempt = await c.peer.connect(b.peer.agentId).catch(() => undefined);
      await attempt?.close();
    }
  })();
  await link.call('echo', 'first');
  one.process.kill('SIGKILL');
  await Promise.all([a.registered(2), b.registered(2)]);
  over = true;
  expect(await calls).toBeGreaterThan(0);
  await attempts;
  expect((await two.stats()).agents).toBe(3);
  await works(await b.peer.connect(a.peer.agentId));
  await works(await c.peer.connect(b.peer.agentId));
  await works(link);
});

test('a Redis server that is killed in mid-traffic and comes back empty is filled again, and nobody was away', async () => {
  const [one, two] = await Promise.all([Node.start(), Node.start()]);
  const [a, a2, b] = await Promise.all([
    agent('a', await one.url()),
    agent('a2', await one.url()),
    agent('b', await two.url()),
  ]);
  const [roomOfA, roomOfB] = [await a.peer.join('team'), await b.peer.join('team')];
  await roomOfB.ready;
  const gone: string[] = [];
  roomOfA.on('leave', (member) => gone.push(member));
  roomOfB.on('leave', (member) => gone.push(member));
  const link = [...roomOfB.links.values()][0]!;
  let over = false;
  const calls = (async () => {
    while (!over) await works(link);
  })();

  await redis.kill();
  await Promise.all([one.line(/^lost 1$/), two.line(/^lost 1$/)]);
  expect((await one.stats()).cluster).toMatchObject({
    state: 'lost',
    losses: 1,
    reason: expect.stringContaining('unix://') as string,
  });
  // On one server agents still find each other, and between two they are told at once that they do not.
  await works(await a2.peer.connect(a.peer.agentId));
  await expect(a2.peer.connect(b.peer.agentId)).rejects.toMatchObject({ code: 'AGENT_UNREACHABLE' });

  await redis.restart();
  await Promise.all([one.line(/^connected 2$/), two.line(/^connected 2$/)]);
  await works(await a2.peer.connect(b.peer.agentId));
  const late = await agent('late', await two.url());
  const room = await late.peer.join('team');
  await room.ready;
  expect([...room.members].sort()).toEqual([a.peer.agentId, b.peer.agentId]);
  over = true;
  await calls;
  expect(gone).toEqual([]);
});

test('an option that makes no sense is refused, and no text has the password in it', async () => {
  for (const cluster of [
    { redis: 'http://user:hunter2@h' },
    { redis: 'redis://user:hunter2@h:99999' },
    { redis: 'redis://h', prefix: 'a b' },
    { redis: 'redis://h', lease: 1 },
    { redis: 'redis://h', cert: 'x' },
    { redis: 'redis://h', ca: 'no PEM' },
    { redis: 'redis://h', maxQueueBytes: 0 },
    { redis: 'redis://h', password: 'hunter2' },
    {},
  ]) {
    const error = await createSignalingServer({ cluster: cluster as { redis: string } }).then(
      () => undefined,
      (reason: unknown) => reason as Error,
    );
    expect(error).toBeInstanceOf(Error);
    expect(String(error?.stack)).not.toContain('hunter2');
  }
});

test('a server that is alone has no cluster to show', async () => {
  await using server = await createSignalingServer();
  expect(server.stats().cluster ?? undefined).toBeUndefined();
});
