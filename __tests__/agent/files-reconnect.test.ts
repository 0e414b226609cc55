// Transfers over links that lose their connection and get another one.
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';

import { createPeer, MemorySignaling } from 'ossa-webrtc';
import type { AgentPeer, IncomingFile, Link, PeerOptions, Reconnected } from 'ossa-webrtc';

import { LossyPath } from './lossy-path';

const MIB = 1024 * 1024;
const OPTIONS: Partial<PeerOptions> = {
  limits: { fileWindow: MIB },
  transport: { ice: { maxRto: 100, disconnectedTimeout: 500, failedTimeout: 60_000 } },
  // The new connection is tried again and again until the path is mended.
  reconnect: { grace: 20, delay: 50, attemptTimeout: 2000, attempts: 1000 },
};

const open: AgentPeer[] = [];
let folder: string;
let path: LossyPath;
let ab: Link;
let ba: Link;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ossa-files-test-'));
  path = new LossyPath();
  const signaling = path.over(new MemorySignaling());
  const [a, b] = (['a', 'b'] as const).map((name) =>
    createPeer({ agentId: `agent://${name}`, signaling, ...OPTIONS }),
  ) as [AgentPeer, AgentPeer];
  open.push(a, b);
  await b.ready;
  const incoming = new Promise<Link>((resolve) => b.once('link', resolve));
  [ab, ba] = await Promise.all([a.connect('agent://b'), incoming]);
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((peer) => peer.close()));
  path.close();
  rmSync(folder, { recursive: true, force: true });
});

function offered(): Promise<IncomingFile> {
  return new Promise((resolve) => ba.once('file', resolve));
}

/** Cuts the path until the connection is given up, then mends it. Resolves when the link has another connection. */
async function outage(): Promise<void> {
  const rebuilding = new Promise<void>((resolve) => {
    ab.on('reconnecting', ({ how }) => how === 'rebuild' && resolve());
  });
  const back = new Promise<Reconnected>((resolve) => ab.once('reconnected', resolve));
  path.lose();
  await rebuilding;
  path.cut = false;
  expect((await back).how).toBe('rebuilt');
}

test('a transfer goes on by itself over the next connection, into the same file', async () => {
  const data = randomBytes(6 * MIB);
  writeFileSync(join(folder, 'x'), data);
  const incoming = offered();
  const transfer = ab.sendFile(join(folder, 'x'));
  const file = await incoming;
  await new Promise<void>((resolve) => {
    file.accept({ directory: join(folder, 'in') }, { onProgress: ({ bytes }) => bytes >= 2 * MIB && resolve() });
  });
  ba.on('file', () => {
    throw new Error('must not be offered a second time');
  });
  await outage();
  const [received, sent] = await Promise.all([file.done, transfer.done]);
  expect(sent.resumedFrom).toBeGreaterThanOrEqual(2 * MIB);
  expect(received.resumedFrom).toBe(sent.resumedFrom);
  expect(readFileSync(received.path!).equals(data)).toBe(true);
  expect(readdirSync(join(folder, 'in'))).toEqual(['x']);
});

test('so does one into a stream, which gets every byte once', async () => {
  const data = randomBytes(6 * MIB);
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  let reached!: () => void;
  const some = new Promise<void>((resolve) => (reached = resolve));
  const stream = new Writable({
    write(chunk: Uint8Array, _encoding, callback) {
      chunks.push(chunk);
      if ((bytes += chunk.length) >= 2 * MIB) reached();
      callback();
    },
  });
  const incoming = offered();
  const transfer = ab.sendFile(data);
  const file = (await incoming).accept(stream);
  await some;
  await outage();
  await Promise.all([file.done, transfer.done]);
  expect(Buffer.concat(chunks).equals(data)).toBe(true);
});

test('a file that was offered before can be accepted afterwards', async () => {
  const incoming = offered();
  const transfer = ab.sendFile(Buffer.from('patience'));
  const file = await incoming;
  await outage();
  const { path: where } = await file.accept(join(folder, 'late')).done;
  await transfer.done;
  expect(readFileSync(where!, 'utf8')).toBe('patience');
});
