// Messages between two agents in two Node processes on loopback: rates, throughput, and how soon something urgent
// arrives. `node bench/agent.mjs [--json] [--only=binary,text,...]`; wants a release build and a machine that does nothing
// else. What JSON.stringify and JSON.parse alone cost is measured in the same run: a message of many small values cannot be
// quicker than the slower of the two, nor on two processors than both and the transport together.
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

import { createPeer, createSignalingServer } from 'ossa-webrtc';

const SENDER = 'agent://bench/sender';
const RECEIVER = 'agent://bench/receiver';
const MIB = 2 ** 20;
// The benchmark queues and sends more at once than the defaults allow.
const limits = { messageBytes: 256 * MIB, incompleteBytes: 512 * MIB, queuedBytes: 512 * MIB, unreadBytes: 512 * MIB };
/** CLOCK_MONOTONIC: the same in both processes. */
const now = () => Number(process.hrtime.bigint()) / 1e6;

if (process.argv[2] === 'receiver') await receive(process.argv[3]);
else await measure(process.argv.includes('--json'));

/** Counts what comes, and says when the number is reached that it was told. */
async function receive(signaling) {
  const peer = createPeer({ agentId: RECEIVER, signaling, limits });
  let left = 0;
  let done;
  let finished;
  peer.handle('expect', ({ count }) => {
    left = count;
    finished = new Promise((resolve) => (done = resolve));
  });
  peer.handle('finished', () => finished);
  const arrived = () => --left === 0 && done(now());
  let urgent;
  peer.handle('urgent', () => urgent);
  peer.on('link', (link) => {
    link.on('message', ({ payload, metadata }) => {
      if (metadata.priority === 'critical') urgent = now() - payload.at;
      arrived();
    });
    link.on('channel', (channel) => channel.on('message', arrived));
  });
  await peer.ready;
  process.send('ready');
}

async function measure(json) {
  const server = await createSignalingServer();
  const rows = [];
  for (const scenario of chosen([small, binary, text, records, manyLow, oneLow])) {
    const child = fork(fileURLToPath(import.meta.url), ['receiver', server.url]);
    await new Promise((resolve) => child.once('message', resolve));
    const peer = createPeer({ agentId: SENDER, signaling: server.url, limits });
    const link = await peer.connect(RECEIVER);
    rows.push(...[await scenario(link)].flat());
    await peer.close();
    child.kill();
  }
  await server.close();
  compare(rows);
  if (json) console.log(JSON.stringify(rows, undefined, 2));
  else console.table(Object.fromEntries(rows.map(({ what, ...row }) => [what, row])));
}

/** The scenarios whose names were given, or all. */
function chosen(scenarios) {
  const only = process.argv.find((argument) => argument.startsWith('--only='));
  if (!only) return scenarios;
  const names = only.slice('--only='.length).split(',');
  return scenarios.filter(({ name }) => names.includes(name));
}

/** Throughput as a share of that of raw binary data in the same run. */
function compare(rows) {
  const raw = rows.find(({ what }) => what.startsWith('raw binary'));
  if (!raw) return;
  for (const row of rows)
    if (row.unit === 'MB/s' && row !== raw) row.share = Math.round((100 * row.value) / raw.value) / 100;
}

/** MB/s of something done again and again to `bytes`. */
function rate(bytes, action) {
  for (let run = 0; run < 20; run++) action();
  const runs = 100;
  const start = now();
  for (let run = 0; run < runs; run++) action();
  return Math.round((runs * bytes) / (now() - start) / 1000);
}

/** Runs `send` and waits until everything has arrived; returns the seconds in between. */
async function timed(link, count, send) {
  await link.call('expect', { count });
  const start = now();
  await send();
  const end = await link.call('finished', null, { timeout: 120_000 });
  return (end - start) / 1000;
}

async function small(link) {
  const count = 500_000;
  const run = (total) => async () => {
    const payload = { text: 'x'.repeat(64 - '{"text":""}'.length) };
    for (let sent = 0; sent < total;) {
      if (link.trySend(payload)) sent++;
      else await link.drained();
    }
  };
  // The just-in-time compilers have their say first.
  await timed(link, 100_000, run(100_000));
  const seconds = await timed(link, count, run(count));
  return { what: 'payloads of 64 bytes, one way', value: Math.round(count / seconds), unit: 'messages/s' };
}

async function binary(link) {
  const count = 8192;
  const channel = await link.createChannel('raw');
  const data = new Uint8Array(65_536);
  const run = (total) => async () => {
    for (let sent = 0; sent < total; sent++) if (!channel.trySend(data)) await channel.send(data);
  };
  await timed(link, 1024, run(1024));
  const seconds = await timed(link, count, run(count));
  return { what: 'raw binary, 64 KiB', value: Math.round((count * data.length) / seconds / 1e6), unit: 'MB/s' };
}

function text(link) {
  return large(link, 'JSON of 1 MB, one string', { text: 'x'.repeat(1_000_000) });
}

function records(link) {
  const record = { id: 123_456, name: 'a name of some length', tags: ['one', 'two'], value: 3.14159 };
  const count = Math.round(1_000_000 / JSON.stringify(record).length);
  return large(link, 'JSON of 1 MB, records', Array(count).fill(record));
}

async function large(link, what, payload) {
  const count = 400;
  const bytes = JSON.stringify(payload).length;
  const run = (total) => async () => {
    for (let sent = 0; sent < total; sent++) await link.send(payload);
  };
  await timed(link, 50, run(50));
  const seconds = await timed(link, count, run(count));
  const json = JSON.stringify(payload);
  return [
    { what, value: Math.round((count * bytes) / seconds / 1e6), unit: 'MB/s' },
    { what: `${what}: JSON.stringify alone`, value: rate(bytes, () => JSON.stringify(payload)), unit: 'MB/s' },
    { what: `${what}: JSON.parse alone`, value: rate(bytes, () => JSON.parse(json)), unit: 'MB/s' },
  ];
}

function manyLow(link) {
  return overtaking(link, 'critical behind 100 low messages of 1 MB', Array(100).fill('x'.repeat(1_000_000)));
}

function oneLow(link) {
  return overtaking(link, 'critical behind one low message of 100 MB', ['x'.repeat(100_000_000)]);
}

async function overtaking(link, what, payloads) {
  await timed(link, 20, async () => {
    for (let sent = 0; sent < 20; sent++) await link.send('x'.repeat(1_000_000));
  });
  await timed(link, payloads.length + 1, async () => {
    const sent = payloads.map((payload) => link.send(payload, { priority: 'low' }));
    await link.send({ at: now() }, { priority: 'critical' });
    await Promise.all(sent);
  });
  const value = Math.round((await link.call('urgent')) * 10) / 10;
  return { what, value, unit: 'ms' };
}
