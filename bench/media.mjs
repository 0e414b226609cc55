// Calls beside other stacks in the same run: `node bench/media.mjs --help`. What needs samples is measured of the stacks that have a codec.
import { parseArgs } from 'node:util';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startStack } from '../interop/process.cjs';
import { quantile } from './measure.mjs';
import { machine, publish, table } from './publish.mjs';

/** Which stacks take part: two have a codec of audio. What wrtc forwards it has decoded and encoded, and the video here has no pictures in it. */
const TAKE_PART = {
  ear: ['ossa', 'wrtc'],
  calls: ['ossa', 'wrtc'],
  forward: ['ossa', 'wrtc', 'werift'],
  video: ['ossa', 'werift'],
};
const PARTS = Object.keys(TAKE_PART);
const STACKS = TAKE_PART.forward;
const usage = `node bench/media.mjs [options]
  --stacks LIST   of ${STACKS.join(',')}
  --only LIST     of ${PARTS.join(',')}
  --calls LIST    how many calls one process holds at once, each in both directions (50,100,200)
  --takers N      connections that what comes from one is forwarded to (100)
  --seconds S     length of a measurement (10)
  --rounds N      calls one after the other for the delay from mouth to ear (8), each with clocks that stand anew to each other
  --publish       writes the tables into docs/benchmarks.md
A release build of the native library is what should be measured: npm run build.`;

