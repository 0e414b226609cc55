// The command line, taken apart by Node's own parser and checked against the table of commands.
import { parseArgs } from 'node:util';

import { UsageError } from '../output';
import { flagOf, type Command, type Options, type OptionSpec, type Positional } from './command';
import { nearest } from './nearest';
import { fromEnvironment, parseValue } from './values';

/** A command line that makes sense. */
export interface Parsed {
  readonly values: Record<string, boolean | string | number | (string | number)[] | undefined>;
  readonly positionals: string[];
}

/** Options that every command has. */
export const GLOBAL = {
  help: { type: 'flag', short: 'h', help: 'Show this help.' },
  json: { type: 'flag', help: 'Print one JSON object per line, for programs.' },
  quiet: { type: 'flag', short: 'q', help: 'Print results and errors only.' },
  verbose: { type: 'flag', short: 'v', help: 'Say on standard error what happens inside.' },
} as const satisfies Options;

/**
 * Parses the arguments of a command (those behind its name).
 *
 * @throws UsageError - Something is unknown, missing, too much or not valid.
 */
export function parseCommand(command: Command, args: readonly string[], env: NodeJS.ProcessEnv): Parsed {
  const specs: Options = { ...command.options, ...GLOBAL };
  const byFlag = new Map(Object.keys(specs).map((name) => [flagOf(name), name]));
  const { tokens } = parseArgs({
    args: [...args],
    strict: false,
    allowPositionals: true,
    tokens: true,
    options: Object.fromEntries(
      Object.entries(specs).map(([name, { type, short }]) => [
        flagOf(name),
        { type: type === 'flag' ? ('boolean' as const) : ('string' as const), ...(short ? { short } : {}) },
      ]),
    ),
  });
  const values: Parsed['values'] = {};
  const positionals: string[] = [];
  for (const token of tokens) {
    if (token.kind === 'positional') positionals.push(token.value);
    if (token.kind !== 'option') continue;
    const name = byFlag.get(token.name);
    if (name === undefined) throw unknownOption(token.rawName, byFlag.keys());
    take(values, name, specs[name]!, token);
  }
  // Whoever asks for help need not give what is missing.
  if (values['help']) return { values, positionals };
  fillIn(values, specs, env);
  checkPositionals(command, positionals);
  return { values, positionals };
}

function take(
  values: Parsed['values'],
  name: string,
  spec: OptionSpec,
  token: { rawName: string; value?: string; inlineValue?: boolean },
): void {
  const { rawName, value, inlineValue } = token;
  if (spec.type === 'flag') {
    if (value !== undefined) throw new UsageError(`${rawName} takes no value, but "${value}" was given`);
    values[name] = true;
    return;
  }
  if (value === undefined) throw new UsageError(`${rawName} needs a value: ${rawName} ${spec.value ?? '<value>'}`);
  if (!inlineValue && value.startsWith('-') && value !== '-') {
    throw new UsageError(`${rawName} needs a value, and "${value}" looks like an option; write ${rawName}=${value}`);
  }
  const parsed = parseValue(spec, value, rawName);
  if (spec.multiple) values[name] = [...((values[name] as (string | number)[] | undefined) ?? []), parsed];
  else if (values[name] !== undefined) throw new UsageError(`${rawName} was given twice`);
  else values[name] = parsed;
}

/** What was not given comes from the environment, or is the default. */
function fillIn(values: Parsed['values'], specs: Options, env: NodeJS.ProcessEnv): void {
  for (const [name, spec] of Object.entries(specs)) {
    values[name] ??= fromEnvironment(name, spec, env);
    if (spec.type === 'flag') values[name] ??= false;
    else if (spec.multiple) values[name] ??= [];
    else values[name] ??= spec.default;
  }
}

function unknownOption(rawName: string, flags: Iterable<string>): UsageError {
  const like = rawName.startsWith('--') ? nearest(rawName.slice(2), flags) : undefined;
  return new UsageError(`unknown option ${rawName}${like ? `; did you mean --${like}?` : ''}`);
}

function checkPositionals(command: Command, given: readonly string[]): void {
  const { positionals } = command;
  const required = positionals.filter(({ optional }) => !optional).length;
  if (given.length < required) {
    // Nobody can tell which of them the one is that was given.
    if (given.length > 0 && positionals.some(({ many }) => many)) {
      throw new UsageError(`${command.name} needs ${usageOf(positionals)}, and only "${given.join(' ')}" was given`);
    }
    const missing = positionals.filter(({ optional }) => !optional).slice(given.length);
    throw new UsageError(`${command.name} needs ${missing.map(({ name }) => `<${name}>`).join(' and ')}`);
  }
  if (given.length > positionals.length && !positionals.some(({ many }) => many)) {
    const most = positionals.length;
    throw new UsageError(
      most === 0
        ? `${command.name} takes no arguments, but "${given[0]}" was given`
        : `${command.name} takes ${most === 1 ? 'one argument' : `at most ${most} arguments`}; "${given[most]}" is too much`,
    );
  }
}

/** `<file...> <agent> [json]` */
export function usageOf(positionals: readonly Positional[]): string {
  return positionals
    .map(({ name, optional, many }) => {
      const text = `${name}${many ? '...' : ''}`;
      return optional ? `[${text}]` : `<${text}>`;
    })
    .join(' ');
}
