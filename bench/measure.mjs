// One measurement each, over a Pair. Every function returns plain numbers for the JSON file.

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export function quantile(values, q) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))];
}

export const sum = (values) => values.reduce((total, value) => total + value, 0);

async function cpuSeconds(pair) {
  const usages = await Promise.all([pair.call(pair.sender, 'usage'), pair.call(pair.receiver, 'usage')]);
  return usages[0].cpuSeconds + usages[1].cpuSeconds;
}

/** Messages of one size, one way, for `seconds`: counted at the receiver. */
export async function throughput(pair, size, seconds) {
  const link = await pair.connect();
  if (size > link.maxMessageSize) {
    await pair.disconnect(link);
    return { skipped: `its largest message is ${link.maxMessageSize} bytes` };
  }
  // Slow start and the just-in-time compilers are not the question here.
  await pair.call(pair.sender, 'flood', { ...link, size, ms: 300 });
  await sleep(300);
  await pair.call(pair.receiver, 'count', link);
  const before = await cpuSeconds(pair);
  await pair.call(pair.sender, 'flood', { ...link, size, ms: seconds * 1000 });
  const result = await drained(pair, link);
  const cpu = (await cpuSeconds(pair)) - before;
  await pair.disconnect(link);
  const { messages, bytes, ms } = result;
  if (messages < 2 || ms === 0) return { failed: `only ${messages} messages arrived` };
  const perSecond = ((messages - 1) / ms) * 1000;
  return {
    messagesPerSecond: perSecond,
    megabytesPerSecond: (perSecond * size) / 1e6,
    cpuSecondsPerGigabyte: cpu / (bytes / 1e9),
  };
}

/** The receiver's count once nothing more comes. */
async function drained(pair, link) {
  let last = -1;
  for (let i = 0; i < 20; i++) {
    const counted = await pair.call(pair.receiver, 'counted', link);
    if (counted.messages === last) return counted;
    last = counted.messages;
    await sleep(100);
  }
  return pair.call(pair.receiver, 'counted', link);
}

/** Round trips of 64 bytes, one at a time. */
export async function roundTrip(pair, seconds) {
  const link = await pair.connect();
  await pair.call(pair.receiver, 'echo', link);
  await pair.call(pair.sender, 'ping', { ...link, size: 64, ms: 300 });
  const { micros } = await pair.call(pair.sender, 'ping', { ...link, size: 64, ms: seconds * 1000 });
  await pair.disconnect(link);
  return { p50: quantile(micros, 0.5), p99: quantile(micros, 0.99), rounds: micros.length };
}

/** From createOffer to a channel open on both sides, signaling through the parent process included, one connection at a time. */
export async function setup(pair, connections) {
  const ms = [];
  for (let i = 0; i < connections; i++) {
    const link = await pair.connect();
    ms.push(link.setupMs);
    await pair.disconnect(link);
  }
  return { ms };
}

/** The same for connections that all begin at the same moment, and how many of them did not come about. */
export async function setupAtOnce(pair, connections) {
  const made = await Promise.allSettled(Array.from({ length: connections }, () => pair.connect()));
  const ms = made.flatMap(({ value }) => (value ? [value.setupMs] : []));
  if (ms.length === 0) return { failed: made[0].reason.message };
  return { ms, missing: connections - ms.length };
}

/** Growth of resident memory of both processes with open, idle connections. */
export async function memory(pair, connections) {
  const rss = async () => {
    await sleep(500);
    await Promise.all([pair.call(pair.sender, 'collect'), pair.call(pair.receiver, 'collect')]);
    const usages = await Promise.all([pair.call(pair.sender, 'usage'), pair.call(pair.receiver, 'usage')]);
    return usages.map((usage) => usage.rss);
  };
  // The first connections pay for threads, pools and code.
  await connectMany(pair, 10);
  const before = await rss();
  await connectMany(pair, connections);
  const after = await rss();
  const kilobytes = after.map((bytes, side) => (bytes - before[side]) / connections / 1000);
  return { sender: kilobytes[0], receiver: kilobytes[1], perSide: (kilobytes[0] + kilobytes[1]) / 2 };
}

async function connectMany(pair, count) {
  const parallel = 5;
  for (let i = 0; i < count; i += parallel) {
    await Promise.all(Array.from({ length: Math.min(parallel, count - i) }, () => pair.connect()));
  }
}
