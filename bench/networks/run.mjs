// Which way two agents find to each other, for every two kinds of networks and with several servers between them: Linux, as root or in a
// user namespace, with `ip`, `nft`, `openssl` and coturn.
//
//   node bench/networks/run.mjs                              all of it, about ten minutes of mostly waiting; writes docs/networks-table.md
//                                                            and bench/networks/results.json
//   node bench/networks/run.mjs --only symmetric/none/own    some cells, `*` for all of a kind, several behind commas; prints them as JSON
//   node bench/networks/run.mjs --dead                       what servers that do not answer cost, and nothing else
//   node bench/networks/run.mjs --report                     nothing is run, the page is written anew from results.json
//
// Each cell has a world of its own (`world.mjs`), two processes with an agent each, and is compared with `theory` (`kinds.mjs`).
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { createSignalingServer } from '../../index.js';
import { DEAD, KINDS, SERVERS, theory } from './kinds.mjs';
import { page } from './report.mjs';
import { buildInternet, buildSite, makeCertificate, MEET, NOWHERE, startCoturn, TURN } from './world.mjs';

const { values: options } = parseArgs({
  options: {
    only: { type: 'string' },
    dead: { type: 'boolean', default: false },
    report: { type: 'boolean', default: false },
    jobs: { type: 'string', default: '2' },
    settle: { type: 'string', default: '1500' },
    calls: { type: 'string', default: '1' },
    inside: { type: 'string' },
    outside: { type: 'string' },
  },
});

const script = fileURLToPath(import.meta.url);
const stun = { urls: `stun:${TURN.name}` };
const turn = (...urls) => ({ urls, username: 'alice', credential: 'wonderland' });
const coturn = turn(`turn:${TURN.name}`, `turn:${TURN.name}?transport=tcp`, `turns:${TURN.name}:443`);

/** What the agents are told. */
const AGENTS = {
  coturn: { iceServers: [coturn] },
  own: {},
  none: { iceServers: [stun], transport: { tcp: 'both', tcpPortRange: { min: 443, max: 443 } } },
};

/** One cell: two kinds of networks, the servers, and which others are silent. Its result. */
async function cell(a, b, servers, dead = 'nothing') {
  buildInternet();
  const files = makeCertificate();
  const server = await createSignalingServer({
    host: '::',
    port: 443,
    tls: { cert: readFileSync(files.cert), key: readFileSync(files.key) },
    // The addresses of this world are those of documentation, which nobody on the internet has.
    ...(servers === 'own' && { relay: { allowOpen: true, allowPeers: ['203.0.113.0/24', '2001:db8::/32'] } }),
  });
  const turnServer = servers === 'own' ? undefined : await startCoturn(files, servers === 'none');
  const hosts = { a: buildSite('a', a), b: buildSite('b', b) };
  const told = AGENTS[servers];
  const iceServers = [...SILENT[dead], ...(told.iceServers ?? [])];
  const settings = JSON.stringify({
    signaling: `wss://${MEET.name}`,
    cert: files.cert,
    settle: Number(options.settle),
    options: { ...told, ...(iceServers.length > 0 && { iceServers }) },
  });
  const agents = ['a', 'b'].map((name) => start(hosts[name], name, settings));
  await Promise.all(agents.map(({ next }) => next()));
  const result = await measure(agents);
  for (const { child } of agents) child.stdin.end();
  await Promise.all(agents.map(({ child }) => once(child, 'exit')));
  turnServer?.kill('SIGKILL');
  await server.close();
  return { a, b, servers, dead, expected: theory(a, b, servers), ...result };
}

