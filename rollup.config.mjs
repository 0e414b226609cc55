// Bundles the code (rollup.code.mjs) and the public types: the package's and those of what stands on it into checked-in files, so that a
// change of the API shows in review, the rest into dist/.
import { dts } from 'rollup-plugin-dts';
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

import { code } from './rollup.code.mjs';

/** What tsc writes; nothing of it is published. */
const TYPES = 'target/types';

// tsc does not copy hand-free declaration files to its output; the bundler follows imports into this one.
copyFileSync('ts/native/binding.d.ts', `${TYPES}/native/binding.d.ts`);

/** In a project without the types of Node, which has no use for its streams either, these are `any` instead of an error. */
const withoutNodeTypes = {
  name: 'without-node-types',
  renderChunk: (code) => code.replace(/^import .* from 'node:.*';$/gm, '// @ts-ignore -- needs the types of Node\n$&'),
};

/** The runtime's own classes are the globals that everybody knows; where ours come from is nobody's concern. */
const PLATFORM = /(^|\/)platform$/;
const runtimeClasses = {
  name: 'runtime-classes',
  renderChunk: (code) =>
    code
      .replace(/^import .* from '[./]*\/platform';\n/gm, '')
      .replace(/\b(Blob|DOMException|Event|EventTarget|MessageEvent)\$1\b/g, '$1'),
};

/** The W3C's interfaces are shapes: an object of ours passes for one of the DOM library's, and for one of another copy of the package. */
const withoutBrands = {
  name: 'without-brands',
  renderChunk: (code) =>
    code.replace(/^declare class (?:RTC|MediaStream)[^]*?^}$/gm, (one) => one.replace(/^ *#private;\n/m, '')),
};

/** `Symbol.asyncDispose` for TypeScript before 5.2 and for projects whose libraries are older, as the types of Node have it. */
const DISPOSABLE = `declare global {
  interface SymbolConstructor {
    readonly asyncDispose: unique symbol;
  }
  interface AsyncDisposable {
    [Symbol.asyncDispose](): PromiseLike<void>;
  }
}
`;

/** What stands on the package, in entries of their own: its types are the package's, not copies, which would be others. */
const thePackage = {
  name: 'the-package',
  resolveId: (id, importer) =>
    importer && resolve(dirname(importer), id) === resolve(TYPES, 'index')
      ? { id: './index.js', external: true }
      : null,
};

const bundle = (entry, file, { banner, plugins = [] } = {}) => ({
  input: `${TYPES}/${entry}.d.ts`,
  output: { file, format: 'es', banner },
  external: [/^node:/, /^@a2a-js\//, /^@opentelemetry\//, PLATFORM],
  plugins: [...plugins, dts(), runtimeClasses, withoutNodeTypes, withoutBrands],
});

const ABOVE = ['a2a', 'mcp', 'tracing'];

// `import` and `require` see one declaration, hence one type: these lead to it.
for (const folder of [...ABOVE, 'ossa']) mkdirSync(`dist/${folder}`, { recursive: true });
for (const entry of ABOVE) writeFileSync(`dist/${entry}/index.d.mts`, `export * from '../../${entry}.js';\n`);
writeFileSync('dist/ossa/index.d.mts', "export * from './index.js';\n");
writeFileSync('dist/index.d.mts', "export * from '../index.js';\nexport { wrtc as default } from '../index.js';\n");
writeFileSync('dist/polyfill.d.mts', "import './polyfill.js';\n");
writeFileSync(
  'dist/polyfill.d.ts',
  readFileSync(`${TYPES}/polyfill.d.ts`, 'utf8').replace("'ossa-webrtc'", "'../index.js'"),
);

export default [
  code,
  bundle('index', 'index.d.ts', { banner: DISPOSABLE }),
  bundle('ossa/index', 'dist/ossa/index.d.ts'),
  ...ABOVE.map((entry) => bundle(`${entry}/index`, `${entry}.d.ts`, { plugins: [thePackage] })),
];
