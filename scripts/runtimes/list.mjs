// The run times that are tried, as packages of npm: nothing else is downloaded, and no script of theirs is run.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../setup.mjs';

const { platform, arch } = process;
const windows = platform === 'win32' ? '.exe' : '';

const node = (version) => ({
  name: `Node ${version}`,
  package: `node-${platform === 'win32' ? 'win' : platform}-${arch}@${version}`,
  program: `bin/node${windows}`,
  args: [],
});

const BUN_ARCH = { x64: 'x64', arm64: 'aarch64' };
const DENO_LIBC = { linux: '-glibc', darwin: '', win32: '-msvc' };

/** The oldest that is promised, then the last of each line. Raised by hand: a table that changes by itself says nothing. */
export const RUNTIMES = [
  node('20.4.0'),
  node('20.20.2'),
  node('22.23.5'),
  node('24.22.3'),
  node('26.12.1'),
  {
    name: 'Bun 1.4.5',
    package: `@oven/bun-${platform === 'win32' ? 'windows' : platform}-${BUN_ARCH[arch]}@1.4.5`,
    program: `bin/bun${windows}`,
    args: [],
  },
  {
    name: 'Deno 2.9.6',
    package: `@deno/${platform}-${arch}${DENO_LIBC[platform]}@2.9.6`,
    program: `deno${windows}`,
    args: ['run', '--allow-all', '--no-prompt', '--quiet'],
  },
];

/** Installs a run time below target/, unless it is there; the path of its program. `foreign`: for another processor, which npm would refuse. */
export function installed({ package: name, program, foreign }) {
  const folder = join(root, 'target', 'runtimes', name.replace(/^@/, '').replace(/\W+/g, '-'));
  const path = join(folder, 'node_modules', name.slice(0, name.lastIndexOf('@')), program);
  if (existsSync(path)) return path;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
  const options = ['--ignore-scripts', '--no-audit', '--no-fund', '--no-package-lock', ...(foreign ? ['--force'] : [])];
  const { status, stderr } = spawnSync('npm', ['install', ...options, name], {
    cwd: folder,
    encoding: 'utf8',
    shell: platform === 'win32',
  });
  if (status !== 0 || !existsSync(path)) throw new Error(`npm install ${name} has not brought ${path}:\n${stderr}`);
  return path;
}
