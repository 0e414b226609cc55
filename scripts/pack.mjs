// Packs the npm tarballs as they are published: the package, with its platform packages pinned as optional
// dependencies, and the platform package of every native library that has been built (`ossa-webrtc.<triple>.node`).
// Usage: node scripts/pack.mjs OUTPUT_FOLDER     prints the tarballs' paths, one a line
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { manifest, root } from './setup.mjs';

const output = process.argv[2] && resolve(process.argv[2]);
if (!output) {
  console.error('usage: node scripts/pack.mjs OUTPUT_FOLDER');
  process.exit(2);
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

/** The package itself. Its published manifest differs from the checked-in one in what only publishing can know. */
function packMain(triples) {
  const target = join(staging, 'main');
  const published = manifest();
  for (const file of [...published.files.filter((name) => !name.includes('*')), 'README.md', 'dist']) {
    cpSync(join(root, file), join(target, file), { recursive: true });
  }
  delete published.devDependencies;
  delete published.scripts;
  published.optionalDependencies = Object.fromEntries(
    triples.map((triple) => [`${published.name}-${triple}`, published.version]),
  );
  writeFileSync(join(target, 'package.json'), `${JSON.stringify(published, null, 2)}\n`);
  return pack(target);
}

/** The platform package of `triple`, or undefined when its library has not been built here. */
function packPlatform(triple) {
  const library = `${manifest().napi.binaryName}.${triple}.node`;
  if (!existsSync(join(root, library))) return undefined;
  const target = join(staging, triple);
  cpSync(join(root, 'npm', triple), target, { recursive: true });
  cpSync(join(root, library), join(target, library));
  const own = JSON.parse(readFileSync(join(target, 'package.json'), 'utf8'));
  writeFileSync(join(target, 'package.json'), `${JSON.stringify({ ...own, version: manifest().version }, null, 2)}\n`);
  return pack(target);
}

const triples = readdirSync(join(root, 'npm'));
const tarballs = [packMain(triples), ...triples.map(packPlatform)].filter(Boolean);
rmSync(staging, { recursive: true });
console.log(tarballs.join('\n'));
