// What somebody without the key tries at a signaling server that wants proof.
import { createHmac } from 'node:crypto';

import { createPeer, createSignalingServer, generateAgentKeys } from 'ossa-webrtc';
import type { AgentKeys, AgentPeer, SignalingServer } from 'ossa-webrtc';

import { audienceOf, type Frame, jwt, proofParts, prove, RawClient } from './auth-setup';

let victim: AgentKeys;
let mallory: AgentKeys;
let server: SignalingServer;
let peer: AgentPeer;
const clients: RawClient[] = [];

beforeAll(async () => {
  [victim, mallory] = await Promise.all([generateAgentKeys(), generateAgentKeys()]);
});
beforeEach(async () => {
  const pinned = { 'agent://victim': victim.publicKey, 'agent://mallory': mallory.publicKey };
  server = await createSignalingServer({ auth: { mode: 'keys', pinned } });
  peer = createPeer({ agentId: 'agent://victim', signaling: server.url, auth: { keys: victim, mode: 'none' } });
  await peer.ready;
});
afterEach(async () => {
  // The victim has kept its name through all of it, wherever it was registered last.
  expect(server.stats().agents).toBeGreaterThanOrEqual(1);
  await Promise.all(clients.splice(0).map((client) => client.close()));
  await peer.close();
  await server.close();
});

async function connect(address?: string): Promise<RawClient> {
  const client = await RawClient.connect(server.url, {}, address);
  clients.push(client);
  return client;
}

const audience = () => audienceOf(server.url);
const refused = { type: 'error', error: { code: 'UNAUTHORIZED' } };

/** Asks for a challenge and answers it. */
async function attempt(make: (nonce: string) => Frame, agentId = 'agent://victim', more = {}): Promise<Frame> {
  const client = await connect();
  return await client.ask(make(await client.challenged(agentId, more)));
}

test('nobody speaks in the name of another agent', async () => {
  const client = await connect();
  const nonce = await client.challenged('agent://mallory');
  const own = { agentId: 'agent://mallory', nonce, audience: audience() };
  expect(await client.ask(prove(own, mallory))).toMatchObject({ type: 'registered' });
  const offer = { type: 'offer', from: 'agent://victim', to: 'agent://mallory', sdp: 'v=0' };
  expect(await client.ask(offer)).toMatchObject(refused);
});

test('no message goes out before the registration', async () => {
  const client = await connect();
  expect(await client.ask({ type: 'offer', from: 'agent://x', to: 'agent://victim', sdp: 'v=0' })).toMatchObject(
    refused,
  );
});

test('a name is not taken over without its key', async () => {
  const make = (nonce: string) => prove({ agentId: 'agent://victim', nonce, audience: audience() }, mallory);
  expect(await attempt(make)).toMatchObject(refused);
  // The key in the frame is not asked who it belongs to.
  expect(await attempt((nonce) => ({ ...make(nonce), publicKey: victim.publicKey }))).toMatchObject(refused);
});

test('a proof that was seen on the way is of no use, there or elsewhere', async () => {
  const client = await connect();
  const nonce = await client.challenged('agent://victim');
  const proof = prove({ agentId: 'agent://victim', nonce, audience: audience() }, victim);
  const thief = await connect();
  expect(await thief.ask(proof)).toMatchObject(refused);
  await thief.challenged('agent://victim');
  expect(await thief.ask(proof)).toMatchObject(refused);
  const lost = new Promise((resolve) => peer.once('error', resolve));
  expect(await client.ask(proof)).toMatchObject({ type: 'registered' });
  await lost;
  expect(await client.ask(proof)).toMatchObject(refused);
});

test('a proof that was made for another server is refused', async () => {
  const make = (nonce: string) => prove({ agentId: 'agent://victim', nonce, audience: 'evil.example:443' }, victim);
  expect(await attempt(make)).toMatchObject(refused);
});

test('a server that knows its name is not deceived by one that passes its challenges on', async () => {
  const auth = { mode: 'keys', pinned: { 'agent://victim': victim.publicKey }, audience: 'signal.example' } as const;
  await using named = await createSignalingServer({ auth });
  // What a malicious server does: it calls here with its own name as `Host`, and has the victim sign for that name.
  const client = await RawClient.connect(named.url, { host: 'evil.example' });
  const nonce = await client.challenged('agent://victim');
  const signed = prove({ agentId: 'agent://victim', nonce, audience: 'evil.example:443' }, victim);
  expect(await client.ask(signed)).toMatchObject(refused);
  await client.close();
});

