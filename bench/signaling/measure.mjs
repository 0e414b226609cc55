// One measurement each, in processes of its own. Every function returns plain values for the JSON file.
import { rmSync } from 'node:fs';
import { loadavg } from 'node:os';
import { join } from 'node:path';

import { root } from '../../scripts/setup.mjs';
import { Child, startLoad, startRedis, startServer } from './processes.mjs';

/** What one client may send is limited; senders that stand for thousands of clients need more. */
const UNLIMITED = { messageRate: 1_000_000_000, offersPerPair: 1_000_000_000, candidatesPerSession: 1_000_000_000 };

/** Loopback addresses of one process of the load: limits per address hold, and each has ports of its own. */
const source = (index) => ({ source: `127.0.${index + 1}.1`, sources: 20 });

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Runs `work(server)` and ends the processes it has started whatever happens. */
async function withServer(kind, options, work) {
  const children = [];
  const track = async (starting) => {
    const child = await starting;
    children.push(child);
    return child;
  };
  try {
    return await work(await track(startServer(kind, kind === 'ossa' || kind === 'rust' ? options : {})), track);
  } finally {
    await Promise.all(children.map((child) => child.stop()));
  }
}

/** How much gets through, or with a `rate` how long each message takes. */
export function relay(kind, { pairs, window, seconds, rate }) {
  return withServer(kind, UNLIMITED, async (server, track) => {
    const paced = rate === undefined ? {} : { rate };
    const load = await track(startLoad('relay', server, { ...source(0), pairs, window, seconds, ...paced }));
    const before = { server: server.cpu(), load: load.cpu() };
    const result = await load.next();
    // Warm-up included on both sides of the fraction.
    const wall = result.seconds + 1;
    return {
      ...result,
      serverCores: (server.cpu() - before.server) / wall,
      serverMicrosPerMessage: ((server.cpu() - before.server) * 1e6) / ((result.messages / result.seconds) * wall),
      rate,
    };
  });
}

/** As {@link relay}, with all senders at one server of a cluster and all recipients at another. */
export async function relayThroughCluster({ pairs, window, seconds, rate }) {
  const redis = await startRedis();
  const children = [redis];
  try {
    const options = { ...UNLIMITED, cluster: { redis: redis.url } };
    const servers = await Promise.all([startServer('ossa', options), startServer('ossa', options)]);
    children.push(...servers);
    const [one, two] = servers;
    const paced = rate === undefined ? {} : { rate };
    const there = { recipients: `127.0.0.1:${two.port}` };
    const load = await startLoad('relay', one, { ...source(0), ...there, pairs, window, seconds, ...paced });
    children.push(load);
    const measured = [one, two, redis, load];
    const before = measured.map((child) => child.cpu());
    const result = await load.next();
    // Warm-up included on both sides of the fraction.
    const wall = result.seconds + 1;
    const cores = measured.map((child, index) => (child.cpu() - before[index]) / wall);
    const [senderCores, recipientCores, redisCores, loadCores] = cores;
    return { ...result, senderCores, recipientCores, redisCores, loadCores, rate, loadAverage: loadavg()[0] };
  } finally {
    await Promise.all(children.map((child) => child.stop()));
    rmSync(redis.directory, { recursive: true, force: true });
  }
}

/** Memory for agents that are connected and registered, and the time that takes. */
export function hold(kind, { agents }) {
  return withServer(kind, {}, async (server, track) => {
    // The first connections pay for code and pools.
    await (await track(startLoad('hold', server, { agents: 50, prefix: 'warm' }))).finish();
    await sleep(1000);
    const before = server.rss();
    const processes = 2;
    const started = performance.now();
    const holding = await Promise.all(
      Array.from({ length: processes }, (_, index) => {
        const options = { agents: agents / processes, prefix: `p${index}`, ...source(index) };
        return track(startLoad('hold', server, options));
      }),
    );
    const seconds = (performance.now() - started) / 1000;
    const failed = holding.reduce((sum, child) => sum + child.ready.failed, 0);
    const rss = server.rss();
    // Garbage of the rush may go, and everybody must still be there.
    await sleep(5000);
    const settled = server.rss();
    const lost = (await Promise.all(holding.map((child) => child.finish()))).reduce((sum, { lost }) => sum + lost, 0);
    const failure = holding.find((child) => child.ready.failure)?.ready.failure ?? undefined;
    return {
      agents: agents - failed,
      failed,
      lost,
      failure,
      seconds,
      before,
      rss,
      settled,
      perAgent: (settled - before) / agents,
    };
  });
}

