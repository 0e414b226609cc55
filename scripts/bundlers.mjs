// Tries the recipes of docs/bundlers.md with the packed package, and writes what works into its table.
// Usage: node scripts/bundlers.mjs [--write] [--only NAME]...     NAME: of a recipe, as in the table
import { spawnSync } from 'node:child_process';
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
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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
const recipes = [
  ...page.matchAll(/<!-- recipe (.+?): (.+?) -->\n(?:```js no-run\n\/\/ (\S+)\n([^]*?)```\n\n)?```sh\nnpx (.*)\n```/g),
].map(([, name, tools, file, config, command]) => ({ name, tools: tools.split(' '), file, config, command }));

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
function bundled({ tools, file, config, command }, project) {
  const folder = mkdtempSync(join(workshop(tools), 'project-'));
  cpSync(join(project.folder, 'node_modules'), join(folder, 'node_modules'), { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{ "name": "program", "private": true }\n');
  writeFileSync(join(folder, 'program.mjs'), program);
  if (file) writeFileSync(join(folder, file), config);
  // As a shell reads it, but for what has no meaning in these recipes.
  const words = [...command.matchAll(/(?:[^\s"]|"[^"]*")+/g)].map(([word]) => word.replaceAll('"', ''));
  run('npx', ['--no', '--', ...words], folder);
  return folder;
}

/** What the program says where only the bundle is and what `beside` puts there. */
function said(folder, beside) {
  const place = mkdtempSync(join(tmpdir(), 'ossa-webrtc-bundle-'));
  try {
    cpSync(join(folder, 'out'), place, { recursive: true });
    beside(place);
    const [file] = readdirSync(place).filter((name) => /^program\.m?js$/.test(name));
    return run(process.execPath, [file], place);
  } finally {
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
    const text = said(folder, allInOne ? library : packages);
    works = text === SAYS;
    console.log(`${recipe.name}: ${works ? 'works' : text}`);
  } catch (error) {
    console.log(`${recipe.name}: ${error.message}`);
  } finally {
    if (folder) rmSync(folder, { recursive: true });
  }
  if (!works) process.exitCode = 1;
  rows.push([
    recipe.name,
    recipe.tools.join(', '),
    allInOne ? 'the library' : 'the two packages',
    works ? 'yes' : '**no**',
  ]);
}
project.remove();
if (values.write) writeTable(PAGE, 'bundlers', ['', 'tried with', 'beside the bundle', 'runs'], rows);
