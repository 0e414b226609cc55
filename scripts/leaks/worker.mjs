// Connects two connections, sends without end, and waits to be terminated.
import { parentPort } from 'node:worker_threads';

import { RTCPeerConnection } from 'ossa-webrtc';

const [a, b] = [new RTCPeerConnection(), new RTCPeerConnection()];
a.onicecandidate = ({ candidate }) => void b.addIceCandidate(candidate);
b.onicecandidate = ({ candidate }) => void a.addIceCandidate(candidate);
const channel = a.createDataChannel('leaks');
const data = new Uint8Array(1024);
channel.bufferedAmountLowThreshold = 4096;
const fill = () => {
  while (channel.bufferedAmount < 65_536) channel.send(data);
};
channel.onopen = fill;
channel.onbufferedamountlow = fill;
b.ondatachannel = ({ channel: theirs }) => {
  theirs.onmessage = () => parentPort.postMessage('busy');
};
await a.setLocalDescription();
await b.setRemoteDescription(a.localDescription);
await b.setLocalDescription();
await a.setRemoteDescription(b.localDescription);
