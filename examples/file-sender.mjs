// An agent that sends a file to the receiver: `node examples/file-sender.mjs ws://127.0.0.1:8080 FILE`
import { basename } from 'node:path';

import { createPeer } from 'ossa-webrtc';

import { megabytes, progress } from './progress.mjs';

const [signaling, file] = process.argv.slice(2);
const receiver = 'agent://example.com/receiver';
const PINGS = 200;

/** Median time of a call and its answer, in milliseconds. */
async function roundTrip(link) {
  const times = [];
  for (let ping = 0; ping < PINGS; ping++) {
    const started = performance.now();
    await link.call('ping', ping);
    times.push(performance.now() - started);
  }
  return times.sort((a, b) => a - b)[PINGS / 2];
}

const peer = createPeer({ agentId: 'agent://example.com/sender', signaling });
process.once('SIGINT', () => peer.close());
process.once('SIGTERM', () => peer.close());
peer.handle('describe', () => `I am ${peer.agentId}, process ${process.pid}`);

const link = await peer.connect(receiver);
console.log(`connected to ${receiver}`);
console.log(`it says that 1 + 2 + 3 is ${await link.call('sum', [1, 2, 3])}`);

const latency = await roundTrip(link);
console.log(`a call and its answer take ${latency.toFixed(2)} ms (median of ${PINGS})`);

const started = performance.now();
let show;
const transfer = link.sendFile(file, {
  onProgress({ bytes, total }) {
    show ??= progress('sending', total);
    show(bytes);
  },
});
// Resolves when the receiver has the file in its place and its SHA-256 is right.
const { bytes, resumedFrom } = await transfer.done;
const seconds = (performance.now() - started) / 1000;
await peer.close();

console.log(
  `done: ${basename(file)}, ${megabytes(bytes)} in ${seconds.toFixed(2)} s = ` +
    `${((bytes - resumedFrom) / 1e6 / seconds).toFixed(0)} MB/s, round trip ${latency.toFixed(2)} ms, SHA-256 verified`,
);
