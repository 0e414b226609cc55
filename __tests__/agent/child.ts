// Child processes for tests: their output line by line, and their end.
import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { join } from 'node:path';

/** A Node program in this folder or elsewhere in the project. */
export class Child {
  readonly process: ChildProcess;
  readonly output: string[] = [];
  /** Exit code, or the signal that killed it. */
  readonly ended: Promise<number | NodeJS.Signals | null>;
  #arrived: () => void = () => undefined;
  #over = false;

  constructor(script: string, args: string[] = []) {
    const cwd = join(__dirname, '..', '..');
    this.process = spawn(process.execPath, [script, ...args], { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [this.process.stdout!, this.process.stderr!]) {
      createInterface(stream).on('line', (line) => {
        this.output.push(line);
        this.#arrived();
      });
    }
    this.ended = new Promise((resolve) =>
      this.process.on('close', (code, signal) => {
        this.#over = true;
        this.#arrived();
        resolve(signal ?? code);
      }),
    );
  }

  /** The first line, from any time, that matches. */
  async line(pattern: RegExp): Promise<string> {
    for (;;) {
      const found = this.output.find((line) => pattern.test(line));
      if (found !== undefined) return found;
      if (this.#over) throw new Error(`ended without a line like ${String(pattern)}:\n${this.output.join('\n')}`);
      await new Promise<void>((resolve) => (this.#arrived = resolve));
    }
  }

  /** For `afterEach`: nothing survives a test. */
  async kill(): Promise<void> {
    this.process.kill('SIGKILL');
    await this.ended;
  }
}
