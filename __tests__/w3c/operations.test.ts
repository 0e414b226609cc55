import { RTCError, type RTCSessionDescriptionInit } from 'ossa-webrtc';

import { newPeer, negotiate, once } from './helper';

const afterATask = () => new Promise((resolve) => setImmediate(resolve));
const unsettled = Symbol('unsettled');
/** What a promise has come to after a few turns of the event loop. */
async function outcome(promise: Promise<unknown>): Promise<unknown> {
  const late = (async () => {
    for (let i = 0; i < 20; i++) await afterATask();
    return unsettled;
  })();
  return Promise.race([promise, late]);
}

test('createOffer resolves with a plain dictionary', async () => {
  const offer = await newPeer().createOffer();
  expect(Object.getPrototypeOf(offer)).toBe(Object.prototype);
  expect(Object.keys(offer).sort()).toEqual(['sdp', 'type']);
});

test('operations run in the order of their calls', async () => {
  const [a, b] = [newPeer(), newPeer()];
  a.createDataChannel('x');
  const done: string[] = [];
  const offer = await a.createOffer();
  await Promise.all([
    b.setRemoteDescription(offer).then(() => done.push('remote')),
    b.createAnswer().then(() => done.push('answer')),
    b.setLocalDescription().then(() => done.push('local')),
  ]);
  expect(done).toEqual(['remote', 'answer', 'local']);
  expect(b.signalingState).toBe('stable');
});

test('what is pending when the connection closes never settles; what comes later rejects', async () => {
  const peer = newPeer();
  const pending = [peer.createOffer(), peer.setLocalDescription(), peer.createAnswer()];
  peer.close();
  expect(await Promise.all(pending.map(outcome))).toEqual([unsettled, unsettled, unsettled]);
  await expect(peer.createOffer()).rejects.toMatchObject({ name: 'InvalidStateError' });
  await expect(peer.addIceCandidate()).rejects.toMatchObject({ name: 'InvalidStateError' });
});

test('a state changes in the task that fires its event', async () => {
  const peer = newPeer();
  peer.createDataChannel('x');
  const offer = await peer.createOffer();
  const setting = peer.setLocalDescription(offer);
  expect(peer.signalingState).toBe('stable');
  expect(peer.localDescription).toBeNull();
  const seen: unknown[] = [];
  peer.onsignalingstatechange = () => seen.push(peer.signalingState, peer.localDescription?.type);
  await setting;
  expect(seen).toEqual(['have-local-offer', 'offer']);
});

test('a remote offer rolls our own back, as two observable changes', async () => {
  const [polite, impolite] = [newPeer(), newPeer()];
  polite.createDataChannel('x');
  impolite.createDataChannel('y');
  await polite.setLocalDescription();
  await impolite.setLocalDescription();
  const states: string[] = [];
  polite.onsignalingstatechange = () => states.push(polite.signalingState);
  await polite.setRemoteDescription(impolite.localDescription!);
  expect(states).toEqual(['stable', 'have-remote-offer']);
  expect(polite.pendingLocalDescription).toBeNull();
});

test('the answer keeps the object of the offer that it answers', async () => {
  const [a, b] = [newPeer(), newPeer()];
  a.createDataChannel('x');
  await a.setLocalDescription();
  const offer = a.pendingLocalDescription;
  expect(a.localDescription).toBe(offer);
  await b.setRemoteDescription(offer!);
  await b.setLocalDescription();
  await a.setRemoteDescription(b.localDescription!);
  expect(a.currentLocalDescription).toBe(offer);
  expect(a.pendingLocalDescription).toBeNull();
});

test('a modified description is refused, but for the line that a known library removes', async () => {
  const peer = newPeer();
  peer.createDataChannel('x');
  const offer = await peer.createOffer();
  const munged = { ...offer, sdp: `${offer.sdp}a=x\r\n` };
  await expect(peer.setLocalDescription(munged)).rejects.toMatchObject({ name: 'InvalidModificationError' });
  const withoutTrickle = { ...offer, sdp: offer.sdp?.replace(/a=ice-options:trickle\s\n/g, '') };
  await peer.setLocalDescription(withoutTrickle);
  expect(peer.signalingState).toBe('have-local-offer');
});

test('a syntax error says in which line', async () => {
  const sdp = 'v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nnonsense\r\n';
  const error: unknown = await newPeer()
    .setRemoteDescription({ type: 'offer', sdp })
    .catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(RTCError);
  expect(error).toMatchObject({ name: 'OperationError', errorDetail: 'sdp-syntax-error', sdpLineNumber: 4 });
});

test('negotiationneeded fires once, in a task, and again only after a negotiation', async () => {
  const [a, b] = [newPeer(), newPeer()];
  let fired = 0;
  a.onnegotiationneeded = () => fired++;
  a.createDataChannel('x');
  a.createDataChannel('y');
  expect(fired).toBe(0);
  await once(a, 'negotiationneeded');
  await negotiate(a, b);
  await afterATask();
  expect(fired).toBe(1);
  a.restartIce();
  await once(a, 'negotiationneeded');
  expect(fired).toBe(2);
});

test('a candidate before the remote description is refused', async () => {
  const init = { candidate: 'candidate:1 1 udp 1 127.0.0.1 9 typ host', sdpMid: '0' };
  await expect(newPeer().addIceCandidate(init)).rejects.toMatchObject({ name: 'InvalidStateError' });
});

describe('the overloads with callbacks', () => {
  test('hand the result to the first and resolve with nothing', async () => {
    const peer = newPeer();
    const offer = await new Promise<RTCSessionDescriptionInit>((resolve, reject) => {
      void expect(peer.createOffer(resolve, reject)).resolves.toBeUndefined();
    });
    expect(offer.type).toBe('offer');
    await new Promise<void>((resolve, reject) => void peer.setLocalDescription(offer, resolve, reject));
    expect(peer.signalingState).toBe('have-local-offer');
  });

  test('hand the error to the second', async () => {
    const peer = newPeer();
    const error = await new Promise<DOMException>((resolve, reject) => {
      void peer.createAnswer(() => reject(new Error('no answer expected')), resolve);
    });
    expect(error.name).toBe('InvalidStateError');
  });

  test('want functions, and both of them', async () => {
    const peer = newPeer();
    const nothing = null as unknown as () => void;
    await expect(peer.createOffer(nothing, nothing)).rejects.toThrow(TypeError);
    const two = peer.setLocalDescription.bind(peer) as (...args: unknown[]) => Promise<void>;
    await expect(two({}, () => undefined)).rejects.toThrow(TypeError);
  });
});
