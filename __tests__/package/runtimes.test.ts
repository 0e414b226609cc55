// The package on run times that are not Node; scripts/runtimes.mjs tries all of them, and more.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

const root = join(__dirname, '..', '..');
const run = promisify(execFile);

test.each(['Bun', 'Deno'])(
  'connections, agents, worker threads and the exit work in %s',
  async (name) => {
    const only = ['classes', 'agents', 'workers', 'exit'].flatMap((check) => ['--check', check]);
    const script = join(root, 'scripts', 'runtimes.mjs');
    const { stdout } = await run(process.execPath, [script, '--only', name, ...only]).catch(
      (error: { stdout: string }) => error,
    );
    expect(
      stdout
        .trim()
        .split('\n')
        .map((line) => line.replace(/^.*?: /, '')),
    ).toEqual(['classes: works', 'agents: works', 'workers: works', 'exit: works']);
  },
  240_000,
);
