// A machine whose address changes; needs Linux and the right to make a network namespace. In CI it fails without them.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const UNSHARE = ['--map-root-user', '--net'];
const possible = process.platform === 'linux' && spawnSync('unshare', [...UNSHARE, 'ip', 'link']).status === 0;

(possible || process.env['CI'] ? test : test.skip)(
  'an agent that gets another address is reached there, over the same connection',
  () => {
    const script = join(__dirname, 'address-child.mjs');
    const { stdout, stderr } = spawnSync('unshare', [...UNSHARE, process.execPath, script], { encoding: 'utf8' });
    expect(stderr).toBe('');
    expect(stdout.trim().split('\n')).toEqual([
      'from 10.77.0.1',
      'refreshed because of: network',
      'answer: right',
      'from 10.77.0.2',
      'same connection: true, open',
    ]);
  },
);
