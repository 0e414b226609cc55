// The real program in a process of its own, as a shell would start it.
import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';

export const root = join(__dirname, '..', '..');
export const cli = join(root, 'dist', 'cli', 'bin.js');

/** An object that `--json` has printed. */
export type Printed = { type: string } & Record<string, unknown>;

interface ProgramOptions {
  env?: Record<string, string>;
  cwd?: string;
  /** Runs this instead of Node with the program. */
  command?: [string, ...string[]];
}

const running = new Set<Program>();

/** Call it in `afterEach`: nothing survives a test. */
export async function killAll(): Promise<void> {
  await Promise.all([...running].map((program) => program.kill()));
}

export class Program {
  readonly process: ChildProcess;
  stdout = '';
  stderr = '';
  /** Exit code, or the signal that killed it, when all output is there. */
  readonly ended: Promise<number | NodeJS.Signals | null>;
  #over = false;
  #waiting = new Set<() => void>();

  constructor(args: string[], { env = {}, cwd = root, command = [process.execPath, cli] }: ProgramOptions = {}) {
    const [file, ...before] = command;
    // The settings of whoever runs the tests are not for the program.
    const inherited = Object.entries(process.env).filter(([name]) => !/^(OSSA_(?!WEBRTC)|NO_COLOR|TERM$)/.test(name));
    this.process = spawn(file, [...before, ...args], { cwd, env: { ...Object.fromEntries(inherited), ...env } });
    this.process.stdout!.setEncoding('utf8').on('data', (text: string) => this.#arrived((this.stdout += text)));
    this.process.stderr!.setEncoding('utf8').on('data', (text: string) => this.#arrived((this.stderr += text)));
    // A program that has ended reads no more.
    this.process.stdin!.on('error', () => undefined);
    running.add(this);
    this.ended = new Promise((resolve) =>
      this.process.on('close', (code, signal) => {
        this.#over = true;
        running.delete(this);
        this.#arrived();
        resolve(signal ?? code);
      }),
    );
  }

  /** Everything that was printed as JSON; whatever is not complete is left out. */
  get objects(): Printed[] {
    const complete = this.stdout.slice(0, this.stdout.lastIndexOf('\n') + 1);
    return complete
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Printed);
  }

  /** The first object of this type, when it comes. */
  object(type: string, fits: (object: Printed) => boolean = () => true): Promise<Printed> {
    return this.#until(
      () => this.objects.find((object) => object.type === type && fits(object)),
      `an object "${type}"`,
    );
  }

  /** The first match in what was printed to either stream, when it comes. */
  text(pattern: RegExp): Promise<RegExpExecArray> {
    return this.#until(() => pattern.exec(this.stdout) ?? pattern.exec(this.stderr) ?? undefined, String(pattern));
  }

  write(text: string): void {
    this.process.stdin!.write(text);
  }

  /** Exit code and output of a program that ends by itself. */
  async result(input = ''): Promise<{ code: number | NodeJS.Signals | null; stdout: string; stderr: string }> {
    this.process.stdin!.end(input);
    const code = await this.ended;
    return { code, stdout: this.stdout, stderr: this.stderr };
  }

  async kill(): Promise<void> {
    this.process.kill('SIGKILL');
    await this.ended;
  }

  #arrived(_text?: string): void {
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }

  async #until<T>(find: () => T | undefined, what: string): Promise<T> {
    for (;;) {
      const found = find();
      if (found !== undefined) return found;
      if (this.#over) throw new Error(`ended without ${what}:\n${this.stdout}\n${this.stderr}`);
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
    }
  }
}

/** Runs the program to its end. */
export const run = (...args: string[]) => new Program(args).result();

/** A signaling server of the program itself, on a free port. */
export async function signaling(...args: string[]): Promise<{ program: Program; url: string }> {
  const program = new Program(['signal', '--port', '0', '--json', ...args]);
  const { url } = await program.object('listening');
  return { program, url: url as string };
}
