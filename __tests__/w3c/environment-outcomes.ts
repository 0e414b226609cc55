// What has to hold in every environment that is not plain Node. A test file prepares its environment, loads the package in it, and calls this.
import { DOMException, Event, EventTarget } from '../../ts/platform';

export function outcomes({
  RTCPeerConnection,
  RTCError,
  createPeer,
  MemorySignaling,
}: typeof import('ossa-webrtc')): void {
  test('connections open and carry messages', async () => {
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
    const refused: unknown = await peer
      .setRemoteDescription({ type: 'answer', sdp: '' })
      .catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(DOMException);
    expect(refused).toMatchObject({ name: 'InvalidStateError' });
    expect(new RTCError({ errorDetail: 'dtls-failure' }, 'x').name).toBe('OperationError');
    peer.close();
  });

  test("connections take the runtime's events, and fire such", async () => {
    const peer = new RTCPeerConnection();
    expect(peer).toBeInstanceOf(EventTarget);
    const seen: unknown[] = [];
    peer.addEventListener('own', (event) => seen.push(event));
    const own = new Event('own');
    peer.dispatchEvent(own);
    expect(seen).toEqual([own]);
    const fired = new Promise((resolve) => (peer.onnegotiationneeded = resolve));
    peer.createDataChannel('c');
    expect(await fired).toBeInstanceOf(Event);
    peer.close();
  });
}
