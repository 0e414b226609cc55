// Help texts, made from the table of commands.
import { bytes, duration, EXIT_CODES, wrapped } from '../output';
import { GLOBAL, usageOf } from './arguments';
import { flagOf, type Command, type Options, type OptionSpec } from './command';

/** The name of the program. */
export const PROGRAM = 'ossa-webrtc';

const WIDTH = 100;
const INDENT = 2;

/** The help text of one command. */
export function commandHelp(command: Command): string {
  const usage = [`${PROGRAM} ${command.name}`, '[options]', usageOf(command.positionals)].filter(Boolean).join(' ');
  const grouped = new Set(command.groups?.flatMap(({ names }) => names));
  const own = Object.keys(command.options).filter((name) => !grouped.has(name));
  const sections = [
    `Usage: ${usage}`,
    wrapped(command.description, WIDTH).join('\n'),
    ...(own.length > 0 ? [optionList('Options', command.options, own)] : []),
    ...(command.groups ?? []).map(({ title, names }) => optionList(title, command.options, names)),
    optionList('General', GLOBAL, Object.keys(GLOBAL)),
    `Examples:\n${command.examples.map(([line, does]) => example(line, does)).join('\n')}`,
  ];
  return `${sections.join('\n\n')}\n`;
}

/** The overview of all commands. */
export function overview(commands: readonly Command[], version: string): string {
  const width = Math.max(...commands.map(({ name }) => name.length)) + INDENT;
  const list = commands.map(({ name, summary }) => `  ${name.padEnd(width)}${summary}`);
  const codes = EXIT_CODES.map(([code, meaning]) => column(String(code), meaning, 8));
  return [
    `${PROGRAM} ${version}: agents that reach each other directly, over WebRTC data channels.`,
    `Usage: ${PROGRAM} <command> [options] [arguments]`,
    `Commands:\n${list.join('\n')}`,
    `${PROGRAM} help <command> tells more about one of them; ${PROGRAM} --version prints the version.`,
    `Exit codes:\n${codes.join('\n')}\n`,
  ].join('\n\n');
}

function example(line: string, does: string): string {
  return `  # ${does}\n  ${PROGRAM} ${line}`;
}

function optionList(title: string, specs: Options, names: readonly string[]): string {
  const rows = names.map((name) => [label(name, specs[name]!), describe(specs[name]!)] as const);
  return `${title}:\n${rows.map(([left, right]) => column(left, right, 32)).join('\n')}`;
}

function label(name: string, { short, value, type, choices }: OptionSpec): string {
  const shown =
    value ??
    (choices
      ? `<${choices.join('|')}>`
      : { text: '<text>', number: '<n>', duration: '<time>', bytes: '<size>', flag: '' }[type]);
  return `${short ? `-${short}, ` : '    '}--${flagOf(name)}${shown === '' ? '' : ` ${shown}`}`;
}

function describe({ help, multiple, env, default: fallback, type }: OptionSpec): string {
  const notes = [help];
  if (multiple) notes.push('May be repeated.');
  if (fallback !== undefined) notes.push(`Default: ${shown(type, fallback)}.`);
  if (env !== undefined) notes.push(`[${env}]`);
  return notes.join(' ');
}

function shown(type: OptionSpec['type'], value: string | number): string {
  if (typeof value === 'string') return value === '.' ? 'this folder' : value;
  if (type === 'duration') return duration(value);
  return type === 'bytes' ? bytes(value) : String(value);
}

/** Two columns; the second begins on a line of its own if the first is too wide. */
function column(left: string, right: string, width: number): string {
  const pad = ' '.repeat(width);
  const lines = wrapped(right, WIDTH - width);
  const first = `${' '.repeat(INDENT)}${left}`;
  if (first.length + 1 < width)
    return [first.padEnd(width) + lines[0]!, ...lines.slice(1).map((line) => pad + line)].join('\n');
  return [first, ...lines.map((line) => pad + line)].join('\n');
}
