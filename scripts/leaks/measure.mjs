// One kind of thing made and closed many times, in a process of its own.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const CHILD = fileURLToPath(new URL('child.mjs', import.meta.url));

/** The kinds, and how often each by default: `warm` before anything is measured, so that pools, code and heaps have their size. */
export const KINDS = [
  { kind: 'connections', title: 'connections, in pairs that open a channel and send', warm: 4000, count: 10_000 },
  { kind: 'agents', title: 'agents, in pairs that link and call', warm: 4000, count: 10_000 },
  { kind: 'sessions', title: 'MCP sessions', warm: 4000, count: 10_000 },
  { kind: 'workers', title: 'workers, terminated while connections in them are busy', warm: 40, count: 100 },
];

/** `{ before, after, seconds }`: what the process held before and after `count` of them. */
export function measure(kind, warm, count) {
  // JavaScript's nursery grows by allocating at all, up to tens of MB: that is V8's choice, and no leak.
  const args = ['--expose-gc', '--max-semi-space-size=1', CHILD, kind, String(warm), String(count)];
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${kind} ended with ${signal ?? status}:\n${stdout}${stderr}`);
  return JSON.parse(stdout);
}
