// Makes and closes thousands of connections, agents, sessions and workers, and tells what is left of them in memory.
// Usage: node scripts/leaks.mjs [--write] [--only KIND]... [--count N]      after `npm run build`; KIND: as in scripts/leaks/measure.mjs
// With --write the table of docs/benchmarks.md. Ends with 1 if memory has grown by more than LIMIT, or threads or open files have.
import { parseArgs } from 'node:util';
import { KINDS, measure } from './leaks/measure.mjs';
import { writeTable } from './tables.mjs';

/** Of the resident set after the warm-up. */
const LIMIT = 0.05;

const { values } = parseArgs({
  options: { write: { type: 'boolean' }, only: { type: 'string', multiple: true }, count: { type: 'string' } },
});
if (values.write && (values.only || values.count))
  throw new Error('the table is of all kinds, and of all their thousands');

const megabytes = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`;
const percent = (share) => `${share < 0 ? '−' : '+'}${Math.abs(share * 100).toFixed(1)} %`;

const rows = [];
for (const { kind, title, ...usual } of KINDS.filter((one) => !values.only || values.only.includes(one.kind))) {
  const count = Number(values.count ?? usual.count);
  const warm = Math.min(usual.warm, Math.ceil(count / 2));
  const { before, after, seconds } = measure(kind, warm, count);
  const grown = (name) => after[name] / before[name] - 1;
  const fine = grown('rss') <= LIMIT && !(after.threads > before.threads) && !(after.files > before.files);
  if (!fine) process.exitCode = 1;
  console.log(`${kind}: ${JSON.stringify({ warm, count, before, after, seconds: Math.round(seconds) })}`);
  console.log(`${kind}: resident ${percent(grown('rss'))}, heap ${percent(grown('heap'))}${fine ? '' : ': too much'}`);
  const kept = (name) => `${megabytes(before[name])} → ${megabytes(after[name])} (${percent(grown(name))})`;
  const counted = (name) => (before[name] === undefined ? '–' : `${before[name]} → ${after[name]}`);
  rows.push([title, warm.toLocaleString('en-US'), count.toLocaleString('en-US'), kept('rss'), kept('heap'), counted('threads'), counted('files')]); // prettier-ignore
}
if (values.write) {
  const head = ['', 'before', 'measured', 'resident set', "JavaScript's heap", 'threads', 'open files'];
  writeTable('docs/benchmarks.md', 'leaks', head, rows);
}
