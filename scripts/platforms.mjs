// Checks the native libraries that were built, runs each where this machine can, and writes the table of docs/platforms.md.
// Usage: node scripts/platforms.mjs [--write] [--from FOLDER]      after `npm run prebuild [-- --out FOLDER]` and `npm run build:ts`
// Rows of libraries that are not there stay as they were: no machine builds all, and what one builds takes it an hour.
// FOLDER: where the libraries are; without it, the folder of package.json. What runs is scripts/smoke.mjs: on a Node for the processor and the C
// library that each is for (scripts/platforms/nodes.mjs). A library that fails is an error.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { checkLibrary } from './check-library.mjs';
import { nodeOf } from './platforms/nodes.mjs';
import { host, missing } from './platforms/tools.mjs';
import { root } from './setup.mjs';
import { tableRows, writeTable } from './tables.mjs';
import { targets } from './targets.mjs';

/** For one program, in milliseconds: an emulated processor beside others. */
const PATIENCE = 300_000;

const DOCUMENT = 'docs/platforms.md';

const { values } = parseArgs({ options: { write: { type: 'boolean' }, from: { type: 'string' } } });
const folder = resolve(values.from ?? root);
const own = targets().find(({ target }) => target === host)?.triple;
let failed = false;

/** What the smoke test says of a library: the last cell of its row. */
function tried({ triple }, file) {
  const node = nodeOf(triple, own);
  const reason = node.missing();
  if (reason !== undefined) return `not here: ${reason}`;
  const [program, ...args] = node.command();
  const { status, signal, stdout, stderr, error } = spawnSync(program, [...args, join(root, 'scripts', 'smoke.mjs')], {
    cwd: root,
    encoding: 'utf8',
    timeout: PATIENCE,
    env: { ...process.env, OSSA_WEBRTC_NATIVE_LIBRARY_PATH: file },
  });
  console.log(`${triple}: ${node.title}: ${stdout.trim()}`);
  if (status === 0) return `yes, in ${node.title}`;
  failed = true;
  console.error(`${triple}: ended with ${error?.message ?? signal ?? status}\n${stderr}`);
  return `**no**, in ${node.title}`;
}

/** Columns of a row that `checkLibrary`, which ends this process otherwise, has found to be as they must be. */
const checked = ({ glibc, bytes, needs }) => [
  glibc ?? '–',
  `${(bytes / 1e6).toFixed(1)} MB`,
  needs.map((name) => `\`${name}\``).join(', '),
];

const earlier = new Map(tableRows(DOCUMENT, 'platforms').map((cells) => [cells[0], cells]));
const rows = targets().map((platform) => {
  const file = join(folder, platform.library);
  const name = `\`${platform.triple}\``;
  if (existsSync(file)) return [name, 'yes', ...checked(checkLibrary(file, platform)), tried(platform, file)];
  const reason = missing(platform);
  if (reason !== undefined) return [name, `not here: ${reason}`, '–', '–', '–', '–'];
  return earlier.get(name) ?? [name, 'not yet', '–', '–', '–', '–'];
});
console.log(rows.map((row) => row.join(' | ')).join('\n'));
if (failed) process.exit(1);
const head = [
  '',
  `built on ${own}`,
  'glibc, from',
  'size',
  'needs of the system',
  'two connections, a call, 1 MB, Opus',
];
if (values.write) writeTable(DOCUMENT, 'platforms', head, rows);
