// Two connections in this process, with everything a test may want to interfere with.
import { type RTCDataChannel, type RTCDataChannelEvent, RTCPeerConnection } from 'ossa-webrtc';

export type Tamper = (sdp: string) => string;

export const event = <T = Event>(target: EventTarget, name: string): Promise<T> =>
  new Promise((resolve) => target.addEventListener(name, resolve as (event: Event) => void, { once: true }));

/** Resolves when `connectionState` is one of `states`. */
export async function state(connection: RTCPeerConnection, ...states: string[]): Promise<string> {
  while (!states.includes(connection.connectionState)) await event(connection, 'connectionstatechange');
  return connection.connectionState;
}

/** Offer, answer and candidates between two new connections; `tamper` alters the offer on its way. */
export async function negotiate(
  tamper: Tamper = (sdp) => sdp,
): Promise<[RTCPeerConnection, RTCPeerConnection, RTCDataChannel]> {
  const [offerer, answerer] = [new RTCPeerConnection(), new RTCPeerConnection()];
  const channel = offerer.createDataChannel('test');
  await offerer.setLocalDescription();
  await gathered(offerer);
  await answerer.setRemoteDescription({ type: 'offer', sdp: tamper(offerer.localDescription?.sdp ?? '') });
  await answerer.setLocalDescription();
  await gathered(answerer);
  await offerer.setRemoteDescription({ type: 'answer', sdp: answerer.localDescription?.sdp ?? '' });
  return [offerer, answerer, channel];
}

async function gathered(connection: RTCPeerConnection): Promise<void> {
  while (connection.iceGatheringState !== 'complete') await event(connection, 'icegatheringstatechange');
}

/** A connected pair with the channel of each side. */
export async function connected(): Promise<{
  offerer: RTCPeerConnection;
  answerer: RTCPeerConnection;
  channel: RTCDataChannel;
  incoming: RTCDataChannel;
  close: () => void;
}> {
  const [offerer, answerer, channel] = await negotiate();
  // The answerer's channel is announced in a later task than the one that resolved the promise above.
  const { channel: incoming } = await event<RTCDataChannelEvent>(answerer, 'datachannel');
  if (channel.readyState !== 'open') await event(channel, 'open');
  return {
    offerer,
    answerer,
    channel,
    incoming,
    close: () => {
      offerer.close();
      answerer.close();
    },
  };
}
