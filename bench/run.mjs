// `npm run bench`: this package beside other stacks, in the same run, interleaved. See docs/benchmarks.md.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { build, buildRustStacks, root } from '../scripts/setup.mjs';
import { memory, roundTrip, setup, setupAtOnce, throughput } from './measure.mjs';
import { Pair } from './pair.mjs';
import { SIZES, STACKS, consoleTable, markdownTable, notes, sizeName, summarize } from './report.mjs';
import { plot } from './svg.mjs';

const PARTS = ['throughput', 'roundtrip', 'setup', 'at-once', 'memory'];
const usage = `npm run bench -- [options]
  --quick           one short run, for a first look
  --stacks LIST     of ${STACKS.join(',')}
  --only LIST       of ${PARTS.join(',')}
  --sizes LIST      message sizes in bytes
  --runs N          rounds over all stacks (3)
  --seconds S       length of a throughput cell (2)
  --connections N   for memory (200; set-up uses 40 over all rounds)
  --at-once N       connections that begin at the same moment (2000)
  --no-build        use what is built
  --publish         write docs/benchmarks.md and docs/benchmarks.svg as well`;

const { values: given } = parseArgs({
  options: {
    quick: { type: 'boolean' },
    stacks: { type: 'string' },
    only: { type: 'string' },
    sizes: { type: 'string' },
    runs: { type: 'string' },
    seconds: { type: 'string' },
    connections: { type: 'string' },
    'at-once': { type: 'string' },
    'no-build': { type: 'boolean' },
    publish: { type: 'boolean' },
    help: { type: 'boolean' },
  },
});
if (given.help) {
  console.log(usage);
  process.exit(0);
}

function choice(name, all) {
  const chosen = given[name]?.split(',') ?? all;
  const unknown = chosen.filter((item) => !all.includes(item));
  if (unknown.length > 0) {
    console.error(`--${name}: ${unknown.join(', ')} is not one of ${all.join(', ')}`);
    process.exit(2);
  }
  return chosen;
}

const options = {
  stacks: choice('stacks', STACKS),
  parts: choice('only', PARTS),
  sizes: given.sizes?.split(',').map(Number) ?? SIZES,
  runs: Number(given.runs ?? (given.quick ? 1 : 3)),
  seconds: Number(given.seconds ?? (given.quick ? 1 : 2)),
  memoryConnections: Number(given.connections ?? (given.quick ? 50 : 200)),
  atOnce: Number(given['at-once'] ?? (given.quick ? 200 : 2000)),
  setupConnections: given.quick ? 10 : 40,
};

if (!given['no-build']) {
  build();
  buildRustStacks(options.stacks);
}

/** The measurements of one stack in one round: `[cell name, measure(pair)]`. */
function plan(round) {
  const cells = [];
  if (options.parts.includes('throughput')) {
    for (const size of options.sizes) {
      cells.push([`throughput ${size}`, (pair) => throughput(pair, size, options.seconds)]);
    }
  }
  if (options.parts.includes('roundtrip'))
    cells.push(['round trip', (pair) => roundTrip(pair, Math.min(options.seconds, 2))]);
  if (options.parts.includes('setup')) {
    cells.push(['setup', (pair) => setup(pair, Math.ceil(options.setupConnections / options.runs))]);
  }
  if (options.parts.includes('at-once') && round === 0) {
    cells.push(['at once', (pair) => setupAtOnce(pair, options.atOnce)]);
  }
  // Once is enough: it hardly varies and takes long.
  if (options.parts.includes('memory') && round === 0) {
    cells.push(['memory', (pair) => memory(pair, options.memoryConnections)]);
  }
  return cells;
}

/** Each cell in two fresh processes, so that none inherits the other's state or death. */
async function cell(stack, name, measure, versions) {
  // JavaScript's nursery grows to tens of MB by allocating at all, which would be spread over the connections.
  const pair = new Pair(stack, { nodeArgs: name === 'memory' ? ['--expose-gc', '--max-semi-space-size=1'] : [] });
  try {
    versions[stack] ??= (await pair.call(pair.sender, 'about')).version;
    return await measure(pair);
  } catch (error) {
    return { failed: error.message.split('\n')[0] };
  } finally {
    await pair.stop();
  }
}

const results = {
  date: new Date().toISOString(),
  machine: {
    cpu: cpus()[0]?.model.trim(),
    cores: cpus().length,
    platform: `${process.platform}-${process.arch}`,
    node: process.version,
  },
  options,
  stacks: options.stacks,
  versions: {},
  runs: [],
};

for (let round = 0; round < options.runs; round++) {
  const run = Object.fromEntries(options.stacks.map((stack) => [stack, {}]));
  // Cell by cell over the stacks, so that a change of the machine's mood meets them all.
  for (const [name, measure] of plan(round)) {
    for (const stack of options.stacks) {
      const value = await cell(stack, name, measure, results.versions);
      run[stack][name] = value;
      console.log(`round ${round + 1}/${options.runs}  ${name.padEnd(20)} ${stack.padEnd(18)} ${brief(value)}`);
    }
  }
  results.runs.push(run);
}

function brief(value) {
  if (value.ms) {
    const missing = value.missing ? `, ${value.missing} failed` : '';
    return `${value.ms.length} connections, slowest ${Math.max(...value.ms).toFixed(1)} ms${missing}`;
  }
  return Object.entries(value)
    .map(([key, item]) => `${key} ${typeof item === 'number' ? Number(item.toPrecision(4)) : item}`)
    .join(', ');
}

const rows = summarize(results);
const caption = `${results.date.slice(0, 10)}, ${results.machine.cpu}, ${results.machine.cores} cores, Node ${results.machine.node}, two processes over loopback`;
const folder = join(root, 'bench', 'results');
mkdirSync(folder, { recursive: true });
const name = results.date.replace(/[:.]/g, '-');
writeFileSync(join(folder, `${name}.json`), JSON.stringify({ ...results, summary: rows }, null, 2));
writeFileSync(join(folder, `${name}.svg`), plot(rows, options.stacks, caption));

console.log(`\n${consoleTable(rows, options.stacks)}\n`);
for (const note of notes(rows)) console.log(`  ${note}`);
console.log(`\nbench/results/${name}.json and .svg`);

if (given.publish) {
  const path = join(root, 'docs', 'benchmarks.md');
  const text = readFileSync(path, 'utf8');
  const [start, end] = ['<!-- results -->', '<!-- end of results -->'];
  const versions = options.stacks.map((stack) => `${stack} ${results.versions[stack] ?? '?'}`).join(', ');
  const sizes = options.sizes.map(sizeName).join(', ');
  const published = [
    start,
    `${caption}. Median (range) of ${options.runs} round${options.runs === 1 ? '' : 's'}, ${options.seconds} s per throughput cell (${sizes}); versions: ${versions}.`,
    markdownTable(rows, options.stacks),
    notes(rows)
      .map((note) => `- ${note}`)
      .join('\n'),
    '![Plot of the table](benchmarks.svg)',
    end,
  ].join('\n\n');
  writeFileSync(path, text.slice(0, text.indexOf(start)) + published + text.slice(text.indexOf(end) + end.length));
  writeFileSync(join(root, 'docs', 'benchmarks.svg'), plot(rows, options.stacks, caption));
  console.log('docs/benchmarks.md and docs/benchmarks.svg');
}
