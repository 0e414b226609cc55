// Cancels and times out many calls, and reports how much memory that has cost in the end.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import { createPeer, MemorySignaling } from 'ossa-webrtc';

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc');

const signaling = new MemorySignaling();
const [a, b] = ['agent://a', 'agent://b'].map((agentId) => createPeer({ agentId, signaling }));
await b.ready;
const incoming = new Promise((resolve) => b.once('link', resolve));
const ab = await a.connect('agent://b');
const ba = await incoming;
b.handle('wait', (_, { signal }) => new Promise((resolve) => signal.addEventListener('abort', resolve)));
b.handle('count', async function* (_, { signal }) {
  for (let number = 0; !signal.aborted; number++) yield number;
});

async function round() {
  const controller = new AbortController();
  const cancelled = Promise.allSettled(
    Array.from({ length: 1000 }, () => ab.call('wait', 'x'.repeat(100), { signal: controller.signal })),
  );
  const late = Promise.allSettled(Array.from({ length: 1000 }, () => ab.call('wait', null, { timeout: 5 })));
  const streams = Array.from({ length: 100 }, async () => {
    for await (const number of ab.callStream('count')) if (number === 3) break;
  });
  while (ba.activeCalls === 0) await new Promise(setImmediate);
  controller.abort();
  await Promise.all([cancelled, late, ...streams]);
  while (ba.activeCalls > 0) await new Promise(setImmediate);
}

async function inUse() {
  // Several collections: what the first one makes unreachable through finalizers is found by the next.
  for (let turn = 0; turn < 5; turn++) {
    gc();
    await new Promise(setImmediate);
  }
  return process.memoryUsage().heapUsed;
}

for (let warm = 0; warm < 3; warm++) await round();
const before = await inUse();
for (let measured = 0; measured < 5; measured++) await round();
const grown = (await inUse()) - before;
const left = [ab.pendingCalls, ab.activeCalls, ba.pendingCalls, ba.activeCalls];
console.log(JSON.stringify({ grown, left }));
await Promise.all([a.close(), b.close()]);
