// Publishes the tarballs of scripts/pack.mjs: the platform packages first, so that whoever installs the package finds them.
// What the registry has already is left out: a publication that broke off can be repeated.
// Usage: node scripts/publish.mjs [--dry-run] FOLDER
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { manifest, run } from './setup.mjs';

const { values, positionals } = parseArgs({ allowPositionals: true, options: { 'dry-run': { type: 'boolean' } } });
if (positionals.length !== 1) {
  console.error('usage: node scripts/publish.mjs [--dry-run] FOLDER');
  process.exit(2);
}
const folder = resolve(positionals[0]);
const { name, version } = manifest();
const main = `${name}-${version}.tgz`;
const tarballs = readdirSync(folder).filter((file) => file.endsWith('.tgz'));
if (!tarballs.includes(main)) {
  console.error(`publish: ${folder} has no ${main}; run node scripts/pack.mjs first`);
  process.exit(1);
}

/** Whether the registry has this version. A failure for another reason than that shows when it is published. */
function isPublished(tarball) {
  const id = `${tarball.slice(0, -`-${version}.tgz`.length)}@${version}`;
  const { stdout } = spawnSync('npm', ['view', id, 'version'], {
    encoding: 'utf8',
    shell: process.platform === 'win32',
  });
  return stdout?.trim() === version;
}

const rehearsal = values['dry-run'] ? ['--dry-run'] : [];
for (const tarball of [...tarballs.filter((file) => file !== main), main]) {
  if (!rehearsal.length && isPublished(tarball)) console.log(`${tarball}: published already`);
  // A prerelease must not become what everybody gets.
  else
    run('npm', [
      'publish',
      '--access',
      'public',
      '--tag',
      version.includes('-') ? 'next' : 'latest',
      ...rehearsal,
      join(folder, tarball),
    ]);
}
