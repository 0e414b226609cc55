// Agents that prove who they are where no WebSocket gets through: by requests, and a stream of events or polls.
import { createPeer, createSignalingServer, generateAgentKeys, WebSocketSignaling } from 'ossa-webrtc';
import type { AgentKeys, AgentPeer, PeerOptions, SignalingServer, SignalingServerOptions } from 'ossa-webrtc';

import { audienceOf, prove, RawClient } from './auth-setup';
import { createServer, end, type Frame, httpOf, listen, request as forward, Session } from './clients';

const open: AsyncDisposable[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one[Symbol.asyncDispose]();
});

let keys: Record<'a' | 'b' | 'mallory', AgentKeys>;
beforeAll(async () => {
  const [a, b, mallory] = await Promise.all([generateAgentKeys(), generateAgentKeys(), generateAgentKeys()]);
  keys = { a, b, mallory };
});

const pinned = () => ({
  'agent://a': keys.a.publicKey,
  'agent://b': keys.b.publicKey,
  'agent://mallory': keys.mallory.publicKey,
});

const AUTH: Record<'keys' | 'tofu', () => SignalingServerOptions['auth']> = {
  keys: () => ({ mode: 'keys', pinned: pinned() }),
  tofu: () => ({ mode: 'tofu' }),
};

async function serve(auth = AUTH.keys()): Promise<SignalingServer> {
  const server = await createSignalingServer({ auth });
  open.push(server);
  return server;
}

function agent(name: keyof typeof keys, signaling: PeerOptions['signaling'], own = keys[name]): AgentPeer {
  const peer = createPeer({ agentId: `agent://${name}`, signaling, auth: { keys: own, mode: 'none' } });
  open.push(peer);
  return peer;
}

const session = ({ url }: SignalingServer) => Session.start(httpOf(url));

async function challenged(client: Session, agentId = 'agent://a', more: object = {}): Promise<string> {
  const challenge = await client.ask({ type: 'register', agentId, ...more });
  expect(challenge.type).toBe('challenge');
  return challenge['nonce'] as string;
}

const proof = ({ url }: SignalingServer, nonce: string, signer = keys.a, agentId = 'agent://a'): Frame =>
  prove({ agentId, nonce, audience: audienceOf(url) }, signer);

const refused = { type: 'error', error: { code: 'UNAUTHORIZED' } };

test.each(['keys', 'tofu'] as const)('over plain HTTP an agent shows its key to a server with %s', async (mode) => {
  const server = await serve(AUTH[mode]());
  const [a, b] = [agent('a', httpOf(server.url)), agent('b', server.url)];
  b.handle('greet', (name: string) => `hello ${name}`);
  await b.ready;
  expect(await a.call('agent://b', 'greet', 'a')).toBe('hello a');
  expect(server.stats()).toMatchObject({ agents: 2, denied: 0 });
  const impostor = agent('a', httpOf(server.url), keys.mallory);
  await expect(impostor.ready).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
  expect(server.stats()).toMatchObject({ agents: 2, denied: 1 });
});

test('an agent shows its key by polls where a proxy holds streams back', async () => {
  const server = await serve();
  const base = httpOf(server.url);
  let held = 0;
  const proxy = createServer((request, response) => {
    const { method, headers } = request;
    const onward = forward(`${base}${request.url}`, { method, headers }, (answer) => {
      // All of it at once, when it has ended, which it does not.
      if (answer.headers['content-type'] === 'text/event-stream') return void held++;
      response.writeHead(answer.statusCode!, answer.headers);
      answer.pipe(response);
    });
    onward.on('error', () => response.destroy());
    response.on('close', () => onward.destroy());
    request.pipe(onward);
  });
  const front = `http://127.0.0.1:${await listen(proxy)}`;
  open.push({ [Symbol.asyncDispose]: () => end(proxy) });
  await agent('a', front).ready;
  expect(held).toBe(1);
  expect(server.stats()).toMatchObject({ agents: 1, denied: 0 });
});

