// Writes results into docs/benchmarks.md, between the marks of their part.
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, release } from 'node:os';

const path = new URL('../docs/benchmarks.md', import.meta.url);

/** Replaces what stands between `<!-- NAME results -->` and `<!-- end of NAME results -->`. */
export function publish(name, lines) {
  const [start, end] = [`<!-- ${name} results -->`, `<!-- end of ${name} results -->`];
  const text = readFileSync(path, 'utf8');
  const [from, to] = [text.indexOf(start), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`docs/benchmarks.md has no marks for the results of ${name}`);
  writeFileSync(path, [text.slice(0, from) + start, '', ...lines, '', text.slice(to)].join('\n'));
}

/** When and on what it was measured. */
export function machine() {
  const [{ model }] = cpus();
  const date = new Date().toISOString().slice(0, 10);
  return `Measured on ${date}: ${cpus().length} × ${model}, Linux ${release()}, Node ${process.version}.`;
}

/** A table of Markdown. */
export function table(head, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)];
}
