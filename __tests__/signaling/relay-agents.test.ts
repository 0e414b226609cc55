// The relay of a signaling server and agents that have nothing else: over IPv6, for longer than credentials last, and in a cluster.
import { createPeer, generateAgentKeys, RTCPeerConnection, WebSocketSignaling } from 'ossa-webrtc';
import type {
  AgentKeys,
  AgentPeer,
  Link,
  PeerOptions,
  RTCIceServer,
  SignalingAdapter,
  SignalingServer,
  SignalingServerStats,
} from 'ossa-webrtc';

import { Child } from '../agent/child';
import { next } from '../agent/two-agents';
import { keeper } from '../fixtures/kept';
import { relayOnly } from '../fixtures/relay-only';
import { Dialled, echoing, pairOf } from '../one-port';
import { Redis } from './redis';
import { credentials, relayed, serve } from './relay-setup';

let keys: AgentKeys;
const kept = keeper();

beforeAll(async () => {
  keys = await generateAgentKeys();
});

function agent(name: string, signaling: PeerOptions['signaling']): AgentPeer {
  const peer = kept(
    createPeer({ agentId: `agent://${name}`, signaling, iceTransportPolicy: 'relay', auth: { keys, mode: 'none' } }),
  );
  return (peer.handle('greet', (who: string) => `hello ${who}`), peer);
}

/** A link from `a` to `b` over relays, as `a` and as `b` sees it. */
async function linked(a: AgentPeer, b: AgentPeer): Promise<[Link, Link]> {
  await b.ready;
  const links = await Promise.all([a.connect(b.agentId), next<Link>(b, 'link')]);
  expect(await links[0].call('greet', 'b')).toBe('hello b');
  return links;
}

describe('over IPv6', () => {
  const url = (server: SignalingServer, transport: string) => `turn:[::1]:${server.port}?transport=${transport}`;

  test.each(['udp', 'tcp'])('two clients connect through nothing but the relay, by %s', async (transport) => {
    const server = kept(await serve({}, { host: '::1' }));
    const servers = [{ urls: [url(server, transport)], ...credentials() }];
    expect(await relayOnly(RTCPeerConnection, servers)).toEqual({ echo: 1006, kinds: ['relay'] });
  });

  test('data goes from one relayed address of IPv6 to another', async () => {
    const server = kept(await serve({}, { host: '::1' }));
    const iceServers = [{ urls: url(server, 'udp'), ...credentials() }];
    const configuration = { iceServers, iceTransportPolicy: 'relay' } as const;
    const connections: RTCPeerConnection[] = [];
    const answerer = echoing(configuration, (connection) => connections.push(connection));
    try {
      const client = await Dialled.to(answerer, configuration, (line) => / ::1 \d+ typ relay/.test(line));
      connections.push(client.connection);
      expect(await client.echo('hello')).toBe('echo: hello');
      const { local, remote } = await client.pair();
      expect([local.address, remote.address]).toEqual(['::1', '::1']);
      expect(server.stats().relay!.relayed).toBeGreaterThan(0);
    } finally {
      for (const connection of connections) connection.close();
    }
  });

  test('agents that have dialled an IPv6 address get a relay that they reach', async () => {
    const server = kept(await serve({}, { host: '::1' }));
    await linked(agent('a', server.url), agent('b', server.url));
  });

  test('one who has come by IPv4 and one who has come by IPv6 connect at a server that has both', async () => {
    const server = kept(await serve({}, { host: '::' }));
    const at = (host: string) => `ws://${host}:${server.port}`;
    const [a, b] = [agent('a', at('127.0.0.1')), agent('b', at('[::1]'))];
    const [link] = await linked(a, b);
    expect(await link.call('greet', 'again')).toBe('hello again');
  });
});

