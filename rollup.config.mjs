// Bundles the public types into one checked-in file per entry, so that a change of the API shows in review.
import { dts } from 'rollup-plugin-dts';
import { copyFileSync } from 'node:fs';

// tsc does not copy hand-free declaration files to its output; the bundler follows imports into this one.
copyFileSync('ts/native/binding.d.ts', 'dist/types/native/binding.d.ts');

const bundle = (entry, target) => ({
  input: `dist/types/${entry}.d.ts`,
  // Symbol.asyncDispose is younger than the libraries that most projects compile with.
  output: { file: `${target}.d.ts`, format: 'es', banner: '/// <reference lib="esnext.disposable" />' },
  external: [/^node:/],
  plugins: [
    dts(),
    // The same declarations serve `import` and `require`; TypeScript wants a file for each.
    { name: 'esm-twin', writeBundle: () => copyFileSync(`${target}.d.ts`, `${target}.d.mts`) },
  ],
});

export default [bundle('index', 'index'), bundle('polyfill', 'polyfill'), bundle('ossa/index', 'ossa')];
