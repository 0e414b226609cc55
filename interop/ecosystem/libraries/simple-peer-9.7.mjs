// What is in programs that have not been updated: its default servers have a `?transport=udp` behind `stun:`.
import SimplePeer from 'simple-peer-9.7';
import { peerOf } from './simple-peer.mjs';

export { host } from './simple-peer.mjs';

export const about = {
  name: 'simple-peer',
  package: 'simple-peer-9.7',
  over: 'a WebSocket, its own default servers, none of which answers',
  how: 'the option `wrtc`',
};
export const peer = peerOf(SimplePeer);
