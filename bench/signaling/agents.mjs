// Agents with real data channels in a process of their own: `node bench/signaling/agents.mjs URL PREFIX COUNT`. All register; told so on
// standard input, the callers of the first half connect to the others at once. Prints one line of JSON for each step.
import { once } from 'node:events';
import { createRequire } from 'node:module';

const { createPeer } = createRequire(import.meta.url)('../../index.js');
const [url, prefix, count] = process.argv.slice(2);
const half = Number(count) / 2;
const name = (index, of = prefix) => `agent://example.com/${of}-${String(index).padStart(6, '0')}`;
const say = (value) => console.log(JSON.stringify(value));
const now = () => performance.now() / 1000;

const started = now();
const peers = Array.from({ length: half * 2 }, (_, index) => {
  const peer = createPeer({ agentId: name(index), signaling: url });
  peer.handle('echo', (input) => input);
  return peer;
});
await Promise.all(peers.map((peer) => peer.ready));
say({ ready: true, registered: peers.length, seconds: now() - started });

// The numbers of the agents that this process calls belong to another process.
const [line] = await once(process.stdin.setEncoding('utf8'), 'data');
const { prefix: other } = JSON.parse(line);
const begun = now();
const results = await Promise.allSettled(
  peers.slice(0, half).map(async (peer, index) => {
    const link = await peer.connect(name(half + index, other));
    const connected = now() - begun;
    // Open means that something goes through.
    if ((await link.call('echo', index)) !== index) throw new Error('the echo came back changed');
    return connected;
  }),
);
const seconds = results.flatMap(({ value }) => value ?? []);
const failures = results.flatMap(({ reason }) => (reason ? [`${reason.code}: ${reason.message}`] : []));
say({ connected: seconds.length, seconds, failures });
process.stdin.on('end', () => process.exit(0)).resume();
