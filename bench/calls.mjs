// `node bench/calls.mjs [SECONDS]`: calls between two agents in two processes over loopback, with what is built.
// One way is how fast calls and their answers go when so many are under way; the round trip is one at a time.
import { fork } from 'node:child_process';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';

import { createPeer, createSignalingServer } from 'ossa-webrtc';

const CALLEE = 'agent://bench/callee';
const CONCURRENT = [1, 64, 1024];

if (process.send) await answer(process.argv[2]);
else await measure(Number(process.argv[2] ?? 3) * 1000);

async function answer(url) {
  const peer = createPeer({ agentId: CALLEE, signaling: url });
  peer.handle('echo', (input) => input);
  peer.handle('count', async function* (to) {
    for (let number = 0; number < to; number++) yield number;
  });
  await peer.ready;
  process.send('ready');
  process.on('disconnect', () => process.exit(0));
}

async function measure(duration) {
  const server = await createSignalingServer();
  const callee = fork(fileURLToPath(import.meta.url), [server.url]);
  await new Promise((resolve) => callee.once('message', resolve));
  const peer = createPeer({ agentId: 'agent://bench/caller', signaling: server.url });
  const link = await peer.connect(CALLEE);
  console.log(`${cpus()[0]?.model.trim()}, ${cpus().length} cores, Node ${process.version}`);
  // Code that is hot, a congestion window that is open.
  await rate(link, 64, 500);
  for (const concurrent of CONCURRENT) {
    const { perSecond, p50, p99 } = await rate(link, concurrent, duration);
    const times = `p50 ${Math.round(p50)} us, p99 ${Math.round(p99)} us`;
    console.log(`${String(concurrent).padStart(5)} at a time: ${Math.round(perSecond)} calls/s, ${times}`);
  }
  const items = 200_000;
  const start = performance.now();
  let sum = 0;
  for await (const item of link.callStream('count', items)) sum += item;
  if (sum !== (items * (items - 1)) / 2) throw new Error('items got lost');
  console.log(`a stream:        ${Math.round((items / (performance.now() - start)) * 1000)} items/s`);
  await peer.close();
  callee.disconnect();
  await server.close();
}

/** Keeps so many calls under way for a time. */
async function rate(link, concurrent, duration) {
  const times = [];
  const start = performance.now();
  const loop = async () => {
    for (let sent = start; sent - start < duration;) {
      sent = performance.now();
      const input = times.length;
      if ((await link.call('echo', input)) !== input) throw new Error('a wrong answer');
      times.push((performance.now() - sent) * 1000);
    }
  };
  await Promise.all(Array.from({ length: concurrent }, loop));
  const seconds = (performance.now() - start) / 1000;
  times.sort((a, b) => a - b);
  const at = (share) => times[Math.floor(times.length * share)];
  return { perSecond: times.length / seconds, p50: at(0.5), p99: at(0.99) };
}
