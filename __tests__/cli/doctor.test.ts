// What the doctor finds: on this machine, and behind NATs of several kinds, made of network namespaces, with coturn outside.
import { spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { selfSigned } from '../agent/self-signed';
import { cli, killAll, Program, run, signaling, type Printed } from './program';

afterEach(killAll);

const checks = (objects: Printed[], check: string) =>
  objects.filter((object) => object.type === 'check' && object['check'] === check);
const verdicts = (objects: Printed[]) =>
  Object.fromEntries(
    objects.filter(({ type }) => type === 'verdict').map((object) => [object['who'], object['answer']]),
  ) as Record<string, string>;
const reach = (objects: Printed[]) => objects.find(({ type }) => type === 'reach');
const advice = (objects: Printed[]) =>
  objects.filter(({ type }) => type === 'advice').map((object) => object['text'] as string);

test('on this machine alone it tests the connection with itself and says what it could not test', async () => {
  const doctor = new Program(['doctor', '--json']);
  expect((await doctor.result()).code).toBe(0);
  const { objects } = doctor;
  expect(checks(objects, 'loopback')).toMatchObject([{ status: 'ok', rtt: expect.any(Number) as number }]);
  expect(checks(objects, 'candidate')[0]).toMatchObject({ status: 'ok', port: expect.any(Number) as number });
  expect(checks(objects, 'turn')).toMatchObject([{ status: 'skip' }]);
  expect(checks(objects, 'ice-tcp')).toMatchObject([{ status: 'ok', rtt: expect.any(Number) as number }]);
  expect(checks(objects, 'one-port')).toMatchObject([{ status: 'ok', port: expect.any(Number) as number }]);
  expect(checks(objects, 'one-port-outside')).toEqual([]);
  expect(verdicts(objects)).toMatchObject({
    'same-machine': 'yes',
    'internet-direct': 'unknown',
    'udp-blocked': 'unknown',
  });
  expect(advice(objects).join('\n')).toMatch(/--signaling[^]*--ice stun:/);
  expect(reach(objects)).toMatchObject({ port: 'unknown', relay: [] });
  expect(objects.at(-1)).toEqual({ type: 'summary', ok: true });
});

test('a port that another program has is a failure, with its number', async () => {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  const doctor = new Program(['doctor', '--json', '--port', String(port)]);
  expect((await doctor.result()).code).toBe(1);
  const text = expect.stringMatching(`port ${port} cannot be opened .*EADDRINUSE`) as string;
  expect(checks(doctor.objects, 'one-port')).toMatchObject([{ status: 'fail', port, text }]);
  socket.close();
});

for (const [what, path, why] of [
  ['that is not there', '/nowhere/ossa-webrtc.node', /Cannot find module/],
  ['that is none', join(__dirname, '..', '..', 'LICENSE-MIT'), /LICENSE-MIT: /],
  ['that is a folder', __dirname, /Cannot find module/],
] as const) {
  test(`with a native library ${what} it goes to its end, says what is missing and what to do, and fails`, async () => {
    const given = ['--signaling', 'ws://127.0.0.1:1', '--ice', 'stun:127.0.0.1:1'];
    const doctor = new Program(['doctor', '--json', ...given], { env: { OSSA_WEBRTC_NATIVE_LIBRARY_PATH: path } });
    expect((await doctor.result()).code).toBe(1);
    const { objects } = doctor;
    const [library] = checks(objects, 'library');
    expect(library).toMatchObject({ status: 'fail', text: expect.stringMatching(/^no native library for /) as string });
    expect(library!['text']).toMatch(why);
    expect(checks(objects, 'ipv6')).toHaveLength(1);
    for (const name of ['loopback', 'signaling', 'stun', 'turn']) {
      expect(checks(objects, name)).toMatchObject([{ status: 'skip' }]);
    }
    expect(new Set(Object.values(verdicts(objects)))).toEqual(new Set(['unknown']));
    expect(Object.keys(verdicts(objects))).toHaveLength(5);
    expect(advice(objects)).toEqual([expect.stringMatching(/^Install the package without "--no-optional"/)]);
    expect(objects.at(-1)).toEqual({ type: 'summary', ok: false });
  });
}

test('other commands say in a line what they need, without the name of the program twice', async () => {
  const env = { OSSA_WEBRTC_NATIVE_LIBRARY_PATH: '/nowhere/ossa-webrtc.node' };
  const { code, stderr } = await new Program(['signal', '--port', '0'], { env }).result();
  expect(code).toBe(1);
  expect(stderr).toMatch(/^ossa-webrtc: no native library for .*\n.*Cannot find module.*\nWhat to do: install/);
});

test('it speaks plainly to people', async () => {
  const { url } = await signaling();
  const { code, stdout } = await run('doctor', '--signaling', url);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^This machine\n/);
  expect(stdout).toMatch(/Signaling\n {2}ok {4}ws:.* works: .* to register, .* for a message and its answer\n/);
  expect(stdout).toMatch(/What works\n {2}yes {3}Agents on this machine connect\.\n/);
  expect(stdout).toMatch(/What to do\n {2}- /);
});

