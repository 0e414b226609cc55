// A machine whose router changes while its address stays; needs Linux and the right to make network namespaces. In CI it fails without them.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const UNSHARE = ['--map-root-user', '--net', '--mount'];
const possible = process.platform === 'linux' && spawnSync('unshare', [...UNSHARE, 'ip', 'link']).status === 0;

(possible || process.env['CI'] ? test : test.skip).each([
  ['is replaced by another one', 'replaced'],
  ['is passed over for one that is preferred', 'preferred'],
  ['vanishes, and another one comes', 'vanished'],
])('a link goes on when the router %s, which is noticed at once', (_, situation) => {
  const script = join(__dirname, 'route-child.mjs');
  const { stdout, stderr } = spawnSync('unshare', [...UNSHARE, process.execPath, '--no-warnings', script, situation], {
    encoding: 'utf8',
  });
  expect(stderr).toBe('');
  expect(stdout.trim().split('\n')).toEqual([
    'open',
    'answer: outside',
    'refreshed because of: network',
    'answer: outside',
  ]);
});
