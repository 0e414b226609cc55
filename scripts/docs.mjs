// Builds the documentation site: plain files for any web server, searched in the reader's browser. `npm run docs` after `npm run build:ts`.
// Usage: node scripts/docs.mjs [--base /ossa-webrtc/] [--out FOLDER]
// --base: the path that the site will have on its server, `/` by default. --out: where to, `target/docs` by default; it is emptied.
import { existsSync, rmSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { checked } from './docs/check.mjs';
import { writePages } from './docs/pages.mjs';
import { manifest, root, run } from './setup.mjs';

const { values } = parseArgs({
  options: { base: { type: 'string', default: '/' }, out: { type: 'string', default: join(root, 'target', 'docs') } },
});
const base = `/${values.base}/`.replace(/\/+/g, '/');
const out = resolve(values.out);
const site = join(root, 'site');

/** The generator has a folder and a lock file of its own: who works on the package does not install it. */
function install() {
  const installed = join(site, 'node_modules', '.package-lock.json');
  const current =
    existsSync(installed) && statSync(installed).mtimeMs >= statSync(join(site, 'package-lock.json')).mtimeMs;
  if (!current) run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: site });
}

const types = join(root, 'dist', 'ossa', 'index.d.ts');
if (!existsSync(types)) throw new Error(`${types} is missing: run \`npm run build:ts\` first`);
install();
// Below the generator, where the pages, which it makes into modules, find what they import. They stay there if something fails.
const source = join(site, '.pages');
rmSync(source, { recursive: true, force: true });
const contents = writePages(source);
const typedoc = join(site, 'node_modules', 'typedoc', 'bin', 'typedoc');
run(process.execPath, [typedoc, '--logLevel', 'Warn', '--out', join(source, 'reference')], { cwd: site });
const vitepress = join(site, 'node_modules', 'vitepress', 'bin', 'vitepress.js');
const OSSA_DOCS = JSON.stringify({ source, out, base, version: manifest().version, contents });
run(process.execPath, [vitepress, 'build', site], { env: { ...process.env, OSSA_DOCS } });
rmSync(source, { recursive: true });

const { pages, problems } = await checked(out, base);
for (const problem of problems) console.error(problem);
if (problems.length > 0) process.exit(1);
console.log(`${pages} pages in ${out}: every one is reached, found by the search, and links to what is there`);
