// Agents in worker threads: they work there, and a thread that is terminated takes nothing with it.
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';

import { createPeer, createSignalingServer } from 'ossa-webrtc';

const SCRIPT = `
  const { parentPort, workerData } = require('node:worker_threads');
  const { createPeer, createSignalingServer } = require('ossa-webrtc');
  const peer = createPeer({ agentId: 'agent://worker', signaling: workerData });
  peer.handle('echo', (input) => input);
  Promise.all([peer.ready, createSignalingServer()]).then(() => parentPort.postMessage('ready'));
`;

async function start(url: string): Promise<Worker> {
  // Made inside of the package, so that it finds the package by its name.
  const worker = new Worker(
    `process.chdir || 0; require = require('node:module').createRequire(${JSON.stringify(join(__dirname, 'x.js'))}); ${SCRIPT}`,
    {
      eval: true,
      workerData: url,
    },
  );
  await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
  return worker;
}

test('an agent in a worker answers, and terminating the worker frees its name', async () => {
  await using server = await createSignalingServer();
  await using ours = createPeer({ agentId: 'agent://main', signaling: server.url });
  for (let round = 0; round < 3; round++) {
    const worker = await start(server.url);
    const link = await ours.connect('agent://worker');
    expect(await link.call('echo', round)).toBe(round);
    await worker.terminate();
    // It could not say goodbye; we do not wait until the network notices.
    await link.close();
  }
  expect((await ours.connect('agent://nobody').catch((error: Error) => error)) instanceof Error).toBe(true);
}, 60_000);
