// What a command is made of. Parsing, help texts, the manual and the tests all read the same table.
import type { Output } from '../output';

/** What an option takes: nothing, any text, a number, a time or a size. Times are milliseconds, sizes bytes. */
export type OptionType = 'flag' | 'text' | 'number' | 'duration' | 'bytes';

/** One option. Its name on the command line is the key in the table, with dashes: `maxRooms` is `--max-rooms`. */
export interface OptionSpec {
  readonly type: OptionType;
  /** What it does, for the help text; begins with a capital and ends with a full stop. */
  readonly help: string;
  /** One letter. */
  readonly short?: string;
  /** How the help text calls its value. */
  readonly value?: string;
  /** May be given several times. */
  readonly multiple?: true;
  /** Environment variable that stands for it when it is not given; several values are separated by blanks. */
  readonly env?: string;
  readonly default?: string | number;
  readonly choices?: readonly string[];
  /** Range of numbers, times and sizes, both included. */
  readonly min?: number;
  readonly max?: number;
}

/** Options by name. */
export type Options = Readonly<Record<string, OptionSpec>>;

type Single<S extends OptionSpec> = S['type'] extends 'flag' ? boolean : S['type'] extends 'text' ? string : number;

type Value<S extends OptionSpec> = S['type'] extends 'flag'
  ? boolean
  : S extends { multiple: true }
    ? Single<S>[]
    : S extends { default: string | number }
      ? Single<S>
      : Single<S> | undefined;

/** The values of options after parsing. */
export type Values<O extends Options> = { -readonly [K in keyof O]: Value<O[K]> };

/** An argument that is not an option. */
export interface Positional {
  /** How the help text calls it. */
  readonly name: string;
  readonly optional?: true;
  /** Takes one or more; only one of a command's may. */
  readonly many?: true;
}

/** Options under a heading of the help text. */
export interface OptionGroup {
  readonly title: string;
  readonly names: readonly string[];
}

/** What a command runs with. */
export interface Context<O extends Options = Options> {
  readonly values: Values<O>;
  readonly positionals: readonly string[];
  readonly out: Output;
  /** Fires when the user wants the command to end: Ctrl-C, SIGTERM, or nobody reads its output any more. */
  readonly signal: AbortSignal;
}

/** One command of the program. */
export interface Command<O extends Options = Options> {
  readonly name: string;
  /** One line for the overview. */
  readonly summary: string;
  /** Paragraphs for the help text. */
  readonly description: string;
  readonly positionals: readonly Positional[];
  readonly options: O;
  readonly groups?: readonly OptionGroup[];
  /** Command lines (after the program's name) and what they do. */
  readonly examples: readonly (readonly [command: string, does: string])[];
  /** A signal is the ordinary end of this command: its exit code is what `run` gives. */
  readonly endsBySignal?: true;
  /** Exit code; nothing is 0. */
  run(context: Context<O>): Promise<number | void>;
}

/** Declares a command: the types of `values` follow from its options. */
export function defineCommand<const O extends Options>(command: Command<O>): Command {
  // A command is only run with the values that were parsed by its own options.
  return command;
}

/** The name of an option on the command line, without dashes in front. */
export function flagOf(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