test('a signaling server that is not there is a failure, with what to do', async () => {
  const doctor = new Program(['doctor', '--json', '--wait', '1s', '--signaling', 'ws://127.0.0.1:1']);
  expect((await doctor.result()).code).toBe(1);
  expect(checks(doctor.objects, 'signaling')).toMatchObject([{ status: 'fail' }]);
  expect(advice(doctor.objects).join('\n')).toContain('ossa-webrtc signal starts one');
});

test('a clock that is five minutes wrong is a failure, with what to do', async () => {
  const { url } = await signaling();
  const folder = mkdtempSync(join(tmpdir(), 'ossa-clock-'));
  try {
    const preload = join(folder, 'clock.cjs');
    writeFileSync(preload, 'const now = Date.now; Date.now = () => now() - 300_000;');
    const doctor = new Program(['doctor', '--json', '--signaling', url], {
      command: [process.execPath, '--require', preload, cli],
    });
    expect((await doctor.result()).code).toBe(1);
    const [clock] = checks(doctor.objects, 'clock');
    expect(clock).toMatchObject({ status: 'fail', text: expect.stringMatching(/5 min behind .* 60 s/) as string });
    expect(clock!['ahead']).toBeGreaterThan(290_000);
    expect(advice(doctor.objects).join('\n')).toContain('Set the clock of this machine');
  } finally {
    rmSync(folder, { recursive: true });
  }
  const right = new Program(['doctor', '--json', '--signaling', url]);
  expect((await right.result()).code).toBe(0);
  expect(checks(right.objects, 'clock')).toMatchObject([{ status: 'ok' }]);
});

// Behind NATs: needs Linux and the right to make namespaces, `ip`, `nft` and coturn. In CI it fails without them.
const UNSHARE = ['--map-root-user', '--net', '--mount'];
// Run by npm there is another program of the name `nft` in the path: a tracer of files.
const PATH = process.env['PATH']!.split(':').filter((folder) => !folder.includes('node_modules'));
const env = { ...process.env, PATH: PATH.join(':') };
const works = (file: string, ...args: string[]) => spawnSync(file, args, { env }).status === 0;
const possible =
  process.platform === 'linux' &&
  works('unshare', ...UNSHARE, 'nft', 'list', 'ruleset') &&
  works('turnserver', '--version');
const describeNats = possible || process.env['CI'] ? describe : describe.skip;

