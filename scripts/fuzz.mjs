// Runs the fuzz targets. Needs a C++ compiler (for libFuzzer) and only the stable toolchain.
// Usage: node scripts/fuzz.mjs [--seconds N] [TARGET ...]      all targets for 10 seconds each without arguments
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
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

/** Runs one target; resolves with its exit code and all that it printed. */
function fuzz(target) {
  const corpus = join(folder, 'corpus', target);
  const seeds = join(folder, 'seeds', target);
  const artifacts = join(folder, 'artifacts', target);
  for (const path of [corpus, artifacts]) mkdirSync(path, { recursive: true });
  const child = spawn(join(folder, 'target', triple, 'release', target), [
    corpus,
    ...(existsSync(seeds) ? [seeds] : []),
    `-max_total_time=${seconds}`,
    '-timeout=10',
    '-rss_limit_mb=2048',
    '-print_final_stats=1',
    `-artifact_prefix=${artifacts}/`,
  ]);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (output += text));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code: code ?? signal, output }));
  });
}

// As many at a time as there are processors: a target uses one of them.
const waiting = args.length > 0 ? args : known;
const failed = [];
async function work() {
  for (let target = waiting.shift(); target; target = waiting.shift()) {
    const { code, output } = await fuzz(target);
    const runs = /number_of_executed_units: *(\d+)/.exec(output)?.[1] ?? 'an unknown number of';
    console.log(code === 0 ? `${target}: ${runs} runs` : `${output}\n${target}: failed with ${code}`);
    if (code !== 0) failed.push(target);
  }
}
await Promise.all(Array.from({ length: availableParallelism() }, work));
if (failed.length > 0) {
  console.error(`failed: ${failed.join(', ')}`);
  process.exit(1);
}
