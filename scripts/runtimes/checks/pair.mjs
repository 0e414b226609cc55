// Two connected connections of one program.
import { RTCPeerConnection } from 'ossa-webrtc';

export async function connected() {
  const [a, b] = [new RTCPeerConnection(), new RTCPeerConnection()];
  a.onicecandidate = ({ candidate }) => void b.addIceCandidate(candidate).catch(() => {});
  b.onicecandidate = ({ candidate }) => void a.addIceCandidate(candidate).catch(() => {});
  b.ondatachannel = ({ channel }) => {
    channel.binaryType = 'arraybuffer';
    channel.onmessage = ({ data }) => channel.send(data);
  };
  const channel = a.createDataChannel('echo');
  channel.binaryType = 'arraybuffer';
  const open = new Promise((resolve) => (channel.onopen = resolve));
  await a.setLocalDescription();
  await b.setRemoteDescription(a.localDescription);
  await b.setLocalDescription();
  await a.setRemoteDescription(b.localDescription);
  await open;
  return { a, b, channel };
}

/** Sends messages, and resolves with what comes back. */
export function echoed(channel, messages) {
  return new Promise((resolve) => {
    const got = [];
    channel.onmessage = ({ data }) => got.push(data) === messages.length && resolve(got);
    messages.forEach((message) => channel.send(message));
  });
}
