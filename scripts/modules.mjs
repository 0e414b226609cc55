// Draws the imports between the files of each crate: there must be no circle, and no import from `lib.rs`, which is the crate's face
// for others. Reads the sources as text, so it needs no toolchain and takes a second.
// Usage: node scripts/modules.mjs [--edges] [FOLDER ...]      all crates without arguments
import { readFileSync, readdirSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { root } from './setup.mjs';

/** Comments, texts and characters, none of which are imports. */
const NO_CODE =
  /\/\/[^\n]*|\/\*[\s\S]*?\*\/|\bb?r(#*)"[\s\S]*?"\1|\bb?"(?:\\[\s\S]|[^"\\])*"|"(?:\\[\s\S]|[^"\\])*"|b?'(?:\\.[^']*|[^'\\])'/g;
const TEST_ONLY = /#\[cfg\((?:all\()?test\b[^\]]*\]\s*(?:#\[[^\]]*\]\s*)*/;
const DEFINITION =
  /\b(?:fn|struct|enum|union|trait|const|static|type)\s+(?:mut\s+)?([A-Za-z_]\w*)|macro_rules!\s*(\w+)|\bmod\s+(\w+)\s*\{/g;
const PATH = /(?<![\w:])([a-z_]\w*(?:\s*::\s*[A-Za-z_]\w*)+)/g;

/** Where the block ends that opens at `open`. */
function blockEnd(code, open) {
  let depth = 0;
  for (let at = open; at < code.length; at++) {
    if (code[at] === '{') depth++;
    else if (code[at] === '}' && --depth === 0) return at + 1;
  }
  return code.length;
}

function codeOf(file) {
  let code = readFileSync(file, 'utf8').replace(NO_CODE, ' ');
  for (let match; (match = TEST_ONLY.exec(code));) {
    const from = match.index + match[0].length;
    const stop = from + code.slice(from).search(/[;{]/);
    code = code.slice(0, match.index) + code.slice(code[stop] === '{' ? blockEnd(code, stop) : stop + 1);
  }
  return code;
}

const segments = (path) =>
  path
    .split('::')
    .map((part) => part.trim())
    .filter(Boolean);

/** The leaves of a `use` tree: each a path, and the name that it gets. */
function* leaves(tree, before = []) {
  const brace = tree.indexOf('{');
  if (brace < 0) {
    const [path, alias] = tree.trim().split(/\s+as\s+/);
    const full = [...before, ...segments(path)];
    if (full.at(-1) === 'self') full.pop();
    yield [alias ?? full.at(-1), full];
    return;
  }
  const head = [...before, ...segments(tree.slice(0, brace))];
  let depth = 0;
  let start = brace + 1;
  for (let at = start; at < tree.length; at++) {
    if (tree[at] === '{') depth++;
    const last = tree[at] === '}' && depth-- === 0;
    if (!last && !(tree[at] === ',' && depth === 0)) continue;
    if (tree.slice(start, at).trim()) yield* leaves(tree.slice(start, at), head);
    start = at + 1;
    if (last) return;
  }
}

/** The modules of a crate by path (`a::b`; '' is lib.rs): what each defines, imports and says besides. */
function modulesOf(folder) {
  const modules = new Map();
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const file = join(entry.parentPath ?? entry.path, entry.name);
    const path = relative(folder, file)
      .replace(/(?:\/?\bmod|^lib)?\.rs$/, '')
      .split('/')
      .filter(Boolean);
    if (!entry.isFile() || !file.endsWith('.rs') || path.some((name) => /(?:^|_)tests$/.test(name))) continue;
    const uses = new Map();
    const globs = [];
    const body = codeOf(file).replace(/\buse\s+([^;]+);/g, (_, tree) => {
      for (const [name, target] of leaves(tree)) {
        if (name === '*') globs.push(target.slice(0, -1));
        else uses.set(name === '_' ? `_${uses.size}` : name, target);
      }
      return '';
    });
    const defined = new Set([...body.matchAll(DEFINITION)].map((match) => match[1] ?? match[2] ?? match[3]));
    modules.set(path.join('::'), { file: relative(root, file), uses, globs, body, defined });
  }
  return modules;
}

/** The module that defines what `path` names, as seen from a module: through re-exports, to where it stands. */
function definedIn(modules, from, path, seen = new Set()) {
  const key = `${from} ${path.join('::')}`;
  if (seen.has(key)) return undefined;
  seen.add(key);
  const rest = [...path];
  let at = from === '' ? [] : from.split('::');
  if (rest[0] === 'crate') at = [];
  else if (rest[0] !== 'self' && rest[0] !== 'super') {
    const used = modules.get(from).uses.get(rest[0]);
    if (used) return used[0] === rest[0] ? undefined : definedIn(modules, from, [...used, ...rest.slice(1)], seen);
    if (!modules.has([...at, rest[0]].join('::'))) return undefined;
  }
  for (; rest[0] === 'crate' || rest[0] === 'self' || rest[0] === 'super'; rest.shift())
    if (rest[0] === 'super') at.pop();
  while (rest.length > 0 && modules.has([...at, rest[0]].join('::'))) at.push(rest.shift());
  const found = at.join('::');
  const { defined, uses, globs } = modules.get(found);
  if (rest.length === 0 || defined.has(rest[0])) return found;
  const used = uses.get(rest[0]);
  if (used) return definedIn(modules, found, [...used, ...rest.slice(1)], seen);
  for (const glob of globs) {
    const through = definedIn(modules, found, [...glob, ...rest], seen);
    if (through !== undefined) return through;
  }
  return found;
}

/** What each module needs. A folder's files may know its `mod.rs`: it holds what they share, such as the type that they implement. */
function edgesOf(modules) {
  const edges = new Map();
  for (const [path, { uses, globs, body }] of modules) {
    const needed = new Set();
    const need = (target) => {
      const found = definedIn(modules, path, target);
      if (found !== undefined && found !== path && !path.startsWith(`${found}::`)) needed.add(found);
    };
    // What a face only hands on it does not need.
    for (const [name, target] of uses) if (name.startsWith('_') || new RegExp(`\\b${name}\\b`).test(body)) need(target);
    for (const glob of globs) need(glob);
    for (const [, found] of body.matchAll(PATH)) need(segments(found));
    needed.delete('');
    edges.set(path, needed);
  }
  return edges;
}

/** Imports of what `lib.rs` shows to others. */
function* fromFace(modules) {
  for (const [path, { file, uses, body }] of modules) {
    if (path === '') continue;
    const named = [...uses.values(), ...[...body.matchAll(PATH)].map(([, found]) => segments(found))];
    for (const target of named) {
      const shown = target[0] === 'crate' && !modules.has(target[1]) && !modules.get('').defined.has(target[1]);
      if (shown) yield `${file} imports ${target.join('::')} from lib.rs`;
    }
  }
}

/** Modules that need each other (Tarjan's strongly connected components). */
function circlesOf(edges) {
  const found = [];
  const numbers = new Map();
  const lows = new Map();
  const stack = [];
  const visit = (module) => {
    numbers.set(module, numbers.size);
    lows.set(module, numbers.get(module));
    stack.push(module);
    for (const next of edges.get(module)) {
      if (!numbers.has(next)) visit(next);
      if (stack.includes(next)) lows.set(module, Math.min(lows.get(module), lows.get(next)));
    }
    if (lows.get(module) !== numbers.get(module)) return;
    const circle = stack.splice(stack.indexOf(module));
    if (circle.length > 1) found.push(circle);
  };
  for (const module of edges.keys()) if (!numbers.has(module)) visit(module);
  return found;
}

const folders = process.argv.slice(2).filter((argument) => argument !== '--edges');
if (folders.length === 0) folders.push('src', ...readdirSync(join(root, 'crates')).map((name) => `crates/${name}/src`));
const problems = [];
for (const folder of folders) {
  const modules = modulesOf(resolve(root, folder));
  const edges = edgesOf(modules);
  const name = (path) => modules.get(path).file;
  for (const circle of circlesOf(edges)) problems.push(`need each other: ${circle.map(name).sort().join(', ')}`);
  problems.push(...new Set(fromFace(modules)));
  if (!process.argv.includes('--edges')) continue;
  for (const [path, needed] of edges) for (const next of needed) console.log(`${name(path)} -> ${name(next)}`);
}
for (const problem of problems) console.error(problem);
process.exitCode = problems.length > 0 ? 1 : 0;
