// One measurement each over a path. Every function returns plain numbers.
import { sum } from '../measure.mjs';
import { Pair } from '../pair.mjs';
import * as settings from './settings.mjs';

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Starts a pair of a stack on a path; plain TCP is one stack whatever its congestion control. */
function start(stack, path) {
  const [kind, congestion] = stack.split('-');
  if (kind !== 'tcp') return new Pair(stack, { path });
  path.setTcp(congestion);
  return new Pair('tcp', { path });
}

/** Makes a connection send all the time. It ends with its process. */
async function flood(pair, ms) {
  const link = await pair.connect();
  const sent = pair.call(pair.sender, 'flood', { ...link, size: settings.MESSAGE_BYTES, ms }, ms + 60_000);
  sent.catch(() => {}); // the process ends before what it has buffered is gone
  return link;
}

/** Bytes per second that arrive on each of these connections, and what the path saw meanwhile. */
async function received(flows, path, warmUp, ms) {
  await sleep(warmUp);
  await path.stats();
  for (const { pair, link } of flows) await pair.call(pair.receiver, 'count', link);
  const begin = performance.now();
  await sleep(ms);
  const counted = [];
  for (const { pair, link } of flows) {
    const { bytes } = await pair.call(pair.receiver, 'counted', link);
    counted.push(bytes / ((performance.now() - begin) / 1000));
  }
  return { rates: counted, stats: await path.stats() };
}

/** The share of the link that so many connections of a stack get together, how evenly, and how long packets wait. */
export async function share(stack, path, connections = 1) {
  const pair = start(stack, path);
  try {
    const ms = settings.WARM_UP_MS + settings.MEASURE_MS + 5000;
    const links = await Promise.all(Array.from({ length: connections }, () => flood(pair, ms)));
    const flows = links.map((link) => ({ pair, link }));
    const { rates, stats } = await received(flows, path, settings.WARM_UP_MS, settings.MEASURE_MS);
    return { share: sum(rates) / capacity(path), jain: jain(rates), ...delays(stats, path), ...(await about(pair)) };
  } finally {
    await pair.stop();
  }
}

/** What a connection of a stack gets beside one of the kernel's TCP, in units of half of what both get. */
export async function beside(stack, tcp, path) {
  const pairs = [start(stack, path), start(tcp, path)];
  try {
    const ms = settings.FAIRNESS_WARM_UP_MS + settings.FAIRNESS_MEASURE_MS + 10_000;
    const flows = [];
    for (const pair of pairs) flows.push({ pair, link: await flood(pair, ms) });
    const { rates, stats } = await received(flows, path, settings.FAIRNESS_WARM_UP_MS, settings.FAIRNESS_MEASURE_MS);
    const total = sum(rates);
    return {
      fair: (2 * rates[0]) / total,
      share: total / capacity(path),
      ...delays(stats, path),
      ...(await about(pairs[0])),
    };
  } finally {
    await Promise.all(pairs.map((pair) => pair.stop()));
  }
}

/** From createOffer until the channel is open on both sides, one connection after the other; signaling takes no time. */
export async function setup(stack, path) {
  const pair = start(stack, path);
  try {
    const ms = [];
    for (let i = 0; i < settings.SETUPS; i++) {
      const link = await pair.connect();
      ms.push(link.setupMs);
      await pair.disconnect(link);
    }
    ms.sort((a, b) => a - b);
    return { ms: ms[Math.floor(ms.length / 2)], ...(await about(pair)) };
  } finally {
    await pair.stop();
  }
}

const jain = (values) => sum(values) ** 2 / (values.length * sum(values.map((value) => value ** 2)) || 1);
const capacity = ({ capacity: mbit }) => mbit * 125_000;

/** Round trip times under load, and how late the emulator was, in milliseconds. */
function delays({ forth, back }, path) {
  const base = 2 * path.settings.delayMs;
  const rtt = (index) => base + forth.waitedMs[index] + back.waitedMs[index];
  return { rttP50: rtt(0), rttP95: rtt(1), lateP99: forth.lateMs[1] };
}

async function about(pair) {
  return { version: (await pair.call(pair.sender, 'about')).version };
}
