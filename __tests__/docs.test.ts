// Every fenced `ts`, `js` and `mjs` block of the documentation type-checks and runs, each as a program of its own.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';

import { transformSync } from '@swc/core';

const root = join(__dirname, '..');
// Inside the package, so that `import 'ossa-webrtc'` finds the package itself, as it finds the installed one elsewhere.
const folder = join(root, '.docs-test');

interface Block {
  name: string;
  line: number;
  language: string;
  code: string;
}

/** The runnable blocks of a Markdown file. A block opened with ```ts no-run (or in any other language) is not one. */
function blocksOf(file: string): Block[] {
  const blocks: Block[] = [];
  const lines = readFileSync(file, 'utf8').split('\n');
  for (let start = 0; start < lines.length; start++) {
    const language = /^```(ts|js|mjs)$/.exec(lines[start]!)?.[1];
    if (!language) continue;
    let end = start + 1;
    while (end < lines.length && lines[end] !== '```') end++;
    const name = `${basename(file, '.md')}-${start + 1}`;
    blocks.push({ name, line: start + 1, language, code: lines.slice(start + 1, end).join('\n') });
    start = end;
  }
  return blocks;
}

const files = ['README.md', ...readdirSync(join(root, 'docs')).map((name) => join('docs', name))]
  .filter((name) => name.endsWith('.md'))
  .sort();
const blocks = files.flatMap((file) => blocksOf(join(root, file)).map((block) => ({ file, ...block })));

beforeAll(() => {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  for (const { name, language, code } of blocks) {
    writeFileSync(join(folder, `${name}.${language === 'ts' ? 'mts' : 'mjs'}`), `${code}\nexport {};\n`);
  }
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('the code blocks of the documentation type-check', () => {
  const config = {
    extends: '../tsconfig.json',
    compilerOptions: { noEmit: true, noUnusedLocals: false, noUnusedParameters: false, allowJs: true, checkJs: false },
    include: ['./*.mts', './*.mjs'],
  };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const { stdout } = spawnSync(process.execPath, [tsc, '-p', folder], { encoding: 'utf8' });
  expect(stdout).toBe('');
}, 120_000);

// `test.each` refuses an empty table; a README without a single example is a failure anyhow.
test('the documentation has examples', () => {
  expect(blocks.length).toBeGreaterThan(0);
});

test.each(blocks)('$file line $line runs to its end', ({ name, language, code }) => {
  const program = join(folder, `${name}.run.mjs`);
  const { code: javascript } = transformSync(code, {
    jsc: { target: 'es2022', parser: { syntax: language === 'ts' ? 'typescript' : 'ecmascript' } },
    module: { type: 'es6' },
  });
  writeFileSync(program, javascript);
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, [program], {
    encoding: 'utf8',
    cwd: root,
    timeout: 50_000,
  });
  expect({ status, signal, output: status === 0 ? '' : stdout + stderr }).toEqual({
    status: 0,
    signal: null,
    output: '',
  });
});
