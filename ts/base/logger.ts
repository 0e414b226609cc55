// Where the agent layer says what it does. Silent unless the application wants to hear it.
import { checkFunction, checkMembers } from './checks';

/** Facts that belong to a log message: agent URIs, ids, codes, sizes. */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

/**
 * Takes log messages: `console` will do, and so will most logging packages behind four small functions. Nothing secret
 * is logged: no credentials, tokens, keys, payloads or addresses of candidates.
 */
export interface Logger {
  /** Single steps, for the hunt for a fault. */
  debug(message: string, fields?: LogFields): void;
  /** What an operator may want to see: links that come and go. */
  info(message: string, fields?: LogFields): void;
  /** Something was refused or went wrong, and the agent goes on. */
  warn(message: string, fields?: LogFields): void;
  /** Something does not work any more. */
  error(message: string, fields?: LogFields): void;
}

const LEVELS = ['debug', 'info', 'warn', 'error'] as const;

const nothing = (): void => undefined;

/** The default. */
export const silent: Logger = { debug: nothing, info: nothing, warn: nothing, error: nothing };

/**
 * The logger of a peer. What the application's logger throws is swallowed: a full disk must not break a link.
 *
 * @throws TypeError - One of the four functions is missing.
 */
export function checkLogger(value: unknown): Logger {
  if (value === undefined) return silent;
  if (typeof value !== 'object' || value === null) checkMembers(value, 'logger', []);
  const logger = value as Logger;
  const functions = value as Record<string, unknown>;
  for (const level of LEVELS) checkFunction(functions[level], `logger.${level}`);
  const guarded =
    (level: (typeof LEVELS)[number]) =>
    (message: string, fields?: LogFields): void => {
      try {
        logger[level](message, fields);
      } catch {
        // Nobody is left to tell.
      }
    };
  return { debug: guarded('debug'), info: guarded('info'), warn: guarded('warn'), error: guarded('error') };
}
