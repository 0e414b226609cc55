import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';

import { createPeer } from 'ossa-webrtc';

import { selfSigned } from '../agent/self-signed';
import { killAll, Program, run, signaling } from './program';

let folder: string;

beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'ossa-cli-'))));

afterEach(async () => {
  await killAll();
  rmSync(folder, { recursive: true, force: true });
});

/** A file of this test. */
function file(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content, { mode: 0o600 });
  return path;
}

const PING = ['-c', '1', '--timeout', '10s'];

test('signal says where it listens, serves agents, and ends with 0 on SIGTERM and on Ctrl-C', async () => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    const { program, url } = await signaling();
    const peer = createPeer({ agentId: 'agent://a', signaling: url });
    await peer.ready;
    program.process.kill(signal);
    expect(await program.ended).toBe(0);
    const said = program.objects.map(({ type }) => type).filter((type) => type !== 'log');
    expect(said).toEqual(['listening', 'stopping', 'stopped']);
    expect(await program.object('stopping')).toMatchObject({ agents: 1 });
    await peer.close();
  }
});

test('signal speaks to people as well', async () => {
  const program = new Program(['signal', '--port', '0', '--path', '/meet']);
  const [, url] = await program.text(/^listening on (ws:\/\/127\.0\.0\.1:\d+\/meet)\n/);
  const peer = createPeer({ agentId: 'agent://a', signaling: url! });
  await peer.ready;
  await peer.close();
  program.process.kill('SIGINT');
  expect(await program.ended).toBe(0);
  expect(program.stdout).toMatch(/\nstopped after .*; 1 connection, 0 messages relayed\n$/);
});

test('settings come from the environment, and limits count', async () => {
  const program = new Program(['signal', '--json'], {
    env: { OSSA_SIGNAL_PORT: '0', OSSA_SIGNAL_MAX_CONNECTIONS: '1' },
  });
  const { url } = await program.object('listening');
  const first = createPeer({ agentId: 'agent://a', signaling: url as string });
  await first.ready;
  const second = new Program(['ping', '--timeout', '500ms', '--signaling', url as string, 'agent://a']);
  expect((await second.result()).code).toBe(3);
  await first.close();
});

test('a port that is taken is an error with the reason', async () => {
  const { url } = await signaling();
  const program = new Program(['signal', '--port', new URL(url).port]);
  const { code, stdout, stderr } = await program.result();
  expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
  expect(stderr).toContain(new URL(url).port);
});

test('counters come as often as they are asked for', async () => {
  const { program } = await signaling('--stats', '100ms');
  expect(await program.object('stats')).toMatchObject({ connections: 0, agents: 0, relayed: 0 });
});

/** Answers pings at a server until the test is over. */
async function target(url: string, ...args: string[]): Promise<void> {
  const listening = new Program(['bench', '--listen', '--json', '--signaling', url, '--id', 'agent://target', ...args]);
  await listening.object('ready');
}

test('agents come by TLS, and SIGHUP reads the certificate again', async () => {
  const [old, renewed] = [selfSigned(), selfSigned()];
  const [cert, key] = [file('cert.pem', old.cert), file('key.pem', old.key)];
  const { program, url } = await signaling('--tls-cert', cert, '--tls-key', key);
  expect(url).toMatch(/^wss:/);
  await target(url, '--ca', cert);
  expect((await run('ping', ...PING, '--signaling', url, '--ca', cert, 'agent://target')).code).toBe(0);
  expect((await run('ping', '-c', '1', '--timeout', '5s', '--signaling', url, 'agent://target')).code).toBe(3);
  const shown = async () => {
    const socket = connect({ port: Number(new URL(url).port), host: '127.0.0.1', rejectUnauthorized: false });
    await once(socket, 'secureConnect');
    const { raw } = socket.getPeerCertificate();
    socket.destroy();
    return raw.toString('base64');
  };
  const der = (pem: string) => pem.replace(/-----[^-]+-----|\s/g, '');
  expect(await shown()).toBe(der(old.cert));
  writeFileSync(cert, renewed.cert);
  writeFileSync(key, renewed.key);
  program.process.kill('SIGHUP');
  await program.object('reloaded');
  expect(await shown()).toBe(der(renewed.cert));
  writeFileSync(key, 'nonsense');
  program.process.kill('SIGHUP');
  await program.object('reload-failed');
  expect(await shown()).toBe(der(renewed.cert));
});

test('health and metrics are there', async () => {
  const { url } = await signaling();
  const get = async (path: string) => await fetch(new URL(path, url.replace(/^ws/, 'http')));
  expect((await get('/health')).status).toBe(200);
  expect(await (await get('/metrics')).text()).toContain('# TYPE');
});

test.each([
  [['--tls-cert', 'cert.pem'], '--tls-cert and --tls-key need each other'],
  [['--path', 'meet'], 'path must begin with "/"'],
])('signal %j is refused', async (args, message) => {
  const { code, stdout, stderr } = await run('signal', '--port', '0', ...args);
  expect(stderr).toContain(message);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
});

test('a certificate that is none, and a token that is too short, are refused without showing them', async () => {
  const nonsense = file('nonsense', 'not a certificate');
  expect((await run('signal', '--port', '0', '--tls-cert', nonsense, '--tls-key', nonsense)).code).not.toBe(0);
  const short = new Program(['signal', '--port', '0'], { env: { OSSA_SIGNAL_ADMIN_TOKEN: 'short' } });
  const { code, stderr } = await short.result();
  expect(code).toBe(2);
  expect(stderr).toContain('16 characters');
  expect(stderr).not.toContain('"short"');
});
