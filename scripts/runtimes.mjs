// Tries the package, packed and installed as others have it, on the run times of scripts/runtimes/list.mjs, and writes what works into
// docs/platforms.md.
// Usage: node scripts/runtimes.mjs [--write] [--only NAME]... [--check CHECK]...
// NAME: the beginning of a run time's name, as in the table. CHECK: as in scripts/runtimes/checks.mjs.
import { parseArgs } from 'node:util';
import { CHECKS, Project, tried } from './runtimes/checks.mjs';
import { RUNTIMES } from './runtimes/list.mjs';
import { writeTable } from './tables.mjs';

const { values } = parseArgs({
  options: {
    write: { type: 'boolean' },
    only: { type: 'string', multiple: true },
    check: { type: 'string', multiple: true },
  },
});
if (values.write && (values.only || values.check)) throw new Error('the table is of all run times and all checks');
const chosen = RUNTIMES.filter(({ name }) => !values.only || values.only.some((start) => name.startsWith(start)));
const project = new Project();
const rows = [];
let failed = false;
for (const runtime of chosen) {
  const results = tried(runtime, project, values.check);
  for (const { check, failure } of results) {
    console.log(`${runtime.name}: ${check}: ${failure ?? 'works'}`);
    failed ||= failure !== undefined;
  }
  rows.push([runtime.name, ...results.map(({ failure }) => (failure === undefined ? 'yes' : '**no**'))]);
}
project.remove();
if (values.write) writeTable('docs/platforms.md', 'runtimes', ['', ...CHECKS.map(({ title }) => title)], rows);
process.exitCode = failed ? 1 : 0;
