// Builds the native libraries that are published, as far as this machine can, and checks each.
// Usage: npm run prebuild [-- [--out FOLDER] TARGET...]     TARGET: a Rust target or a triple; without any, all of them
// Writes `ossa-webrtc.<triple>.node` beside package.json, where scripts/pack.mjs finds it, and prints a table as JSON.
// Without targets it builds what can be built here and says of each other one what is missing. A named one that can't be built is an error.
// The release workflow runs it as well, on a machine of each kind.
import { copyFileSync, mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { checkLibrary } from './check-library.mjs';
import { host, missing, zig } from './platforms/tools.mjs';
import { install, root, run } from './setup.mjs';
import { targets } from './targets.mjs';

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
