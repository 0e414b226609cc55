// What a machine needs to build for a platform, and whether this one has it.
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root, run } from '../setup.mjs';

/** What links for other C libraries and other processors. Both are Python packages with programs inside. */
const TOOLS = ['ziglang==0.15.2', 'cargo-zigbuild==0.24.0'];

const quiet = (command, ...args) => spawnSync(command, args, { cwd: root, encoding: 'utf8' });
const printed = (command, ...args) => quiet(command, ...args).stdout?.trim() ?? '';

/** The Rust target of this machine; undefined without a compiler. */
export const host = /^host: (.*)$/m.exec(printed('rustc', '-vV'))?.[1];

/** Rust's standard library for `target`, fetched if it is not there; or why not. */
function withoutStandardLibrary(target) {
  const there = () => existsSync(printed('rustc', '--print', 'target-libdir', '--target', target));
  if (there()) return undefined;
  const { stderr, error } = quiet('rustup', 'target', 'add', target);
  if (there()) return undefined;
  return `Rust's standard library for ${target} can't be had here: ${(error?.message ?? stderr).trim().split('\n').at(-1)}`;
}

/** What a target needs that this machine has not got; undefined if nothing. */
export function missing({ target, with: tool }) {
  if (tool === 'ndk' && !process.env.ANDROID_NDK_HOME) {
    return "Android's C library comes with the NDK: set ANDROID_NDK_HOME";
  }
  if (tool === 'xcode' && process.platform !== 'darwin') return "macOS's frameworks come with Xcode: needs macOS";
  if (tool === 'msvc' && process.platform !== 'win32') return "Windows' libraries come with its SDK: needs Windows";
  if (tool === 'zig' && process.platform !== 'linux') return 'needs Linux';
  return withoutStandardLibrary(target);
}

/** A folder with `zig` and `cargo-zigbuild`, to be put on the PATH. */
export function zig() {
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
