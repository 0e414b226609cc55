// Runs the fuzz targets, one after the other. Needs a C++ compiler (for libFuzzer) and only the stable toolchain.
// Usage: node scripts/fuzz.mjs [--seconds N] [TARGET ...]      all targets for 10 seconds each without arguments
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { root, run } from './setup.mjs';

const args = process.argv.slice(2);
const at = args.indexOf('--seconds');
const seconds = at < 0 ? 10 : Number(args.splice(at, 2)[1]);
const folder = join(root, 'fuzz');
const known = readdirSync(join(folder, 'fuzz_targets')).map((file) => file.replace(/\.rs$/, ''));
const unknown = args.filter((target) => !known.includes(target));
if (!Number.isInteger(seconds) || seconds < 1 || unknown.length > 0) {
  console.error(`usage: node scripts/fuzz.mjs [--seconds N] [TARGET ...]   targets: ${known.join(' ')}`);
  process.exit(2);
}

// What `cargo fuzz run --sanitizer none` passes: coverage counters, without the sanitizers that need a nightly
// toolchain. The crates under test forbid unsafe code, so panics and overflows are what there is to find.
const coverage = ['level=4', 'inline-8bit-counters', 'pc-table', 'trace-compares'];
const flags = ['-Cpasses=sancov-module', ...coverage.map((option) => `-Cllvm-args=-sanitizer-coverage-${option}`)];
const triple = 'x86_64-unknown-linux-gnu';
run('cargo', ['build', '--release', '--bins', '--target', triple], {
  cwd: folder,
  env: { ...process.env, RUSTFLAGS: [...flags, '-Ccodegen-units=1', '--cfg=fuzzing'].join(' ') },
});

for (const target of args.length > 0 ? args : known) {
  const corpus = join(folder, 'corpus', target);
  mkdirSync(corpus, { recursive: true });
  const seeds = join(folder, 'seeds', target);
  const artifacts = join(folder, 'artifacts', target);
  mkdirSync(artifacts, { recursive: true });
  run(join(folder, 'target', triple, 'release', target), [
    corpus,
    ...(existsSync(seeds) ? [seeds] : []),
    `-max_total_time=${seconds}`,
    '-timeout=10',
    '-rss_limit_mb=2048',
    '-print_final_stats=1',
    `-artifact_prefix=${artifacts}/`,
  ]);
}
