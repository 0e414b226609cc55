// Agents that show a signaling server who they are: by a key, the first one, or a token.
import { AgentError, createPeer, createSignalingServer, generateAgentKeys, WebSocketSignaling } from 'ossa-webrtc';
import type { AgentKeys, AgentPeer, PeerOptions, SignalingServer, SignalingServerOptions } from 'ossa-webrtc';

import { audienceOf, prove, RawClient } from './auth-setup';

const open: AsyncDisposable[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one[Symbol.asyncDispose]();
});

let keys: Record<'a' | 'b' | 'mallory', AgentKeys>;
beforeAll(async () => {
  const [a, b, mallory] = await Promise.all([
    generateAgentKeys(),
    generateAgentKeys({ algorithm: 'EdDSA' }),
    generateAgentKeys(),
  ]);
  keys = { a, b, mallory };
});

const pinned = () => ({ 'agent://a': keys.a.publicKey, 'agent://b': keys.b.publicKey });

async function serve(auth: SignalingServerOptions['auth']): Promise<SignalingServer> {
  const server = await createSignalingServer({ auth });
  open.push(server);
  return server;
}

function agent(name: string, signaling: PeerOptions['signaling'], options: Partial<PeerOptions> = {}): AgentPeer {
  const peer = createPeer({ agentId: `agent://${name}`, signaling, ...options });
  open.push(peer);
  return peer;
}

const withKeys = (own: AgentKeys): Partial<PeerOptions> => ({ auth: { keys: own, mode: 'none' } });

const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'registered',
    (error: AgentError) => error.code,
  );

test('agents that have keys register where proof is wanted, and connect, without a word about it', async () => {
  const server = await serve({ mode: 'keys', pinned: pinned() });
  const [a, b] = (['a', 'b'] as const).map((name) =>
    agent(name, server.url, { auth: { keys: keys[name], pinned: pinned() } }),
  );
  b!.handle('greet', (name: string) => `hello ${name}`);
  await b!.ready;
  expect(await a!.call('agent://b', 'greet', 'a')).toBe('hello a');
  expect(server.stats()).toMatchObject({ agents: 2, denied: 0 });
});

test('without the key an agent is refused at once, and told what is missing', async () => {
  const server = await serve({ mode: 'keys', pinned: pinned() });
  const without = agent('a', server.url);
  await expect(without.ready).rejects.toMatchObject({
    code: 'UNAUTHORIZED',
    message: expect.stringContaining('wants proof of the key of agent://a') as string,
  });
  expect(await codeOf(agent('a', server.url, withKeys(keys.mallory)).ready)).toBe('UNAUTHORIZED');
  expect(await codeOf(agent('unknown', server.url, withKeys(keys.mallory)).ready)).toBe('UNAUTHORIZED');
  expect(server.stats()).toMatchObject({ agents: 0, denied: 2 });
});

test('the server asks the application for keys, and an agent waits out a failure of it', async () => {
  const asked: (string | undefined)[] = [];
  const server = await serve({
    mode: 'keys',
    resolve: (agentId, kid) => {
      asked.push(agentId, kid);
      if (asked.length === 2) throw new Error('the database is away');
      return agentId === 'agent://a' ? keys.a.publicJwk : null;
    },
  });
  const signaling = new WebSocketSignaling(server.url, { keys: keys.a, reconnectDelay: 1 });
  await agent('a', signaling).ready;
  expect(asked).toEqual(['agent://a', keys.a.kid, 'agent://a', keys.a.kid]);
});

test('the holder of the key takes its name over from a connection that is alive', async () => {
  const server = await serve({ mode: 'keys', pinned: pinned() });
  const before = agent('a', server.url, withKeys(keys.a));
  await before.ready;
  const lost = new Promise<AgentError>((resolve) => before.once('error', resolve));
  await agent('a', server.url, withKeys(keys.a)).ready;
  expect(await lost).toMatchObject({ code: 'UNAUTHORIZED' });
  expect(server.stats().agents).toBe(1);
});

test('on first use a name becomes its key’s, also while nobody is connected under it', async () => {
  const server = await serve({ mode: 'tofu' });
  const first = agent('a', server.url, withKeys(keys.a));
  await first.ready;
  expect(await codeOf(agent('a', server.url, withKeys(keys.mallory)).ready)).toBe('UNAUTHORIZED');
  await first.close();
  expect(await codeOf(agent('a', server.url, withKeys(keys.mallory)).ready)).toBe('UNAUTHORIZED');
  await agent('a', server.url, withKeys(keys.a)).ready;
});

