// A member of a room in a process of its own. `node mesh-child.mjs SIGNALING_URL AGENT_URI ROOM OTHERS [stay]`: waits until it
// is connected to so many others, tells all of them its name, waits until it has heard from as many, and ends; or stays.
import { createPeer } from 'ossa-webrtc';

const [signaling, agentId, name, others, stay] = process.argv.slice(2);
const expected = Number(others);
const peer = createPeer({ agentId, signaling });
// An attempt that is given up because the machine is busy, and its connection with what was sent over it, is made anew.
const room = await peer.join(name, { connectTimeout: 600_000 });
while (room.links.size < expected) await new Promise((resolve) => room.once('join', resolve));
console.log(`connected to ${room.links.size}`);
const deliveries = await room.broadcast(agentId);
if (deliveries.some(({ status }) => status === 'failed')) throw new Error(JSON.stringify(deliveries));
const heard = [];
for await (const { from, payload } of room) {
  if (from !== payload) throw new Error(`${from} says it is ${payload}`);
  heard.push(from);
  if (heard.length === expected) break;
}
console.log(`heard ${heard.length} messages of ${new Set(heard).size} members`);
if (!stay) await peer.close();