test('a proof that was seen on the way counts in no other session, and once in its own', async () => {
  const server = await serve();
  const [own, thief] = await Promise.all([session(server), session(server)]);
  const seen = proof(server, await challenged(own));
  expect(await thief.ask(seen)).toMatchObject(refused);
  await challenged(thief);
  expect(await thief.ask(seen)).toMatchObject(refused);
  const socket = await RawClient.connect(server.url);
  await socket.challenged('agent://a');
  expect(await socket.ask(seen)).toMatchObject(refused);
  await socket.close();

  // Twice in one request: there is one registration, and one refusal.
  expect(await own.post([seen, seen])).toBe(202);
  const answers: Frame[] = [];
  while (answers.length < 2) answers.push(...(await own.next()));
  expect(answers).toMatchObject([{ type: 'registered', auth: 'keys' }, refused]);
  expect(await own.ask(seen)).toMatchObject(refused);
  expect(await own.end()).toBe(204);
  // Nor when its session has ended.
  expect(await (await session(server)).ask(seen)).toMatchObject(refused);
});

test('a proof of a WebSocket is of no use in a session', async () => {
  const server = await serve();
  const socket = await RawClient.connect(server.url);
  const seen = proof(server, await socket.challenged('agent://a'));
  const thief = await session(server);
  await challenged(thief);
  expect(await thief.ask(seen)).toMatchObject(refused);
  expect(await socket.ask(seen)).toMatchObject({ type: 'registered' });
  await socket.close();
});

test('the name of an agent behind HTTP is not taken over without its key', async () => {
  const server = await serve();
  const victim = agent('a', httpOf(server.url));
  victim.handle('who', () => 'a');
  await victim.ready;
  const thief = await session(server);
  expect(await thief.ask(proof(server, await challenged(thief), keys.mallory))).toMatchObject(refused);
  // The key in the frame is not asked whose it is, and a token of one's own registration opens no other name.
  const borrowed = { ...proof(server, await challenged(thief), keys.mallory), publicKey: keys.a.publicKey };
  expect(await thief.ask(borrowed)).toMatchObject(refused);
  const own = proof(server, await challenged(thief, 'agent://mallory'), keys.mallory, 'agent://mallory');
  const { resume } = await thief.ask(own);
  const claim = proof(server, await challenged(thief, 'agent://a', { resume }), keys.mallory);
  expect(await thief.ask(claim)).toMatchObject(refused);
  expect(await thief.ask({ type: 'offer', from: 'agent://a', to: 'agent://b', sdp: 'v=0' })).toMatchObject(refused);
  await thief.end();
  expect(await agent('b', server.url).call('agent://a', 'who', null)).toBe('a');
});

test('the holder of the key takes its name over from a session, which is told and ends', async () => {
  const server = await serve();
  const [before, after] = await Promise.all([session(server), session(server)]);
  expect(await before.ask(proof(server, await challenged(before)))).toMatchObject({ type: 'registered' });
  expect(await after.ask(proof(server, await challenged(after)))).toMatchObject({ type: 'registered' });
  expect(await before.next()).toMatchObject([refused]);
  const last = await fetch(`${before.base}/v1/frames?after=3`, { headers: before.headers() });
  expect(await last.json()).toMatchObject({ frames: [], closed: { code: 4001 } });
  expect(server.stats().agents).toBe(1);
});

test('a session that guesses is ended after six wrong proofs', async () => {
  const server = await serve();
  const guesser = await session(server);
  for (let guess = 0; guess < 6; guess++) {
    expect(await guesser.ask(proof(server, await challenged(guesser), keys.mallory))).toMatchObject(refused);
  }
  const last = await fetch(`${guesser.base}/v1/frames?after=12`, { headers: guesser.headers() });
  expect(await last.json()).toMatchObject({ frames: [], closed: { code: 4005 } });
  expect(server.stats()).toMatchObject({ agents: 0, denied: 6 });
});

test('a bearer token comes with the request that starts the session, or from the client', async () => {
  const server = await serve({ mode: 'bearer', tokens: { 'agent://a': 'a’s', 'agent://b': 'b-token' } });
  const own = await Session.start(httpOf(server.url), { authorization: 'Bearer b-token' });
  expect(await own.ask({ type: 'register', agentId: 'agent://a' })).toMatchObject(refused);
  expect(await own.ask({ type: 'register', agentId: 'agent://b' })).toMatchObject({ type: 'registered' });
  const signaling = new WebSocketSignaling(httpOf(server.url), { token: 'a’s' });
  await agent('a', signaling).ready;
  expect(server.stats().agents).toBe(2);
  await own.end();
});
