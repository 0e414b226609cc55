// A signaling server of a cluster, in a process of its own. `node cluster-server.mjs REDIS_URL LEASE [OPTIONS]`, with further options as
// JSON; runs until it is killed.
// Prints its URL, `connected N` and `lost N` as the cluster comes and goes, and, for each SIGUSR2, `stats N` and its counters.
import { createSignalingServer } from 'ossa-webrtc';

const [redis, lease, options = '{}'] = process.argv.slice(2);

const times = { connected: 0, lost: 0 };
const hear = (message) => {
  const state = /^the cluster is (connected|lost)$/.exec(message)?.[1];
  if (state) console.log(`${state} ${++times[state]}`);
};
const logger = { debug: hear, info: hear, warn: hear, error: hear };
const server = await createSignalingServer({
  logger,
  cluster: { redis, lease: Number(lease), timeout: 2000 },
  ...JSON.parse(options),
});

let questions = 0;
process.on('SIGUSR2', () => console.log(`stats ${++questions} ${JSON.stringify(server.stats())}`));
console.log(server.url);