const { values: given } = parseArgs({
  options: {
    stacks: { type: 'string', default: STACKS.join(',') },
    only: { type: 'string', default: PARTS.join(',') },
    calls: { type: 'string', default: '50,100,200' },
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
function counts(name) {
  const numbers = given[name].split(',').map(Number);
  return numbers.every((number) => Number.isInteger(number) && number > 0)
    ? numbers
    : refuse(`--${name} ${given[name]}: a whole number above 0 is needed`);
}
if (given.help) {
  console.log(usage);
  process.exit();
}
const [stacks, parts] = [chosen('stacks', STACKS), chosen('only', PARTS)];
const calls = counts('calls');
const [takers, seconds, rounds] = ['takers', 'seconds', 'rounds'].map((name) => counts(name)[0]);

const child = fileURLToPath(new URL('media-child.cjs', import.meta.url));
const start = (stack) => startStack(stack, { child, nodeArgs: ['--expose-gc'] });

/** A call between two processes. */
async function call(id, [offerer, does], [answerer, others]) {
  await offerer.call('open', { id, ...does });
  await answerer.call('open', { id, ...others });
  const sdp = await offerer.call('offer', { id });
  await offerer.call('accept', { id, sdp: await answerer.call('answer', { id, sdp }) });
}

/** Seconds after which a call that nobody has heard counts as one that a stack can't hold. */
const PATIENCE = 20;

/** Milliseconds in which senders find out what their paths carry, and just-in-time compilers what is worth compiling. */
const WARM_UP = 5_000;

/** Seconds for one row of a table, beside the measurement itself. A process that can't follow answers nobody any more, and so would keep all others waiting. */
const LIMIT = 60;

/**
 * What a measurement finds out, whose processes end with it, or when it has taken too long: then it fails with what it told to `reached` last.
 */
async function within(ends, measurement) {
  let [stage, late] = ['it had not begun', false];
  const stop = () => Promise.all(ends.map((end) => end.stop()));
  const limit = setTimeout(
    () => {
      late = true;
      void stop();
    },
    (LIMIT + seconds) * 1_000,
  );
  try {
    return await measurement((now) => (stage = now));
  } catch (error) {
    throw late ? new Error(`after ${LIMIT + seconds} s: ${stage}`) : error;
  } finally {
    clearTimeout(limit);
    await stop();
  }
}

/** Resolves when `count` has come to all that are expected; otherwise fails after a while, and says so with `what`. */
async function everybody(expected, what, count, reached) {
  const begin = performance.now();
  for (;;) {
    const counted = await count();
    const stage = `${counted} of ${expected} ${what}`;
    reached(stage);
    if (counted >= expected) return;
    if (performance.now() - begin >= PATIENCE * 1_000) throw new Error(`after ${PATIENCE} s: ${stage}`);
    await sleep(500);
  }
}

/** Resolves when each of these calls was heard. */
function everybodyHeard(end, expected, reached) {
  const heard = new Set();
  const count = async () => {
    for (const { id, heard: times } of await end.call('heard')) if (times.length > 0) heard.add(id);
    return heard.size;
  };
  return everybody(expected, 'calls were heard', count, reached);
}

/** Resolves when something has come to each of so many connections. */
function everybodyGets(end, expected, reached) {
  const count = async () => (await end.call('packets')).filter(({ received }) => received > 0).length;
  return everybody(expected, 'connections got something', count, reached);
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

/** Processors that a process uses. Collecting garbage on demand is no part of it. */
async function used(end) {
  const before = await end.call('usage');
  await sleep(seconds * 1_000);
  const after = await end.call('usage');
  return (after.cpu - before.cpu) / (after.at - before.at);
}

/** A call in both directions between two processes of a stack: how long what is said at one end takes to be heard at the other. */
async function conversation(stack) {
  const ends = [start(stack), start(stack)];
  return within(ends, async (reached) => {
    const does = { speaks: true, hears: true };
    await call('one', [ends[0], does], [ends[1], does]);
    for (const end of ends) await end.call('speak');
    await everybodyHeard(ends[1], 1, reached);
    await Promise.all(ends.map((end) => end.call('heard')));
    await sleep(seconds * 1_000);
    return delays(...(await Promise.all(ends.map((end) => end.call('heard')))));
  });
}

/**
 * Calls of one process that speaks and hears in all of them. The other ends are one process of this package for every stack, which sends back
 * each packet as it came: they would take as much of the processors as what is measured.
 */
async function echoed(stack, number) {
  const [end, mirror] = [start(stack), start('ossa')];
  return within([end, mirror], async (reached) => {
    const idle = await end.call('memory');
    for (let id = 0; id < number; id++) {
      reached(`${id} of ${number} calls were made`);
      await call(id, [end, { speaks: true, hears: true }], [mirror, { echoes: true }]);
    }
    reached(`${number} calls were made, none had begun to speak`);
    await end.call('speak');
    await everybodyHeard(end, number, reached);
    reached(`all ${number} calls were heard, it did not answer in the measurement`);
    const rss = await end.call('memory');
    await end.call('heard');
    const processors = await used(end);
    const all = await end.call('heard');
    const clicks = all.reduce((sum, one) => sum + one.sent.length, 0);
    return { processors, memory: (rss - idle) / number, delays: delays(all, all), clicks };
  });
}

const median = (all) => quantile(all, 0.5) ?? Number.NaN;

/** How long what is said in one call takes to be heard. */
async function ear(stack) {
  const all = [];
  for (let round = 0; round < rounds; round++) all.push(await conversation(stack));
  const medians = sorted(all.map(median));
  return {
    calls: rounds,
    'delay, median of the calls (ms)': median(medians).toFixed(0),
    'from one call to another (ms)': `${medians[0].toFixed(0)}–${medians.at(-1).toFixed(0)}`,
    'worst (ms)': Math.max(...all.flat()).toFixed(0),
  };
}

/** Many calls at once. */
async function manyCalls(stack, number) {
  const { processors, memory, delays: all, clicks } = await echoed(stack, number);
  return {
    calls: number,
    processors: processors.toFixed(2),
    'ms of a processor per call and second': ((processors / number) * 1_000).toFixed(1),
    'MB per call': (memory / 1e6).toFixed(2),
    'delay, median (ms)': median(all).toFixed(0),
    '99 % (ms)': (quantile(all, 0.99) ?? Number.NaN).toFixed(0),
    'worst (ms)': all.at(-1)?.toFixed(0) ?? '–',
    'clicks heard': `${all.length} of ${clicks}`,
  };
}

/**
 * One process forwards what one connection brings. Who sends and who takes is this package, whatever forwards; who takes counts what comes, and
 * decodes nothing, which would take more of the processors than what is measured.
 */
async function forwarding(stack, [does, begins]) {
  const [origin, middle, taking] = [start('ossa'), start(stack), start('ossa')];
  return within([origin, middle, taking], async (reached) => {
    await call('origin', [origin, does], [middle, {}]);
    await origin.call(begins);
    for (let id = 0; id < takers; id++) {
      reached(`${id} of ${takers} connections were made`);
      await call(id, [middle, { forwards: true }], [taking, {}]);
    }
    await everybodyGets(taking, takers, reached);
    await sleep(WARM_UP);
    reached('it did not answer in the measurement');
    const count = async () => {
      const [sent, taken] = await Promise.all([origin.call('packets'), taking.call('packets')]);
      return {
        sent: sent[0].sent * takers,
        taken: taken.reduce((sum, { received }) => sum + received, 0),
        at: performance.now(),
      };
    };
    const before = await count();
    const processors = await used(middle);
    const after = await count();
    const rate = ((after.taken - before.taken) * 1_000) / (after.at - before.at);
    return {
      takers,
      'packets per second': Math.round(rate),
      'of all (%)': ((100 * (after.taken - before.taken)) / (after.sent - before.sent)).toFixed(0),
      processors: processors.toFixed(2),
      'packets per second of a processor': Math.round(rate / processors),
    };
  });
}

const MEASURE = {
  ear,
  calls: manyCalls,
  forward: (stack) => forwarding(stack, [{ speaks: true }, 'speak']),
  video: (stack) => forwarding(stack, [{ films: true }, 'film']),
};
const TITLES = {
  ear: 'From mouth to ear in one call.',
  calls: 'Calls at once, each in both directions, of one process; what it says comes back to it packet by packet.',
  forward: 'One sender of audio, forwarded to many by one process.',
  video: 'One sender of video with 2 Mbit/s, forwarded to many by one process.',
};
const lines = [];
for (const part of parts) {
  const rows = [];
  for (const stack of stacks.filter((one) => TAKE_PART[part].includes(one))) {
    for (const number of part === 'calls' ? calls : [undefined]) {
      const about = number === undefined ? {} : { calls: number };
      const failed = (error) => ({ ...about, failed: String(error.message).split('\n')[0] });
      rows.push({ '': stack, ...(await MEASURE[part](stack, number).catch(failed)) });
      // More calls than those it can't hold it can't hold either.
      if (rows.at(-1).failed) break;
    }
  }
  console.log(part);
  console.table(rows);
  const head = [...new Set(rows.flatMap(Object.keys))];
  const cells = rows.map((row) => head.map((title) => row[title] ?? '–'));
  lines.push(TITLES[part], '', ...table(head, cells), '');
}
if (given.publish) publish('media', [...lines, machine()]);