test('a name that was not used for its retention time is free again', async () => {
  const server = await serve({ mode: 'tofu', retention: 1 });
  const first = agent('a', server.url, withKeys(keys.a));
  await first.ready;
  expect(await codeOf(agent('a', server.url, withKeys(keys.mallory)).ready)).toBe('UNAUTHORIZED');
  await first.close();
  const next = new WebSocketSignaling(server.url, { keys: keys.mallory });
  // The retention is a millisecond, and the answer of the server takes longer than that.
  expect(await codeOf(agent('b', next).ready)).toBe('registered');
  expect(await codeOf(agent('a', next).ready)).toBe('registered');
});

test.each([
  ['of its own', { 'agent://a': 'a’s token', 'agent://b': ['other', 'b’s token'] }, 'UNAUTHORIZED'],
  ['for every name', ['other', 'a’s token', 'b’s token'], 'registered'],
])('an agent registers with a token %s', async (_, tokens, borrowed) => {
  const server = await serve({ mode: 'bearer', tokens });
  const register = (name: string, token?: string) =>
    codeOf(agent(name, new WebSocketSignaling(server.url, { token })).ready);
  expect(await register('a', 'a’s token')).toBe('registered');
  expect(await register('b', 'b’s token')).toBe('registered');
  expect(await register('c', 'wrong')).toBe('UNAUTHORIZED');
  expect(await register('c')).toBe('UNAUTHORIZED');
  expect(await register('c', 'a’s token')).toBe(borrowed);
});

test('a token is asked for anew for every connection, and an expired one is refused', async () => {
  const valid = new Set(['first', 'second']);
  let seen: unknown;
  const server = await serve({
    mode: 'bearer',
    verify: (token, details) => {
      seen = details;
      return Promise.resolve(valid.delete(token) && { owner: 'a' });
    },
  });
  const given = ['first', 'second', 'expired'];
  const token = jest.fn((agentId: string) => Promise.resolve(agentId === 'agent://a' ? given.shift()! : ''));
  const signaling = () => new WebSocketSignaling(server.url, { token });
  const before = agent('a', signaling());
  await before.ready;
  expect(seen).toEqual({ agentId: 'agent://a', address: '127.0.0.1' });
  // The same owner takes over at once.
  await agent('a', signaling()).ready;
  expect(await codeOf(agent('a', signaling()).ready)).toBe('UNAUTHORIZED');
  expect(token).toHaveBeenCalledTimes(3);
});

test('an agent tries again when its token cannot be had or the server cannot verify it', async () => {
  const failures = ['server', 'client'];
  const server = await serve({
    mode: 'bearer',
    verify: () => {
      if (failures.length > 0 && failures[0] === 'server') throw new Error(failures.shift());
      return true;
    },
  });
  const token = () => {
    if (failures[0] === 'client') throw new Error(failures.shift());
    return 'token';
  };
  await agent('a', new WebSocketSignaling(server.url, { token, reconnectDelay: 1 })).ready;
  expect(failures).toEqual([]);
});

test('a token is taken from the Authorization header of clients that cannot send it otherwise', async () => {
  const server = await serve({ mode: 'bearer', tokens: ['t'] });
  const client = await RawClient.connect(server.url, { authorization: 'Bearer t' });
  expect(await client.ask({ type: 'register', agentId: 'agent://a' })).toMatchObject({
    type: 'registered',
    auth: 'bearer',
  });
  await client.close();
});

test('a client of another make registers with the frames of the documentation', async () => {
  const server = await serve({ mode: 'keys', pinned: pinned() });
  const client = await RawClient.connect(server.url);
  const nonce = await client.challenged('agent://a');
  const statement = { agentId: 'agent://a', nonce, audience: audienceOf(server.url) };
  expect(await client.ask(prove(statement, keys.a))).toMatchObject({ type: 'registered', auth: 'keys' });
  await client.close();
});

test.each([
  ['a mode that there is not', { mode: 'trust' }],
  ['no mode', {}],
  ['keys of nobody', { mode: 'keys' }],
  ['what belongs to another mode', { mode: 'open', tokens: ['t'] }],
  ['neither tokens nor a function', { mode: 'bearer' }],
  ['both', { mode: 'bearer', tokens: ['t'], verify: () => true }],
  ['an empty token', { mode: 'bearer', tokens: [''] }],
  ['a URL as audience', { mode: 'tofu', audience: 'https://signal.example' }],
  ['a key that is none', { mode: 'keys', pinned: { 'agent://a': 'key' } }],
])('%s is refused as option auth', async (_, auth) => {
  await expect(createSignalingServer({ auth: auth as never })).rejects.toThrow(TypeError);
});

test('credentials that are none are refused', () => {
  expect(() => new WebSocketSignaling('ws://h', { keys: 'key' as never })).toThrow(TypeError);
  expect(() => new WebSocketSignaling('ws://h', { token: '' })).toThrow(TypeError);
});