function start(namespace, name, settings) {
  const agent = fileURLToPath(new URL('agent.mjs', import.meta.url));
  const args = ['netns', 'exec', namespace, process.execPath, agent, name, settings];
  const child = spawn('ip', args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async () => JSON.parse((await lines.next()).value);
  const ask = async (command) => {
    child.stdin.write(`${command}\n`);
    return await next();
  };
  return { child, next, ask };
}

/** Calls, as often as it is asked for. The path is looked at after a while: it may become a better one than the first. */
async function measure([a, b]) {
  const times = [];
  for (let call = 1; ; call++) {
    const result = await a.ask('call');
    if (result.open === undefined) return result;
    times.push(result.open);
    if (call === Number(options.calls)) break;
    await a.ask('close');
  }
  await new Promise((resolve) => setTimeout(resolve, Number(options.settle)));
  const [{ path }, { path: there }] = await Promise.all([a.ask('path'), b.ask('path')]);
  return { open: times.toSorted((x, y) => x - y)[times.length >> 1], times, path, there };
}

/** Servers at the head of the list that do not answer: see `DEAD`. */
const SILENT = {
  nothing: [],
  stun: [{ urls: `stun:${NOWHERE.ipv4}` }],
  turn: [turn(...ways(NOWHERE.ipv4))],
  dns: [
    { urls: `stun:${NOWHERE.name}` },
    ...['', 'a.', 'b.', 'c.', 'd.'].map((more) => turn(...ways(more + NOWHERE.name))),
  ],
};

function ways(host) {
  return [`turn:${host}`, `turn:${host}?transport=tcp`, `turns:${host}`];
}

/** What silent servers cost, where the path is direct and where it leads through a relay. */
const DEAD_CELLS = Object.keys(DEAD).flatMap((dead) => [
  ['port-restricted', 'port-restricted', 'coturn', dead],
  ['symmetric', 'symmetric', 'coturn', dead],
]);

/** `'udp'`, `'tcp'`, `'relay'`, or `'no'`, as in `theory`. */
function outcome({ path, code }) {
  if (!path) return code === undefined ? 'unknown' : 'no';
  const { local, remote } = path;
  return [local, remote].some(({ candidateType }) => candidateType === 'relay') ? 'relay' : local.protocol;
}

/** All cells that are asked for, as [A, B, servers, silent]; the last part only where a pattern names it. */
function cells(only) {
  const kinds = Object.keys(KINDS);
  const all = Object.keys(SERVERS).flatMap((servers) =>
    kinds.flatMap((a, index) => kinds.slice(index).map((b) => [a, b, servers, 'nothing'])),
  );
  if (only === undefined) return all;
  const fits = (cell, pattern) => pattern.every((part, index) => part === '*' || part === cell[index]);
  // The other way round it is asked for who calls whom.
  const turned = all.flatMap(([a, b, servers, silent]) => (a === b ? [] : [[b, a, servers, silent]]));
  const patterns = only.split(',').map((pattern) => pattern.split('/'));
  return patterns.flatMap(([a, b, servers, silent]) => {
    const known = [a, b].includes('*') ? all : [...all, ...turned];
    const found = known.filter((cell) => fits(cell, [a, b, servers]));
    if (found.length === 0) throw new Error(`there is no cell ${[a, b, servers].join('/')}`);
    return silent === undefined ? found : found.map((cell) => [...cell.slice(0, 3), silent]);
  });
}

/** Runs a cell in namespaces of its own. */
async function isolated(cell, calls) {
  const told = [
    '--settle',
    options.settle,
    '--calls',
    String(calls),
    '--inside',
    cell.join('/'),
    '--outside',
    namespace(),
  ];
  const inner = [process.execPath, '--no-warnings', script, ...told];
  const own = ['--map-root-user', '--net', '--mount', '--pid', '--fork', '--mount-proc'];
  const child = spawn('unshare', [...own, ...inner], { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  for await (const piece of child.stdout) text += piece;
  const last = text.trim().split('\n').at(-1);
  if (!last) throw new Error(`${cell.join('/')} has ended without a result`);
  const result = JSON.parse(last);
  return { ...result, outcome: outcome(result) };
}

async function run(list, each, jobs = Number(options.jobs), calls = Number(options.calls)) {
  const results = [];
  const left = list.entries();
  const worker = async () => {
    for (const [index, cell] of left) each((results[index] = await isolated(cell, calls)));
  };
  await Promise.all(Array.from({ length: jobs }, worker));
  return results;
}

/** Which network this process is in. */
function namespace() {
  return readlinkSync('/proc/self/ns/net');
}

if (options.inside) {
  // It takes the names and routes of the machine away, which has to be one of its own.
  if (options.outside === undefined || options.outside === namespace()) {
    throw new Error('--inside is for the namespaces that this script makes: say --only instead');
  }
  console.log(JSON.stringify(await cell(...options.inside.split('/'))));
  process.exit(0);
}

const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const publish = (results, slowed) => writeFileSync(here('../../docs/networks-table.md'), page(results, slowed));

if (options.report) {
  const { results, slowed } = JSON.parse(readFileSync(here('results.json'), 'utf8'));
  publish(results, slowed);
  process.exit(0);
}

const wrong = ({ outcome, expected }) => outcome !== expected;

function progress(result) {
  const { a, b, servers, dead, outcome, expected, open, failed } = result;
  if (options.only || options.dead) console.log(JSON.stringify(result));
  const note = wrong(result) ? `, not ${expected}` : '';
  const without = dead === 'nothing' ? '' : `, dead: ${dead}`;
  console.error(`${a} / ${b} / ${servers}${without}: ${outcome}${note}, ${open ?? failed} ms`);
}

const everything = !options.only && !options.dead;
const results = options.dead ? [] : await run(cells(options.only), progress);
// One after the other: these are compared by their times.
const slowed = options.only ? [] : await run(DEAD_CELLS, progress, 1, 9);
if (everything) {
  const lines = (list) => list.map((result) => JSON.stringify(result)).join(',\n');
  const json = `{"results":[\n${lines(results)}\n],"slowed":[\n${lines(slowed)}\n]}\n`;
  writeFileSync(here('results.json'), json);
  publish(results, slowed);
}
process.exitCode = [...results, ...slowed].some(wrong) ? 1 : 0;
