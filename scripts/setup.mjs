// What `npm test`, `npm run demo` and `npm run bench` share: a fresh clone with only Node and Rust becomes a built one.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = join(dirname(fileURLToPath(import.meta.url)), '..');

/** Runs a command in the project's root with its output shown; ends this process with its exit code when it fails. */
export function run(command, args, options = {}) {
  const shown = [command, ...args].join(' ');
  console.log(`\n> ${shown}`);
  const { status, error } = spawnSync(command, args, {
    cwd: root,
    stdio: 'inherit',
    shell: process.platform === 'win32',
    ...options,
  });
  if (error) {
    console.error(`${shown}: ${error.message}${error.code === 'ENOENT' ? ` -- is ${command} installed?` : ''}`);
    process.exit(1);
  }
  if (status !== 0) process.exit(status ?? 1);
}

/** True when the installed packages are those of the lock file. */
function dependenciesAreCurrent() {
  const installed = join(root, 'node_modules', '.package-lock.json');
  if (!existsSync(installed)) return false;
  return statSync(installed).mtimeMs >= statSync(join(root, 'package-lock.json')).mtimeMs;
}

/** Installs the npm dependencies that the lock file names, if they are missing or older than it. */
export function install() {
  if (!dependenciesAreCurrent()) run('npm', ['ci', '--no-audit', '--no-fund']);
}

/** Installs what is missing and builds the native core, the TypeScript and the type bundles. */
export function build() {
  install();
  run('npm', ['run', '--silent', 'build']);
}

/** Builds the process that runs the Rust `webrtc` crate, for interoperability tests and benchmarks. */
export function buildRustPeer() {
  run('cargo', ['build', '--release', '--quiet', '-p', 'ossa-interop-webrtc-rs']);
}

/** The manifest of this package. */
export function manifest() {
  return JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
}
