// The unit of deploy/ in a real systemd, with the package as it is published.
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { selfSigned } from '../agent/self-signed';

const root = join(__dirname, '..', '..');

// Needs Linux, systemd, and root or a sudo that asks nothing. In CI it fails without them.
const sudo = process.getuid?.() === 0 ? [] : ['sudo', '-n'];
const [first, ...rest] = [...sudo, 'true'];
const possible = existsSync('/lib/systemd/systemd') && spawnSync(first, rest).status === 0;
const testUnit = process.platform === 'linux' && (possible || process.env['CI']) ? test : test.skip;

let folder: string;

beforeAll(() => (folder = mkdtempSync(join(tmpdir(), 'ossa-unit-'))));

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What is in the world: Node, the packed package, the unit, and what tries it. */
function furnish(): void {
  const application = join(folder, 'opt', 'ossa-webrtc');
  const tarballs = execFileSync(process.execPath, [join(root, 'scripts/pack.mjs'), join(folder, 'packs')], {
    encoding: 'utf8',
  });
  for (const tarball of tarballs.trim().split('\n')) {
    const platform = /ossa-webrtc-([a-z]\w*-\w+(?:-\w+)?)-\d/.exec(tarball)?.[1];
    const target = join(application, 'node_modules', platform ? `ossa-webrtc-${platform}` : 'ossa-webrtc');
    mkdirSync(target, { recursive: true });
    execFileSync('tar', ['-xzf', tarball, '--strip-components=1', '-C', target]);
  }
  // As npm links it.
  const programs = join(application, 'node_modules', '.bin');
  mkdirSync(programs);
  symlinkSync('../ossa-webrtc/dist/cli/bin.js', join(programs, 'ossa-webrtc'));
  // Wherever it is here: the unit does not see homes.
  cpSync(process.execPath, join(folder, 'opt', 'node'));
  cpSync(join(__dirname, 'unit-trial.mjs'), join(folder, 'opt', 'trial.mjs'));
  const unit = readFileSync(join(root, 'deploy/ossa-webrtc-signal.service'), 'utf8');
  mkdirSync(join(folder, 'etc/systemd/system'), { recursive: true });
  writeFileSync(
    join(folder, 'etc/systemd/system/ossa-webrtc-signal.service'),
    unit.replace('/usr/bin/node', '/opt/node'),
  );
  const { cert, key } = selfSigned();
  mkdirSync(join(folder, 'etc/tls'), { mode: 0o700 });
  writeFileSync(join(folder, 'etc/tls/cert.pem'), cert, { mode: 0o600 });
  writeFileSync(join(folder, 'etc/tls/key.pem'), key, { mode: 0o600 });
  mkdirSync(join(folder, 'out'));
  const trial = 'timeout 150 /opt/node /opt/trial.mjs >/run/out/log 2>&1\nsystemctl exit 0\n';
  writeFileSync(join(folder, 'trial.sh'), trial);
}

testUnit(
  'started by systemd: ready when it listens, without privileges, restarted, drained, with secrets that only root can read',
  () => {
    furnish();
    const [command, ...args] = [...sudo, join(__dirname, 'unit-world.sh'), folder];
    const { stderr } = spawnSync(command, args, { encoding: 'utf8' });
    const log = join(folder, 'out', 'log');
    expect(stderr + (existsSync(log) ? readFileSync(log, 'utf8') : 'nothing was tried')).toBe('');
    const facts = JSON.parse(readFileSync(join(folder, 'out', 'facts.json'), 'utf8')) as Record<string, unknown>;
    expect(facts).toMatchObject({
      ...{ started: 0, ready: 200, status: 'listening on ws://127.0.0.1:8081', listening: true, reloaded: 0 },
      process: {
        Uid: expect.not.stringMatching(/^0$/) as string,
        CapBnd: '0000000000000000',
        NoNewPrivs: '1',
        Seccomp: '2',
      },
      restarts: '1',
      ...{ stopped: 0, result: 'success', drained: true },
      wrong: { started: 1, state: 'failed', said: true },
      tls: { started: 0, ready: 200 },
    });
  },
  240_000,
);