/** The delay of others while one agent floods, and before. */
export function flood(kind, { seconds }) {
  return withServer(kind, {}, async (server, track) => {
    // Five set-ups a second from each of 100 agents, for some seconds: below the limit of 60 offers a minute to one agent.
    const others = { ...source(0), pairs: 100, seconds, rate: 2500 };
    const calm = await (await track(startLoad('relay', server, others))).next();
    const flooding = await track(startLoad('flood', server, { ...source(1), prefix: 'flood', seconds: seconds + 3 }));
    const stormy = await (await track(startLoad('relay', server, { ...others, prefix: 'b' }))).next();
    const flooded = await flooding.next();
    return {
      calmP50: calm.p50,
      calmP99: calm.p99,
      floodedP50: stormy.p50,
      floodedP99: stormy.p99,
      missing: stormy.sent - stormy.messages,
      lostPairs: stormy.lostPairs,
      floodRelayed: flooded.arrivedPerSecond,
      floodRefused: flooded.answers,
      floodDisconnected: flooded.disconnected,
    };
  });
}

/** The delay of others, and the time to register, while 10,000 connections stop in the middle of their handshake. */
export function halfOpen(kind, { seconds }) {
  return withServer(kind, {}, async (server, track) => {
    const others = { ...source(0), pairs: 100, seconds, rate: 2500 };
    const calm = await (await track(startLoad('relay', server, others))).next();
    const before = server.rss();
    const attackers = await Promise.all(
      Array.from({ length: 2 }, (_, index) =>
        track(startLoad('half-open', server, { ...source(1 + index), agents: 5000 })),
      ),
    );
    const memory = server.rss() - before;
    const started = performance.now();
    const working = await track(startLoad('relay', server, { ...others, prefix: 'b' }));
    const registerSeconds = (performance.now() - started) / 1000;
    const attacked = await working.next();
    const ends = await Promise.all(attackers.map((child) => child.finish()));
    return {
      calmP99: calm.p99,
      attackedP99: attacked.p99,
      registerSeconds,
      missing: attacked.sent - attacked.messages,
      lostPairs: attacked.lostPairs,
      memory,
      refused: ends.reduce((sum, end) => sum + end.refused, 0),
    };
  });
}

/** Agents with data channels: all register, then half of them connect to the other half at once. */
export function connectAgents(kind, agents) {
  return withServer(kind, {}, async (server, track) => {
    const url = `ws://127.0.0.1:${server.port}`;
    const script = join(root, 'bench', 'signaling', 'agents.mjs');
    const prefixes = ['x', 'y'];
    const children = await Promise.all(
      prefixes.map((prefix) =>
        track(Child.start(process.execPath, [script, url, prefix, String(agents / prefixes.length)])),
      ),
    );
    const registerSeconds = Math.max(
      ...(await Promise.all(children.map((child) => child.next()))).map(({ seconds }) => seconds),
    );
    const cpu = server.cpu();
    children.forEach((child, index) => child.write({ prefix: prefixes[1 - index] }));
    const ends = await Promise.all(children.map((child) => child.next()));
    const times = ends.flatMap(({ seconds }) => seconds).sort((a, b) => a - b);
    return {
      connected: times.length,
      failed: ends.reduce((sum, end) => sum + end.failures.length, 0),
      failure: ends.flatMap(({ failures }) => failures)[0],
      registerSeconds,
      median: times[times.length >> 1],
      last: times.at(-1),
      serverCpuSeconds: server.cpu() - cpu,
    };
  });
}
