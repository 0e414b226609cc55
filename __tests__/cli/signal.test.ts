import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';

import { createPeer, generateAgentKeys, saveAgentKeys } from 'ossa-webrtc';

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
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
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

test('a server whose output nobody reads any more ends, and not as if it had been told to', async () => {
  const { program } = await signaling('--stats', '100ms');
  program.process.stdout!.destroy();
  expect(await program.ended).toBe(141);
});

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

test('with --auth keys, only the owner of a key gets its name', async () => {
  const keys = await generateAgentKeys();
  await saveAgentKeys(join(folder, 'a.key'), keys);
  const { url } = await signaling('--auth', 'keys', '--trust', `agent://a=${file('a.pub', keys.publicKey)}`);
  const ping = (...args: string[]) => run('ping', ...PING, '--signaling', url, ...args, 'agent://nobody');
  // Registered, it learns that there is no such agent; not registered, that it is not wanted.
  expect((await ping('--id', 'agent://a', '--keys', join(folder, 'a.key'))).code).toBe(3);
  await saveAgentKeys(join(folder, 'b.key'), await generateAgentKeys());
  expect((await ping('--id', 'agent://a', '--keys', join(folder, 'b.key'))).code).toBe(4);
  expect((await ping('--id', 'agent://a')).code).toBe(4);
  const doctor = await run('doctor', '--signaling', url);
  expect(doctor.stdout).toMatch(/warn {2}ws:.* is there, and refuses agents without a proof/);
});

test('with --auth bearer, a token is needed, from a file or a variable', async () => {
  const { url } = await signaling('--auth', 'bearer', '--tokens-file', file('tokens', '["s3cret-of-all"]'));
  const token = file('token', 's3cret-of-all\n');
  await target(url, '--token-file', token);
  const ping = ['ping', ...PING, '--signaling', url];
  expect((await run(...ping, '--token-file', token, 'agent://target')).code).toBe(0);
  const variable = new Program([...ping, 'agent://target'], { env: { OSSA_TOKEN: 's3cret-of-all' } });
  expect((await variable.result()).code).toBe(0);
  const wrong = new Program([...ping, 'agent://target'], { env: { OSSA_TOKEN: 'another' } });
  const { code, stderr } = await wrong.result();
  expect(code).toBe(4);
  expect(stderr).not.toContain('another');
});

test('TURN servers are handed out with passwords that expire, and the doctor tests them', async () => {
  const secret = file('secret', 'of the turn server');
  const turn = ['--turn', 'turn:127.0.0.1:1', '--turn-secret-file', secret, '--turn-ttl', '10m'];
  const { url } = await signaling('--auth', 'tofu', ...turn);
  const doctor = new Program(['doctor', '--json', '--wait', '1s', '--signaling', url]);
  // Nobody listens there, and it says so.
  expect((await doctor.result()).code).toBe(1);
  const check = (name: string) => doctor.objects.find((object) => object['check'] === name);
  expect(check('signaling-ice')).toMatchObject({ urls: ['turn:127.0.0.1:1'] });
  expect(check('turn')).toMatchObject({ status: 'fail', url: 'turn:127.0.0.1:1', given: true });
});

test('servers with the same Redis are one', async () => {
  const port = await freePort();
  const redis = spawn('redis-server', ['--port', String(port), '--save', '', '--dir', folder], { stdio: 'ignore' });
  try {
    const cluster = { OSSA_SIGNAL_REDIS: `redis://127.0.0.1:${port}` };
    const servers = [0, 1].map(() => new Program(['signal', '--port', '0', '--json'], { env: cluster }));
    const [one, two] = await Promise.all(
      servers.map(async (server) => (await server.object('listening'))['url'] as string),
    );
    for (const url of [one!, two!]) await ready(url);
    await target(one!);
    expect((await run('ping', ...PING, '--signaling', two!, 'agent://target')).code).toBe(0);
  } finally {
    redis.kill();
    await once(redis, 'exit');
  }
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

/** Asks until the server says that it is in its cluster. */
async function ready(url: string): Promise<void> {
  while (!(await fetch(new URL('/ready', url.replace(/^ws/, 'http')))).ok);
}

test('what happens is logged as JSON, with a warning of an open server that others can reach', async () => {
  const program = new Program(['signal', '--port', '0', '--host', '0.0.0.0', '--json']);
  await program.object('listening');
  const warning = await program.object('log', ({ level }) => level === 'warn');
  expect(warning).toMatchObject({
    time: expect.stringMatching(/Z$/) as string,
    message: expect.stringContaining('anyone') as string,
  });
  expect(program.stderr).toBe('');
});

test('health and metrics are there', async () => {
  const { url } = await signaling();
  const get = async (path: string) => await fetch(new URL(path, url.replace(/^ws/, 'http')));
  expect((await get('/health')).status).toBe(200);
  expect(await (await get('/metrics')).text()).toContain('# TYPE');
});

test.each([
  [['--tls-cert', 'cert.pem'], '--tls-cert and --tls-key need each other'],
  [['--trust', 'agent://a=a.pub'], '--trust has no effect with --auth open'],
  [['--auth', 'keys'], '--auth keys needs --trust or --jwks'],
  [['--auth', 'bearer'], '--auth bearer needs --tokens-file'],
  [['--auth', 'tofu', '--tokens-file', 'x'], '--tokens-file has no effect with --auth tofu'],
  [['--auth', 'basic'], '--auth is one of open, tofu, keys, bearer, not "basic"'],
  [
    ['--turn', 'turn:host', '--auth', 'tofu'],
    '--turn needs --turn-secret-file or the variable OSSA_SIGNAL_TURN_SECRET',
  ],
  [['--turn-ttl', '1h'], '--turn-ttl has no effect without --turn'],
  [['--redis-prefix', 'x'], '--redis-prefix has no effect without --redis'],
  [['--redis', 'redis://h', '--redis-cert', 'x'], '--redis-cert and --redis-key need each other'],
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
