// The relay of the program's own signaling server: its settings, and what the doctor says of it.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { selfSigned } from '../agent/self-signed';
import { killAll, Program, run, signaling } from './program';

afterEach(killAll);

test('the doctor tries each way to the relay, with data through it', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'ossa-relay-'));
  try {
    const { cert, key } = selfSigned();
    const [certFile, keyFile] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
    writeFileSync(certFile, cert);
    writeFileSync(keyFile, key);
    const { url } = await signaling('--auth', 'tofu', '--relay', '--tls-cert', certFile, '--tls-key', keyFile);
    const doctor = new Program(['doctor', '--json', '--signaling', url, '--ca', certFile]);
    await doctor.result();
    const turn = doctor.objects.filter(({ type, check }) => type === 'check' && check === 'turn');
    expect(turn.map(({ by, status, given }) => ({ by, status, given }))).toEqual(
      ['udp', 'tcp', 'tls'].map((by) => ({ by, status: 'ok', given: true })),
    );
    expect(turn.every(({ rtt }) => typeof rtt === 'number')).toBe(true);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}, 30_000);

test.each([
  [['--relay'], /set auth/],
  [['--relay-host', 'h'], /--relay-host has no effect without --relay/],
  [['--relay', '--auth', 'tofu', '--relay-ports', '9'], /--relay-ports must be the first and the last port/],
  [['--relay', '--auth', 'tofu', '--relay-ports', '9-8'], /relay\.ports/],
  [['--relay', '--auth', 'tofu', '--relay-allow-peer', 'x'], /relay\.allowPeers/],
])('signal %j is refused, with what is wrong', async (args, text) => {
  const { code, stderr } = await run('signal', '--port', '0', ...args);
  expect(stderr).toMatch(text);
  expect(code).toBe(2);
});
