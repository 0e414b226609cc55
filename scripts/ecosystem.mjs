// Tries libraries that expect the WebRTC of a browser, unchanged, and writes which work into docs/interop.md. They are installed in
// interop/ecosystem, whose files `libraries/*.mjs` say how each is used; no script of theirs is run.
// Usage: node scripts/ecosystem.mjs [--write] [--only LIBRARY]...     LIBRARY: a file of that folder
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { root } from './setup.mjs';
import { writeTable } from './tables.mjs';

const folder = join(root, 'interop', 'ecosystem');
const windows = process.platform === 'win32';

/** A network of its own, in which servers elsewhere are silent: their names, too. */
const ALONE = [
  'ip link set lo up',
  'ip link add alone type veth peer name nobody',
  'ip addr add 192.0.2.1/24 dev alone',
  'ip link set alone up',
  'ip link set nobody up',
  'ip route add default dev alone',
  'exec "$0" "$@"',
].join(' && ');

function install() {
  const installed = join(folder, 'node_modules', '.package-lock.json');
  const age = (path) => statSync(path).mtimeMs;
  if (existsSync(installed) && age(installed) >= age(join(folder, 'package-lock.json'))) return;
  const options = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  const { status } = spawnSync('npm', ['ci', ...options], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
    shell: windows,
  });
  if (status !== 0) throw new Error(`npm ci has failed in ${folder}`);
}

/** What happened to the two, in whatever order it was noticed. */
function tried(library) {
  const program = [process.execPath, join(folder, 'try.mjs'), library];
  const [command, ...args] = windows
    ? program
    : ['unshare', '--map-root-user', '--net', '--', 'sh', '-c', ALONE, ...program];
  const { stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8' });
  if (error) throw error;
  try {
    const { alice, bob } = JSON.parse(stdout);
    return { alice, bob, stderr };
  } catch {
    return { alice: { events: [], end: null }, bob: { events: [], end: null }, stderr: stdout + stderr };
  }
}

const EXPECTED = {
  alice: ['connected', 'received hello from bob'],
  bob: ['connected', 'received hello from alice', 'left'],
};

/** Nothing, or what is not as it should be. */
function complaint(results) {
  const wrong = Object.entries(EXPECTED).flatMap(([role, expected]) => {
    const { events, end } = results[role];
    const happened = new Set(events.map((event) => event.join(' ')));
    const missing = expected.filter((event) => !happened.has(event)).map((event) => `${role}: never ${event}`);
    return end === 0 ? missing : [...missing, `${role} ended with ${end}`];
  });
  return wrong.length === 0 ? undefined : `${wrong.join(', ')}\n${results.stderr}`;
}

const { values } = parseArgs({ options: { write: { type: 'boolean' }, only: { type: 'string', multiple: true } } });
if (values.write && values.only) throw new Error('the table is of all libraries');
const all = readdirSync(join(folder, 'libraries')).map((file) => file.replace(/\.mjs$/, ''));
const unknown = values.only?.filter((name) => !all.includes(name)) ?? [];
if (unknown.length > 0) throw new Error(`there is no library ${unknown.join(', ')} among ${all.join(', ')}`);
install();

const rows = [];
for (const library of all.filter((name) => !values.only || values.only.includes(name))) {
  const results = tried(library);
  const failure = complaint(results);
  console.log(`${library}: ${failure ?? 'works'}`);
  if (failure !== undefined) process.exitCode = 1;
  if (!values.write) continue;
  const { about } = await import(pathToFileURL(join(folder, 'libraries', `${library}.mjs`)));
  const { version } = JSON.parse(readFileSync(join(folder, 'node_modules', about.package, 'package.json'), 'utf8'));
  const stays = results.bob.events.some(([event]) => event === 'stays');
  rows.push([
    about.name,
    version,
    about.how,
    about.over,
    failure === undefined ? 'yes' : '**no**',
    stays ? 'with `process.exit()`' : 'by itself',
  ]);
}
const head = ['', 'version', 'is given', 'meets over', 'connects, talks, notices who leaves', 'the process ends'];
if (values.write) writeTable('docs/interop.md', 'ecosystem', head, rows);
