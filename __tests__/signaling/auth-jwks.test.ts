// A signaling server that takes the keys of agents from a published set: replaced, withdrawn, unknown keys; a key server that is away.
import type { ServerResponse } from 'node:http';
import { createServer } from 'node:https';

import { createPeer, createSignalingServer, generateAgentKeys, WebSocketSignaling } from 'ossa-webrtc';
import type { AgentKeys, AgentPeer, JwksOptions, PublicJwk, SignalingServer, SignalingState } from 'ossa-webrtc';

import { selfSigned } from '../agent/self-signed';
import { audienceOf, type Frame, prove, RawClient } from './auth-setup';
import { end, listen } from './clients';

const { cert: ca, key } = selfSigned();
const keyServer = createServer({ cert: ca, key }, (request, response) => {
  requests.push(request.url!);
  answer(response);
});
let base: string;
let requests: string[];
let answer: (response: ServerResponse) => void;
let keys: Record<'a' | 'b' | 'renewed', AgentKeys>;

const open: AsyncDisposable[] = [];
beforeAll(async () => {
  const [a, b, renewed] = await Promise.all([generateAgentKeys(), generateAgentKeys(), generateAgentKeys()]);
  keys = { a, b, renewed };
  base = `https://127.0.0.1:${await listen(keyServer)}`;
});
beforeEach(() => {
  requests = [];
  publish(['a', keys.a], ['b', keys.b]);
});
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one[Symbol.asyncDispose]();
});
afterAll(() => end(keyServer));

function publish(...published: [name: string, keys: AgentKeys][]): void {
  const set: PublicJwk[] = published.map(([name, { publicJwk }]) => ({ ...publicJwk, agentId: `agent://${name}` }));
  answer = (response) => void response.end(JSON.stringify({ keys: set }));
}

async function serve(jwks: Partial<JwksOptions> = {}): Promise<SignalingServer> {
  const server = await createSignalingServer({ auth: { mode: 'keys', jwks: { url: `${base}/all`, ca, ...jwks } } });
  open.push(server);
  return server;
}

function agent(server: SignalingServer, name: string, own: AgentKeys, onState?: (state: SignalingState) => void) {
  const signaling = new WebSocketSignaling(server.url, {
    keys: own,
    reconnectDelay: 20,
    firstAttempts: 1000,
    maxReconnectDelay: 50,
    onState,
  });
  const peer: AgentPeer = createPeer({ agentId: `agent://${name}`, signaling });
  open.push(peer);
  return peer;
}

const unauthorized = { code: 'UNAUTHORIZED' };

test('agents register with keys that one set names as theirs, and it is fetched once', async () => {
  const server = await serve({ coolDown: 1 });
  const [a, b] = [agent(server, 'a', keys.a), agent(server, 'b', keys.b)];
  await Promise.all([a.ready, b.ready]);
  expect((await a.connect('agent://b')).state).toBe('open');
  expect(requests).toEqual(['/all']);
  // b is in the set, but not as a.
  await expect(agent(server, 'a', keys.b).ready).rejects.toMatchObject(unauthorized);
  expect(server.stats().agents).toBe(2);
});

test('an agent registers with a key of the set that is its own', async () => {
  const server = await serve({ url: (agentId) => Promise.resolve(`${base}/${agentId.slice(8)}`) });
  answer = (response) => void response.end(JSON.stringify({ keys: [keys.a.publicJwk] }));
  await agent(server, 'a', keys.a).ready;
  expect(requests).toEqual(['/a']);
});

test('a key that takes the place of another is accepted, and the other one is not any more', async () => {
  const server = await serve({ coolDown: 1 });
  const before = agent(server, 'a', keys.a);
  await before.ready;
  publish(['a', keys.renewed]);
  const lost = new Promise((resolve) => before.once('error', resolve));
  await agent(server, 'a', keys.renewed).ready;
  // The owner of the new key gets rid of whoever has the old one.
  expect(await lost).toMatchObject(unauthorized);
  await expect(agent(server, 'a', keys.a).ready).rejects.toMatchObject(unauthorized);
  expect(server.stats().agents).toBe(1);
});

test('a key that was withdrawn registers nobody when the set is too old, and does not end what is registered', async () => {
  const server = await serve({ maxAge: 1 });
  await agent(server, 'a', keys.a).ready;
  publish(['b', keys.b]);
  await expect(agent(server, 'a', keys.a).ready).rejects.toMatchObject(unauthorized);
  expect(server.stats().agents).toBe(1);
});

test('an agent whose key was published a moment ago waits until the set may be fetched again', async () => {
  const server = await serve({ coolDown: 1500 });
  publish(['a', keys.a]);
  await agent(server, 'a', keys.a).ready;
  publish(['a', keys.a], ['b', keys.b]);
  await agent(server, 'b', keys.b).ready;
  expect(requests).toEqual(['/all', '/all']);
});

test.each<[string, (response: ServerResponse) => void]>([
  ['breaks off', (response) => response.destroy()],
  ['answers with an error', (response) => void response.writeHead(503).end()],
  ['sends something else', (response) => void response.end('<html>')],
])('agents wait for a key server that %s, and register when it is back', async (_, away) => {
  const server = await serve({ coolDown: 1 });
  answer = away;
  const reasons: (string | undefined)[] = [];
  await new Promise<void>((resolve) => {
    const peer = agent(server, 'a', keys.a, ({ state, reason }) => {
      if (state !== 'disconnected') return;
      if (reasons.push(reason) === 1) publish(['a', keys.a]);
    });
    void peer.ready.then(resolve);
  });
  expect(reasons[0]).toContain('cannot be verified at the moment');
  expect(server.stats().agents).toBe(1);
});

test('a key server that goes away does not keep out agents whose keys are known, until they are too old', async () => {
  const server = await serve({ coolDown: 1 });
  await agent(server, 'a', keys.a).ready;
  answer = (response) => response.destroy();
  await agent(server, 'b', keys.b).ready;
  expect(requests).toEqual(['/all']);
});

test('a flood of made-up keys has the set fetched once, and tells nobody what is in it', async () => {
  const server = await serve({ coolDown: 30_000 });
  const answers: Frame[] = [];
  for (let guess = 0; guess < 10; guess++) {
    const client = await RawClient.connect(server.url);
    const nonce = await client.challenged('agent://a');
    const statement = { agentId: 'agent://a', nonce, audience: audienceOf(server.url) };
    const frame = prove(statement, keys.renewed);
    answers.push(await client.ask(frame));
    await client.close();
  }
  expect(answers[0]?.error?.code).toBe('UNAUTHORIZED');
  // Later ones might be right by now: nobody knows before the set is fetched again.
  expect(new Set(answers.slice(1).map(({ error }) => error?.code))).toEqual(new Set(['INTERNAL_ERROR']));
  expect(requests).toEqual(['/all']);
});

test.each([
  ['plain http', { url: 'http://127.0.0.1/keys' }],
  ['no time', { maxAge: 0 }],
  ['a pause that is longer than the sets are used', { maxAge: 1000, coolDown: 2000 }],
  ['what it does not know', { max: 1 }],
])('%s is refused', async (_, jwks) => {
  await expect(serve(jwks as never)).rejects.toThrow(TypeError);
});
