// Tries the recipes of docs/bundlers.md with the packed package, and writes what works into its table.
// Usage: node scripts/bundlers.mjs [--write] [--only NAME]...     NAME: of a recipe, as in the table
import { spawn, spawnSync } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { Project } from './runtimes/checks.mjs';
import { root } from './setup.mjs';
import { writeTable } from './tables.mjs';

const PAGE = 'docs/bundlers.md';
const SAYS = 'hello, alice true';

const { values } = parseArgs({ options: { write: { type: 'boolean' }, only: { type: 'string', multiple: true } } });
if (values.write && values.only) throw new Error('the table is of all recipes');

const page = readFileSync(join(root, PAGE), 'utf8');
const [, program] = /<!-- file program\.mjs -->\n```js\n([^]*?)```/.exec(page);
/** From the mark to its command; each block of code on the way is a file, whose name is in its first line. */
const recipes = [...page.matchAll(/<!-- recipe (.+?): (.+?) -->\n([^]*?)```sh\nnpx (.*)\n```/g)].map(
  ([, name, tools, text, command]) => ({
    name,
    tools: tools.split(' '),
    files: [...text.matchAll(/```js no-run\n\/\/ (\S+)\n([^]*?)```/g)].map(([, file, code]) => ({ file, code })),
    command,
  }),
);

/** What comes of a recipe that is no program but a server: where it is built to, what starts it, and what its pages say. */
const SERVERS = {
  'Next.js, standalone': {
    out: '.next/standalone',
    main: 'server.js',
    pages: { '/greet': 'hello, a route', '/': '<p>hello, a component</p>' },
  },
};

/** A folder below target/ where these packages are installed; no script of theirs is run. */
function workshop(tools) {
  const folder = join(root, 'target', 'bundlers', tools.join('-').replace(/[^\w.-]+/g, '-'));
  if (existsSync(join(folder, 'node_modules'))) return folder;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
  const options = ['--ignore-scripts', '--no-audit', '--no-fund', '--no-package-lock'];
  run('npm', ['install', ...options, ...tools], folder);
  return folder;
}

function run(command, args, cwd) {
  const shell = process.platform === 'win32';
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8', shell, timeout: 120_000 });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed:\n${stdout}${stderr}`);
  return stdout.trim();
}

/** Bundles the program; the folder that came of it. */
function bundled({ name, tools, files, command }, project) {
  // A server is traced to the folders of its packages, and they have to be the project's own.
  const folder = mkdtempSync(SERVERS[name] ? join(tmpdir(), 'ossa-webrtc-server-') : join(workshop(tools), 'project-'));
  if (SERVERS[name]) {
    cpSync(join(workshop(tools), 'node_modules'), join(folder, 'node_modules'), {
      recursive: true,
      verbatimSymlinks: true,
    });
  }
  cpSync(join(project.folder, 'node_modules'), join(folder, 'node_modules'), { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{ "name": "program", "private": true }\n');
  writeFileSync(join(folder, 'program.mjs'), program);
  for (const { file, code } of files) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), code);
  }
  // As a shell reads it, but for what has no meaning in these recipes.
  const words = [...command.matchAll(/(?:[^\s"]|"[^"]*")+/g)].map(([word]) => word.replaceAll('"', ''));
  run('npx', ['--no', '--', ...words], folder);
  return folder;
}

/** What the program says, where only the bundle is and what `beside` puts there, instead of what it should; undefined if that. */
function unsaid(folder, beside) {
  const place = mkdtempSync(join(tmpdir(), 'ossa-webrtc-bundle-'));
  try {
    cpSync(join(folder, 'out'), place, { recursive: true });
    beside(place);
    const [file] = readdirSync(place).filter((name) => /^program\.m?js$/.test(name));
    const text = run(process.execPath, [file], place);
    return text === SAYS ? undefined : `says ${text}`;
  } finally {
    rmSync(place, { recursive: true });
  }
}

function freePort() {
  const server = createServer();
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

/** What keeps a server from saying on its pages what it should, where only that is which it was built to; undefined if nothing. */
async function unanswered(folder, { out, main, pages }) {
  const place = mkdtempSync(join(tmpdir(), 'ossa-webrtc-bundle-'));
  cpSync(join(folder, out), place, { recursive: true, verbatimSymlinks: true });
  const port = await freePort();
  const env = { ...process.env, PORT: String(port), HOSTNAME: '127.0.0.1' };
  const server = spawn(process.execPath, [main], { cwd: place, env, stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    // The first line on the way to being ready comes before that; it says when it listens.
    for await (const text of server.stdout) if (String(text).includes('Ready')) break;
    for (const [path, says] of Object.entries(pages)) {
      const text = await (await fetch(`http://127.0.0.1:${port}${path}`)).text();
      if (!text.includes(says)) return `${path} says ${text}`;
    }
    return undefined;
  } finally {
    server.kill();
    rmSync(place, { recursive: true });
  }
}

const project = new Project();
const modules = join(project.folder, 'node_modules');
const platform = readdirSync(modules).find((name) => name.startsWith('ossa-webrtc-'));
const packages = (place) => cpSync(modules, join(place, 'node_modules'), { recursive: true });
const library = (place) => {
  const file = `${platform.replace('ossa-webrtc-', 'ossa-webrtc.')}.node`;
  copyFileSync(join(modules, platform, file), join(place, file));
};

const rows = [];
for (const recipe of recipes.filter(({ name }) => !values.only || values.only.includes(name))) {
  const allInOne = recipe.name.includes('all in one');
  let works = false;
  let folder;
  try {
    folder = bundled(recipe, project);
    const server = SERVERS[recipe.name];
    const failure = server ? await unanswered(folder, server) : unsaid(folder, allInOne ? library : packages);
    works = failure === undefined;
    console.log(`${recipe.name}: ${failure ?? 'works'}`);
  } catch (error) {
    console.log(`${recipe.name}: ${error.message}`);
  } finally {
    if (folder) rmSync(folder, { recursive: true });
  }
  if (!works) process.exitCode = 1;
  rows.push([
    recipe.name,
    recipe.tools.join(', '),
    allInOne ? 'the library' : SERVERS[recipe.name] ? 'nothing' : 'the two packages',
    works ? 'yes' : '**no**',
  ]);
}
project.remove();
if (values.write) writeTable(PAGE, 'bundlers', ['', 'tried with', 'beside the bundle', 'runs'], rows);
