// A large dataset as a file, checked and resumable: `npx tsx examples/files.mts`
// The specification's large data transfer.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { createPeer, createSignalingServer } from 'ossa-webrtc';

await using server = await createSignalingServer();
await using source = createPeer({ agentId: 'agent://example.com/source', signaling: server.url });
await using archive = createPeer({ agentId: 'agent://example.com/archive', signaling: server.url });
await archive.ready;

const folder = await mkdtemp(join(tmpdir(), 'archive-'));
const stored = new Promise<void>((resolve, reject) => {
  archive.on('file', (file) => {
    console.log(`${file.from} offers ${file.name}, ${file.size} bytes`);
    file.accept(join(folder, file.name));
    file.done.then(({ sha256 }) => {
      console.log('stored, SHA-256', sha256);
      resolve();
    }, reject);
  });
});

const link = await source.connect('agent://example.com/archive');
const largeDataset = new Uint8Array(20 * 1024 * 1024).map((_, i) => i * 31);
const { bytes, sha256 } = await link.sendFile(largeDataset, { name: 'dataset.bin' }).done;
console.log(`sent ${bytes} bytes, SHA-256 ${sha256}`);
await stored;
await rm(folder, { recursive: true });
