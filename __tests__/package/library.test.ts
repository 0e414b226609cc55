// What the native library asks of the system that loads it. The one here is built for this machine; scripts/prebuild.mjs holds those that
// are published to an old glibc as well.
import { spawnSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

import { root } from './installed';

const check = (file: string, ...limits: string[]) =>
  spawnSync('cargo', ['run', '--quiet', '-p', 'ossa-library-check', '--', file, ...limits], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: Infinity,
  });

test('the library exports nothing but what Node calls, has neither an executable stack nor code that can be written to, and is no larger than it may be', () => {
  const library = readdirSync(root).find((name) => name.endsWith('.node'))!;
  const targets = readFileSync(join(root, 'scripts', 'targets.mjs'), 'utf8');
  const [, largest] = /MAX_BYTES = ([\d_]+);/.exec(targets)!;
  const { stdout, stderr } = check(join(root, library), '--max-bytes', largest!.replaceAll('_', ''));
  expect(stderr).toBe('');
  expect(JSON.parse(stdout)).toMatchObject({
    exports: ['napi_register_module_v1'],
    arch: process.arch,
    executableStack: false,
    writableCode: false,
    debugInfo: false,
  });
}, 120_000);

test('a library that nobody could load as an addon is refused', () => {
  const { stderr, status } = check(process.execPath);
  expect(status).toBe(1);
  expect(stderr).toContain('does not export napi_register_module_v1');
}, 120_000);
