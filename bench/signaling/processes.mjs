// Starts servers and load, and reads what they print and what the kernel says about them.
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import { root } from '../../scripts/setup.mjs';

const EXAMPLES = join(root, 'target', 'release', 'examples');
const LOAD = process.env.OSSA_BENCH_LOAD ?? join(EXAMPLES, 'load');
const RUST_SERVER = process.env.OSSA_BENCH_SERVER ?? join(EXAMPLES, 'server');
const TICKS_PER_SECOND = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

/** A child that prints JSON, one value a line, and ends with its standard input. */
export class Child {
  #process;
  #lines;
  #errors = '';

  constructor(command, args) {
    this.#process = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] });
    this.#process.stderr.on('data', (data) => (this.#errors += data));
    this.#process.stdin.on('error', () => {});
    this.#lines = createInterface({ input: this.#process.stdout })[Symbol.asyncIterator]();
  }

  static start(command, args) {
    return Promise.resolve(new Child(command, args));
  }

  /** One line for its standard input. */
  write(value) {
    this.#process.stdin.write(`${JSON.stringify(value)}\n`);
  }

  /** The next line as it is. */
  async line() {
    const { value, done } = await this.#lines.next();
    if (done) throw new Error(this.#errors.trim() || 'a process ended without a word');
    return value;
  }

  /** The value of the next line. */
  async next() {
    return JSON.parse(await this.line());
  }

  /** Resident memory in bytes. */
  rss() {
    const status = readFileSync(`/proc/${this.#process.pid}/status`, 'utf8');
    return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)[1]) * 1024;
  }

  /** Seconds of CPU time used so far, user and system. */
  cpu() {
    const stat = readFileSync(`/proc/${this.#process.pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
  }

  /** Closes its standard input and waits for the last line, if it prints one. */
  async finish() {
    this.#process.stdin.end();
    return this.next();
  }

  async stop() {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const gone = new Promise((resolve) => this.#process.once('exit', resolve));
    this.#process.kill('SIGKILL');
    await gone;
  }
}

export function buildLoad() {
  execFileSync('cargo', ['build', '--release', '-p', 'ossa-signaling', '--examples'], {
    cwd: root,
    stdio: 'inherit',
  });
}

/** Ours as a Rust program without Node around it. Lifted limits are all that it takes of the options. */
async function startRustServer(options) {
  const child = new Child(RUST_SERVER, ['127.0.0.1:0', ...(options.messageRate ? ['relay'] : [])]);
  child.port = Number(new URL(await child.line()).port);
  child.kind = 'ossa';
  return child;
}

export async function startServer(kind, options = {}) {
  if (kind === 'rust') return startRustServer(options);
  const script = join(root, 'bench', 'signaling', 'server.mjs');
  const child = new Child(process.execPath, [script, kind, JSON.stringify(options)]);
  child.port = (await child.next()).port;
  child.kind = kind;
  return child;
}

/** A Redis server of its own on a socket in a directory of its own, which is the caller's to remove. */
export async function startRedis() {
  const directory = mkdtempSync(join(tmpdir(), 'ossa-bench-'));
  const socket = join(directory, 'redis.sock');
  const child = new Child('redis-server', ['--port', '0', '--save', '', '--unixsocket', socket, '--dir', directory]);
  while (!/ready to accept connections/i.test(await child.line()));
  return Object.assign(child, { directory, url: `unix://${socket}` });
}

/** `options` are those of the generator without their dashes. Resolves when it is ready. */
export async function startLoad(command, server, options = {}) {
  if (!existsSync(LOAD)) throw new Error(`${LOAD} is missing; run without --no-build`);
  const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const child = new Child(LOAD, [command, '--server', `127.0.0.1:${server.port}`, '--protocol', server.kind, ...args]);
  try {
    child.ready = await child.next();
  } catch (error) {
    await child.stop();
    throw error;
  }
  return child;
}

/** Files that a process may open; Node raises its own limit to the hard one, and its children inherit that. */
export function openFiles() {
  return Number(execFileSync('sh', ['-c', 'ulimit -n'], { encoding: 'utf8' }).trim());
}
