// Calls beside other stacks in the same run: `node bench/media.mjs --help`. What needs samples is measured of the stacks that have a codec.
import { parseArgs } from 'node:util';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startStack } from '../interop/process.cjs';

const PARTS = ['ear', 'calls', 'forward'];
const STACKS = ['ossa', 'wrtc', 'werift'];
const usage = `node bench/media.mjs [options]
  --stacks LIST   of ${STACKS.join(',')}
  --only LIST     of ${PARTS.join(',')}
  --calls N       calls at once, each in both directions (200)
  --takers N      connections that what comes from one is forwarded to (100)
  --seconds S     length of a measurement (10)
A release build of the native library is what should be measured: npm run build.`;

const { values: given } = parseArgs({
  options: {
    stacks: { type: 'string', default: STACKS.join(',') },
    only: { type: 'string', default: PARTS.join(',') },
    calls: { type: 'string', default: '200' },
    takers: { type: 'string', default: '100' },
    seconds: { type: 'string', default: '10' },
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
const [calls, takers, seconds] = [count('calls'), count('takers'), count('seconds')];

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
    const all = delays(said, heard);
    return {
      calls: number,
      processors: processors.toFixed(2),
      'MB per call': ((rss - idle.rss) / number / 1e6).toFixed(2),
      'delay, median (ms)': all[Math.floor(all.length / 2)]?.toFixed(0),
      'delay, worst (ms)': all.at(-1)?.toFixed(0),
      'clicks heard': `${all.length} of ${said.reduce((sum, one) => sum + one.sent.length, 0)}`,
    };
  } finally {
    await Promise.all(ends.map((end) => end.stop()));
  }
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

const MEASURE = {
  ear: (stack) => conversation(stack, 1),
  calls: (stack) => conversation(stack, calls),
  forward: forwarding,
};
for (const part of parts) {
  const rows = {};
  for (const stack of stacks.filter((one) => part === 'forward' || one !== 'werift')) {
    rows[stack] = await MEASURE[part](stack).catch((error) => ({ failed: String(error.message).split('\n')[0] }));
  }
  console.log(part);
  console.table(rows);
}
