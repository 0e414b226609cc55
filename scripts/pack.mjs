// Packs the npm tarballs as they are published: the package, with its platform packages pinned as optional
// dependencies, and the platform package of every native library that has been built (`ossa-webrtc.<triple>.node`).
// Usage: node scripts/pack.mjs [--all] OUTPUT_FOLDER     prints the tarballs' paths, one a line
// With --all it fails unless the libraries of all platforms are there.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { manifest, root } from './setup.mjs';

const { values, positionals } = parseArgs({ allowPositionals: true, options: { all: { type: 'boolean' } } });
if (positionals.length !== 1) {
  console.error('usage: node scripts/pack.mjs [--all] OUTPUT_FOLDER');
  process.exit(2);
}
const output = resolve(positionals[0]);
const triples = readdirSync(join(root, 'npm'));
const libraryOf = (triple) => `${manifest().napi.binaryName}.${triple}.node`;
const missing = triples.map(libraryOf).filter((library) => !existsSync(join(root, library)));
if (values.all && missing.length > 0) {
  console.error(`pack: not built: ${missing.join(', ')}`);
  process.exit(1);
}
mkdirSync(output, { recursive: true });
const staging = mkdtempSync(join(tmpdir(), 'ossa-webrtc-pack-'));

/** `npm pack` of a folder; the path of the tarball. */
function pack(folder) {
  const { stdout, stderr, status } = spawnSync('npm', ['pack', '--json', '--pack-destination', output], {
    cwd: folder,
    encoding: 'utf8',
    shell: process.platform === 'win32',
  });
  if (status !== 0) throw new Error(`npm pack in ${folder} failed:\n${stderr}`);
  const answer = JSON.parse(stdout);
  return join(output, (Array.isArray(answer) ? answer[0] : Object.values(answer)[0]).filename);
}

/**
 * Where the sources are, if CI says so: the registry compares it with who publishes, and refuses provenance without; its page
 * makes links of the README lead there.
 */
function repository() {
  const { GITHUB_SERVER_URL: server, GITHUB_REPOSITORY: name } = process.env;
  if (!server || !name) return {};
  const page = `${server}/${name}`;
  return {
    homepage: `${page}#readme`,
    bugs: { url: `${page}/issues` },
    repository: { type: 'git', url: `git+${page}.git` },
  };
}

/** The package itself. Its published manifest differs from the checked-in one in what only publishing can know. */
function packMain(triples) {
  const target = join(staging, 'main');
  const published = manifest();
  for (const file of [...published.files, 'README.md']) {
    cpSync(join(root, file), join(target, file), { recursive: true });
  }
  delete published.devDependencies;
  delete published.scripts;
  delete published.overrides;
  published.optionalDependencies = Object.fromEntries(
    triples.map((triple) => [`${published.name}-${triple}`, published.version]),
  );
  writeManifest(target, { ...published, ...repository() });
  return pack(target);
}

function writeManifest(folder, contents) {
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(contents, null, 2)}\n`);
}

/** The platform package of `triple`, or undefined when its library has not been built here. */
function packPlatform(triple) {
  const library = libraryOf(triple);
  if (!existsSync(join(root, library))) return undefined;
  const target = join(staging, triple);
  cpSync(join(root, 'npm', triple), target, { recursive: true });
  cpSync(join(root, library), join(target, library));
  const own = JSON.parse(readFileSync(join(target, 'package.json'), 'utf8'));
  writeManifest(target, { ...own, version: manifest().version, ...repository() });
  return pack(target);
}

const tarballs = [packMain(triples), ...triples.map(packPlatform)].filter(Boolean);
rmSync(staging, { recursive: true });
console.log(tarballs.join('\n'));
