// Refuses native libraries that must not be published: see scripts/library-check. As a module, and as a program:
// node scripts/check-library.mjs [FILE...]     without files, all that lie beside package.json
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from './setup.mjs';
import { MAX_BYTES, targets } from './targets.mjs';

/** What the library says of itself. Ends this process with the reasons if it must not be published. */
export function checkLibrary(file, { triple, glibc }) {
  const limits = ['--max-bytes', String(MAX_BYTES), ...(glibc ? ['--glibc', glibc] : [])];
  const program = ['run', '--quiet', '-p', 'ossa-library-check', '--', resolve(file), ...limits];
  const { stdout, stderr, status, error } = spawnSync('cargo', program, {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: Infinity,
  });
  if (status !== 0) {
    console.error(error?.message ?? stderr);
    process.exit(1);
  }
  const library = JSON.parse(stdout);
  if (library.arch !== triple.split('-')[1]) {
    console.error(`${file} is for ${library.arch}, and not for ${triple}`);
    process.exit(1);
  }
  return library;
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const files =
    process.argv.length > 2 ? process.argv.slice(2) : readdirSync(root).filter((name) => name.endsWith('.node'));
  for (const file of files) {
    const platform = targets().find(({ library }) => library === basename(file));
    if (!platform) {
      console.error(`${file}: no library that is published has this name`);
      process.exit(2);
    }
    console.log(JSON.stringify({ triple: platform.triple, ...checkLibrary(join(root, file), platform) }));
  }
}
