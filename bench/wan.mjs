// `npm run bench:wan`: this package and other stacks over paths with delay, loss and a bottleneck. See docs/benchmarks.md.
// Each run adds to bench/results/wan.json, from which `--publish` writes the tables, so that parts may be measured one by one.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { build, buildRustStacks, root, run } from '../scripts/setup.mjs';
import { plot } from './svg.mjs';
import { PARTS } from './wan/parts.mjs';
import { printed, published, rowsOf } from './wan/report.mjs';
import { STACKS, TCP } from './wan/settings.mjs';

const ALL = [...STACKS, ...TCP];
const usage = `npm run bench:wan -- [options]
  --only LIST     of ${Object.keys(PARTS).join(',')}
  --stacks LIST   of ${ALL.join(',')}
  --cells TEXT    only rows whose name contains this
  --runs N        rounds (3)
  --no-build      use what is built
  --publish       measure nothing: write what was measured into docs/benchmarks.md and docs/benchmarks-wan.svg`;

const { values: given } = parseArgs({
  options: {
    only: { type: 'string' },
    stacks: { type: 'string' },
    cells: { type: 'string', default: '' },
    runs: { type: 'string', default: '3' },
    'no-build': { type: 'boolean' },
    publish: { type: 'boolean' },
    help: { type: 'boolean' },
  },
});

function choice(name, all) {
  const chosen = given[name]?.split(',') ?? all;
  const unknown = chosen.filter((item) => !all.includes(item));
  if (unknown.length > 0) {
    console.error(`--${name}: ${unknown.join(', ')} is not one of ${all.join(', ')}`);
    process.exit(2);
  }
  return chosen;
}

const parts = choice('only', Object.keys(PARTS));
const chosenStacks = choice('stacks', ALL);
const file = join(root, 'bench', 'results', 'wan.json');

if (given.help) console.log(usage);
else if (given.publish) publish();
else await measure();

function stored() {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
    return { parts: {} };
  }
}

function store(part, cell, stack, runs) {
  const results = stored();
  results.machine = `${cpus()[0]?.model.trim()}, ${cpus().length} cores, Node ${process.version}`;
  results.parts[part] ??= {};
  results.parts[part][cell] ??= {};
  results.parts[part][cell][stack] = { date: new Date().toISOString(), runs };
  mkdirSync(join(root, 'bench', 'results'), { recursive: true });
  writeFileSync(file, JSON.stringify(results, null, 2));
}

async function measure() {
  if (!given['no-build']) {
    build();
    buildRustStacks(chosenStacks);
    run('cargo', ['build', '--release', '--quiet', '-p', 'ossa-bench-emulator']);
  }
  for (const part of parts) {
    const { stacks, cells, kernel } = PARTS[part];
    if (kernel && !(process.platform === 'linux' && process.getuid() === 0)) {
      console.log(
        `${part}: left out, since network namespaces need root on Linux (sudo, or unshare --map-root-user --net --mount)`,
      );
      continue;
    }
    const wanted = cells.filter(({ name }) => name.includes(given.cells));
    const found = new Map();
    for (let round = 1; round <= Number(given.runs); round++) {
      for (const cell of wanted) {
        for (const stack of stacks.filter((stack) => chosenStacks.includes(stack))) {
          const result = await measureCell(cell, stack);
          const key = JSON.stringify([cell.name, stack]);
          found.set(key, [...(found.get(key) ?? []), result]);
          store(part, cell.name, stack, found.get(key));
          console.log(`${part}, round ${round}  ${cell.name.padEnd(24)} ${stack.padEnd(18)} ${brief(result)}`);
        }
      }
    }
  }
  for (const part of parts) {
    const results = stored().parts[part];
    if (results) console.log(`\n${printed(part, results)}`);
  }
}

async function measureCell(cell, stack) {
  let path;
  try {
    path = await cell.open();
    return await cell.measure(stack, path);
  } catch (error) {
    return { failed: error.message.split('\n')[0] };
  } finally {
    await path?.stop();
  }
}

function brief(result) {
  const entries = Object.entries(result);
  return entries
    .map(([key, item]) => `${key} ${typeof item === 'number' ? Number(item.toPrecision(3)) : item}`)
    .join(', ');
}

/** Writes the parts that were measured in place of what the page has of them; the others stay as they were measured, with their machine. */
function publish() {
  const { machine, parts: results } = stored();
  const measured = Object.keys(PARTS).filter((part) => results[part]);
  const path = join(root, 'docs', 'benchmarks.md');
  const text = readFileSync(path, 'utf8');
  const [start, end] = ['<!-- wan results -->', '<!-- end of wan results -->'];
  const [before, rest] = text.split(start);
  const [there, after] = rest.split(end);
  const sections = there.split(/^(?=### )/m).map((section) => section.trim());
  const section = (part) =>
    measured.includes(part)
      ? published(part, results[part], machine)
      : sections.find((section) => section.startsWith(`### ${PARTS[part].title}\n`));
  const body = [start, ...Object.keys(PARTS).map(section).filter(Boolean), end].join('\n\n');
  writeFileSync(path, `${before}${body}${after}`);
  const { share } = results;
  if (share) {
    const stacks = STACKS.filter((stack) => Object.values(share).some((cell) => cell[stack]));
    writeFileSync(join(root, 'docs', 'benchmarks-wan.svg'), plot(rowsOf('share', share, stacks), stacks, machine));
  }
  console.log(`docs/benchmarks.md: ${measured.join(', ')}`);
}
