// How a link says how it is, and comes back by itself: `npx tsx examples/keep-alive.mts`
// The specification's connection state monitoring, heartbeats and reconnection strategy.
import { createPeer, createSignalingServer } from 'ossa-webrtc';

await using server = await createSignalingServer();
const options = {
  signaling: server.url,
  heartbeat: 30_000,
  // Five attempts, 2, 4, 8 and 16 s apart: those of the specification, and the defaults.
  reconnect: { attempts: 5, delay: 2000, maxDelay: 30_000 },
};
await using a = createPeer({ agentId: 'agent://example.com/a', ...options });
await using b = createPeer({ agentId: 'agent://example.com/b', ...options });
await b.ready;

const link = await a.connect('agent://example.com/b');
link.on('state', (state) => console.log('state:', state));
link.on('reconnecting', (step) => console.log('lost; now:', step));
link.on('reconnected', () => console.log('Connection established again'));
link.on('close', (error) => console.log(error ? `Failed to reconnect: ${error.message}` : 'Connection closed'));
console.log('state:', link.state);
await link.close();
