// Machines with many addresses, with link-local ones, and names that hide them; needs Linux and the right to make a network namespace. In CI it
// fails without them.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const UNSHARE = ['--map-root-user', '--net'];
const possible = process.platform === 'linux' && spawnSync('unshare', [...UNSHARE, 'ip', 'link']).status === 0;
const where = possible || process.env['CI'] ? test : test.skip;

/** What the situation prints, line by line. */
function lines(situation: string): string[] {
  const script = join(__dirname, 'addresses-child.mjs');
  const { stdout, stderr } = spawnSync('unshare', [...UNSHARE, process.execPath, script, situation], {
    encoding: 'utf8',
  });
  expect(stderr).toBe('');
  return stdout.trim().split('\n');
}

where('a host with twenty bridges tells the address of its default route first, and what it leaves out', () => {
  const [told, leftOut, connected] = lines('bridges');
  expect(told).toBe('16 addresses, first 10.99.0.1');
  expect(leftOut).toMatch(/^this machine has 21 addresses, of which the first 16 are used; left out are those of br-/);
  expect(connected).toBe('connected: true');
});

where('link-local addresses are gathered when they are asked for, and connect', () => {
  expect(lines('link-local')).toEqual([
    '169.254.10.1 fe80::10:1',
    '127.0.0.1 ::1',
    '169.254.10.1',
    'fe80::10:1',
    'connected: true',
    'connected: true',
  ]);
});

where('a connection without signaling goes on when its machine gets another address', () => {
  expect(lines('moving')).toEqual([
    'from 10.77.0.1',
    'at the other end: before',
    'from 10.77.0.2',
    'at the other end: after',
  ]);
});

where('a name in .local is found on either group, whatever family its address is of', () => {
  expect(lines('mdns')).toEqual([
    'only-six.local: true',
    'six-of-four.local: true',
    'four-of-six.local: true',
    'only-four.local: true',
    'no-four.local: true',
  ]);
});
