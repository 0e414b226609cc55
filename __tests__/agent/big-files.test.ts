// Files of gigabytes between processes: memory stays small, and a killed agent goes on where it was.
import { createHash } from 'node:crypto';
import {
  closeSync,
  createReadStream,
  ftruncateSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';

import { createSignalingServer } from 'ossa-webrtc';
import type { SignalingServer } from 'ossa-webrtc';

import { Child } from './child';

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;
const script = join(__dirname, 'files-child.mjs');
const children: Child[] = [];
let folder: string;
let server: SignalingServer;

function child(...[mode, ...rest]: string[]): Child {
  const started = new Child(script, [mode!, server.url, ...rest]);
  children.push(started);
  return started;
}

/** The facts that a child reports after this word. */
async function report<T>(from: Child, word: string): Promise<T> {
  const line = await from.line(new RegExp(`^${word} \\{`));
  return JSON.parse(line.slice(word.length)) as T;
}

async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

beforeAll(async () => {
  server = await createSignalingServer();
});
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ossa-big-files-test-'));
});
afterEach(async () => {
  await Promise.all(children.splice(0).map((running) => running.kill()));
  rmSync(folder, { recursive: true });
});
afterAll(() => server.close());

interface Outcome {
  bytes: number;
  sha256: string;
  resumedFrom: number;
  memory: { rss: number; external: number; heapUsed: number };
}

test('two GiB of a stream pass through both agents within a small memory', async () => {
  const sink = child('sink');
  await sink.line(/^ready/);
  const source = child('source', String(2 * GIB));
  const [received, sent] = await Promise.all([report<Outcome>(sink, 'received'), report<Outcome>(source, 'sent')]);
  expect([received.bytes, sent.bytes, received.sha256]).toEqual([2 * GIB, 2 * GIB, sent.sha256]);
  // In MiB: windows, buffers of the connection, and what the garbage collector has not looked at yet.
  for (const { memory } of [received, sent]) {
    expect(memory.rss).toBeLessThan(384);
    expect(memory.external + memory.heapUsed).toBeLessThan(256);
  }
}, 300_000);

test('one GiB survives kill -9 of the receiver and then of the sender: only the rest is sent again', async () => {
  const path = join(folder, 'big.bin');
  const file = openSync(path, 'w');
  ftruncateSync(file, GIB);
  // Holes between blocks that differ: cheap to make, and no part of it can be mistaken for another.
  for (let at = 0; at < GIB; at += MIB) writeSync(file, Buffer.from(`block ${at}`), 0, undefined, at);
  closeSync(file);
  const inbox = join(folder, 'inbox');

  const first = child('receive', inbox, String(256 * MIB));
  await first.line(/^ready/);
  const sender = child('send', path, String(640 * MIB));
  expect(await first.ended).toBe('SIGKILL');
  const part = statSync(join(inbox, 'big.bin.part')).size;
  expect(part).toBeGreaterThanOrEqual(256 * MIB);
  expect(part).toBeLessThan(300 * MIB);

  const second = child('receive', inbox);
  expect(await sender.ended).toBe('SIGKILL');
  const again = child('send', path);
  const [sent, received] = await Promise.all([report<Outcome>(again, 'sent'), report<Outcome>(second, 'received')]);
  expect(sent.resumedFrom).toBe(received.resumedFrom);
  expect(sent.resumedFrom).toBeGreaterThanOrEqual(640 * MIB);
  expect(received.bytes).toBe(GIB);
  const sha256 = await sha256Of(path);
  expect([sent.sha256, received.sha256, await sha256Of(join(inbox, 'big.bin'))]).toEqual([sha256, sha256, sha256]);
  expect(readdirSync(inbox)).toEqual(['big.bin']);
}, 300_000);
