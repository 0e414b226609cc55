// The manual and the files of deploy/ say what the program does.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { killAll, root, run } from './program';

afterEach(killAll);

const read = (...path: string[]) => readFileSync(join(root, ...path), 'utf8');

test('docs/cli.md has the help text of every command, as the program prints it', async () => {
  const page = read('docs', 'cli.md');
  const { stdout: overview } = await run('help');
  const commands = [...overview.matchAll(/^ {2}([a-z]+(?: [a-z]+)*) {2,}[A-Z]/gm)].map(([, name]) => name!);
  expect(commands.length).toBeGreaterThan(8);
  // `node scripts/cli-docs.mjs` writes them.
  for (const name of commands) {
    const { stdout } = await run('help', ...name.split(' '));
    expect(page).toContain(`<!-- help ${name} -->\n\`\`\`text\n${stdout}\`\`\`\n`);
  }
  expect(page).toContain(`<!-- help -->\n\`\`\`text\n${overview.replace(/^(ossa-webrtc) \S+:/, '$1:')}\`\`\`\n`);
});

test('the Dockerfile sets variables that there are, and starts what there is', async () => {
  const dockerfile = read('deploy', 'Dockerfile');
  const { stdout: help } = await run('help', 'signal');
  const variables = [...dockerfile.matchAll(/(OSSA_\w+)=/g)].map(([, name]) => name!);
  expect(variables.length).toBeGreaterThan(0);
  for (const name of variables) expect(help).toContain(`[${name}]`);
  expect(dockerfile).toContain('node_modules/.bin/ossa-webrtc", "signal", "--json", "--quiet"]');
});

const available = spawnSync('systemd-analyze', ['--version']).status === 0;
(available || process.env['CI'] ? test : test.skip)(
  'systemd takes the unit without a warning, and finds little exposed',
  () => {
    const folder = mkdtempSync(join(tmpdir(), 'ossa-unit-'));
    try {
      const unit = read('deploy', 'ossa-webrtc-signal.service').replace('/usr/bin/node', process.execPath);
      const path = join(folder, 'ossa-webrtc-signal.service');
      writeFileSync(path, unit);
      const { stdout, stderr, status } = spawnSync('systemd-analyze', ['verify', path], { encoding: 'utf8' });
      expect({ stdout, stderr, status }).toEqual({ stdout: '', stderr: '', status: 0 });
      const security = ['security', '--offline=true', '--threshold=20', path];
      expect(spawnSync('systemd-analyze', security, { encoding: 'utf8' })).toMatchObject({ status: 0 });
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
);
