// An agent that takes files: `node examples/file-receiver.mjs ws://127.0.0.1:8080 [folder]`
// It answers calls, makes some itself, and checks the SHA-256 of every file. It ends with the first link.
import { createHash } from 'node:crypto';
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

import { AgentError, createPeer } from 'ossa-webrtc';

import { megabytes } from './progress.mjs';

const [signaling, folder = join(tmpdir(), `ossa-webrtc-${process.pid}`)] = process.argv.slice(2);
const temporary = process.argv[3] === undefined;

const peer = createPeer({ agentId: 'agent://example.com/receiver', signaling });

peer.handle('ping', (input) => input);
peer.handle('sum', (numbers) => numbers.reduce((sum, number) => sum + number, 0));

/** Writes what comes in over one channel to a file. Synchronously: while it is busy, the sender waits. */
function receive(channel, path, size) {
  const hash = createHash('sha256');
  const file = openSync(path, 'w');
  let received = 0;
  return new Promise((resolve, reject) => {
    if (size === 0) resolve(hash.digest('hex'));
    channel.on('message', (chunk) => {
      const bytes = new Uint8Array(chunk);
      hash.update(bytes);
      writeSync(file, bytes);
      received += bytes.length;
      if (received === size) resolve(hash.digest('hex'));
    });
    channel.on('close', (error) => reject(error ?? new Error(`the channel closed after ${received} of ${size} bytes`)));
  }).finally(() => closeSync(file));
}

// The caller announces a file and opens a channel whose protocol is the file's id. Either may arrive first.
const arrivals = new Map();
function arrival(id) {
  if (!arrivals.has(id)) {
    let arrived;
    arrivals.set(id, { channel: new Promise((resolve) => (arrived = resolve)), arrived });
  }
  return arrivals.get(id);
}

peer.handle('receive-file', async ({ id, name, size, sha256 }, { link, signal }) => {
  const channel = await arrival(`${link.remote.agentId} ${id}`).channel;
  signal.throwIfAborted();
  mkdirSync(folder, { recursive: true });
  // A name from elsewhere must not lead out of the folder.
  const path = join(folder, basename(name));
  const actual = await receive(channel, path, size);
  if (actual !== sha256) throw new AgentError('CAPABILITY_FAILED', `SHA-256 of ${name} is ${actual}, not ${sha256}`);
  console.log(`received ${name}, ${megabytes(size)}, SHA-256 ${actual.slice(0, 16)}... is right`);
  return { sha256: actual };
});

process.once('SIGINT', () => peer.close());
process.once('SIGTERM', () => peer.close());

await peer.ready;
console.log(`ready as ${peer.agentId}`);
for await (const link of peer) {
  console.log(`connected to ${link.remote.agentId}`);
  link.on('channel', (channel) => arrival(`${link.remote.agentId} ${channel.protocol}`).arrived(channel));
  const about = await link.call('describe');
  console.log(`it says: ${about}`);
  await link.closed;
  break;
}
await peer.close();
if (temporary) rmSync(folder, { recursive: true, force: true });
