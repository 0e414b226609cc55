// The relay of a signaling server: what agents of this package have of it.
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { request } from 'node:http';

import { createPeer, createSignalingServer, generateAgentKeys, RTCPeerConnection } from 'ossa-webrtc';
import type { AgentKeys, AgentPeer, PeerOptions, SignalingServer } from 'ossa-webrtc';

import { keeper } from '../fixtures/kept';
import { relayOnly } from '../fixtures/relay-only';
import { selfSigned } from '../agent/self-signed';
import { credentials, iceServer, relayed, SECRET, serve } from './relay-setup';

let keys: AgentKeys;
const kept = keeper();

beforeAll(async () => {
  keys = await generateAgentKeys();
});

function agent(name: string, server: SignalingServer, options: Partial<PeerOptions> = {}): AgentPeer {
  return kept(
    createPeer({
      agentId: `agent://${name}`,
      signaling: server.url,
      iceTransportPolicy: 'relay',
      auth: { keys, mode: 'none' },
      ...options,
    }),
  );
}

test('agents that know nothing but their signaling server connect through its relay', async () => {
  const server = kept(await serve());
  const [a, b] = [agent('a', server), agent('b', server)];
  await b.ready;
  b.handle('greet', (name: string) => `hello ${name}`);
  expect(await a.call('agent://b', 'greet', 'a')).toBe('hello a');
  const { allocations, relayed: datagrams } = server.stats().relay!;
  expect(allocations).toBeGreaterThanOrEqual(2);
  expect(datagrams).toBeGreaterThan(0);
});

describe('one port is enough', () => {
  const tls = selfSigned();
  test.each(['udp', 'tcp', 'tls'] as const)('by %s', async (transport) => {
    const server = kept(await serve({}, { tls }));
    class Trusting extends RTCPeerConnection {
      constructor(configuration: object) {
        super({ ...configuration, transport: { tlsCaPem: tls.cert } });
      }
    }
    const outcome = await relayOnly(Trusting, [iceServer(server, transport)]);
    expect(outcome).toEqual({ echo: 1006, kinds: ['relay'] });
  });

  test('without TLS as well', async () => {
    const server = kept(await serve());
    expect(await relayOnly(RTCPeerConnection, [iceServer(server, 'tcp')])).toEqual({ echo: 1006, kinds: ['relay'] });
  });
});

test('what somebody else has made up gets no port', async () => {
  const server = kept(await serve());
  const ours = iceServer(server, 'udp');
  expect(await relayed(ours)).toBe('relay');
  expect(await relayed({ ...ours, ...credentials('somebody', 'another secret, as long') })).toBe(401);
  expect(await relayed({ ...ours, username: '4000000000:somebody' })).toBe(401);
  const past = `${Math.floor(Date.now() / 1000) - 1}:somebody`;
  expect(await relayed({ ...ours, username: past })).toBe(401);
  expect(server.stats().relay).toMatchObject({ denied: 3, allocations: 0 });
});

test('a limit that is reached is told, and the ports that others have stay', async () => {
  const server = kept(await serve({ maxAllocationsPerAgent: 1, maxAllocations: 2 }));
  const holders = ['a', 'b'].map((name) => {
    const connection = new RTCPeerConnection({
      iceServers: [iceServer(server, 'udp', name)],
      iceTransportPolicy: 'relay',
    });
    const candidate = new Promise<void>((resolve) => {
      connection.onicecandidate = ({ candidate }) => candidate && resolve();
    });
    connection.createDataChannel('x');
    return { connection, candidate };
  });
  try {
    await holders[0]!.connection.setLocalDescription();
    await holders[0]!.candidate;
    expect(await relayed(iceServer(server, 'udp', 'a'))).toBe(486);
    await holders[1]!.connection.setLocalDescription();
    await holders[1]!.candidate;
    expect(await relayed(iceServer(server, 'tcp', 'c'))).toBe(508);
    expect(server.stats().relay).toMatchObject({ allocations: 2, refused: 2 });
  } finally {
    for (const { connection } of holders) connection.close();
  }
});

