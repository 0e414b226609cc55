import { RTCPeerConnection, type RTCConfiguration, type RTCDataChannel, type RTCDataChannelInit } from 'ossa-webrtc';

const open: RTCPeerConnection[] = [];

/** A connection that is closed after the test. */
export function newPeer(configuration?: RTCConfiguration): RTCPeerConnection {
  const peer = new RTCPeerConnection(configuration);
  open.push(peer);
  return peer;
}

afterEach(() => {
  for (const peer of open.splice(0)) peer.close();
});

/** Resolves with the next event of this type. */
export function once<E extends Event = Event>(target: EventTarget, type: string): Promise<E> {
  return new Promise((resolve) => target.addEventListener(type, (event) => resolve(event as E), { once: true }));
}

/** Sends every candidate of each side to the other. */
export function trickle(a: RTCPeerConnection, b: RTCPeerConnection): void {
  a.onicecandidate = ({ candidate }) => void b.addIceCandidate(candidate).catch(() => undefined);
  b.onicecandidate = ({ candidate }) => void a.addIceCandidate(candidate).catch(() => undefined);
}

/** One offer from `a` and one answer from `b`. */
export async function negotiate(a: RTCPeerConnection, b: RTCPeerConnection): Promise<void> {
  await a.setLocalDescription();
  await b.setRemoteDescription(a.localDescription!);
  await b.setLocalDescription();
  await a.setRemoteDescription(b.localDescription!);
}

export interface Pair {
  a: RTCPeerConnection;
  b: RTCPeerConnection;
  /** The channel's end at `a`, and the one at `b`. */
  near: RTCDataChannel;
  far: RTCDataChannel;
}

/** Two connections with one open channel. */
export async function openPair(init: RTCDataChannelInit = {}, configuration?: RTCConfiguration): Promise<Pair> {
  const a = newPeer(configuration);
  const b = newPeer(configuration);
  trickle(a, b);
  const near = a.createDataChannel('test', init);
  const announced = init.negotiated
    ? Promise.resolve(b.createDataChannel('test', init))
    : once<Event & { channel: RTCDataChannel }>(b, 'datachannel').then((event) => event.channel);
  const nearOpen = once(near, 'open');
  await negotiate(a, b);
  const far = await announced;
  if (far.readyState !== 'open') await once(far, 'open');
  await nearOpen;
  return { a, b, near, far };
}

/** The next messages of a channel, taken one by one as user code does: a new handler for each. */
export async function receive(channel: RTCDataChannel, count: number): Promise<unknown[]> {
  const data: unknown[] = [];
  for (let i = 0; i < count; i++) data.push((await once<MessageEvent>(channel, 'message')).data);
  return data;
}

/** The bytes of whatever arrived as binary. */
export function bytes(data: unknown): number[] {
  return [...new Uint8Array(data as ArrayBuffer)];
}

/** What an action throws. */
export function errorOf(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  return undefined;
}
