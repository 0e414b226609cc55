// A file of 100 MB between two agents: the same bytes arrive.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { createPeer, createSignalingServer } from 'ossa-webrtc';

const BYTES = 100_000_000;

const folder = await mkdtemp(join(tmpdir(), 'ossa-webrtc-runtime-'));
const server = await createSignalingServer();
const from = createPeer({ agentId: 'agent://example.com/from', signaling: server.url });
const to = createPeer({ agentId: 'agent://example.com/to', signaling: server.url });
try {
  const data = new Uint8Array(BYTES);
  for (let at = 0; at < BYTES; at += 4099) data[at] = at >> 3;
  await writeFile(join(folder, 'sent'), data);
  const received = new Promise((resolve, reject) => {
    to.on('file', (file) => file.accept(join(folder, 'received')).done.then(resolve, reject));
  });
  await to.ready;
  const link = await from.connect('agent://example.com/to');
  const { bytes, sha256 } = await link.sendFile(join(folder, 'sent')).done;
  assert.equal(bytes, BYTES);
  assert.equal((await received).sha256, sha256);
  const hash = (bytes) => createHash('sha256').update(bytes).digest('hex');
  assert.equal(hash(await readFile(join(folder, 'received'))), hash(data));
} finally {
  await Promise.all([from.close(), to.close(), server.close()]);
  await rm(folder, { recursive: true });
}
