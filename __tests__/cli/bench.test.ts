import { createPeer } from 'ossa-webrtc';

import { killAll, Program, run, signaling } from './program';

afterEach(killAll);

function expectFigures(program: Program): void {
  const of = (type: string) => program.objects.find((object) => object.type === type)!;
  const [throughput, messages, rtt] = [of('throughput'), of('messages'), of('rtt')] as Record<string, number>[];
  expect(throughput!['bytesPerSecond']).toBeCloseTo((throughput!['bytes']! / throughput!['time']!) * 1000);
  expect(throughput!['bytes']).toBe(throughput!['messages']! * 65_536);
  expect(messages!['messagesPerSecond']).toBeCloseTo((messages!['messages']! / messages!['time']!) * 1000);
  expect(messages!['bytes']).toBe(messages!['messages']! * 64);
  expect(rtt!['calls']).toBeGreaterThan(0);
  expect(rtt!['min']).toBeLessThanOrEqual(rtt!['p50']!);
  expect(rtt!['p50']).toBeLessThanOrEqual(rtt!['p99']!);
  expect(rtt!['p99']).toBeLessThanOrEqual(rtt!['max']!);
}

test('without an agent it measures two processes of this machine, whatever is set for others', async () => {
  const env = { OSSA_SIGNALING: 'ws://127.0.0.1:1', OSSA_ID: 'agent://somebody' };
  const bench = new Program(['bench', '--time', '200ms', '--json'], { env });
  const { code, stderr } = await bench.result();
  expect(stderr).toMatch(/^agent:\/\/localhost\/\S+, direct: .*\n$/);
  expect(code).toBe(0);
  expectFigures(bench);
});

test('it measures the way to an agent that listens, in units for people', async () => {
  const { url } = await signaling();
  const other = new Program(['bench', '--listen', '--signaling', url, '--id', 'agent://other', '--json']);
  await other.object('ready');
  const { code, stdout } = await run('bench', '--time', '200ms', '--signaling', url, 'agent://other');
  expect(stdout).toMatch(/^throughput {3}[\d.]+ MB\/s \([\d.]+ Gbit\/s\), messages of 65536 bytes$/m);
  expect(stdout).toMatch(/^messages {5}[\d,]+ a second, of 64 bytes$/m);
  expect(stdout).toMatch(/^round trip {3}[\d.]+ ms median, .* \([\d,]+ calls\)$/m);
  expect(code).toBe(0);
  other.process.kill('SIGTERM');
  expect(await other.ended).toBe(143);
});

test('an agent that does not listen fails, and Ctrl-C leaves no process behind', async () => {
  const { url } = await signaling();
  await using peer = createPeer({ agentId: 'agent://deaf', signaling: url });
  await peer.ready;
  expect((await run('bench', '--time', '200ms', '--signaling', url, 'agent://deaf')).code).toBe(1);
  const bench = new Program(['bench', '--time', '60s', '--json']);
  await bench.object('connected');
  bench.process.kill('SIGINT');
  // Its output is open as long as the other process is there.
  expect(await bench.ended).toBe(130);
});
