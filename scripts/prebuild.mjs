// Builds the native libraries that are published, as far as this machine can, and checks each.
// Usage: npm run prebuild [-- [--out FOLDER] TARGET...]     TARGET: a Rust target or a triple; without any, all of them
// Writes `ossa-webrtc.<triple>.node` beside package.json, where scripts/pack.mjs finds it, and prints a table as JSON.
// Without targets it builds what can be built here and says of each other one what is missing. A named one that can't be built is an error.
// The release workflow runs it as well, on a machine of each kind.
import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { checkLibrary } from './check-library.mjs';
import { install, root, run } from './setup.mjs';
import { targets } from './targets.mjs';

/** What links for other C libraries and other processors. Both are Python packages with programs inside. */
const TOOLS = ['ziglang==0.15.2', 'cargo-zigbuild==0.24.0'];

const quiet = (command, ...args) => spawnSync(command, args, { cwd: root, encoding: 'utf8' });
const printed = (command, ...args) => quiet(command, ...args).stdout?.trim() ?? '';

const host = /^host: (.*)$/m.exec(printed('rustc', '-vV'))?.[1];

/** Rust's standard library for `target`, fetched if it is not there; or why not. */
function withoutStandardLibrary(target) {
  const there = () => existsSync(printed('rustc', '--print', 'target-libdir', '--target', target));
  if (there()) return undefined;
  const { stderr, error } = quiet('rustup', 'target', 'add', target);
  if (there()) return undefined;
  return `Rust's standard library for ${target} can't be had here: ${(error?.message ?? stderr).trim().split('\n').at(-1)}`;
}

/** What a target needs that this machine has not got; undefined if nothing. */
function missing({ target, with: tool }) {
  if (tool === 'ndk' && !process.env.ANDROID_NDK_HOME) {
    return "Android's C library comes with the NDK: set ANDROID_NDK_HOME";
  }
  if (tool === 'xcode' && process.platform !== 'darwin') return "macOS's frameworks come with Xcode: needs macOS";
  if (tool === 'msvc' && process.platform !== 'win32') return "Windows' libraries come with its SDK: needs Windows";
  if (tool === 'zig' && process.platform !== 'linux') return 'needs Linux';
  return withoutStandardLibrary(target);
}

/** A folder with `zig` and `cargo-zigbuild`, to be put on the PATH. */
function zig() {
  const folder = join(root, 'target', 'prebuild-tools');
  const bin = join(folder, 'bin');
  if (!existsSync(join(bin, 'zig'))) {
    run('python3', ['-m', 'venv', folder]);
    run(join(bin, 'pip'), ['install', '--quiet', '--disable-pip-version-check', ...TOOLS]);
    writeFileSync(join(bin, 'zig'), `#!/bin/sh\nexec "${join(bin, 'python')}" -m ziglang "$@"\n`);
    chmodSync(join(bin, 'zig'), 0o755);
  }
  return bin;
}

/** The linker of the NDK for `target`, and its C compiler, in the variables that Cargo and `cc` read. */
function ndk(target) {
  const bin = join(process.env.ANDROID_NDK_HOME, 'toolchains', 'llvm', 'prebuilt', 'linux-x86_64', 'bin');
  // The oldest Android that Node is built for.
  const clang = join(bin, `${target}24-clang`);
  const name = target.replaceAll('-', '_');
  return {
    [`CARGO_TARGET_${name.toUpperCase()}_LINKER`]: clang,
    [`CC_${name}`]: clang,
    [`CXX_${name}`]: `${clang}++`,
    [`AR_${name}`]: join(bin, 'llvm-ar'),
  };
}

/** The file that Cargo makes of the library. */
function product(target) {
  const name = target.includes('windows')
    ? 'ossa_webrtc.dll'
    : `libossa_webrtc.${target.includes('apple') ? 'dylib' : 'so'}`;
  return join(root, process.env.CARGO_TARGET_DIR ?? 'target', target, 'addon', name);
}

function build({ target, with: tool, glibc }) {
  const env = { ...process.env };
  const options = ['--lib', '--profile', 'addon', '--locked'];
  if (tool === 'zig') {
    env.PATH = `${zig()}:${env.PATH}`;
    // The library is loaded into a Node that has its C library already.
    if (target.endsWith('musl')) {
      env[`CARGO_TARGET_${target.replaceAll('-', '_').toUpperCase()}_RUSTFLAGS`] = '-C target-feature=-crt-static';
    }
    run('cargo', ['zigbuild', ...options, '--target', glibc ? `${target}.${glibc}` : target], { env });
  } else {
    if (tool === 'ndk') Object.assign(env, ndk(target));
    run('cargo', ['build', ...options, '--target', target], { env });
  }
  return product(target);
}

const { values, positionals } = parseArgs({ allowPositionals: true, options: { out: { type: 'string' } } });
const out = resolve(values.out ?? root);
const known = targets();
const named = positionals.map((name) => {
  const found = known.find(({ target, triple }) => name === target || name === triple);
  if (!found) {
    console.error(`prebuild: ${name} is none of ${known.map(({ target }) => target).join(', ')}`);
    process.exit(2);
  }
  return found;
});
install();
mkdirSync(out, { recursive: true });
const table = [];
for (const platform of named.length > 0 ? named : known) {
  const reason = missing(platform);
  if (reason !== undefined) {
    if (named.length > 0) {
      console.error(`prebuild: ${platform.target}: ${reason}`);
      process.exit(1);
    }
    table.push({ triple: platform.triple, built: false, reason });
    continue;
  }
  const file = join(out, platform.library);
  copyFileSync(build(platform), file);
  table.push({ triple: platform.triple, built: true, ...checkLibrary(file, platform) });
}
console.log(`\n${host ?? 'this machine'} has built ${table.filter(({ built }) => built).length} of ${table.length}:`);
for (const line of table) console.log(JSON.stringify(line));
