// An agent with a port of its own. `node one-port-child.mjs SIGNALING_URL PORT ADDRESS`; closes when it is called to, and has to end then.
import { createPeer } from 'ossa-webrtc';

const [signaling, port, address] = process.argv.slice(2);
const transport = { listen: { port: Number(port), address } };
const peer = createPeer({ agentId: 'agent://server', signaling, transport });
peer.handle('echo', (input) => input);
peer.handle('end', () => {
  // After the answer has left.
  setImmediate(() => peer.close().then(() => console.log('closed')));
  return 'bye';
});
await peer.ready;
console.log('ready');
