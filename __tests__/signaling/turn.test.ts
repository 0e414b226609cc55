// TURN credentials that a signaling server hands out, against a real TURN server.
import { spawn, type ChildProcess } from 'node:child_process';
import { createHmac, randomUUID } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { createPeer, createSignalingServer, generateAgentKeys, WebSocketSignaling } from 'ossa-webrtc';
import type {
  AgentError,
  AgentKeys,
  AgentPeer,
  PeerOptions,
  RTCIceServer,
  SignalingServer,
  SignalingTurnOptions,
} from 'ossa-webrtc';

import { relayed } from './relay-setup';

const SECRET = 'north remembers';

let keys: AgentKeys;
let turnServer: ChildProcess;
let folder: string;
let url: string;
const open: AsyncDisposable[] = [];

/** A port that is free for TCP and UDP: the TURN server listens to both. */
async function freePort(): Promise<number> {
  for (;;) {
    const tcp = createServer().listen(0, '127.0.0.1');
    await once(tcp, 'listening');
    const { port } = tcp.address() as AddressInfo;
    const udp = createSocket('udp4');
    const free = await new Promise<boolean>((resolve) => {
      udp.on('error', () => resolve(false)).bind(port, '127.0.0.1', () => resolve(true));
    });
    udp.close();
    tcp.close();
    await once(tcp, 'close');
    if (free) return port;
  }
}

