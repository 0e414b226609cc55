// Calls beside other stacks in the same run: `node bench/media.mjs --help`. What needs samples is measured of the stacks that have a codec.
import { parseArgs } from 'node:util';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startStack } from '../interop/process.cjs';
import { quantile } from './measure.mjs';
import { machine, publish, table } from './publish.mjs';

const PARTS = ['ear', 'calls', 'forward'];
const STACKS = ['ossa', 'wrtc', 'werift'];
const usage = `node bench/media.mjs [options]
  --stacks LIST   of ${STACKS.join(',')}
  --only LIST     of ${PARTS.join(',')}
  --calls N       calls at once, each in both directions (200)
  --takers N      connections that what comes from one is forwarded to (100)
  --seconds S     length of a measurement (10)
  --rounds N      calls one after the other for the delay from mouth to ear (8), each with clocks that stand anew to each other
  --publish       writes the tables into docs/benchmarks.md
A release build of the native library is what should be measured: npm run build.`;

const { values: given } = parseArgs({
  options: {
    stacks: { type: 'string', default: STACKS.join(',') },
    only: { type: 'string', default: PARTS.join(',') },
    calls: { type: 'string', default: '200' },
    takers: { type: 'string', default: '100' },
    seconds: { type: 'string', default: '10' },
    rounds: { type: 'string', default: '8' },
    publish: { type: 'boolean' },
    help: { type: 'boolean' },
  },
});
function refuse(reason) {
  console.error(`${reason}\n${usage}`);
  process.exit(2);
}
function chosen(name, all) {
  const names = given[name].split(',');
  const unknown = names.filter((one) => !all.includes(one));
  return unknown.length === 0 ? names : refuse(`--${name}: ${unknown.join(', ')} is not one of ${all.join(', ')}`);
}
function count(name) {
  const number = Number(given[name]);
  return Number.isInteger(number) && number > 0
    ? number
    : refuse(`--${name} ${given[name]} is not a whole number above 0`);
}
if (given.help) {
  console.log(usage);
  process.exit();
}
const [stacks, parts] = [chosen('stacks', STACKS), chosen('only', PARTS)];
const [calls, takers, seconds, rounds] = [count('calls'), count('takers'), count('seconds'), count('rounds')];

const child = fileURLToPath(new URL('media-child.cjs', import.meta.url));
const start = (stack) => startStack(stack, { child, nodeArgs: ['--expose-gc'] });

/** A call between two processes. */
async function call(id, [offerer, does], [answerer, others]) {
  await offerer.call('open', { id, ...does });
  await answerer.call('open', { id, ...others });
  const sdp = await offerer.call('offer', { id });
  await offerer.call('accept', { id, sdp: await answerer.call('answer', { id, sdp }) });
}

/** Resolves when each of these calls is heard. */
async function everybodyHeard(end, expected) {
  for (let waited = 0; waited < 20; waited++) {
    await sleep(1_000);
    const heard = (await end.call('heard')).filter((one) => one.heard.length > 0).length;
    if (heard >= expected) return;
    if (waited === 19) throw new Error(`${heard} of ${expected} are heard`);
  }
}

const sorted = (numbers) => numbers.toSorted((a, b) => a - b);

/** Milliseconds from each click to when it was heard. */
function delays(said, heard) {
  const sent = new Map(said.map((one) => [one.id, one.sent]));
  return sorted(
    heard.flatMap(({ id, heard: times }) =>
      times.flatMap((at) => {
        const from = sent.get(id)?.findLast((one) => one <= at);
        return from === undefined ? [] : [at - from];
      }),
    ),
  );
}

/** Processors that a process has used, and the seconds that this was measured for. */
async function measured(end) {
  const before = await end.call('usage');
  await sleep(seconds * 1_000);
  const after = await end.call('usage');
  return {
    processors: (after.cpu - before.cpu) / (after.at - before.at),
    seconds: after.at - before.at,
    rss: after.rss,
  };
}

/** Calls in both directions between two processes of a stack. */
async function conversation(stack, number) {
  const ends = [start(stack), start(stack)];
  try {
    const idle = await ends[0].call('usage');
    const does = { speaks: true, hears: true };
    for (let id = 0; id < number; id++) await call(id, [ends[0], does], [ends[1], does]);
    for (const end of ends) await end.call('speak');
    await everybodyHeard(ends[1], number);
    await Promise.all(ends.map((end) => end.call('heard')));
    const { processors, rss } = await measured(ends[0]);
    const [said, heard] = await Promise.all(ends.map((end) => end.call('heard')));
    const clicks = said.reduce((sum, one) => sum + one.sent.length, 0);
    return { processors, memory: (rss - idle.rss) / number, delays: delays(said, heard), clicks };
  } finally {
    await Promise.all(ends.map((end) => end.stop()));
  }
}

const median = (all) => quantile(all, 0.5) ?? Number.NaN;

/** How long what is said in one call takes to be heard. */
async function ear(stack) {
  const all = [];
  for (let round = 0; round < rounds; round++) all.push((await conversation(stack, 1)).delays);
  const medians = sorted(all.map(median));
  return {
    calls: rounds,
    'delay, median of the calls (ms)': median(medians).toFixed(0),
    'from one call to another (ms)': `${medians[0].toFixed(0)}–${medians.at(-1).toFixed(0)}`,
    'worst (ms)': Math.max(...all.flat()).toFixed(0),
  };
}

/** Many calls at once. */
async function manyCalls(stack) {
  const { processors, memory, delays: all, clicks } = await conversation(stack, calls);
  return {
    calls,
    processors: processors.toFixed(2),
    'MB per call': (memory / 1e6).toFixed(2),
    'delay, median (ms)': median(all).toFixed(0),
    '99 % (ms)': (quantile(all, 0.99) ?? Number.NaN).toFixed(0),
    'worst (ms)': all.at(-1)?.toFixed(0) ?? '–',
    'clicks heard': `${all.length} of ${clicks}`,
  };
}

/** One process forwards what one call brings; who sends and who takes is this package. */
async function forwarding(stack) {
  const [origin, middle, taking] = [start('ossa'), start(stack), start('ossa')];
  try {
    await call('origin', [origin, { speaks: true }], [middle, {}]);
    await origin.call('speak');
    for (let id = 0; id < takers; id++) await call(id, [middle, { forwards: true }], [taking, { hears: true }]);
    await everybodyHeard(taking, takers);
    const { processors } = await measured(middle);
    const packets = 50 * takers;
    return {
      takers,
      'packets per second': packets,
      processors: processors.toFixed(2),
      'packets per second of a processor': Math.round(packets / processors),
    };
  } finally {
    await Promise.all([origin, middle, taking].map((end) => end.stop()));
  }
}

const MEASURE = { ear, calls: manyCalls, forward: forwarding };
const TITLES = {
  ear: 'From mouth to ear in one call.',
  calls: 'Calls at once, each in both directions, of which one process holds one end.',
  forward: 'One sender, forwarded to many by one process.',
};
const lines = [];
for (const part of parts) {
  const rows = {};
  for (const stack of stacks.filter((one) => part === 'forward' || one !== 'werift')) {
    rows[stack] = await MEASURE[part](stack).catch((error) => ({ failed: String(error.message).split('\n')[0] }));
  }
  console.log(part);
  console.table(rows);
  const head = [...new Set(Object.values(rows).flatMap(Object.keys))];
  const cells = Object.entries(rows).map(([stack, row]) => [stack, ...head.map((title) => row[title] ?? '–')]);
  lines.push(TITLES[part], '', ...table(['', ...head], cells), '');
}
if (given.publish) publish('media', [...lines, machine()]);