/** Signaling that shows what servers it offers, one offer after the other. */
function watched(url: string): {
  adapter: SignalingAdapter;
  offers: RTCIceServer[][];
  until(count: number): Promise<void>;
} {
  const inner = new WebSocketSignaling(url, { keys });
  const offers: RTCIceServer[][] = [];
  let arrived: () => void = () => undefined;
  const adapter: SignalingAdapter = {
    send: (message) => inner.send(message),
    subscribe: (agentId, deliver, failed, context) =>
      inner.subscribe(agentId, deliver, failed, {
        ...context,
        offerIceServers(servers) {
          context?.offerIceServers(servers);
          offers.push([...servers]);
          arrived();
        },
      }),
  };
  const until = async (count: number) => {
    while (offers.length < count) await new Promise<void>((resolve) => (arrived = resolve));
  };
  return { adapter, offers, until };
}

test('a link outlives the credentials that it was made with, and an ICE restart takes those of the time', async () => {
  const server = kept(await serve({ ttl: 2 }));
  const [a, b] = [watched(server.url), watched(server.url)];
  const [link, other] = await linked(agent('a', a.adapter), agent('b', b.adapter));
  const [first] = a.offers[0]!;
  // Each is good for two seconds, and comes when half of that is over.
  await Promise.all([a.until(4), b.until(4)]);
  expect(await relayed(first!)).toBe(401);
  const { totalAllocations } = server.stats().relay!;
  expect(await link.call('greet', 'still')).toBe('hello still');

  const before = await pairOf(link);
  link.connection.restartIce();
  await moved(link, before.local.port);
  expect(await other.call('greet', 'both ways')).toBe('hello both ways');
  expect(await link.call('greet', 'anew')).toBe('hello anew');
  // The old ones would have been refused. (Those of the first allocation are, when it is given back.)
  expect(server.stats().relay!.totalAllocations).toBeGreaterThan(totalAllocations);
});

/** Resolves when a link has left a relayed port. */
async function moved(link: Link, from: number): Promise<void> {
  while ((await pairOf(link)).local.port === from) await link.call('greet', 'meanwhile');
}

describe('in a cluster', () => {
  const nodes: Node[] = [];
  let redis: Redis;
  beforeEach(async () => {
    redis = await Redis.start();
  });
  afterEach(async () => {
    await Promise.all(nodes.splice(0).map((node) => node.kill()));
    await redis.remove();
  });

  /** A server with a relay, in a process of its own, at an address of its own as on a host of its own. */
  class Node extends Child {
    #questions = 0;

    static async start(host: string): Promise<Node> {
      const options = { host, auth: { mode: 'tofu' }, relay: { allowPeers: ['127.0.0.0/8'] } };
      const node = new Node('__tests__/signaling/cluster-server.mjs', [redis.url, '60000', JSON.stringify(options)]);
      nodes.push(node);
      await node.line(/^connected 1$/);
      return node;
    }

    url(): Promise<string> {
      return this.line(/^ws:/);
    }

    async relay(): Promise<NonNullable<SignalingServerStats['relay']>> {
      const answer = `stats ${++this.#questions} `;
      this.process.kill('SIGUSR2');
      const line = await this.line(new RegExp(`^${answer}`));
      return (JSON.parse(line.slice(answer.length)) as SignalingServerStats).relay!;
    }
  }

  test('each server relays for its own agents, and agents of two servers connect', async () => {
    const [one, two] = await Promise.all([Node.start('127.0.0.91'), Node.start('127.0.0.92')]);
    const [a, b] = [agent('a', await one.url()), agent('b', await two.url())];
    const [link] = await linked(a, b);
    const { local, remote } = await pairOf(link);
    expect([local.address, remote.address]).toEqual(['127.0.0.91', '127.0.0.92']);
    for (const node of [one, two]) {
      const { allocations, relayed: datagrams, denied } = await node.relay();
      expect(allocations).toBeGreaterThan(0);
      expect(datagrams).toBeGreaterThan(0);
      // Nobody has tried one server with what the other one has given.
      expect(denied).toBe(0);
    }
  });
});