beforeAll(async () => {
  keys = await generateAgentKeys();
  folder = mkdtempSync(join(tmpdir(), 'ossa-turn-'));
  const port = await freePort();
  url = `turn:127.0.0.1:${port}?transport=udp`;
  turnServer = spawn(
    'turnserver',
    [
      ...[
        '-n',
        '--no-cli',
        '--no-tls',
        '--no-dtls',
        '--allow-loopback-peers',
        '--no-stdout-log',
        '--realm',
        'ossa.test',
      ],
      ...['--use-auth-secret', '--static-auth-secret', SECRET, '--listening-port', String(port)],
      ...['--listening-ip', '127.0.0.1', '--relay-ip', '127.0.0.1'],
      ...['--userdb', join(folder, 'db'), '--pidfile', join(folder, 'pid'), '--log-file', join(folder, 'log')],
    ],
    { stdio: 'ignore' },
  );
  const ended = once(turnServer, 'exit').then(() => {
    throw new Error("these tests need the TURN server coturn: install it with 'apt-get install coturn'");
  });
  ended.catch(() => undefined);
  await Promise.race([listening(port), ended]);
});
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one[Symbol.asyncDispose]();
});
afterAll(() => {
  turnServer.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

/** Resolves when somebody accepts connections there. */
async function listening(port: number): Promise<void> {
  for (;;) {
    const socket = connect(port, '127.0.0.1');
    const there = await new Promise<boolean>((resolve) => {
      socket.on('connect', () => resolve(true)).on('error', () => resolve(false));
    });
    socket.destroy();
    if (there) return;
  }
}

async function serve(turn: Partial<SignalingTurnOptions> = {}): Promise<SignalingServer> {
  const server = await createSignalingServer({ auth: { mode: 'tofu' }, turn: { urls: url, secret: SECRET, ...turn } });
  open.push(server);
  return server;
}

function agent(name: string, signaling: PeerOptions['signaling'], options: Partial<PeerOptions> = {}): AgentPeer {
  const peer = createPeer({
    agentId: `agent://${name}`,
    signaling,
    iceTransportPolicy: 'relay',
    auth: { keys, mode: 'none' },
    ...options,
  });
  open.push(peer);
  return peer;
}

/** What the signaling server offers an agent, one after the other. */
async function* offered(server: SignalingServer, agentId = 'agent://a'): AsyncGenerator<RTCIceServer[]> {
  const offers: RTCIceServer[][] = [];
  let arrived: () => void = () => undefined;
  const unsubscribe = await new WebSocketSignaling(server.url, { keys }).subscribe(
    agentId,
    () => undefined,
    () => undefined,
    {
      offerIceServers: (servers) => {
        offers.push([...servers]);
        arrived();
      },
    },
  );
  try {
    // The first ones are there before the registration is.
    expect(offers).toHaveLength(1);
    for (;;) {
      while (offers.length === 0) await new Promise<void>((resolve) => (arrived = resolve));
      yield offers.shift()!;
    }
  } finally {
    await unsubscribe();
  }
}

const credential = (username: string, secret = SECRET) => createHmac('sha1', secret).update(username).digest('base64');

test('agents that know no ICE servers but those of their signaling server connect through its TURN server', async () => {
  const server = await serve();
  const [a, b] = [agent('a', server.url), agent('b', server.url)];
  await b.ready;
  b.handle('greet', (name: string) => `hello ${name}`);
  expect(await a.call('agent://b', 'greet', 'a')).toBe('hello a');
});

test('an agent that declines the servers of its signaling server does not use them', async () => {
  const server = await serve();
  await agent('b', server.url).ready;
  const a = agent('a', server.url, { signalingIceServers: false });
  await expect(a.connect('agent://b', { timeout: 1000 })).rejects.toMatchObject({ code: 'AGENT_UNREACHABLE' });
});

test('credentials are renewed before they expire, and the TURN server takes the new ones', async () => {
  const server = await serve({ ttl: 2 });
  const offers = offered(server);
  let last = 0;
  for (let round = 0; round < 3; round++) {
    const { value } = (await offers.next()) as { value: RTCIceServer[] };
    const [servers] = value;
    const expiry = parseInt(servers!.username!, 10);
    expect(expiry).toBeGreaterThan(last);
    last = expiry;
    expect(await relayed(servers!)).toBe('relay');
  }
  await offers.return(undefined);
});

test('the TURN server refuses credentials that have expired, and those of another secret', async () => {
  const now = Math.floor(Date.now() / 1000);
  const [past, future] = [`${now - 1}:agent`, `${now + 60}:agent`];
  expect(await relayed({ urls: url, username: future, credential: credential(future) })).toBe('relay');
  expect(await relayed({ urls: url, username: past, credential: credential(past) })).toBe(401);
  expect(await relayed({ urls: url, username: future, credential: credential(future, 'guess') })).toBe(401);
});

describe('connect() says that the TURN server refuses', () => {
  const [future, past] = [4_000_000_000, 1_000_000_000].map(String) as [string, string];
  for (const [what, username, password] of [
    ['a wrong password', future, 'guess'],
    ['a password that has expired', past, credential(past)],
    ['a user that nobody knows', 'nobody', 'x'],
  ] as const) {
    test(`${what}: which server, and with what answer`, async () => {
      const server = await serve();
      await agent('b', server.url).ready;
      const iceServers = [{ urls: url, username, credential: password }];
      const a = agent('a', server.url, { signalingIceServers: false, iceServers });
      const error = await a.connect('agent://b', { timeout: 2000 }).catch((error: unknown) => error as AgentError);
      expect(error).toMatchObject({ code: 'AGENT_UNREACHABLE', retryable: true });
      const { message, causes } = error as AgentError;
      expect(message).toContain(`${url}: `);
      expect(message).toMatch(/Unauthorized.*\(401\)/i);
      expect(message).not.toContain(password.length > 1 ? password : SECRET);
      const text = expect.stringMatching(/Unauthorized/i) as string;
      const todo = 'give the user name and password that the server accepts';
      expect(causes).toEqual([{ kind: 'server-refused', url, code: 401, text, todo }]);
    });
  }
});

test('user names show which agent it is only if that is wanted', async () => {
  const agentId = `agent://${randomUUID()}`;
  for (const [username, shown] of [
    ['hash', false],
    ['uri', true],
  ] as const) {
    const offers = offered(await serve({ username }), agentId);
    const { value } = (await offers.next()) as { value: RTCIceServer[] };
    expect(value[0]!.username!.includes(agentId)).toBe(shown);
    await offers.return(undefined);
  }
});

test.each([
  ['an open server', { urls: 'turn:h', secret: 's' }, undefined],
  ['no URL', { urls: [], secret: 's' }, { mode: 'tofu' }],
  ['a URL of something else', { urls: 'https://h', secret: 's' }, { mode: 'tofu' }],
  ['no secret', { urls: 'turn:h', secret: '' }, { mode: 'tofu' }],
  ['a lifetime of nothing', { urls: 'turn:h', secret: 's', ttl: 0 }, { mode: 'tofu' }],
  ['an unknown member', { urls: 'turn:h', secret: 's', realm: 'r' }, { mode: 'tofu' }],
])('TURN with %s is refused', async (_, turn, auth) => {
  await expect(createSignalingServer({ turn, auth: auth as never })).rejects.toThrow(TypeError);
});

test('an open server hands out TURN credentials if told to', async () => {
  await using server = await createSignalingServer({ turn: { urls: url, secret: SECRET, allowOpen: true } });
  const offers = offered(server);
  const { value } = (await offers.next()) as { value: RTCIceServer[] };
  expect(await relayed(value[0]!)).toBe('relay');
  await offers.return(undefined);
});
