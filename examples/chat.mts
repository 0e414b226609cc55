// A chat of two terminals:
//   npx tsx examples/chat.mts alice                      # prints the address of its signaling server
//   npx tsx examples/chat.mts bob ws://127.0.0.1:PORT    # calls alice
// Each line that is typed goes to the other side; the end of the input ends the chat.
import { createInterface } from 'node:readline';

import { createPeer, createSignalingServer, type Link } from 'ossa-webrtc';

const [name = 'alice', url] = process.argv.slice(2);
const server = url === undefined ? await createSignalingServer({ port: 0 }) : undefined;
const peer = createPeer({ agentId: `agent://chat.example.com/${name}`, signaling: url ?? server!.url });
await peer.ready;
if (server) console.log(`waiting at ${server.url}`);

async function firstVisitor(): Promise<Link> {
  for await (const link of peer) return link;
  throw new Error('nobody came');
}
const link = url === undefined ? await firstVisitor() : await peer.connect('agent://chat.example.com/alice');
console.log(`connected to ${link.remote.agentId}`);

const input = createInterface(process.stdin);
input.on('line', (line) => void link.send({ text: line }));
input.on('close', () => void link.close());
for await (const { from, payload } of link) {
  console.log(`${from.split('/').pop()}: ${(payload as { text: string }).text}`);
}

console.log('the chat is over');
input.close();
await peer.close();
await server?.close();
