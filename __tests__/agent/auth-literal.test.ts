// The authentication of the specification, word for word, on the other side: it accepts our tokens, and we accept its.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

import jwt from 'jsonwebtoken';
import { generateAgentKeys, RTCPeerConnection } from 'ossa-webrtc';
import type { AgentKeys, Link, SignalingMessage } from 'ossa-webrtc';

import { linked, next, refusal, Scene, sdpOf } from './auth-setup';

let scene: Scene;
let ours: AgentKeys;
let theirs: AgentKeys;

beforeAll(async () => {
  [ours, theirs] = await Promise.all([generateAgentKeys(), generateAgentKeys()]);
});
beforeEach(() => {
  scene = new Scene();
});
afterEach(() => scene.close());

const literal = () => ({ auth: { keys: ours, mode: 'spec-literal' as const } });

/** `signJWT` of the specification. */
const signJWT = (claims: object) => jwt.sign(claims, theirs.exportPrivateKey(), { algorithm: 'ES256' });

/** A peer that runs the code of the specification. Resolves with the first message that it hears. */
function naivePeer(agentId: string, remoteAgentId: string, verify: (offer: SignalingMessage) => void) {
  const peerConnection = new RTCPeerConnection();
  const heard = new Promise<string>((resolve) => {
    peerConnection.ondatachannel = ({ channel }) => {
      channel.onmessage = ({ data }) => resolve(String(data));
    };
  });
  peerConnection.onicecandidate = ({ candidate }) => {
    if (candidate) scene.memory.send({ type: 'ice-candidate', from: agentId, to: remoteAgentId, candidate });
  };
  const unsubscribe = scene.memory.subscribe(agentId, (message) => {
    void (async () => {
      if (message.type === 'offer') {
        verify(message);
        await peerConnection.setRemoteDescription({ type: 'offer', sdp: sdpOf(message) });
        const answer = await peerConnection.createAnswer();
        await peerConnection.setLocalDescription(answer);
        scene.memory.send({ type: 'answer', from: agentId, to: remoteAgentId, sdp: answer.sdp });
      } else if (message.type === 'answer') {
        await peerConnection.setRemoteDescription({ type: 'answer', sdp: sdpOf(message) });
      } else if (message.type === 'ice-candidate' && message.candidate) {
        await peerConnection.addIceCandidate(message.candidate);
      }
    })();
  });
  const close = async () => {
    peerConnection.close();
    await unsubscribe();
  };
  return { peerConnection, heard, close };
}

async function naiveOffer(peer: ReturnType<typeof naivePeer>, auth?: object): Promise<void> {
  peer.peerConnection.createDataChannel('ossa-channel', { ordered: true, maxRetransmits: 3 });
  const offer = await peer.peerConnection.createOffer();
  await peer.peerConnection.setLocalDescription(offer);
  const message = { type: 'offer', from: 'agent://naive', to: 'agent://ours', sdp: offer.sdp, ...(auth && { auth }) };
  scene.memory.send(message as SignalingMessage);
}

test('the naive token of the specification is accepted, and its sender is not authenticated', async () => {
  const agent = scene.agent('ours', literal());
  await agent.ready;
  const naive = naivePeer('agent://naive', 'agent://ours', () => undefined);
  const incoming = next<Link>(agent, 'link');
  const token = signJWT({ agentId: 'agent://naive', timestamp: Date.now() });
  await naiveOffer(naive, { token, publicKey: theirs.publicKey });
  const link = await incoming;
  expect(link.remote).toMatchObject({ agentId: 'agent://naive', authenticated: false, how: 'self-asserted' });
  expect(link.authMode).toBe('spec-literal');
  await naive.close();
});

test.each<[string, () => object | undefined]>([
  ['token-missing', () => undefined],
  ['signature-invalid', () => ({ token: signJWT({ agentId: 'agent://naive' }), publicKey: ours.publicKey })],
  ['identity-mismatch', () => ({ token: signJWT({ agentId: 'agent://other' }), publicKey: theirs.publicKey })],
  ['expired', () => ({ token: signJWT({ agentId: 'agent://naive', timestamp: 1 }), publicKey: theirs.publicKey })],
])('a naive token that is wrong is refused: %s', async (reason, auth) => {
  const agent = scene.agent('ours', literal());
  await agent.ready;
  const naive = naivePeer('agent://naive', 'agent://ours', () => undefined);
  const refused = refusal(agent);
  await naiveOffer(naive, auth());
  expect(await refused).toBe(reason);
  expect(agent.links.size).toBe(0);
  await naive.close();
});

test('verifyOffer of the specification accepts our token, and we its answer without one', async () => {
  const agent = scene.agent('ours', literal());
  let verified: unknown;
  const naive = naivePeer('agent://naive', 'agent://ours', (offer) => {
    // `await verifyJWT(offer.auth.token, offer.auth.publicKey)`
    verified = jwt.verify(offer.auth!.token, offer.auth!.publicKey);
  });
  const link = await agent.connect('agent://naive');
  await link.send('hello');
  expect(JSON.parse(await naive.heard)).toMatchObject({ metadata: { agentId: 'agent://ours' } });
  expect(verified).toMatchObject({ agentId: 'agent://ours', timestamp: expect.any(Number) as number });
  expect(link.remote).toMatchObject({ authenticated: false, how: 'none' });
  await naive.close();
});

test('two of our agents in this mode take each other’s word', async () => {
  const [a, b] = [scene.agent('a', literal()), scene.agent('b', { auth: { keys: theirs, mode: 'spec-literal' } })];
  const [ab, ba] = await linked(a, b);
  for (const link of [ab, ba]) expect(link.remote).toMatchObject({ authenticated: false, how: 'self-asserted' });
});

test.each(['ES256', 'EdDSA', 'RS256'] as const)('a verifier on jose accepts our %s tokens', async (algorithm) => {
  const keys = await generateAgentKeys({ algorithm });
  const a = scene.agent('a', { auth: { keys, mode: 'none' } });
  await linked(a, scene.agent('b'));
  const { auth } = scene.of('offer')[0]!;
  const program = join(__dirname, 'literal-verifier.mjs');
  const { stdout, stderr } = spawnSync(process.execPath, [program, algorithm], {
    input: JSON.stringify(auth),
    encoding: 'utf8',
  });
  expect(stderr).toBe('');
  expect(JSON.parse(stdout)).toMatchObject({ agentId: 'agent://a', aud: 'agent://b' });
});
