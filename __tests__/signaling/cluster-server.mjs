// A signaling server of a cluster, in a process of its own. `node cluster-server.mjs REDIS_URL LEASE`; runs until it is killed.
// Prints its URL, `connected N` and `lost N` as the cluster comes and goes, and, for each SIGUSR2, `stats N` and its counters.
import { createSignalingServer } from 'ossa-webrtc';

const [redis, lease] = process.argv.slice(2);
const server = await createSignalingServer({ cluster: { redis, lease: Number(lease), timeout: 2000 } });

let state = 'connecting';
const times = { connected: 0, lost: 0, connecting: 0 };
setInterval(() => {
  const { cluster } = server.stats();
  if (cluster.state === state) return;
  state = cluster.state;
  console.log(`${state} ${++times[state]}`);
}, 20);

let questions = 0;
process.on('SIGUSR2', () => console.log(`stats ${++questions} ${JSON.stringify(server.stats())}`));
console.log(server.url);
