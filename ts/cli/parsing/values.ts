// Values of options: text to numbers, times and sizes.
import { UsageError } from '../output';
import { flagOf, type OptionSpec } from './command';

const DURATIONS: Readonly<Record<string, number>> = { ms: 1, s: 1000, '': 1000, m: 60_000, min: 60_000, h: 3_600_000 };

const SIZES: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  k: 1e3,
  kb: 1e3,
  kib: 2 ** 10,
  m: 1e6,
  mb: 1e6,
  mib: 2 ** 20,
  g: 1e9,
  gb: 1e9,
  gib: 2 ** 30,
  t: 1e12,
  tb: 1e12,
  tib: 2 ** 40,
};

/**
 * The value of an option. `origin` is where it was given: `--timeout`, or the name of a variable.
 *
 * @throws UsageError - It is not what the option takes.
 */
export function parseValue(spec: OptionSpec, text: string, origin: string): string | number {
  if (spec.type === 'text' || spec.type === 'flag') {
    if (text === '') throw new UsageError(`${origin} must not be empty`);
    if (spec.choices && !spec.choices.includes(text)) {
      throw new UsageError(`${origin} is one of ${spec.choices.join(', ')}, not "${text}"`);
    }
    return text;
  }
  const value = READERS[spec.type](text);
  if (value === undefined) throw new UsageError(`${origin} takes ${EXPECTED[spec.type]}, not "${text}"`);
  const { min = 0, max = Number.MAX_SAFE_INTEGER } = spec;
  if (value < min || value > max) {
    const range = max === Number.MAX_SAFE_INTEGER ? `at least ${min}` : `from ${min} to ${max}`;
    const unit = { number: '', duration: ' milliseconds', bytes: ' bytes' }[spec.type];
    throw new UsageError(`${origin} is ${range}${unit}, not "${text}"`);
  }
  return value;
}

const EXPECTED = {
  number: 'a whole number',
  duration: 'a time such as 500ms, 10s (or 10), 2m or 1h',
  bytes: 'a size in bytes such as 65536, 64KiB or 10MB',
} as const;

const READERS = {
  number: (text: string) => (/^\d{1,15}$/.test(text) ? Number(text) : undefined),
  duration: (text: string) => scaled(text, DURATIONS),
  bytes: (text: string) => scaled(text, SIZES),
} as const;

function scaled(text: string, units: Readonly<Record<string, number>>): number | undefined {
  const [, number, unit] = /^(\d{1,15}(?:\.\d{1,6})?) ?([a-z]*)$/i.exec(text) ?? [];
  const scale = unit === undefined || !Object.hasOwn(units, unit.toLowerCase()) ? undefined : units[unit.toLowerCase()];
  return number === undefined || scale === undefined ? undefined : Math.round(Number(number) * scale);
}

const YES = ['1', 'true', 'yes', 'on'];
const NO = ['0', 'false', 'no', 'off', ''];

/** What an environment variable says about an option; nothing if it is not set. */
export function fromEnvironment(
  name: string,
  spec: OptionSpec,
  env: NodeJS.ProcessEnv,
): boolean | string | number | (string | number)[] | undefined {
  const text = spec.env === undefined ? undefined : env[spec.env];
  // An empty variable is how many tools say that there is none.
  if (spec.env === undefined || text === undefined || text === '') return undefined;
  if (spec.type === 'flag') {
    if (YES.includes(text.toLowerCase())) return true;
    if (NO.includes(text.toLowerCase())) return false;
    throw new UsageError(`${spec.env} (for --${flagOf(name)}) is 1 or 0, not "${text}"`);
  }
  if (!spec.multiple) return parseValue(spec, text, spec.env);
  return text
    .split(/\s+/)
    .filter((part) => part !== '')
    .map((part) => parseValue(spec, part, spec.env!));
}