test('where all ports are taken the next one is told so', async () => {
  // Nobody else uses this address, so what is free stays free.
  const address = '127.0.0.77';
  const probe = createSocket('udp4').bind(0, address);
  await once(probe, 'listening');
  const { port } = probe.address();
  probe.close();
  const server = kept(await serve({ ports: [port, port], addresses: address }));
  const connection = new RTCPeerConnection({ iceServers: [iceServer(server, 'udp')], iceTransportPolicy: 'relay' });
  const candidate = new Promise<string>((resolve) => {
    connection.onicecandidate = ({ candidate }) => candidate && resolve(candidate.candidate);
  });
  connection.createDataChannel('x');
  await connection.setLocalDescription();
  expect(await candidate).toContain(`${address} ${port} typ relay`);
  expect(await relayed(iceServer(server, 'udp'))).toBe(508);
  connection.close();
});

test('what is announced for a NAT is what others see, and two clients meet by it', async () => {
  const server = kept(await serve({ announce: '203.0.113.7' }));
  const outcome = await relayOnly(RTCPeerConnection, [iceServer(server, 'udp')]);
  expect(outcome).toEqual({ echo: 1006, kinds: ['relay'] });
});

test('metrics and status say what the relay does', async () => {
  const server = kept(await serve());
  expect(await relayed(iceServer(server, 'udp'))).toBe('relay');
  const get = (path: string) =>
    new Promise<string>((resolve, reject) => {
      request(`${server.url.replace('ws:', 'http:')}/${path}`, (response) => {
        let body = '';
        response.on('data', (chunk: Buffer) => (body += chunk.toString())).on('end', () => resolve(body));
      })
        .on('error', reject)
        .end();
    });
  const metrics = await get('metrics');
  expect(metrics).toContain('\nossa_signaling_relay_allocations_total 1\n');
  expect(metrics).toContain('# TYPE ossa_signaling_relay_allocations gauge');
  expect(JSON.parse(await get('status.json'))).toMatchObject({ counts: { relay_allocations_total: 1 } });
});

test('draining lets those go on who relay, and nobody new come', async () => {
  const server = kept(await serve());
  const connection = new RTCPeerConnection({ iceServers: [iceServer(server, 'udp')], iceTransportPolicy: 'relay' });
  const candidate = new Promise<void>((resolve) => {
    connection.onicecandidate = ({ candidate }) => candidate && resolve();
  });
  connection.createDataChannel('x');
  await connection.setLocalDescription();
  await candidate;
  const closed = server.close({ drain: 60_000 });
  expect(await relayed(iceServer(server, 'udp'))).toBe(508);
  expect(server.stats().relay!.allocations).toBe(1);
  // It gives its port back, which was the last one: nothing is waited for any more.
  connection.close();
  await closed;
});

const auth = { mode: 'tofu' } as const;
test.each([
  ['an open server', {}, /set auth/],
  ['a server of Node that it is part of', { auth, server: 'placeholder', path: '/x' }, /port of its own/],
  ['a proxy in front and no host', { auth, trustProxy: ['10.0.0.1'] }, /relay\.host is required/],
])('a relay on %s is refused, with what to do', async (_, options, text) => {
  const { createServer } = await import('node:http');
  const own = 'server' in options ? { ...options, server: createServer() } : options;
  await expect(createSignalingServer({ relay: true, ...own })).rejects.toThrow(text);
});

test.each([
  [{ secret: 'short' }],
  [{ ttl: 0 }],
  [{ host: 'a b' }],
  [{ host: 'a?transport=udp' }],
  [{ addresses: 'relay.example' }],
  [{ addresses: ['10.0.0.1', '10.0.0.2'] }],
  [{ announce: ['::1', '::2'] }],
  [{ ports: [2, 1] }],
  [{ ports: [0, 1] }],
  [{ ports: 5 }],
  [{ allowPeers: ['10.0.0.0/33'] }],
  [{ bandwidth: 0.5 }],
  [{ maxAllocations: 0 }],
  [{ realm: 'r' }],
  [{ allowOpen: 'yes' }],
])('the setting %j is refused', async (relay) => {
  await expect(createSignalingServer({ auth, relay: { secret: SECRET, ...relay } as never })).rejects.toThrow(
    TypeError,
  );
});

test('an open server relays for everybody if that is meant', async () => {
  const server = kept(await createSignalingServer({ relay: { allowOpen: true } }));
  const [a, b] = ['a', 'b'].map((name) => agent(name, server, { auth: undefined }));
  await b!.ready;
  b!.handle('greet', (name: string) => `hello ${name}`);
  expect(await a!.call('agent://b', 'greet', 'a')).toBe('hello a');
});
