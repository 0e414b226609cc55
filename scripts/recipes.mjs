// Runs the programs of README.md, docs/ and examples/ from the packed package, in a project that has nothing else but the packages that they
// import, without a compiler on the PATH, on the run times of scripts/runtimes/list.mjs, and writes what works into docs/platforms.md.
// Usage: node scripts/recipes.mjs [--write] [--only NAME]... [--program PROGRAM]...
// NAME: the beginning of a run time's name. PROGRAM: the beginning of a program's, as `docs/mcp` or `examples/files`.
import { spawn } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { parseArgs } from 'node:util';
import { transformSync } from '@swc/core';
import { Project } from './runtimes/checks.mjs';
import { installed, RUNTIMES } from './runtimes/list.mjs';
import { root } from './setup.mjs';
import { writeTable } from './tables.mjs';

/** For one program, in milliseconds, on a busy machine. */
const PATIENCE = 120_000;

/** Programs at a time: most of them wait. */
const WORKERS = 2;

/** Examples that wait for others, or for somebody at a keyboard: __tests__/examples.test.ts gives them that. */
const CONVERSATIONS = ['browser/agent', 'chat', 'signaling-redis', 'video/player', 'video/recorder', 'voice/parrot'];

/** What some programs need of Node, by what they import: the SDK of A2A requires an ES module. */
const NEEDS = { '@a2a-js/sdk': [20, 19] };

/** Columns of the table, and the programs that belong to each. */
const COLUMNS = [
  { title: 'README', has: (name) => name.startsWith('README') },
  { title: '[MCP](mcp.md)', has: (name) => /^(docs|examples)\/mcp\b/.test(name) },
  { title: '[A2A](a2a.md)', has: (name) => /^(docs|examples)\/a2a\b/.test(name) },
  { title: 'other pages', has: (name) => name.startsWith('docs/') },
  { title: 'other examples', has: (name) => name.startsWith('examples/') },
];

/** The programs of a page: its blocks of `ts`, `js` and `mjs`, without those marked `no-run`, named by the line where each begins. */
function blocksOf(page) {
  const text = readFileSync(join(root, page), 'utf8');
  return [...text.matchAll(/^```(ts|js|mjs)\n([^]*?)^```$/gm)].map(({ 1: language, 2: code, index }) => ({
    name: `${page.replace(/\.md$/, '')}-${text.slice(0, index).split('\n').length}`,
    code,
    typescript: language === 'ts',
    runs: true,
  }));
}

/** Examples, and what they import of each other. */
function examples() {
  const files = readdirSync(join(root, 'examples'), { recursive: true, encoding: 'utf8' });
  const sources = files.filter((file) => file.endsWith('.mts')).map((file) => file.replaceAll('\\', '/'));
  const codeOf = (file) => readFileSync(join(root, 'examples', file), 'utf8');
  const imported = new Set(
    sources.flatMap((file) =>
      [...codeOf(file).matchAll(/from '(\.\.?\/[^']+)'/g)].map(([, other]) => posix.join(posix.dirname(file), other)),
    ),
  );
  return sources.map((file) => {
    const name = file.replace(/\.mts$/, '');
    const runs = !imported.has(file) && !CONVERSATIONS.includes(name);
    return { name: `examples/${name}`, code: codeOf(file), typescript: true, runs };
  });
}

/** Packages that programs import, in the versions that this project is tested with. */
function packagesOf(programs) {
  const names = programs.flatMap(({ code }) =>
    [...code.matchAll(/(?:from |import\(|import\.meta\.url\)\()'((?:@[\w-]+\/)?[\w-]+)(?:\/[^']*)?'/g)].map(
      ([, name]) => name,
    ),
  );
  const others = [...new Set(names)].filter((name) => name !== 'ossa-webrtc');
  return others.map((name) => {
    const { version } = JSON.parse(readFileSync(join(root, 'node_modules', name, 'package.json'), 'utf8'));
    return `${name}@${version}`;
  });
}

