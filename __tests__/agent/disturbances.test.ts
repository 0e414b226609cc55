// What networks do to agents; the whole table is made by bench/disturbances. Needs Linux and the right to make
// network namespaces. In CI it fails without them.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const SCRIPT = join(__dirname, '..', '..', 'bench', 'disturbances', 'run.mjs');
const possible =
  process.platform === 'linux' &&
  spawnSync('unshare', ['--map-root-user', '--net', '--mount', 'ip', 'link']).status === 0;

function disturbed(name: string, megabytes: number): unknown {
  const args = [
    SCRIPT,
    '--only',
    name,
    '--by',
    'channel',
    '--megabytes',
    String(megabytes),
    '--limit',
    '40',
    '--print',
  ];
  const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  expect(stderr).toBe('');
  return JSON.parse(stdout);
}

const row = possible || process.env['CI'] ? test : test.skip;

row(
  'agents connect from a network that carries no more than 576 bytes and does not say so',
  () => {
    expect(disturbed('small-576', 10)).toMatchObject({ complete: true });
  },
  60_000,
);
