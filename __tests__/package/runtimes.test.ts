// The package on run times that are not Node; scripts/runtimes.mjs tries all of them, and more.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

const root = join(__dirname, '..', '..');
const run = promisify(execFile);

const KEPT = {
  // Not its worker threads: now and then a program does not end after one was terminated that had connections open.
  Bun: ['classes', 'agents', 'exit'],
  Deno: ['classes', 'agents', 'workers', 'exit'],
};

test.each(Object.entries(KEPT))(
  '%s: %p work',
  async (name, checks) => {
    const only = checks.flatMap((check) => ['--check', check]);
    const script = join(root, 'scripts', 'runtimes.mjs');
    const { stdout } = await run(process.execPath, [script, '--only', name, ...only]).catch(
      (error: { stdout: string }) => error,
    );
    const lines = stdout.trim().split('\n');
    expect(lines.map((line) => line.replace(/^.*?: /, ''))).toEqual(checks.map((check) => `${check}: works`));
  },
  240_000,
);
