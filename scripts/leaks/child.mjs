// `node --expose-gc scripts/leaks/child.mjs KIND WARM COUNT`: what the process holds after WARM of a kind, and after COUNT more, as JSON.
import { readdirSync, readFileSync } from 'node:fs';

import * as kinds from './kinds.mjs';

const [kind, warm, count] = process.argv.slice(2);

/** On Linux: what the system knows of this process. */
function system() {
  if (process.platform !== 'linux') return {};
  const threads = Number(/^Threads:\s+(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))[1]);
  return { threads, files: readdirSync('/proc/self/fd').length };
}

async function held() {
  // Several collections: what the first one makes unreachable through finalizers is found by the next.
  for (let turn = 0; turn < 5; turn++) {
    globalThis.gc();
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const { rss, heapUsed, external } = process.memoryUsage();
  return { rss, heap: heapUsed + external, ...system() };
}

await kinds[kind](Number(warm));
const before = await held();
const started = performance.now();
await kinds[kind](Number(count));
const seconds = (performance.now() - started) / 1000;
console.log(JSON.stringify({ before, after: await held(), seconds }));
