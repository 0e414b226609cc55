// An agent to be killed: `node reconnect-child.mjs SIGNALING_URL`.
import { createPeer } from 'ossa-webrtc';

const peer = createPeer({ agentId: 'agent://killed', signaling: process.argv[2] });
peer.handle('pid', () => process.pid);
await peer.ready;
console.log('ready');
