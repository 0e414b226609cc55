// Published key sets: fetched over https only, bounded, and not too often.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';

import { generateAgentKeys } from 'ossa-webrtc';
import type { AgentKeys, AuthOptions, PublicJwk } from 'ossa-webrtc';

import { linked, refusal, Scene } from './auth-setup';
import { selfSigned } from './self-signed';

let scene: Scene;
let server: Server;
let ca: string;
let base: string;
let requests: string[];
let answer: (request: IncomingMessage, response: ServerResponse) => void;
let keys: Record<'a' | 'b' | 'mallory', AgentKeys>;

beforeAll(async () => {
  const [a, b, mallory] = await Promise.all([generateAgentKeys(), generateAgentKeys(), generateAgentKeys()]);
  keys = { a, b, mallory };
  const { cert, key } = selfSigned();
  ca = cert;
  server = createServer({ cert, key }, (request, response) => {
    requests.push(request.url!);
    answer(request, response);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  base = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
beforeEach(() => {
  scene = new Scene();
  requests = [];
  answer = set(keys.a.publicJwk);
});
afterEach(() => scene.close());
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const set =
  (...published: PublicJwk[]) =>
  (_: unknown, response: ServerResponse): void =>
    void response.end(JSON.stringify({ keys: published }));

/** b takes the keys of others from the server; a takes b as it is. */
const agents = (jwks: AuthOptions['jwks'], name: keyof typeof keys = 'a') =>
  [
    scene.agent('a', { auth: { keys: keys[name], mode: 'none' } }),
    scene.agent('b', { auth: { keys: keys.b, jwks } }),
  ] as const;

const own = (): AuthOptions['jwks'] => ({ url: (agentId) => `${base}/${agentId.slice(8)}`, ca });

async function refused([a, b]: ReturnType<typeof agents>): Promise<string> {
  await b.ready;
  const reason = refusal(b);
  await expect(a.connect('agent://b')).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
  return await reason;
}

test('an agent is authenticated by its own key set, which is fetched once', async () => {
  const [a, b] = agents(own());
  for (let round = 0; round < 2; round++) {
    const [ab, ba] = await linked(a, b);
    expect(ba.remote).toMatchObject({ authenticated: true, how: 'jwks' });
    await Promise.all([ab.close(), ba.closed]);
  }
  expect(requests).toEqual(['/a']);
});

test('in a set for many agents each key says whose it is', async () => {
  answer = set(
    { ...keys.a.publicJwk, agentId: 'agent://a' },
    { ...keys.mallory.publicJwk, agentId: 'agent://mallory' },
  );
  const [, ba] = await linked(...agents({ url: `${base}/all`, ca }));
  expect(ba.remote).toMatchObject({ authenticated: true, how: 'jwks' });
  await scene.close();
  // Mallory is in the set, but not as a.
  expect(await refused(agents({ url: `${base}/all`, ca }, 'mallory'))).toBe('key-unknown');
});

test('a set for many agents whose keys name nobody authenticates nobody', async () => {
  expect(await refused(agents({ url: `${base}/all`, ca }))).toBe('key-unknown');
});

test('two agents of one set that call at the same moment are both authenticated, and the set is fetched once', async () => {
  answer = set({ ...keys.a.publicJwk, agentId: 'agent://a' }, { ...keys.mallory.publicJwk, agentId: 'agent://m' });
  const [a, b] = agents({ url: `${base}/all`, ca });
  const m = scene.agent('m', { auth: { keys: keys.mallory, mode: 'none' } });
  await b.ready;
  const both = new Promise<boolean[]>((resolve) => {
    const seen: boolean[] = [];
    b.on('link', (link) => {
      if (seen.push(link.remote.authenticated) === 2) resolve(seen);
    });
  });
  await Promise.all([a.connect('agent://b'), m.connect('agent://b')]);
  expect(await both).toEqual([true, true]);
  expect(requests).toEqual(['/all']);
});

test('plain http is refused, at once or when a function gives it', async () => {
  expect(() => agents(base.replace('https', 'http'))).toThrow(/https: URL, not http:/);
  await scene.close();
  expect(await refused(agents({ url: () => 'http://127.0.0.1:1/keys', ca }))).toBe('key-set-unavailable');
  expect(requests).toEqual([]);
});

test('a server whose certificate nobody vouches for is not asked', async () => {
  expect(await refused(agents({ url: `${base}/all` }))).toBe('key-set-unavailable');
  expect(requests).toEqual([]);
});

test.each<[string, (request: IncomingMessage, response: ServerResponse) => void]>([
  [
    'redirects',
    (request, response) => {
      if (request.url === '/moved') return set(keys.a.publicJwk)(request, response);
      set(keys.a.publicJwk)(request, response.writeHead(302, { location: `${base}/moved` }));
    },
  ],
  ['answers with an error', (request, response) => set(keys.a.publicJwk)(request, response.writeHead(500))],
  ['sends no key set', (_, response) => void response.end('<html></html>')],
  [
    'sends without end',
    (_, response) => {
      const part = 'x'.repeat(64 * 1024);
      const more = () => {
        while (!response.destroyed && response.write(part));
      };
      response.on('drain', more);
      more();
    },
  ],
  [
    'breaks off',
    (_, response) => {
      response.writeHead(200, { 'content-length': 1000 }).write('{"keys":[', () => response.destroy());
    },
  ],
])('a server that %s gives no keys', async (_, behaviour) => {
  answer = behaviour;
  expect(await refused(agents(own()))).toBe('key-set-unavailable');
  expect(requests).toEqual(['/a']);
});

test('a server that does not answer is given up after five seconds', async () => {
  answer = () => undefined;
  expect(await refused(agents(own()))).toBe('key-set-unavailable');
});

test('a flood of unknown kids fetches the set once', async () => {
  const [, b] = agents(own());
  await b.ready;
  for (let round = 0; round < 20; round++) {
    const peer = scene.agent(`a/${round}`, { auth: { keys: await generateAgentKeys(), mode: 'none' } });
    scene.tamper = (message) => (message.type === 'offer' ? { ...message, from: 'agent://a' } : message);
    const reason = refusal(b);
    void peer.connect('agent://b').catch(() => undefined);
    expect(await reason).toBe('key-unknown');
  }
  expect(requests).toEqual(['/a']);
});