test('neither the algorithm nor the key of a proof is chosen by its sender', async () => {
  const forge = (change: object, signer = mallory) =>
    attempt((nonce) => {
      const [header, claims] = proofParts({ agentId: 'agent://victim', nonce, audience: audience() }, victim);
      return { type: 'prove', agentId: 'agent://victim', proof: jwt({ ...header, ...change }, claims, signer) };
    });
  for (const change of [
    { alg: 'none' },
    { alg: 'EdDSA' },
    { alg: 'HS256' },
    { jwk: mallory.publicJwk },
    { x5c: [mallory.publicKey] },
    { jku: 'https://evil.example/keys' },
  ]) {
    expect(await forge(change)).toMatchObject(refused);
  }
  expect(await forge({ typ: 'ossa-webrtc+jwt' }, victim)).toMatchObject(refused);
  const shared = await attempt((nonce) => {
    const [header, claims] = proofParts({ agentId: 'agent://victim', nonce, audience: audience() }, victim);
    const [start, body] = jwt({ ...header, alg: 'HS256' }, claims, mallory).split('.');
    const mac = createHmac('sha256', victim.publicKey).update(`${start}.${body}`).digest('base64url');
    return { type: 'prove', agentId: 'agent://victim', proof: `${start}.${body}.${mac}` };
  });
  expect(shared).toMatchObject(refused);
});

test('a resume token is no key, neither the agent’s nor another’s', async () => {
  const client = await connect();
  const nonce = await client.challenged('agent://mallory');
  const own = { agentId: 'agent://mallory', nonce, audience: audience() };
  const { resume } = await client.ask(prove(own, mallory));
  const make = (fresh: string) => prove({ agentId: 'agent://victim', nonce: fresh, audience: audience() }, mallory);
  expect(await attempt(make, 'agent://victim', { resume })).toMatchObject(refused);
});

test('on first use a foreign key does not get the name, whatever key it shows', async () => {
  await using first = await createSignalingServer({ auth: { mode: 'tofu' } });
  await using owner = createPeer({
    agentId: 'agent://victim',
    signaling: first.url,
    auth: { keys: victim, mode: 'none' },
  });
  await owner.ready;
  const client = await RawClient.connect(first.url);
  for (const publicKey of [mallory.publicKey, victim.publicKey, undefined, 'key']) {
    const nonce = await client.challenged('agent://victim');
    const proof = prove({ agentId: 'agent://victim', nonce, audience: audienceOf(first.url) }, mallory);
    expect(await client.ask({ ...proof, publicKey })).toMatchObject(refused);
  }
  await client.close();
});

test('refusals do not tell what was wrong', async () => {
  const statement = (nonce: string) => ({ agentId: 'agent://victim', nonce, audience: audience() });
  const wrongKey = await attempt((nonce) => prove(statement(nonce), mallory));
  const wrongServer = await attempt((nonce) => prove({ ...statement(nonce), audience: 'x:1' }, victim));
  const noKey = await attempt((nonce) => prove({ ...statement(nonce), agentId: 'agent://x' }, mallory), 'agent://x');
  expect(wrongKey.error).toEqual(wrongServer.error);
  expect(noKey.error).toEqual(wrongKey.error);
});

test('a flood of wrong proofs from one address is cut off, and others do not notice', async () => {
  const codes = new Set<unknown>();
  for (let connection = 0; connection < 12; connection++) {
    const client = await connect('127.0.0.3');
    for (let guess = 0; guess < 6; guess++) {
      const nonce = await client.challenged('agent://victim');
      codes.add((await client.ask(prove({ agentId: 'agent://victim', nonce, audience: 'x:1' }, mallory))).error?.code);
    }
    expect(await client.closed).toBe(4005);
  }
  expect(codes).toEqual(new Set(['UNAUTHORIZED', 'RATE_LIMIT_EXCEEDED']));
  await using other = createPeer({
    agentId: 'agent://mallory',
    signaling: server.url,
    auth: { keys: mallory, mode: 'none' },
  });
  await other.ready;
});
