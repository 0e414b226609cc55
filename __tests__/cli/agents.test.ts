// ping and call, against an agent of this process.
import { createPeer, createSignalingServer, generateAgentKeys, AgentError } from 'ossa-webrtc';
import type { AgentPeer, PeerOptions, SignalingServer } from 'ossa-webrtc';

import { killAll, Program } from './program';

let server: SignalingServer;
const peers: AgentPeer[] = [];

beforeEach(async () => {
  server = await createSignalingServer();
});

afterEach(async () => {
  await killAll();
  await Promise.all(peers.splice(0).map((peer) => peer.close()));
  await server.close();
});

async function agent(name: string, options: Partial<PeerOptions> = {}): Promise<AgentPeer> {
  const peer = createPeer({ agentId: `agent://${name}`, signaling: server.url, ...options });
  peers.push(peer);
  await peer.ready;
  return peer;
}

const program = (...args: string[]) => new Program(args, { env: { OSSA_SIGNALING: server.url } });

test('ping measures round trips and shows the path', async () => {
  await agent('b');
  const ping = program('ping', '-c', '3', '-i', '1ms', 'agent://b');
  const { code, stdout, stderr } = await ping.result();
  expect(stderr).toBe('');
  expect(stdout).toMatch(/^PING agent:\/\/b \(name not proven\), direct: own address \S+:\d+ -> .+\n/);
  expect(stdout.match(/^answer from agent:\/\/b: seq=\d time=[\d.]+ ms$/gm)).toHaveLength(3);
  expect(stdout).toMatch(/3 calls, 3 answers, 0% lost, time/);
  expect(stdout).toMatch(/rtt min\/avg\/max\/mdev = [\d.]+\/[\d.]+\/[\d.]+\/[\d.]+ ms\n$/);
  expect(code).toBe(0);
});

test('ping tells programs the same, with numbers that fit together', async () => {
  await agent('b');
  const ping = program('ping', '-c', '4', '-i', '1ms', '--json', 'agent://b');
  expect((await ping.result()).code).toBe(0);
  const [connected, ...rest] = ping.objects;
  expect(connected).toMatchObject({ type: 'connected', agent: 'agent://b', authenticated: false });
  expect(connected!['path']).toMatchObject({ local: { type: 'host', protocol: 'udp' }, remote: { protocol: 'udp' } });
  const summary = rest.pop()!;
  const times = rest.map((object) => object['rtt'] as number);
  expect(rest.map((object) => object['seq'])).toEqual([1, 2, 3, 4]);
  const { min, max, avg } = summary['rtt'] as Record<string, number>;
  expect([min, max]).toEqual([Math.min(...times), Math.max(...times)]);
  expect(avg).toBeCloseTo(times.reduce((sum, time) => sum + time) / 4);
  expect(summary).toMatchObject({ type: 'summary', calls: 4, answers: 4, loss: 0 });
});

test('Ctrl-C ends ping with its statistics and 130', async () => {
  await agent('b');
  const ping = program('ping', '-i', '1ms', 'agent://b');
  await ping.text(/seq=2 /);
  ping.process.kill('SIGINT');
  expect(await ping.ended).toBe(130);
  expect(ping.stdout).toMatch(/(\d+) calls, \1 answers, 0% lost/);
  expect(ping.stderr).toBe('');
});

test('ping ends when nobody reads its output', async () => {
  await agent('b');
  const ping = program('ping', '-i', '1ms', 'agent://b');
  await ping.text(/seq=1 /);
  ping.process.stdout!.destroy();
  expect(await ping.ended).toBe(141);
});

test('an agent that is not there is unreachable (3), one that refuses us is not (4)', async () => {
  await agent('closed', { allow: 'agent://friend' });
  const absent = program('ping', '-c', '1', 'agent://nobody');
  const refusing = program('ping', '-c', '1', 'agent://closed');
  expect(await absent.result()).toMatchObject({ code: 3, stdout: '' });
  expect(absent.stderr).toContain('agent://nobody');
  expect(await refusing.result()).toMatchObject({ code: 4, stdout: '' });
});

