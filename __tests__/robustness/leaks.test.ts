// What is made and closed leaves nothing behind. A few hundred of each kind; `node scripts/leaks.mjs` makes the thousands.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

const CHILD = join(__dirname, '..', '..', 'scripts', 'leaks', 'child.mjs');

interface Held {
  rss: number;
  heap: number;
  threads?: number;
  files?: number;
}

/** One that is not given up costs some 100 kB of memory, and of JavaScript's heap 20 kB; what a few hundred make it grow by for other reasons is far less. */
const LIMITS = { rss: 40_000, heap: 6_000 };

test.each([
  ['connections', 200, 400],
  ['agents', 100, 200],
  ['sessions', 100, 200],
])('of closed %s nothing is left: memory, threads and open files', async (kind, warm, count) => {
  const args = ['--expose-gc', '--max-semi-space-size=1', CHILD, kind, String(warm), String(count)];
  const { stdout, stderr } = await promisify(execFile)(process.execPath, args);
  expect(stderr).toBe('');
  const { before, after } = JSON.parse(stdout) as { before: Held; after: Held };
  expect((after.rss - before.rss) / count).toBeLessThan(LIMITS.rss);
  expect((after.heap - before.heap) / count).toBeLessThan(LIMITS.heap);
  expect([after.threads, after.files]).toEqual([before.threads, before.files]);
});

test('of terminated workers with busy connections neither threads nor open files are left', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', CHILD, 'workers', '3', '8']);
  const { before, after } = JSON.parse(stdout) as { before: Held; after: Held };
  expect([after.threads, after.files]).toEqual([before.threads, before.files]);
});
