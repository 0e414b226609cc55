// An agent in a process of its own. `node agent-child.mjs serve|visit|linger SIGNALING_URL`; ends by itself.
import { createPeer } from 'ossa-webrtc';

const [mode, signaling] = process.argv.slice(2);

if (mode === 'serve') {
  const peer = createPeer({ agentId: 'agent://example.com/server', signaling });
  peer.handle('echo', (input, { from }) => ({ input, from, pid: process.pid }));
  await peer.ready;
  console.log('ready');
  for await (const link of peer) {
    console.log(`linked ${link.remote.agentId}`);
    console.log(`called back: ${await link.call('callback', 'hi')}`);
    await link.closed;
    console.log('link closed');
    break;
  }
  await peer.close();
} else {
  const peer = createPeer({ agentId: 'agent://example.com/visitor', signaling });
  peer.handle('callback', (input) => `${input} back`);
  const link = await peer.connect('agent://example.com/server');
  const { input, from } = await link.call('echo', { n: 1 });
  console.log(`echo ${JSON.stringify(input)} ${from}`);
  if (mode === 'visit') await peer.close();
  // `linger` leaves everything open: the process must stay, like one with an open socket.
}
console.log('done');