function write({ name, code, typescript }, folder) {
  const { code: javascript } = transformSync(code, {
    jsc: { target: 'es2022', parser: { syntax: typescript ? 'typescript' : 'ecmascript' } },
    module: { type: 'es6' },
  });
  const file = join(folder, `${name}.mjs`);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${javascript.replaceAll(/(from '\.[^']+)\.mts'/g, "$1.mjs'")}\nexport {};\n`);
}

/** Whether a run time is new enough for a program. */
function fits({ name }, { code }) {
  const [, major, minor] = /^Node (\d+)\.(\d+)/.exec(name) ?? [];
  if (major === undefined) return true;
  return Object.entries(NEEDS).every(
    ([needy, [oldest, least]]) =>
      !code.includes(`'${needy}`) || Number(major) > oldest || (Number(major) === oldest && Number(minor) >= least),
  );
}

/** Undefined if the program has ended well by itself, or what it did instead. */
async function tried(runtime, { name, code }, folder) {
  const path = installed(runtime);
  // Bun has tests run by its own runner only.
  const args = runtime.name.startsWith('Bun') && code.includes("'node:test'") ? ['test'] : runtime.args;
  const child = spawn(path, [...args, `./${name}.mjs`], {
    cwd: folder,
    // Of programs in other languages, none is needed.
    env: { ...process.env, PATH: dirname(path) },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: PATIENCE,
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (said += text));
  const end = await new Promise((resolve) => child.on('close', (code, signal) => resolve(signal ?? code)));
  return end === 0 ? undefined : `ended with ${end}\n${said}`;
}

/** The names of those that fail. */
async function failing(runtime, programs, folder) {
  const failed = [];
  const left = [...programs];
  const work = async () => {
    for (let program = left.shift(); program; program = left.shift()) {
      const failure = await tried(runtime, program, folder);
      if (failure === undefined) continue;
      failed.push(program.name);
      console.log(`${runtime.name}: ${program.name}: ${failure}`);
    }
  };
  await Promise.all(Array.from({ length: WORKERS }, work));
  console.log(`${runtime.name}: ${programs.length - failed.length} of ${programs.length} programs work`);
  return failed;
}

const { values } = parseArgs({
  options: {
    write: { type: 'boolean' },
    only: { type: 'string', multiple: true },
    program: { type: 'string', multiple: true },
  },
});
if (values.write && (values.only || values.program)) throw new Error('the table is of all run times and all programs');
const begins = (name, starts) => !starts || starts.some((start) => name.startsWith(start));
const pages = readdirSync(join(root, 'docs')).filter((name) => name.endsWith('.md'));
const all = ['README.md', ...pages.map((name) => `docs/${name}`)].flatMap(blocksOf).concat(examples());
const programs = all.filter(({ name, runs }) => runs && begins(name, values.program));

const project = new Project();
// Parts of examples as well as programs: all of them are written.
const needed = all.filter((program) => programs.includes(program) || program.name.startsWith('examples/'));
project.install(packagesOf(needed));
for (const program of needed) write(program, project.folder);
const rows = [];
for (const runtime of RUNTIMES.filter(({ name }) => begins(name, values.only))) {
  const fitting = programs.filter((program) => fits(runtime, program));
  const failed = await failing(runtime, fitting, project.folder);
  if (failed.length > 0) process.exitCode = 1;
  const cells = COLUMNS.map(({ has }, at) => {
    const own = ({ name }) => has(name) && !COLUMNS.slice(0, at).some((earlier) => earlier.has(name));
    const tries = fitting.filter(own);
    if (tries.length === 0) return '–';
    return `${tries.filter(({ name }) => !failed.includes(name)).length} of ${tries.length}`;
  });
  rows.push([runtime.name, ...cells]);
}
project.remove();
if (values.write) writeTable('docs/platforms.md', 'recipes', ['', ...COLUMNS.map(({ title }) => title)], rows);
