// Bundles the code into few files: each that a program requires costs a third of a millisecond, and `ts/` has hundreds. Nothing is minified, and
// each part says which source it is from, so that stacks can be read.
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import { transformSync } from 'esbuild';

import { nativeInterface } from './scripts/native-interface.mjs';

/** What others load: each is the file of the same name in dist/. */
const ENTRIES = [
  'index',
  'polyfill',
  'ossa/index',
  'mcp/index',
  'a2a/index',
  'tracing/index',
  'native/index',
  'browser/polyfill',
  'cli/bin',
];

/** Those that `import` finds as well. One copy of the classes serves both: `instanceof` works across them. */
const MODULES = ['ossa/index', 'mcp/index', 'a2a/index', 'tracing/index'];

/** Modules of Node that take a millisecond or more to load, and that few programs have loaded already. */
const HEAVY = [
  'child_process',
  'crypto',
  'dgram',
  'dns/promises',
  'fs/promises',
  'http',
  'https',
  'net',
  'readline',
  'stream/web',
  'tls',
];

/** TypeScript without its types, which tsc has checked. */
const typescript = {
  name: 'typescript',
  resolveId(id, importer) {
    if (!importer || !id.startsWith('.')) return null;
    const path = resolve(dirname(importer), id.replace(/\.js$/, ''));
    const isFile = (file) => existsSync(file) && statSync(file).isFile();
    return (
      [`${path}.ts`, `${path}/index.ts`].find(isFile) ?? this.error(`${importer} imports ${id}, which is not there`)
    );
  },
  load(id) {
    const options = { loader: 'ts', target: 'es2022', sourcefile: id };
    if (id === resolve('ts/native/interface.ts'))
      options.define = { NATIVE_INTERFACE: JSON.stringify(nativeInterface()) };
    const { code } = transformSync(readFileSync(id, 'utf8'), options);
    const [imports] = /^(?:(?:#!.*|import\s[^;]*;)\n)*/.exec(code);
    return `${imports}/* ${relative('.', id).replaceAll('\\', '/')} */\n${code.slice(imports.length)}`;
  },
};

const heavy = (name) => `builtin_${name.replace('/', '_')}`;

/** Loads what is heavy where it is used first, instead of at the top of the file. Its variables have names that nothing else has. */
const heavyWhenUsed = {
  name: 'heavy-when-used',
  resolveId(id) {
    if (!id.startsWith('node:')) return null;
    const name = id.slice('node:'.length);
    return { id: HEAVY.includes(name) ? heavy(name) : id, external: true };
  },
  renderChunk: (code) =>
    code
      .replace(/^const (builtin_\w+) = (require\('[^']+'\));$/gm, 'let $1_;\nconst $1 = () => ($1_ ??= $2);')
      .replace(/^require\('[^']+'\);\n/gm, '')
      .replace(/\bnew (builtin_\w+)\.(\w+)/g, 'new ($1().$2)')
      .replace(/\bbuiltin_\w+(?=\.)/g, '$&()'),
};

/**
 * The files that `import` finds. And who requires the package gets the W3C's classes, and what stands on them when it is first asked for: its
 * exports are getters until then. ES modules have no such thing, so who imports it gets all.
 */
const faces = {
  name: 'faces',
  generateBundle(_, bundle) {
    const { code, exports } = bundle['index.js'];
    const files = new Map(
      [...code.matchAll(/^const (\w+) = require\('(\.\/\w+\.js)'\);$/gm)].map(([, name, file]) => [name, file]),
    );
    const list = [...code.matchAll(/^exports\.(\w+) = (\w+)\.([\w$]+);$/gm)]
      .filter(([, , from]) => files.has(from))
      .map(([, name, from, local]) => ({ name, from: files.get(from), local }));
    const lost = exports.filter((name) => !list.some((one) => one.name === name));
    if (lost.length > 0) this.error(`ts/index.ts exports what it does not import: ${lost.join(', ')}`);
    bundle['index.js'].code = required(list);
    const emit = (fileName, source) => this.emitFile({ type: 'asset', fileName, source });
    emit('index.mjs', imported(exports));
    emit('bundled.mjs', bundled(list));
    emit('polyfill.mjs', "import './polyfill.js';\n");
    for (const entry of MODULES) {
      emit(`${entry}.mjs`, imported(bundle[`${entry}.js`].exports));
      emit(`${dirname(entry)}/bundled.mjs`, "export * from './index.js';\n");
    }
  },
};

const CORE = './core.js';

const required = (list) => `'use strict';

Object.defineProperty(exports, '__esModule', { value: true });

const core = require('${CORE}');

${list.flatMap(({ name, from, local }) => (from === CORE ? [`exports.${name} = core.${local};`] : [])).join('\n')}

// Loaded when it is first asked for; from then on a property like those above.
function whenUsed(name, load) {
  const become = (value) => {
    Object.defineProperty(exports, name, { value, enumerable: true, configurable: true, writable: true });
    return value;
  };
  Object.defineProperty(exports, name, { get: () => become(load()), set: become, enumerable: true, configurable: true });
}

${list.flatMap(({ name, from, local }) => (from === CORE ? [] : [`whenUsed('${name}', () => require('${from}').${local});`])).join('\n')}

// For tools that read the names of exports without running this.
0 && (module.exports = { ${list.flatMap(({ name }) => (name === 'default' ? [] : [name])).join(', ')} });
`;

/** For Node, which would search the whole code for the names of its exports if it were asked to import it: that takes longer than to load it. */
const imported = (names) => `import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const all = require('./index.js');

export const {
${names
  .filter((name) => name !== 'default')
  .map((name) => `  ${name},\n`)
  .join('')}} = all;
${names.includes('default') ? 'export default all.default;\n' : ''}`;

/** For bundlers, which do not see through that. */
const bundled = (list) =>
  [...new Set(list.map(({ from }) => from))]
    .map((file) => {
      const names = list.flatMap(({ name, from, local }) =>
        from === file ? [name === local ? name : `${local} as ${name}`] : [],
      );
      return `export {\n  ${names.join(',\n  ')},\n} from '${file}';\n`;
    })
    .join('');

/** Everything that comes with these files of `ts/`. */
function closure(entries, getModuleInfo) {
  const found = new Set();
  const visit = (id) => {
    const { isExternal, importedIds } = getModuleInfo(id);
    if (isExternal || found.has(id)) return;
    found.add(id);
    importedIds.forEach(visit);
  };
  entries.forEach((entry) => visit(resolve('ts', entry)));
  return found;
}

/** The W3C's classes are one file, what else the package exports is another. */
function chunks() {
  let core, all;
  return (id, { getModuleInfo }) => {
    core ??= closure(['wrtc.ts', 'native/index.ts'], getModuleInfo);
    all ??= closure(['index.ts'], getModuleInfo);
    if (core.has(id)) return 'core';
    return all.has(id) && id !== resolve('ts/index.ts') ? 'agent' : undefined;
  };
}

export const code = {
  input: Object.fromEntries(ENTRIES.map((entry) => [entry, `ts/${entry}.ts`])),
  external: [/^@a2a-js\//, /^@opentelemetry\//],
  plugins: [typescript, heavyWhenUsed, faces],
  output: {
    dir: 'dist',
    format: 'cjs',
    exports: 'named',
    esModule: true,
    interop: 'default',
    externalLiveBindings: false,
    hoistTransitiveImports: false,
    minifyInternalExports: false,
    generatedCode: { preset: 'es2015', symbols: false },
    entryFileNames: '[name].js',
    chunkFileNames: '[name].js',
    manualChunks: chunks(),
    paths: Object.fromEntries(HEAVY.map((name) => [heavy(name), `node:${name}`])),
  },
};
