// Our signaling server beside PeerJS' and a plain relay over `ws`, in the same run, under the same load. See docs/benchmarks.md.
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { build, root } from '../scripts/setup.mjs';
import { connectAgents, flood, halfOpen, hold, relay, relayThroughCluster } from './signaling/measure.mjs';
import { buildLoad, openFiles } from './signaling/processes.mjs';
import { markdown, table } from './signaling/report.mjs';

const PARTS = ['relay', 'hold', 'connect', 'flood', 'half-open', 'cluster'];
const SERVERS = ['ossa', 'peer', 'ws'];
const usage = `node bench/signaling.mjs [options]
  --only LIST      of ${PARTS.join(',')}
  --servers LIST   of ${SERVERS.join(',')}, and rust: ours without Node around it
  --runs N         rounds of relay and flood over all servers (3)
  --seconds S      length of a measurement of relaying (5)
  --agents N       registered agents for the memory (15000)
  --connect N      agents of which half connect to the other half (1000)
  --no-build       use what is built
  --markdown       print the table as Markdown
  --json           print the results as JSON instead of the table`;

const { values: given } = parseArgs({
  options: {
    only: { type: 'string', default: PARTS.join(',') },
    servers: { type: 'string', default: SERVERS.join(',') },
    runs: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '5' },
    agents: { type: 'string', default: '15000' },
    connect: { type: 'string', default: '1000' },
    'no-build': { type: 'boolean' },
    markdown: { type: 'boolean' },
    json: { type: 'boolean' },
    help: { type: 'boolean' },
  },
});
if (given.help) {
  console.log(usage);
  process.exit(0);
}

const parts = given.only.split(',');
const servers = given.servers.split(',');
const [runs, seconds, agents, pairs] = [given.runs, given.seconds, given.agents, given.connect].map(Number);

// Before minutes are spent: a server holds one file per agent, and some of its own.
const needed = Math.max(parts.includes('hold') ? agents + 1000 : 0, parts.includes('half-open') ? 12_000 : 2000);
if (openFiles() < needed) {
  console.error(
    `A process may open ${openFiles()} files here (ulimit -n), ${needed} are needed. Raise the limit, or ask for fewer --agents.`,
  );
  process.exit(2);
}
if (!given['no-build']) {
  build();
  buildLoad();
}

const results = {
  date: new Date().toISOString(),
  machine: { cpu: cpus()[0]?.model.trim(), cores: cpus().length, node: process.version },
  options: { runs, seconds, agents, pairs },
  cells: [],
};

/** Each cell in fresh processes; a failure is a result, too. */
async function cell(part, server, measure) {
  let value;
  try {
    value = await measure();
  } catch (error) {
    value = { error: error.message.split('\n')[0] };
  }
  results.cells.push({ part, server, ...value });
  const shown = Object.entries(value).filter(([, item]) => typeof item !== 'object');
  const text = shown.map(([key, item]) => `${key} ${typeof item === 'number' ? Number(item.toPrecision(4)) : item}`);
  if (!given.json) console.log(`${part.padEnd(20)} ${server.padEnd(5)} ${text.join(', ')}`);
  return value;
}

// Server after server within each measurement, so that a change of the machine's mood meets them all.
for (let run = 0; run < runs; run++) {
  for (const [part, load] of Object.entries({
    pipelined: { pairs: 32, window: 32 },
    'one by one': { pairs: 500, window: 1 },
  })) {
    if (!parts.includes('relay')) break;
    const most = {};
    for (const server of servers) most[server] = await cell(part, server, () => relay(server, { ...load, seconds }));
    const slowest = Math.min(...Object.values(most).map((value) => value.messagesPerSecond ?? Infinity)) / 2;
    for (const server of servers) {
      const half = most[server].messagesPerSecond / 2;
      if (!half) continue;
      await cell(`${part}, half`, server, () => relay(server, { ...load, seconds, rate: Math.round(half) }));
      await cell(`${part}, equal`, server, () => relay(server, { ...load, seconds, rate: Math.round(slowest) }));
    }
  }
  // Only ours: the others are alone. Senders at one server, recipients at the other, a real Redis server between them.
  if (parts.includes('cluster') && servers.includes('ossa')) {
    const load = { pairs: 32, window: 32, seconds };
    const most = await cell('cluster', 'ossa', () => relayThroughCluster(load));
    const half = most.messagesPerSecond / 2;
    if (half) await cell('cluster, half', 'ossa', () => relayThroughCluster({ ...load, rate: Math.round(half) }));
  }
  for (const server of servers) {
    if (parts.includes('flood')) await cell('flood', server, () => flood(server, { seconds }));
    if (parts.includes('half-open')) await cell('half-open', server, () => halfOpen(server, { seconds }));
  }
}
if (parts.includes('hold')) {
  for (const server of servers) await cell('hold', server, () => hold(server, { agents }));
}
// Only ours: the agents are.
for (const server of servers.filter((name) => name === 'ossa' || name === 'rust')) {
  if (parts.includes('connect')) await cell('connect', server, () => connectAgents(server, pairs));
}

const folder = join(root, 'bench', 'results');
mkdirSync(folder, { recursive: true });
const name = `signaling-${results.date.replace(/[:.]/g, '-')}.json`;
writeFileSync(join(folder, name), JSON.stringify(results, null, 2));
if (given.json) console.log(JSON.stringify(results, null, 2));
else console.log(`\n${given.markdown ? markdown(results, servers) : table(results, servers)}\n\nbench/results/${name}`);
