// Another version of the package beside this one in one process: the two of them connect with each other (scripts/versions/talk.mjs).
// Usage: node scripts/versions.mjs TARBALL...      after `npm run build`
// The tarballs of the other version: of the package and of this machine's platform package, from `npm pack ossa-webrtc@VERSION` and the like, or as
// scripts/pack.mjs makes them of an older state of the repository.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { root } from './setup.mjs';

const others = process.argv.slice(2).map((tarball) => resolve(tarball));
if (others.length === 0) {
  console.error('usage: node scripts/versions.mjs TARBALL...');
  process.exit(2);
}

function run(program, args, cwd) {
  const { status, stdout, stderr } = spawnSync(program, args, { cwd, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')} failed:\n${stdout}${stderr}`);
  return stdout.trim();
}

const folder = mkdtempSync(join(tmpdir(), 'ossa-webrtc-versions-'));
const ours = run(process.execPath, [join(root, 'scripts', 'pack.mjs'), join(folder, 'packs')]).split('\n');
const folders = [ours, others].map((tarballs, index) => {
  const place = join(folder, ['this', 'other'][index]);
  mkdirSync(place);
  writeFileSync(join(place, 'package.json'), '{ "private": true }\n');
  run('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', ...tarballs], place);
  const { version } = JSON.parse(readFileSync(join(place, 'node_modules', 'ossa-webrtc', 'package.json'), 'utf8'));
  console.log(`${['this', 'other'][index]}: ${version}`);
  return place;
});
console.log(run(process.execPath, [join(root, 'scripts', 'versions', 'talk.mjs'), ...folders]));
rmSync(folder, { recursive: true });
