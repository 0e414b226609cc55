// Writes the help texts of the program into docs/cli.md: `node scripts/cli-docs.mjs` after a change of ts/cli and a build.
// Each stands in the fence behind a line `<!-- help NAME -->`; a test compares them.
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './setup.mjs';

const page = join(root, 'docs', 'cli.md');
const text = readFileSync(page, 'utf8').replace(/<!-- help ?([\w ]*?) -->\n```text\n[^]*?```\n/g, (_, name) => {
  const args = name === '' ? ['help'] : ['help', ...name.split(' ')];
  const { stdout, status, stderr } = spawnSync(process.execPath, [join(root, 'dist', 'cli', 'bin.js'), ...args], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(stderr);
  // The version changes without the documentation.
  const help = name === '' ? stdout.replace(/^(ossa-webrtc) [\d.]+\S*:/, '$1:') : stdout;
  return `<!-- help${name && ` ${name}`} -->\n\`\`\`text\n${help}\`\`\`\n`;
});
writeFileSync(page, text);
