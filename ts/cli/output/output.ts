// Where things are printed: results on standard output, what is said to people on standard error.
import type { LogFields, Logger } from '../../index';
import type { Report } from './exit';
import { harmless, harmlessJson } from './text';

/** The part of a stream that is needed; tests give their own. */
export interface Sink {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/** How the program speaks. */
export interface OutputOptions {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly verbose: boolean;
  readonly env: NodeJS.ProcessEnv;
}

const COLOURS = { red: 31, green: 32, yellow: 33, cyan: 36, dim: 2, bold: 1 } as const;

/** Redraws of the status line are at least so far apart, in milliseconds. */
const REDRAW = 100;

/** Progress objects of `--json` are at least so far apart, in milliseconds. */
const PROGRESS_INTERVAL = 1000;

/** Everything that is printed goes through here. */
export class Output {
  readonly json: boolean;
  readonly verbose: boolean;
  readonly #quiet: boolean;
  readonly #env: NodeJS.ProcessEnv;
  #status = '';
  #drawn = -Infinity;
  #told = -Infinity;

  constructor(
    options: OutputOptions,
    readonly stdout: Sink = process.stdout,
    readonly stderr: Sink = process.stderr,
  ) {
    this.json = options.json;
    this.verbose = options.verbose;
    this.#quiet = options.quiet;
    this.#env = options.env;
  }

  /** Whether a status line can be drawn: somebody watches standard error, and has not asked for less. */
  get live(): boolean {
    return this.stderr.isTTY === true && !this.json && !this.#quiet && this.#env['TERM'] !== 'dumb';
  }

  /** A result: the object with `--json`, the text otherwise. */
  result(object: Record<string, unknown>, text?: string): void {
    if (this.json) this.#write(this.stdout, `${harmlessJson(object)}\n`);
    else if (text !== undefined) this.#write(this.stdout, `${text}\n`);
  }

  /** Something that happened on the way, for people; an object as well if programs may want to know. */
  info(text: string, object?: Record<string, unknown>): void {
    if (object && this.json) this.#write(this.stdout, `${harmlessJson(object)}\n`);
    if (!this.#quiet) this.#write(this.stderr, `${harmless(text)}\n`);
  }

  /** Something that people should look at. */
  warn(text: string): void {
    this.#write(this.stderr, `${this.paint('yellow', 'warning:', this.stderr)} ${harmless(text)}\n`);
  }

  /** Why the program ends as it does. */
  error(program: string, { exitCode, code, message }: Report): void {
    this.clearStatus();
    if (this.json) this.result({ type: 'error', code, message, exitCode });
    const lines = message.split('\n').map(harmless).join('\n');
    this.#write(this.stderr, `${this.paint('red', `${program}:`, this.stderr)} ${lines}\n`);
  }

  /** Colours where somebody sees them and has not asked for none (no-color.org). */
  paint(colour: keyof typeof COLOURS, text: string, stream = this.stdout): string {
    const wanted = stream.isTTY === true && !this.#env['NO_COLOR'] && this.#env['TERM'] !== 'dumb';
    return wanted ? `\x1b[${COLOURS[colour]}m${text}\x1b[0m` : text;
  }

  /** Replaces the last line on the terminal; nothing where there is none. */
  status(text: string): void {
    if (!this.live) return;
    this.#status = text;
    const now = performance.now();
    if (now - this.#drawn < REDRAW) return;
    this.#drawn = now;
    this.#draw();
  }

  /** Width of a line that fits on the terminal. */
  get columns(): number {
    return (this.stderr.columns ?? 80) - 1;
  }

  /** Takes the status line away. */
  clearStatus(): void {
    if (this.#status !== '' && this.live) this.stderr.write('\r\x1b[K');
    this.#status = '';
    this.#drawn = -Infinity;
  }

  /** Progress for programs, now and then. */
  progress(object: Record<string, unknown>): void {
    const now = performance.now();
    if (!this.json || now - this.#told < PROGRESS_INTERVAL) return;
    this.#told = now;
    this.result(object);
  }

  /** Logs of the library, with `--verbose`. */
  get logger(): Logger | undefined {
    if (!this.verbose) return undefined;
    const log = (level: string) => (message: string, fields?: LogFields) => {
      const facts = Object.entries(fields ?? {}).flatMap(([name, value]) =>
        value === undefined ? [] : [`${name}=${value}`],
      );
      this.#write(
        this.stderr,
        `${this.paint('dim', `[${level}]`, this.stderr)} ${harmless([message, ...facts].join(' '))}\n`,
      );
    };
    return { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') };
  }

  #draw(): void {
    this.stderr.write(`\r${this.#status.slice(0, this.columns)}\x1b[K`);
  }

  #write(stream: Sink, text: string): void {
    const drawn = this.#status !== '' && this.live;
    if (drawn) this.stderr.write('\r\x1b[K');
    stream.write(text);
    if (drawn) this.#draw();
  }
}