test('of several signaling servers the first that can be reached is used, also by plain HTTP', async () => {
  await agent('b');
  const dead = 'ws://127.0.0.1:1/';
  const over = program('ping', '-c', '1', '--signaling', dead, '--signaling', server.url, 'agent://b');
  expect((await over.result()).code).toBe(0);
  const variable = new Program(['ping', '-c', '1', 'agent://b'], { env: { OSSA_SIGNALING: `${dead} ${server.url}` } });
  expect((await variable.result()).code).toBe(0);
  const http = program('ping', '-c', '1', '--signaling', server.url.replace('ws:', 'http:'), 'agent://b');
  expect((await http.result()).code).toBe(0);
});

test('keys and --trust prove names both ways', async () => {
  const keys = await generateAgentKeys();
  await agent('b', { auth: { keys, mode: 'none' } });
  const key = keys.publicKey.replace(/-----[^-]+-----|\s/g, '');
  const right = program('ping', '-c', '1', '--trust', `agent://b=${key}`, 'agent://b');
  expect((await right.result()).stdout).toContain('PING agent://b (proven: pinned)');
  const other = (await generateAgentKeys()).publicKey.replace(/-----[^-]+-----|\s/g, '');
  const wrong = program('ping', '-c', '1', '--timeout', '2s', '--trust', `agent://b=${other}`, 'agent://b');
  expect((await wrong.result()).code).not.toBe(0);
  expect(wrong.stdout).toBe('');
});

test('call prints a result on one line, a stream item by item, and strings raw if asked', async () => {
  const b = await agent('b');
  b.handle('sum', (numbers: number[]) => ({ total: numbers.reduce((sum, n) => sum + n, 0), evil: '\x9b31m' }));
  b.handle('count', function* ({ to }: { to: number }) {
    for (let n = 1; n <= to; n++) yield n;
  });
  b.handle('greet', (name: string) => `hello\n${name}`);
  const sum = program('call', 'agent://b', 'sum', '[1, 2, 3]');
  // What a terminal could obey is escaped, and the text is still the same JSON.
  expect(await sum.result()).toEqual({ code: 0, stdout: '{"total":6,"evil":"\\u009b31m"}\n', stderr: '' });
  const count = program('call', 'agent://b', 'count', '-');
  expect((await count.result('{"to": 3}')).stdout).toBe('1\n2\n3\n');
  const greet = program('call', '-r', '-s', 'agent://b', 'greet', 'you');
  expect((await greet.result()).stdout).toBe('hello\nyou\n');
  const json = program('call', '--json', 'agent://b', 'count', '{"to": 2}');
  await json.result();
  expect(json.objects).toEqual([
    { type: 'result', value: 1 },
    { type: 'result', value: 2 },
  ]);
});

test('call ends with the code that fits the failure', async () => {
  const b = await agent('b');
  b.handle('fails', () => {
    throw new AgentError('SOLD_OUT', 'come back tomorrow');
  });
  let aborted!: (reason: unknown) => void;
  const cancelled = new Promise((resolve) => (aborted = resolve));
  b.handle('hangs', (_, { signal }) => {
    return new Promise<void>((resolve) =>
      signal.addEventListener('abort', () => {
        aborted((signal.reason as AgentError).code);
        resolve();
      }),
    );
  });
  const fails = program('call', 'agent://b', 'fails', '--json');
  expect((await fails.result()).code).toBe(1);
  expect(fails.objects).toEqual([{ type: 'error', code: 'SOLD_OUT', message: 'come back tomorrow', exitCode: 1 }]);
  expect(await program('call', 'agent://b', 'none').result()).toMatchObject({ code: 1, stdout: '' });
  expect(await program('call', '-W', '50ms', 'agent://b', 'hangs').result()).toMatchObject({ code: 5, stdout: '' });
  expect(await cancelled).toBe('TASK_CANCELLED');
});

test('a call given up with Ctrl-C is cancelled at the other side', async () => {
  const b = await agent('b');
  let started!: () => void;
  const running = new Promise<void>((resolve) => (started = resolve));
  const cancelled = new Promise<boolean>((resolve) => {
    b.handle('hangs', async (_, { signal }) => {
      started();
      await new Promise<void>((done) => signal.addEventListener('abort', () => done()));
      resolve(true);
    });
  });
  const call = program('call', 'agent://b', 'hangs');
  await running;
  call.process.kill('SIGINT');
  expect(await call.ended).toBe(130);
  expect(await cancelled).toBe(true);
});
