// The platforms that native libraries are published for, and what each needs. `npm/` has a folder for each, named by its triple.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { manifest, root } from './setup.mjs';

/** The oldest glibc that the libraries work with: that of RHEL 7, and older than any that Node 20 runs on. */
export const GLIBC = '2.17';

/**
 * The largest library that is published, in bytes. That for Linux on x64 has 13.4 million, of which 2.3 are AWS-LC and libopus (0.7 of them AES-GCM for
 * AVX-512), 1.1 constants (curves for the most part), 1.6 what unwinding and relocation need, and the rest is Rust.
 */
export const MAX_BYTES = 14_500_000;

const PLATFORMS = {
  'x86_64-unknown-linux-gnu': { triple: 'linux-x64-gnu', with: 'zig', glibc: GLIBC },
  'aarch64-unknown-linux-gnu': { triple: 'linux-arm64-gnu', with: 'zig', glibc: GLIBC },
  'armv7-unknown-linux-gnueabihf': { triple: 'linux-arm-gnueabihf', with: 'zig', glibc: GLIBC },
  'x86_64-unknown-linux-musl': { triple: 'linux-x64-musl', with: 'zig' },
  'aarch64-unknown-linux-musl': { triple: 'linux-arm64-musl', with: 'zig' },
  'x86_64-unknown-freebsd': { triple: 'freebsd-x64', with: 'zig' },
  'aarch64-linux-android': { triple: 'android-arm64', with: 'ndk' },
  'x86_64-apple-darwin': { triple: 'darwin-x64', with: 'xcode' },
  'aarch64-apple-darwin': { triple: 'darwin-arm64', with: 'xcode' },
  'x86_64-pc-windows-msvc': { triple: 'win32-x64-msvc', with: 'msvc' },
  'aarch64-pc-windows-msvc': { triple: 'win32-arm64-msvc', with: 'msvc' },
};

/** All of them: `{ target, triple, with, glibc?, library }`. The manifest, `npm/` and this table have to name the same ones. */
export function targets() {
  const { napi } = manifest();
  const folders = readdirSync(join(root, 'npm')).sort().join();
  const named = Object.values(PLATFORMS).map(({ triple }) => triple).sort().join(); // prettier-ignore
  if (folders !== named) throw new Error(`npm/ has ${folders}, and scripts/targets.mjs ${named}`);
  const declared = [...napi.targets].sort().join();
  if (declared !== Object.keys(PLATFORMS).sort().join()) {
    throw new Error(`napi.targets in package.json is ${declared}, and not what scripts/targets.mjs has`);
  }
  return Object.entries(PLATFORMS).map(([target, platform]) => ({
    target,
    ...platform,
    library: `${napi.binaryName}.${platform.triple}.node`,
  }));
}
