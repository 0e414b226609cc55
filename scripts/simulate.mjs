// Simulates the congestion controllers and writes the tables of docs/congestion-control.md: about two minutes on one core.
// The same code gives the same tables; `cargo test -p ossa-sctp --test congestion` checks some of their rows.
// Usage: node scripts/simulate.mjs [--print] [TITLE ...]      parts of titles choose tables, which are then only printed
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './setup.mjs';

const chosen = process.argv.slice(2).filter((argument) => argument !== '--print');
const args = ['run', '--release', '--quiet', '-p', 'ossa-sctp', '--example', 'simulate', '--', ...chosen];
const { status, stdout } = spawnSync('cargo', args, {
  cwd: root,
  encoding: 'utf8',
  stdio: ['ignore', 'pipe', 'inherit'],
});
if (status !== 0) process.exit(1);
if (chosen.length > 0 || process.argv.includes('--print')) {
  console.log(stdout.trimEnd());
} else {
  const path = join(root, 'docs', 'congestion-control.md');
  const text = readFileSync(path, 'utf8');
  const [start, end] = ['<!-- simulation -->', '<!-- end of simulation -->'];
  const [before, after] = [text.indexOf(start), text.indexOf(end)];
  if (before < 0 || after < before) throw new Error(`${path} has no lines ${start} and ${end}`);
  writeFileSync(path, `${text.slice(0, before + start.length)}\n\n${stdout.trimEnd()}\n\n${text.slice(after)}`);
  console.log('docs/congestion-control.md');
}
