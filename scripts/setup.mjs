// What `npm test`, `npm run demo` and `npm run bench` share: a fresh clone with only Node and Rust becomes a built one.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const { RUST_STACKS } = createRequire(import.meta.url)('../interop/process.cjs');

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

/** What the native core is built with, and where it comes from. Without them Cargo would fail in the middle, in a crate's words. */
const TOOLS = [
  { command: 'cargo', purpose: 'compiles the core', from: 'https://rustup.rs' },
  {
    command: 'cmake',
    purpose: 'builds libopus, the audio codec',
    from: "your system's packages (apt install cmake, brew install cmake, winget install Kitware.CMake) or pip install cmake",
  },
];

/** Ends this process with one sentence for each tool that is not there. */
function requireTools() {
  const missing = TOOLS.filter(({ command }) => spawnSync(command, ['--version'], { stdio: 'ignore' }).error);
  if (missing.length === 0) return;
  for (const { command, purpose, from } of missing)
    console.error(`${command} is missing: it ${purpose}. Get it from ${from}.`);
  process.exit(1);
}

/** Installs what is missing and builds the native core, the TypeScript and the type bundles. */
export function build() {
  requireTools();
  install();
  run('npm', ['run', '--silent', 'build']);
}

/** Builds the programs of these stacks that are some in Rust, for interoperability tests and benchmarks. */
export function buildRustStacks(stacks) {
  const packages = RUST_STACKS.filter((stack) => stacks.includes(stack)).map((stack) => `ossa-interop-${stack}`);
  if (packages.length > 0) {
    run('cargo', ['build', '--release', '--quiet', ...packages.flatMap((name) => ['-p', name])]);
  }
}

/** The manifest of this package. */
export function manifest() {
  return JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
}
