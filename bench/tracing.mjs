// What tracing costs when it is off: messages and calls between two agents, without `ossa-webrtc/tracing`, with it imported and not
// asked for, and asked for without an SDK of OpenTelemetry, beside a copy of the package whose code does not ask whether there is tracing.
// Usage: node bench/tracing.mjs [--rounds 9] [--publish]      after a release build
// `--publish` writes the table into docs/tracing.md.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';

import { root } from '../scripts/setup.mjs';
import { writeTable } from '../scripts/tables.mjs';
import { quantile } from './measure.mjs';

const WAYS = [
  { way: 'never', title: 'code that has no `tracing`' },
  { way: 'without', title: 'without `ossa-webrtc/tracing`' },
  { way: 'imported', title: 'imported, and not asked for' },
  { way: 'idle', title: '`createPeer({ tracing })`, no SDK' },
];
const MESSAGES = 200_000;
const CALLS = 30_000;
/** The package without what it asks for each message and each call. */
const NEVER = join(root, 'target', 'bench-tracing');
/** Calls under way at a time. */
const CONCURRENT = 64;

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '9' }, publish: { type: 'boolean' }, way: { type: 'string' } },
});
if (values.way) await child(values.way);
else compare(Number(values.rounds));

/** Both agents in one process: what is compared is the work for a message on either side, and nothing may wait for a network. */
async function child(way) {
  const folder = way === 'never' ? NEVER : root;
  const { createPeer, MemorySignaling } = await import(pathToFileURL(join(folder, 'dist', 'index.mjs')));
  const tracing =
    way === 'without' || way === 'never' ? undefined : (await import('ossa-webrtc/tracing')).openTelemetry;
  const options = { signaling: new MemorySignaling(), ...(way === 'idle' && { tracing: tracing() }) };
  const [a, b] = ['agent://a', 'agent://b'].map((agentId) => createPeer({ agentId, ...options }));
  b.handle('echo', (input) => input);
  await b.ready;
  const incoming = new Promise((resolve) => b.once('link', resolve));
  const link = await a.connect('agent://b');
  const theirs = await incoming;
  const run = async (what, count) => {
    const [start, used] = [performance.now(), process.cpuUsage()];
    await what(link, theirs, count);
    const { user, system } = process.cpuUsage(used);
    return { rate: count / ((performance.now() - start) / 1000), micros: (user + system) / count };
  };
  await run(messages, MESSAGES / 10);
  await run(calls, CALLS / 10);
  const results = { messages: await run(messages, MESSAGES), calls: await run(calls, CALLS) };
  process.stdout.write(JSON.stringify(results));
  await Promise.all([a.close(), b.close()]);
}

async function messages(link, theirs, count) {
  let left = count;
  const done = new Promise((resolve) => theirs.on('message', () => --left === 0 && resolve()));
  const payload = { text: 'x'.repeat(64) };
  for (let sent = 0; sent < count;) {
    if (link.trySend(payload)) sent++;
    else await link.drained();
  }
  await done;
}

function calls(link, _, count) {
  let left = count;
  const loop = async () => {
    while (left-- > 0) await link.call('echo', left);
  };
  return Promise.all(Array.from({ length: CONCURRENT }, loop));
}

/** Makes that copy. What it leaves out is looked for by its text: if that has changed, this has to as well. */
function leaveOut() {
  rmSync(NEVER, { recursive: true, force: true });
  mkdirSync(NEVER, { recursive: true });
  cpSync(join(root, 'dist'), join(NEVER, 'dist'), { recursive: true });
  for (const library of readdirSync(root).filter((name) => name.endsWith('.node'))) {
    cpSync(join(root, library), join(NEVER, library));
  }
  const path = join(NEVER, 'dist', 'agent.js');
  let code = readFileSync(path, 'utf8');
  for (const [asks, does, times] of [
    ['this.#host.tracing?.current()', 'undefined', 1],
    ['const { tracing } = this.#host;', 'const tracing = undefined;', 2],
    ['const { link, tracing } = this.#host;', 'const { link } = this.#host;\n    const tracing = undefined;', 2],
  ]) {
    const found = code.split(asks).length - 1;
    if (found !== times) throw new Error(`${path} has "${asks}" ${found} times, and not ${times}`);
    code = code.replaceAll(asks, () => does);
  }
  writeFileSync(path, code);
}

function compare(rounds) {
  leaveOut();
  const samples = Object.fromEntries(WAYS.map(({ way }) => [way, []]));
  for (let round = 0; round < rounds; round++) {
    // In another order each time: neighbours on the machine come and go.
    for (let turn = 0; turn < WAYS.length; turn++) {
      const { way } = WAYS[(round + turn) % WAYS.length];
      const args = [fileURLToPath(import.meta.url), '--way', way];
      const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
      if (status !== 0) throw new Error(`${way} ended with ${status}:\n${stderr}`);
      samples[way].push(JSON.parse(stdout));
    }
  }
  const median = (way, what, figure) => quantile(samples[way].map((sample) => sample[what][figure]), 0.5); // prettier-ignore
  const cells = (way, what) => {
    const micros = samples[way].map((sample) => sample[what].micros);
    const range = `${Math.min(...micros).toFixed(1)}–${Math.max(...micros).toFixed(1)}`;
    const ratio = median(way, what, 'micros') / median('never', what, 'micros');
    return [
      Math.round(median(way, what, 'rate')).toLocaleString('en-US'),
      `${median(way, what, 'micros').toFixed(1)} (${range})`,
      `${ratio.toFixed(2)}×`,
    ];
  };
  const rows = WAYS.map(({ way, title }) => [title, ...cells(way, 'messages'), ...cells(way, 'calls')]);
  const head = ['', 'messages/s', 'CPU, µs/message', '', 'calls/s', 'CPU, µs/call', ''];
  console.table(rows);
  if (values.publish) writeTable('docs/tracing.md', 'off', head, rows);
}
