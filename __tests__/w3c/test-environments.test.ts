/**
 * @jest-environment jsdom
 * @jest-environment-options {"customExportConditions": ["node", "node-addons"]}
 */
/* eslint-disable @typescript-eslint/no-require-imports -- loaded while the timers are faked */
// In jsdom the globals are a browser's, and so are those that fake timers replace: ours have to be Node's all the same.
import { EventTarget as RuntimeTarget } from '../../ts/platform';

const timersBefore = { setTimeout, setImmediate: (globalThis as { setImmediate?: unknown }).setImmediate };
jest.useFakeTimers();
const { RTCPeerConnection, RTCError, createPeer, MemorySignaling } =
  require('ossa-webrtc') as typeof import('ossa-webrtc');

test('this is jsdom, with its own classes', () => {
  expect(globalThis).toHaveProperty('document');
  expect(EventTarget).not.toBe(RuntimeTarget);
  expect(timersBefore.setTimeout).not.toBe(setTimeout);
});

test('connections open and carry messages, although the timers were faked before the import', async () => {
  const [a, b] = [new RTCPeerConnection(), new RTCPeerConnection()];
  a.onicecandidate = ({ candidate }) => void b.addIceCandidate(candidate).catch(() => undefined);
  b.onicecandidate = ({ candidate }) => void a.addIceCandidate(candidate).catch(() => undefined);
  const channel = a.createDataChannel('c');
  const received = new Promise((resolve) => {
    b.ondatachannel = (event) => (event.channel.onmessage = ({ data }) => resolve(data));
  });
  channel.onopen = () => channel.send('hello');
  await a.setLocalDescription();
  await b.setRemoteDescription(a.localDescription!);
  await b.setLocalDescription();
  await a.setRemoteDescription(b.localDescription!);
  expect(await received).toBe('hello');
  a.close();
  b.close();
});

test('agents find each other and call each other', async () => {
  const signaling = new MemorySignaling();
  const alice = createPeer({ agentId: 'agent://example.com/alice', signaling });
  const bob = createPeer({ agentId: 'agent://example.com/bob', signaling });
  bob.handle('greet', (name: string) => `hello, ${name}`);
  const link = await alice.connect('agent://example.com/bob');
  expect(await link.call('greet', 'alice')).toBe('hello, alice');
  await Promise.all([alice.close(), bob.close()]);
});

test('errors are exceptions of the runtime, with their names', async () => {
  const peer = new RTCPeerConnection();
  await expect(peer.setRemoteDescription({ type: 'answer', sdp: '' })).rejects.toMatchObject({
    name: 'InvalidStateError',
  });
  expect(new RTCError({ errorDetail: 'dtls-failure' }, 'x').name).toBe('OperationError');
  peer.close();
});