describeNats('behind a NAT', () => {
  let folder: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'ossa-nat-'));
    const { cert, key } = selfSigned('203.0.113.10');
    writeFileSync(join(folder, 'cert.pem'), cert);
    writeFileSync(join(folder, 'key.pem'), key);
    const turn = (scheme: string) => ({ urls: `${scheme}:203.0.113.10`, username: 'alice', credential: 'wonderland' });
    writeFileSync(join(folder, 'turn.json'), JSON.stringify([turn('turn'), turn('turns')]));
  });

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  async function examine(nat: string, ...args: string[]): Promise<{ code: unknown; objects: Printed[] }> {
    const world = join(__dirname, 'nat-world.mjs');
    const command = ['unshare', ...UNSHARE, process.execPath, world, nat, folder, process.execPath, cli] as const;
    const options = { command: command as unknown as [string, ...string[]] };
    const program = new Program(
      ['doctor', '--json', '--wait', '2s', '--ca', join(folder, 'cert.pem'), ...args],
      options,
    );
    const { code, stderr } = await program.result();
    expect(stderr).toBe('');
    return { code, objects: program.objects };
  }

  const STUN = ['--ice', 'stun:203.0.113.10'];
  const TURN = ['--ice-file'];

  test('that keeps one port for all destinations, agents connect directly', async () => {
    const { code, objects } = await examine('cone', ...STUN, '--signaling', 'SIGNALING');
    expect(code).toBe(0);
    expect(checks(objects, 'stun')).toMatchObject([{ status: 'ok', mapped: { address: '203.0.113.1' } }]);
    expect(checks(objects, 'candidate').map((object) => object['kind'])).toEqual(
      expect.arrayContaining(['host', 'srflx']),
    );
    expect(checks(objects, 'nat-mapping')).toMatchObject([{ status: 'ok', mapping: 'endpoint-independent' }]);
    expect(checks(objects, 'nat-filtering')).toMatchObject([{ filtering: 'address-and-port-dependent' }]);
    expect(checks(objects, 'signaling')).toMatchObject([{ status: 'ok', rtt: expect.any(Number) as number }]);
    expect(verdicts(objects)).toMatchObject({ 'internet-direct': 'yes', 'strict-nat': 'no' });
  });

  test('that uses another port for each destination, a relay is needed, and it says so', async () => {
    const { code, objects } = await examine('symmetric', ...STUN);
    expect(code).toBe(0);
    expect(checks(objects, 'nat-mapping')).toMatchObject([{ status: 'warn', mapping: 'address-and-port-dependent' }]);
    expect(verdicts(objects)).toMatchObject({ 'internet-direct': 'perhaps', 'strict-nat': 'no' });
    expect(advice(objects).join('\n')).toContain('--ice turn:user:password@host');
  });

  test('two plain STUN servers show the same', async () => {
    const two = ['--ice', 'stun:203.0.113.10', '--ice', 'stun:203.0.113.11'];
    const { objects } = await examine('symmetric', ...two);
    expect(checks(objects, 'stun')).toHaveLength(2);
    expect(checks(objects, 'nat-mapping')).toMatchObject([{ status: 'warn' }]);
  });

  test('that drops UDP, the relay works by TCP and TLS', async () => {
    const { code, objects } = await examine('no-udp', ...STUN, ...TURN, join(folder, 'turn.json'));
    expect(code).toBe(1);
    expect(checks(objects, 'stun')).toMatchObject([{ status: 'fail' }]);
    const relays = checks(objects, 'turn').map(({ by, status, given, rtt }) => [by, status, given, typeof rtt]);
    expect(relays).toEqual([
      ['udp', 'fail', true, 'undefined'],
      ['tls', 'ok', true, 'number'],
      ['tcp', 'ok', false, 'undefined'],
    ]);
    expect(verdicts(objects)).toMatchObject({ 'internet-direct': 'no', 'strict-nat': 'yes', 'udp-blocked': 'yes' });
    expect(reach(objects)).toMatchObject({ udp: 'network', port: 'forwarded', relay: ['tls'] });
    expect(JSON.stringify(objects)).not.toContain('wonderland');
  });

  test.each([
    ['none', 'ok', { udp: 'anybody', port: 'anybody', relay: ['udp', 'tls'] }, 'from anywhere'],
    ['cone', 'warn', { udp: 'most', port: 'forwarded', relay: ['udp', 'tls'] }, 'only if the router or firewall lets'],
  ])('%s: whether one port is reached from outside is tried through the relay', async (nat, status, ways, text) => {
    const { code, objects } = await examine(nat, ...STUN, '--port', '3479', ...TURN, join(folder, 'turn.json'));
    expect(code).toBe(0);
    expect(checks(objects, 'one-port-outside')).toMatchObject([{ status, port: 3479 }]);
    expect(reach(objects)).toMatchObject({ ...ways, text: expect.stringContaining(text) as string });
  });

  test('with a wrong password the relay refuses, and with a public address nothing is in the way', async () => {
    const { code, objects } = await examine('none', ...STUN, '--ice', 'turn:alice:wrong@203.0.113.10');
    expect(code).toBe(1);
    expect(checks(objects, 'nat-mapping')).toMatchObject([{ status: 'ok', mapping: 'none' }]);
    expect(checks(objects, 'nat-filtering')).toMatchObject([{ filtering: 'endpoint-independent' }]);
    expect(checks(objects, 'turn')[0]).toMatchObject({
      status: 'fail',
      text: expect.stringContaining('401') as string,
    });
    expect(verdicts(objects)).toMatchObject({ 'internet-direct': 'yes', 'strict-nat': 'yes' });
  });
});
