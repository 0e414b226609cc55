// How long `require` and `import` of this package take beside the other stacks, and the memory it costs, each time in a fresh process.
// Usage: node bench/load.mjs [--rounds 21] [--publish]      after a release build
// `--publish` writes the table into docs/benchmarks.md.
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { quantile } from './measure.mjs';
import { machine, publish, table } from './publish.mjs';
import { TITLES } from './report.mjs';

const CHILD = fileURLToPath(new URL('load-child.cjs', import.meta.url));
const OURS = 'ossa-webrtc';
const PACKAGES = [
  { title: TITLES.ossa, args: [OURS] },
  { title: `${TITLES.ossa}, with \`createPeer\``, args: [OURS, 'createPeer'] },
  { title: TITLES['node-datachannel'], args: ['node-datachannel'] },
  { title: TITLES.wrtc, args: ['@roamhq/wrtc'] },
  { title: TITLES.werift, args: ['werift'] },
];
const WAYS = ['require', 'import'];

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '21' }, publish: { type: 'boolean' } } });
const rounds = Number(values.rounds);
const samples = PACKAGES.map(() => Object.fromEntries(WAYS.map((way) => [way, []])));
// Round by round over all, so that a change of the machine's mood meets each of them; the first one only fills the caches of files.
for (let round = 0; round <= rounds; round++) {
  for (const way of WAYS) {
    PACKAGES.forEach(({ args }, index) => {
      const sample = JSON.parse(execFileSync(process.execPath, [CHILD, way, ...args], { encoding: 'utf8' }));
      if (round > 0) samples[index][way].push(sample);
    });
  }
}

const median = (index, way, what) => quantile(samples[index][way].map((sample) => sample[what]), 0.5); // prettier-ignore
const range = (index, way) => {
  const times = samples[index][way].map(({ ms }) => ms);
  return `${median(index, way, 'ms').toFixed(1)} (${Math.min(...times).toFixed(1)}–${Math.max(...times).toFixed(1)})`;
};
const ratio = (index, way) => `${(median(index, way, 'ms') / median(0, way, 'ms')).toPrecision(3)}×`;
const rows = PACKAGES.map(({ title }, index) => [
  title,
  range(index, 'require'),
  ratio(index, 'require'),
  range(index, 'import'),
  ratio(index, 'import'),
  (median(index, 'require', 'rss') / 1e6).toFixed(1),
]);
const head = ['', '`require`, ms', '/ ours', '`import`, ms', '/ ours', 'resident memory after `require`, MB'];
const lines = [
  `${machine()} Median (range) of ${rounds} processes each, one after the other.`,
  '',
  ...table(head, rows),
];
console.log(lines.join('\n'));
if (values.publish) publish('load', lines);
