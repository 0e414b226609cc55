// Bundles the public types into one checked-in file per entry, so that a change of the API shows in review.
import { dts } from 'rollup-plugin-dts';
import { copyFileSync } from 'node:fs';

// tsc does not copy hand-free declaration files to its output; the bundler follows imports into this one.
copyFileSync('ts/native/binding.d.ts', 'dist/types/native/binding.d.ts');

/** In a project without the types of Node, which has no use for its streams either, these are `any` instead of an error. */
const withoutNodeTypes = {
  name: 'without-node-types',
  renderChunk: (code) => code.replace(/^import .* from 'node:.*';$/gm, '// @ts-ignore -- needs the types of Node\n$&'),
};

const bundle = (entry, target) => ({
  input: `dist/types/${entry}.d.ts`,
  // Symbol.asyncDispose is younger than the libraries that most projects compile with.
  output: { file: `${target}.d.ts`, format: 'es', banner: '/// <reference lib="esnext.disposable" />' },
  external: [/^node:/],
  plugins: [
    dts(),
    withoutNodeTypes,
    // The same declarations serve `import` and `require`; TypeScript wants a file for each.
    { name: 'esm-twin', writeBundle: () => copyFileSync(`${target}.d.ts`, `${target}.d.mts`) },
  ],
});

export default [bundle('index', 'index'), bundle('polyfill', 'polyfill'), bundle('ossa/index', 'ossa')];
