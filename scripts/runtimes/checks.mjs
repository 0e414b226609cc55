// What is tried on every run time: each check is a program of its own, in a project where the packed package is installed.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from '../setup.mjs';
import { installed } from './list.mjs';

/** For one program, in milliseconds: the file of 100 MB on a busy machine. */
const PATIENCE = 120_000;

const PROGRAM = join('node_modules', 'ossa-webrtc', 'dist', 'cli', 'bin.js');

/** A check has programs with their arguments, and the code that the last of them ends with. All have to end by themselves. */
export const CHECKS = [
  { check: 'classes', title: "the W3C's classes", programs: [['classes.mjs']] },
  { check: 'agents', title: 'agents', programs: [['agents.mjs']] },
  { check: 'file', title: 'a file of 100 MB', programs: [['file.mjs']] },
  { check: 'workers', title: 'worker threads', programs: [['workers.mjs']] },
  { check: 'exit', title: '`process.exit()`', programs: [['exit.mjs']], code: 7 },
  {
    check: 'cli',
    title: 'the program',
    programs: [
      [PROGRAM, '--version'],
      [PROGRAM, 'keygen', '--force', 'agent.key'],
      [PROGRAM, 'bench', '--time', '0.2s'],
    ],
  },
];

/** An empty project with the package of this folder and the checks. */
export class Project {
  folder = mkdtempSync(join(tmpdir(), 'ossa-webrtc-runtimes-'));

  /** From tarballs that are there already, or packs them. */
  constructor(tarballs) {
    tarballs ??= this.#run(process.execPath, [join(root, 'scripts', 'pack.mjs'), join(this.folder, 'packs')])
      .trim()
      .split('\n');
    writeFileSync(join(this.folder, 'package.json'), '{ "name": "empty", "private": true }\n');
    this.install(tarballs);
    cpSync(join(root, 'scripts', 'runtimes', 'checks'), this.folder, { recursive: true });
  }

  /** Packages, of which no script is run. */
  install(packages) {
    this.#run('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', ...packages]);
  }

  #run(program, args) {
    const shell = process.platform === 'win32' && program === 'npm';
    const { status, stdout, stderr } = spawnSync(program, args, { cwd: this.folder, encoding: 'utf8', shell });
    if (status !== 0) throw new Error(`${program} ${args.join(' ')} failed:\n${stderr}`);
    return stdout;
  }

  remove() {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** What comes of a run time's checks, of all or of some: `failure` says what went wrong. */
export function tried(runtime, project, names = CHECKS.map(({ check }) => check)) {
  const path = installed(runtime);
  return CHECKS.filter(({ check }) => names.includes(check)).map(({ check, programs, code = 0 }) => {
    for (const program of programs) {
      const failure = run(path, [...runtime.args, ...program], project.folder, code);
      if (failure !== undefined) return { check, failure };
    }
    return { check };
  });
}

function run(path, args, cwd, code) {
  const { status, signal, stdout, stderr, error } = spawnSync(path, args, { cwd, encoding: 'utf8', timeout: PATIENCE });
  if (status === code) return undefined;
  const end =
    error?.code === 'ETIMEDOUT' ? `has not ended within ${PATIENCE / 1000} s` : `ended with ${signal ?? status}`;
  return `${args.join(' ')} ${end}\n${stdout}${stderr}`;
}
