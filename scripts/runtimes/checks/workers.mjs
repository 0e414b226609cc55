// Worker threads: connections of their own in two of them, of which one is terminated with everything open; the main thread goes on.
import assert from 'node:assert/strict';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';

import { connected, echoed } from './pair.mjs';

const { a, b, channel } = await connected();
if (isMainThread) {
  const self = new URL(import.meta.url);
  const workers = [new Worker(self), new Worker(self)];
  const hellos = workers.map((worker) => new Promise((resolve) => worker.once('message', resolve)));
  assert.deepEqual(await Promise.all(hellos), ['hello', 'hello']);
  const [terminated, told] = workers;
  await terminated.terminate();
  assert.deepEqual(await echoed(channel, ['still there']), ['still there']);
  const ended = new Promise((resolve) => told.once('exit', resolve));
  told.postMessage('close');
  assert.equal(await ended, 0);
  a.close();
  b.close();
} else {
  parentPort.once('message', () => {
    a.close();
    b.close();
  });
  parentPort.postMessage((await echoed(channel, ['hello']))[0]);
}
