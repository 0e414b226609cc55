// What one port for many connections costs, and TCP: the bench of crates/net, as tables.
// Usage: node bench/ports.mjs [--connections 2000] [--seconds 3] [--publish]
// `--publish` writes the tables into docs/benchmarks.md.
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';

import { machine, publish, table } from './publish.mjs';

const { values } = parseArgs({
  options: {
    connections: { type: 'string', default: '2000' },
    seconds: { type: 'string', default: '3' },
    publish: { type: 'boolean' },
  },
});

/** The lines of one run: a title, and what stands behind it. */
function run(...args) {
  const command = ['run', '--release', '--quiet', '-p', 'ossa-net', '--example', 'bench', '--', ...args];
  const { status, stdout } = spawnSync('cargo', command, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  if (status !== 0) throw new Error(`cargo ${command.join(' ')} ended with ${status}`);
  process.stderr.write(`${args.join(' ')}\n${stdout}\n`);
  const lines = stdout.trim().split('\n');
  return new Map(lines.map((line) => /^\s*(.+?) {2,}(.+)$/.exec(line).slice(1)));
}

/** One column for each way. */
function compare(ways, results) {
  const titles = [...new Set(results.flatMap((result) => [...result.keys()]))];
  const rows = titles.map((title) => [
    title,
    ...results.map((result) => (result.get(title) ?? '–').replace(/ +/g, ' ')),
  ]);
  return table(['', ...ways], rows);
}

const many = ['own', 'shared'].map((way) => run('many', way, values.connections, values.seconds));
const one = ['own', 'shared', 'tcp'].map((way) => run('pair', way, values.seconds));
const lines = [
  `Many. ${machine()}`,
  '',
  ...compare(['ports of their own', 'one port'], many),
  '',
  'One.',
  '',
  ...compare(['ports of its own', 'a shared port', 'TCP'], one),
];
console.log(lines.join('\n'));
if (values.publish) publish('ports', lines);
