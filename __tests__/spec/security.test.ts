// "Signaling Server API", "Authentication" and "Permissions" of the specification, as published, on our W3C classes.
/* eslint-disable @typescript-eslint/no-misused-promises -- as published */
import jwt from 'jsonwebtoken';
import { generateAgentKeys, type RTCDataChannelEvent, type RTCPeerConnection } from 'ossa-webrtc';

import { newPeer, once } from '../w3c/helper';
import { signalingPair, type Signaling, type SignalingMessage } from './signaling';

const agentId = 'agent://example.com/agent-1';
const remoteAgentId = 'agent://example.com/agent-b';

type Offer = SignalingMessage & { auth: { token: string; publicKey: string } };

/** Agent B, who verifies offers and answers those of the agents that it allows. Resolves `refused` with what it throws. */
function agentB(pc: RTCPeerConnection, signaling: Signaling, allowedPeers: Set<string>) {
  let refuse!: (error: Error) => void;
  const refused = new Promise<Error>((resolve) => (refuse = resolve));
  // eslint-disable-next-line @typescript-eslint/require-await -- the specification awaits it
  const verifyJWT = async (token: string, publicKey: string) => {
    try {
      return jwt.verify(token, publicKey, { algorithms: ['ES256'] });
    } catch {
      return false;
    }
  };

  // Verify token on receiving end
  const verifyOffer = async (offer: Offer) => {
    const valid = await verifyJWT(offer.auth.token, offer.auth.publicKey);
    if (!valid) {
      throw new Error('Invalid authentication token');
    }
  };

  const handleOffer = async (offer: Offer) => {
    await verifyOffer(offer);
    await pc.setRemoteDescription({ type: 'offer', sdp: offer.sdp });
    const answer = await pc.createAnswer();
    await pc.setLocalDescription(answer);
    signaling.send({ type: 'answer', from: remoteAgentId, to: offer.from, sdp: answer.sdp });
  };

  signaling.on('offer', (offer: Offer) => {
    if (!allowedPeers.has(offer.from)) {
      signaling.send({
        type: 'error',
        from: remoteAgentId,
        to: offer.from,
        error: { code: 'UNAUTHORIZED', message: 'Peer not allowed' },
      });
      return;
    }

    handleOffer(offer).catch(refuse);
  });
  return refused;
}

/** Agent A, who signs its offer. `forge` may change it on its way. */
async function agentA(pc: RTCPeerConnection, signaling: Signaling, forge = (offer: Offer) => offer): Promise<void> {
  const keys = await generateAgentKeys();
  const agentPublicKey = keys.publicKey;
  // eslint-disable-next-line @typescript-eslint/require-await -- the specification awaits it
  const signJWT = async (claims: object) => jwt.sign(claims, keys.exportPrivateKey(), { algorithm: 'ES256' });

  // Signaling via WebSocket
  signaling.on('message', async (msg: SignalingMessage) => {
    switch (msg.type) {
      case 'answer':
        await pc.setRemoteDescription({ type: 'answer', sdp: msg.sdp });
        break;
      case 'ice-candidate':
        await pc.addIceCandidate(msg.candidate);
        break;
    }
  });

  const localDescription = await pc.createOffer();
  await pc.setLocalDescription(localDescription);
  // Include signed token in signaling
  const offer: Offer = {
    type: 'offer',
    from: agentId,
    to: remoteAgentId,
    sdp: localDescription.sdp,
    auth: {
      token: await signJWT({ agentId, timestamp: Date.now() }),
      publicKey: agentPublicKey,
    },
  };
  signaling.send(forge(offer));
}

function scene(allowed = [agentId, 'agent://example.com/agent-2']) {
  const [near, far] = signalingPair();
  const [a, b] = [newPeer(), newPeer()];
  near.isOver = () => a.signalingState === 'closed';
  far.isOver = () => b.signalingState === 'closed';
  b.onicecandidate = ({ candidate }) => {
    if (candidate) far.send({ type: 'ice-candidate', from: remoteAgentId, to: agentId, candidate });
  };
  const refused = agentB(b, far, new Set(allowed));
  return { a, b, near, refused };
}

test("an offer with the specification's token is verified and answered", async () => {
  const { a, b, near } = scene();
  const announced = once<RTCDataChannelEvent>(b, 'datachannel');
  const open = once(a.createDataChannel('ossa-channel'), 'open');
  await agentA(a, near);
  await open;
  expect((await announced).channel.label).toBe('ossa-channel');
});

test.each([
  ['was changed', (offer: Offer) => ({ ...offer, auth: { ...offer.auth, token: `${offer.auth.token}x` } })],
  ['is not one', (offer: Offer) => ({ ...offer, auth: { ...offer.auth, token: 'garbage' } })],
])('an offer whose token %s is refused', async (_, forge) => {
  const { a, near, refused } = scene();
  a.createDataChannel('ossa-channel');
  await agentA(a, near, forge);
  expect((await refused).message).toBe('Invalid authentication token');
});

test('an offer of an agent that is not on the list is answered with UNAUTHORIZED', async () => {
  const { a, near } = scene(['agent://example.com/agent-2']);
  a.createDataChannel('ossa-channel');
  // A listener for errors, which an emitter wants; the specification's own code has none.
  const error = new Promise((resolve) => near.on('error', resolve));
  await agentA(a, near);
  expect(await error).toMatchObject({
    type: 'error',
    to: agentId,
    error: { code: 'UNAUTHORIZED', message: 'Peer not allowed' },
  });
});
