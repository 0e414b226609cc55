// A real Redis server of a test's own.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** Listens on a socket in a directory of its own. */
export class Redis {
  readonly #directory: string;
  readonly #options: readonly string[];
  #process!: ChildProcess;

  private constructor(directory: string, options: readonly string[]) {
    this.#directory = directory;
    this.#options = options;
  }

  /** Resolves when it can be connected to. */
  static async start(options: readonly string[] = []): Promise<Redis> {
    const redis = new Redis(await mkdtemp(join(tmpdir(), 'ossa-redis-')), options);
    await redis.restart();
    return redis;
  }

  get url(): string {
    return `unix://${this.#directory}/redis.sock`;
  }

  /** A new one in the same place, with nothing in it. */
  async restart(): Promise<void> {
    const socket = join(this.#directory, 'redis.sock');
    const where = ['--port', '0', '--save', '', '--unixsocket', socket, '--dir', this.#directory];
    this.#process = spawn('redis-server', [...where, ...this.#options], { stdio: ['ignore', 'pipe', 'inherit'] });
    for await (const line of createInterface(this.#process.stdout!)) {
      if (/ready to accept connections/i.test(line)) break;
    }
    this.#process.stdout!.resume();
  }

  /** Ends it without a goodbye. */
  async kill(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    this.#process.kill('SIGKILL');
    await once(this.#process, 'exit');
  }

  /** For `afterEach`. */
  async remove(): Promise<void> {
    await this.kill();
    await rm(this.#directory, { recursive: true });
  }
}
