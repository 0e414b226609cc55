// Two agents on a machine whose address changes; to be run in a network namespace of its own:
// `unshare --map-root-user --net node address-child.mjs`.
import { execFileSync } from 'node:child_process';

import { createPeer, MemorySignaling } from 'ossa-webrtc';

const ip = (...args) => execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'inherit'] });
ip('link', 'set', 'lo', 'up');
ip('link', 'add', 'left', 'type', 'veth', 'peer', 'name', 'right');
ip('addr', 'add', '10.77.0.1/24', 'dev', 'left');
ip('addr', 'add', '10.78.0.1/24', 'dev', 'right');
for (const name of ['left', 'right']) ip('link', 'set', name, 'up');

const signaling = new MemorySignaling();
const agent = (name) =>
  createPeer({
    agentId: `agent://${name}`,
    signaling,
    reconnect: { networkInterval: 50 },
    transport: { includeInterfaces: [name] },
  });
const [left, right] = [agent('left'), agent('right')];
right.handle('who', () => 'right');
await right.ready;

/** The address that the packets leave from. */
async function localAddress(link) {
  const stats = await link.getStats();
  const { selectedCandidatePairId } = [...stats.values()].find(({ type }) => type === 'transport');
  return stats.get(stats.get(selectedCandidatePairId).localCandidateId).address;
}

const link = await left.connect('agent://right');
const { connection } = link;
console.log(`from ${await localAddress(link)}`);
const refreshed = new Promise((resolve) => link.once('refresh', resolve));
ip('addr', 'del', '10.77.0.1/24', 'dev', 'left');
ip('addr', 'add', '10.77.0.2/24', 'dev', 'left');
console.log(`refreshed because of: ${await refreshed}`);
console.log(`answer: ${await link.call('who')}`);
console.log(`from ${await localAddress(link)}`);
console.log(`same connection: ${link.connection === connection}, ${link.state}`);
await Promise.all([left.close(), right.close()]);
