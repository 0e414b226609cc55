// The program: finds the command, runs it, and turns its end into an exit code.
import { COMMANDS } from './commands';
import { EXIT, Output, reportOf, UsageError } from './output';
import { commandHelp, nearest, overview, parseCommand, PROGRAM, type Command, type Context } from './parsing';

/** How long a command may take to end after Ctrl-C, in milliseconds: a link says goodbye for up to two seconds. */
const LAST_WORDS = 5000;

/** Runs the program with its arguments; never returns. */
export async function main(args: readonly string[] = process.argv.slice(2)): Promise<void> {
  // An error of a pipe that nobody reads any more is no crash.
  const broken = new AbortController();
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') broken.abort();
      else process.exit(EXIT.failed);
    });
  }
  const code = await run(args, broken.signal);
  await Promise.all([process.stdout, process.stderr].map(flushed));
  // Not `exitCode`: an open standard input must not keep the program alive.
  process.exit(code);
}

async function run(args: readonly string[], broken: AbortSignal): Promise<number> {
  const out = new Output({
    json: args.includes('--json'),
    quiet: false,
    verbose: args.some((arg) => arg === '--verbose' || arg === '-v'),
    env: process.env,
  });
  try {
    const [name, ...rest] = args;
    if (name === undefined) {
      process.stderr.write(overview(COMMANDS, packageVersion()));
      return EXIT.usage;
    }
    if (name === '--version' || name === '-V' || (name === '-v' && rest.length === 0))
      return print(`${packageVersion()}\n`);
    if (name === 'help' || name === '--help' || name === '-h') return help(rest);
    const command = find(args);
    return await runCommand(command, args.slice(wordsOf(command)), broken);
  } catch (error) {
    const report = reportOf(error);
    out.error(PROGRAM, report);
    if (report.exitCode === EXIT.usage)
      out.stderr.write(`See "${[PROGRAM, 'help', known(args)].filter(Boolean).join(' ')}".\n`);
    // Of use for a defect; a command that is written wrong is none.
    if (out.verbose && report.exitCode !== EXIT.usage && error instanceof Error) out.stderr.write(`${error.stack}\n`);
    return report.exitCode;
  }
}

async function runCommand(command: Command, args: readonly string[], broken: AbortSignal): Promise<number> {
  const { values, positionals } = parseCommand(command, args, process.env);
  if (values['help']) return print(commandHelp(command));
  const { json, quiet, verbose } = values as Record<string, boolean>;
  const out = new Output({ json: json!, quiet: quiet!, verbose: verbose!, env: process.env });
  const stop = new AbortController();
  let ended: number | undefined;
  const end = (code: number, what: string) => {
    // Whoever asks twice does not want to wait.
    if (ended !== undefined) process.exit(ended);
    ended = code;
    stop.abort(new Error(what));
    if (!command.endsBySignal) setTimeout(() => process.exit(code), LAST_WORDS).unref();
  };
  process.on('SIGINT', () => end(EXIT.interrupted, 'interrupted'));
  process.on('SIGTERM', () => end(EXIT.terminated, 'terminated'));
  // Windows: Ctrl-Break, and the closing of the console, which nobody survives. It has no SIGTERM that could be caught.
  const isWindows = process.platform === 'win32';
  if (isWindows) process.on('SIGBREAK', () => end(EXIT.interrupted, 'interrupted'));
  // A server has another use for it where it can be sent.
  if (isWindows || !command.endsBySignal) process.on('SIGHUP', () => end(EXIT.terminated, 'the terminal is gone'));
  broken.addEventListener('abort', () => end(EXIT.pipe, 'nobody reads the output'));
  // A server whose output nobody reads has not ended as it was meant to: whoever watches it may want to start it again.
  const byHand = () => (command.endsBySignal && ended !== EXIT.pipe ? undefined : ended);
  try {
    // Types of values follow from the table; see defineCommand.
    const context = { values, positionals, out, signal: stop.signal } as unknown as Context;
    const code = await command.run(context);
    out.clearStatus();
    return byHand() ?? code ?? EXIT.ok;
  } catch (error) {
    out.clearStatus();
    // What fails because it was interrupted has not failed.
    const code = byHand();
    if (code !== undefined) return code;
    throw error;
  }
}

/** The command whose name the arguments begin with. */
function find(args: readonly string[]): Command {
  const name = args[0]!;
  const command = named(args);
  if (command) return command;
  const family = COMMANDS.flatMap((each) => (each.name.startsWith(`${name} `) ? [each.name] : []));
  if (family.length > 0) throw new UsageError(`${name} is no command of its own; there are ${family.join(' and ')}`);
  const like = nearest(name, ['help', ...COMMANDS.map((each) => each.name)]);
  const what = name.startsWith('-') ? 'option' : 'command';
  throw new UsageError(`unknown ${what} ${name}${like ? `; did you mean ${like}?` : ''}`);
}

const wordsOf = ({ name }: Command): number => name.split(' ').length;

function named(args: readonly string[]): Command | undefined {
  return COMMANDS.find((command) => command.name === args.slice(0, wordsOf(command)).join(' '));
}

/** The name of the command that the arguments begin with, if there is one. */
function known(args: readonly string[]): string | undefined {
  return named(args)?.name;
}

function help(args: readonly string[]): number {
  const [name] = args;
  if (name === undefined || (name === 'help' && args.length === 1)) return print(overview(COMMANDS, packageVersion()));
  const command = find(args);
  const tooMuch = args[wordsOf(command)];
  if (tooMuch !== undefined) throw new UsageError(`help takes one command; "${tooMuch}" is too much`);
  return print(commandHelp(command));
}

function print(text: string): number {
  process.stdout.write(text);
  return EXIT.ok;
}

/** Help must work where the native core does not load, so this is not its version. */
function packageVersion(): string {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- beside the compiled code, outside of the sources
  return (require('../../package.json') as { version: string }).version;
}

function flushed(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    if (stream.destroyed || !stream.writable) resolve();
    else stream.write('', () => resolve());
  });
}
