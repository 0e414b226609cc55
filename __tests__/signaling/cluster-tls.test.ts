/** A cluster whose Redis server speaks TLS, and asks for a certificate itself. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { createSignalingServer, type SignalingServer } from 'ossa-webrtc';

import { selfSigned } from '../agent/self-signed';
import { offer, Plain } from './clients';
import { Redis } from './redis';

const redisSide = selfSigned();
const ownSide = selfSigned();
let folder: string;
let redis: Redis;
let url: string;
const servers: SignalingServer[] = [];

/** A port that nobody has just now. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ossa-redis-tls-'));
  const files = { cert: redisSide.cert, key: redisSide.key, 'ca-cert': ownSide.cert };
  const options = [
    '--bind',
    '127.0.0.1',
    '--tls-auth-clients',
    'yes',
    '--user',
    'signal',
    'on',
    '>hunter2',
    '~*',
    '&*',
    '+@all',
  ];
  for (const [name, pem] of Object.entries(files)) {
    const file = join(folder, name);
    await writeFile(file, pem);
    options.push(`--tls-${name}-file`, file);
  }
  const port = await freePort();
  redis = await Redis.start([...options, '--tls-port', String(port)]);
  url = `rediss://signal:hunter2@127.0.0.1:${port}`;
});

afterAll(async () => {
  await Promise.all(servers.map((server) => server.close()));
  await redis.remove();
  await rm(folder, { recursive: true });
});

/** A server, and how it stands to its cluster as soon as that is known. */
async function serve(options: object): Promise<{ server: SignalingServer; state: string; reason?: string }> {
  let told = (): void => undefined;
  const decided = new Promise<void>((resolve) => (told = resolve));
  const hear = (message: string): void => {
    if (message.startsWith('the cluster is')) told();
  };
  const logger = { debug: hear, info: hear, warn: hear, error: hear };
  const server = await createSignalingServer({ logger, cluster: { redis: url, timeout: 20_000, ...options } });
  servers.push(server);
  await decided;
  return { server, ...server.stats().cluster! };
}

test('with an authority, a certificate and a user of its own a server is in the cluster', async () => {
  const options = { ca: redisSide.cert, ...ownSide };
  const [one, two] = await Promise.all([serve(options), serve(options)]);
  expect([one.state, two.state]).toEqual(['connected', 'connected']);
  const a = await Plain.registered(one.server.url, 'agent://a');
  const b = await Plain.registered(two.server.url, 'agent://b');
  a.send(offer('agent://a', 'agent://b'));
  expect(await b.next()).toEqual(offer('agent://a', 'agent://b'));
  a.socket.close();
  b.socket.close();
});

test.each([
  ['an unknown authority', () => ({ ca: ownSide.cert, ...ownSide }), 'give it in "ca"'],
  ['no certificate', () => ({ ca: redisSide.cert }), 'give one in "cert" and "key"'],
])('with %s it says what is missing, and not the password', async (_, options, advice) => {
  const { state, reason } = await serve(options());
  expect(state).toBe('lost');
  expect(reason).toContain(advice);
  expect(reason).not.toContain('hunter2');
});
