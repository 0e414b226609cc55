// An agent with links to all its neighbours: `npx tsx examples/neighbours.mts`
// The specification's agent mesh networking.
import { createPeer, createSignalingServer, type Link } from 'ossa-webrtc';

await using server = await createSignalingServer();
const neighbors = ['agent://a', 'agent://b', 'agent://c'];

const others = neighbors.map((agentId) => createPeer({ agentId, signaling: server.url }));
for (const other of others) other.handle('who', () => `I am ${other.agentId}`);
await Promise.all(others.map(({ ready }) => ready));

await using self = createPeer({ agentId: 'agent://self', signaling: server.url });
const connections = new Map<string, Link>();
await Promise.all(
  neighbors.map(async (neighbor) => {
    connections.set(neighbor, await self.connect(neighbor));
  }),
);
for (const neighbor of neighbors) console.log(await connections.get(neighbor)!.call('who'));
await Promise.all(others.map((other) => other.close()));
