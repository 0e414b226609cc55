// An agent that sends a file to the receiver: `node examples/file-sender.mjs ws://127.0.0.1:8080 FILE`
import { createHash, randomUUID } from 'node:crypto';
import { createReadStream, statSync } from 'node:fs';
import { basename } from 'node:path';

import { createPeer } from 'ossa-webrtc';

import { megabytes, progress } from './progress.mjs';

const [signaling, file] = process.argv.slice(2);
const receiver = 'agent://example.com/receiver';
const CHUNK = 64 * 1024;
const PINGS = 200;

async function sha256Of(path) {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk);
  return hash.digest('hex');
}

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

const [id, name, { size }] = [randomUUID(), basename(file), statSync(file)];
const sha256 = await sha256Of(file);
const receipt = link.call('receive-file', { id, name, size, sha256 }, { timeout: 600_000 });
// Reported below; should it fail while we are still sending, the channel fails as well.
receipt.catch(() => undefined);

const channel = await link.createChannel('file-transfer', { protocol: id });
const show = progress('sending', size);
const started = performance.now();
let sent = 0;
for await (const chunk of createReadStream(file, { highWaterMark: CHUNK })) {
  // Resolves when there is room: no more than 1 MiB waits in memory.
  await channel.send(chunk);
  show((sent += chunk.length));
}
await receipt;
const seconds = (performance.now() - started) / 1000;
await peer.close();

console.log(
  `done: ${name}, ${megabytes(size)} in ${seconds.toFixed(2)} s = ${(size / 1e6 / seconds).toFixed(0)} MB/s, ` +
    `round trip ${latency.toFixed(2)} ms, SHA-256 verified`,
);
