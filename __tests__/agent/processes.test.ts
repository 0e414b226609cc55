// Agents in processes of their own, and the demo.
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { createSignalingServer } from 'ossa-webrtc';
import type { SignalingServer } from 'ossa-webrtc';

import { Child } from './child';

const script = join(__dirname, 'agent-child.mjs');
const demo = join(__dirname, '..', '..', 'scripts', 'demo.mjs');
const folder = mkdtempSync(join(tmpdir(), 'ossa-agent-test-'));
const children: Child[] = [];
let server: SignalingServer;

function child(path: string, args: string[]): Child {
  const started = new Child(path, args);
  children.push(started);
  return started;
}

beforeAll(async () => {
  server = await createSignalingServer();
});
afterEach(() => Promise.all(children.splice(0).map((running) => running.kill())));
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

test('two processes find each other, call each other and end by themselves', async () => {
  const serving = child(script, ['serve', server.url]);
  await serving.line(/^ready/);
  const visiting = child(script, ['visit', server.url]);
  expect(await visiting.ended).toBe(0);
  expect(visiting.output).toEqual(['echo {"n":1} agent://example.com/visitor', 'done']);
  expect(await serving.ended).toBe(0);
  expect(serving.output).toEqual([
    'ready',
    'linked agent://example.com/visitor',
    'called back: hi back',
    'link closed',
    'done',
  ]);
  expect(server.stats().agents).toBe(0);
});

test('an agent that was killed can be replaced at once under its name', async () => {
  const first = child(script, ['serve', server.url]);
  await first.line(/^ready/);
  await first.kill();
  const second = child(script, ['serve', server.url]);
  await second.line(/^ready/);
  expect(await child(script, ['visit', server.url]).ended).toBe(0);
  expect(await second.ended).toBe(0);
});

test('an open agent keeps its process alive', async () => {
  const serving = child(script, ['serve', server.url]);
  await serving.line(/^ready/);
  const lingering = child(script, ['linger', server.url]);
  await lingering.line(/^done/);
  await serving.line(/called back/);
  expect(lingering.process.exitCode).toBeNull();
});

describe('the demo', () => {
  const file = join(folder, 'payload.bin');
  const content = Buffer.alloc(3_000_001, 'ossa');
  beforeAll(() => writeFileSync(file, content));

  /** Whether the signaling server of a demo is gone. */
  const portIsClosed = (output: string[]) => {
    const port = Number(/ws:\/\/127\.0\.0\.1:(\d+)/.exec(output.join('\n'))![1]);
    return new Promise((resolve) =>
      connect(port, '127.0.0.1')
        .on('error', () => resolve(true))
        .on('connect', () => resolve(false)),
    );
  };

  test('moves a file, checks it, says how fast, and leaves nothing running', async () => {
    const running = child(demo, ['--no-build', '--file', file]);
    expect(await running.ended).toBe(0);
    expect(running.output.at(-1)).toMatch(
      /^OK payload\.bin, 3\.0 MB in \d+\.\d\d s = \d+ MB\/s, round trip \d+\.\d\d ms, SHA-256 verified$/,
    );
    const digest = createHash('sha256').update(content).digest('hex').slice(0, 16);
    expect(running.output.join('\n')).toContain(`SHA-256 ${digest}... is right`);
    expect(running.output.join('\n')).toMatch(/sending 100 %/);
    expect(await portIsClosed(running.output)).toBe(true);
  });

  test('fails with a reason', async () => {
    const running = child(demo, ['--no-build', '--file', join(folder, 'missing')]);
    expect(await running.ended).toBe(1);
    expect(running.output.join('\n')).toMatch(/missing does not exist/);
  });

  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('cleans up after %s', async (signal, code) => {
    const running = child(demo, ['--no-build', '--file', process.execPath]);
    await running.line(/connected to/);
    running.process.kill(signal);
    expect(await running.ended).toBe(code);
    expect(await portIsClosed(running.output)).toBe(true);
  });
});
