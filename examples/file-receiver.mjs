// An agent that takes files: `node examples/file-receiver.mjs ws://127.0.0.1:8080 [folder]`
// It answers calls, makes some itself, and takes every file that is offered. It ends with the first link. Killed and
// started again with the same folder, it goes on with a file where it was.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { createPeer } from 'ossa-webrtc';

import { megabytes } from './progress.mjs';

const [signaling, given] = process.argv.slice(2);
const folder = given ?? mkdtempSync(join(tmpdir(), 'ossa-webrtc-'));

const peer = createPeer({ agentId: 'agent://example.com/receiver', signaling });

peer.handle('ping', (input) => input);
peer.handle('sum', (numbers) => numbers.reduce((sum, number) => sum + number, 0));

peer.on('file', async (file) => {
  try {
    // Under a name that is safe, whatever the sender calls it; verified before it gets that name.
    const { path, bytes, sha256, resumedFrom } = await file.accept({ directory: folder }).done;
    const rest = resumedFrom > 0 ? ` (${megabytes(resumedFrom)} were here already)` : '';
    console.log(`received ${file.name}, ${megabytes(bytes)}${rest}, SHA-256 ${sha256.slice(0, 16)}... is right`);
    if (given !== undefined) console.log(`it is ${path}`);
  } catch (error) {
    console.error(`${file.name} from ${file.from} did not arrive: ${error.message}`);
  }
});

process.once('SIGINT', () => peer.close());
process.once('SIGTERM', () => peer.close());

await peer.ready;
console.log(`ready as ${peer.agentId}`);
for await (const link of peer) {
  console.log(`connected to ${link.remote.agentId}`);
  const about = await link.call('describe');
  console.log(`it says: ${about}`);
  await link.closed;
  break;
}
await peer.close();
if (given === undefined) rmSync(folder, { recursive: true, force: true });
