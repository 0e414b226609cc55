// What senders of video make of a link that becomes slow and quick again, ours and Chromium's, by the feedback of either: `node bench/video.mjs --help`.
// Each run adds to bench/results/video.json, from which `--publish` writes the table, so that pairs may be measured one by one.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { fileURLToPath } from 'node:url';

import { quantile, sum } from './measure.mjs';
import { machine, publish, table } from './publish.mjs';
import { ENDS } from './video/ends.mjs';
import { RelayPath } from './wan/paths.mjs';

const PAIRS = ['chromium-ossa', 'chromium-chromium', 'ossa-chromium'];
const usage = `node bench/video.mjs [options]
  --only LIST     who sends to whom, of ${PAIRS.join(',')}
  --phases LIST   MBIT:SECONDS of the link, one after the other (1:20,0.3:15,1:25)
  --seconds       prints each second
  --no-build      uses the emulator that is built
  --publish       measures nothing: writes what was measured into docs/benchmarks.md
A release build of the native library is what should be measured: npm run build. Chromium and FFmpeg have to be installed.`;

const { values: given } = parseArgs({
  options: {
    only: { type: 'string', default: PAIRS.join(',') },
    phases: { type: 'string', default: '1:20,0.3:15,1:25' },
    seconds: { type: 'boolean' },
    'no-build': { type: 'boolean' },
    publish: { type: 'boolean' },
    help: { type: 'boolean' },
  },
});
const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const file = join(root, 'bench', 'results', 'video.json');
const DELAY_MS = 25;
/** As much as the line takes away in 200 ms. */
const settings = (mbit) => ({ delayMs: DELAY_MS, mbit, queueBytes: Math.round((mbit * 1e6 * 0.2) / 8) });
/** The link counts as used from this share on. */
const USED = 0.8;
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

function refuse(reason) {
  console.error(`${reason}\n${usage}`);
  process.exit(2);
}
const pairs = given.only.split(',');
const unknown = pairs.filter((pair) => !PAIRS.includes(pair));
if (unknown.length > 0) refuse(`--only: ${unknown.join(', ')} is not one of ${PAIRS.join(', ')}`);
const phases = given.phases.split(',').map((phase) => {
  const [mbit, seconds] = phase.split(':').map(Number);
  return mbit > 0 && seconds >= 5 ? { mbit, seconds } : refuse(`--phases: ${phase} is no MBIT:SECONDS of 5 s or more`);
});

function stored() {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
    return {};
  }
}

/** What the sender believes that the path carries, and what the receiver shows, as far as it decodes. */
async function state(sender, receiver) {
  const [sent, received] = await Promise.all([sender.stats(), receiver.stats()]);
  const allowed = sent.find((one) => one.type === 'candidate-pair' && one.availableOutgoingBitrate !== undefined);
  const shown = received.find((one) => one.type === 'inbound-rtp' && one.kind === 'video');
  return {
    allowed: (allowed?.availableOutgoingBitrate ?? 0) / 1e6,
    decoded: shown?.framesDecoded ?? 0,
    frozen: shown?.freezeCount ?? 0,
    lost: shown?.packetsLost ?? 0,
  };
}

/** Seconds of one phase: how much left the link, how long packets waited before it. */
async function phase(path, { mbit, seconds }, watch) {
  await path.emulator.call('set', settings(mbit));
  await path.stats();
  const rows = [];
  const before = await watch();
  for (let second = 1; second <= seconds; second++) {
    const from = performance.now();
    await pause(1000);
    const { forth } = await path.stats();
    const rate = (forth.bytesOut * 8) / 1000 / (performance.now() - from);
    rows.push({ rate, waited: forth.waitedMs[0], most: forth.waitedMs[1] });
    if (given.seconds) {
      const { allowed } = await watch();
      const wait = `${forth.waitedMs.map((ms) => ms.toFixed(0)).join('/')} ms`;
      console.log(
        `${mbit} Mbit/s, ${second} s: ${rate.toFixed(2)} leave it, ${allowed.toFixed(2)} are allowed, waits ${wait}`,
      );
    }
  }
  const after = await watch();
  const used = rows.findIndex(({ rate }, at) => at > 0 && rate >= USED * mbit && rows[at - 1].rate >= USED * mbit);
  const mean = (values) => sum(values) / values.length / mbit;
  return {
    mbit,
    seconds,
    share: mean(rows.map(({ rate }) => rate)),
    last: mean(rows.slice(-5).map(({ rate }) => rate)),
    reached: used < 0 ? null : used,
    waited: quantile(
      rows.map(({ waited }) => waited),
      0.5,
    ),
    most: Math.max(...rows.map(({ most }) => most)),
    frames: (after.decoded - before.decoded) / seconds,
    freezes: after.frozen - before.frozen,
    lost: after.lost - before.lost,
  };
}

async function measure(pair) {
  const [from, to] = pair.split('-');
  const path = new RelayPath(settings(phases[0].mbit));
  const [sender, receiver] = await Promise.all([ENDS[from].open(), ENDS[to].open()]);
  try {
    const offer = await path.description('a', await sender.offer());
    await sender.accept(await path.description('b', await receiver.answer(offer)));
    const rows = [];
    for (const one of phases) rows.push(await phase(path, one, () => state(sender, receiver)));
    return rows;
  } finally {
    await Promise.all([sender.stop(), receiver.stop()]);
    await path.stop();
  }
}

const HEAD = [
  ...['from, to', 'link (Mbit/s)', 'for (s)', 'used of it (%)', '… in the last 5 s', '80 % from second'],
  ...['wait in the queue (ms)', '… at most', 'packets lost', 'frames a second', 'freezes'],
];
const percent = (share) => (share * 100).toFixed(0);

function cells(pair, { mbit, seconds, share, last, reached, waited, most, lost, frames, freezes }) {
  // This package decodes nothing.
  const shown = pair.endsWith('ossa') ? ['–', '–'] : [frames.toFixed(1), freezes];
  const used = [percent(share), percent(last), reached ?? 'never'];
  return [pair.replace('-', ' → '), mbit, seconds, ...used, waited.toFixed(0), most.toFixed(0), lost, ...shown];
}

if (given.help) {
  console.log(usage);
} else if (given.publish) {
  const results = stored();
  const rows = PAIRS.flatMap((pair) => (results[pair] ?? []).map((row) => cells(pair, row)));
  publish('video', [...table(HEAD, rows), '', machine()]);
} else {
  if (!given['no-build']) {
    const build = ['build', '--release', '--quiet', '-p', 'ossa-bench-emulator'];
    execFileSync('cargo', build, { cwd: root, stdio: 'inherit' });
  }
  for (const pair of pairs) {
    const rows = await measure(pair);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, JSON.stringify({ ...stored(), [pair]: rows }, null, 2));
    console.log(
      table(
        HEAD,
        rows.map((row) => cells(pair, row)),
      ).join('\n'),
    );
  }
}
