// Checks of what users pass in: every option is known and of its type, or refused.
import { onAbort } from './abort';
import type { Priority } from './channel';
import { AgentError, nativeAgentCall } from './errors';
import { binding } from '../native/loader';

const PRIORITIES: readonly Priority[] = ['low', 'normal', 'high', 'critical'];

/** Refuses members that nobody reads: a misspelt option must not be ignored. */
export function checkMembers(value: unknown, what: string, known: readonly string[]): void {
  if (value === undefined) return;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new TypeError(`${what} must be an object, not ${describe(value)}`);
  }
  for (const name of Object.keys(value)) {
    if (!known.includes(name)) throw new TypeError(`${what} has no member "${name}"; known are ${known.join(', ')}`);
  }
}

/** A number of milliseconds, finite and above zero. */
export function checkMilliseconds(value: unknown, what: string): number {
  // setTimeout cannot wait longer.
  if (typeof value !== 'number' || !(value > 0) || value > 2 ** 31 - 1) {
    throw new TypeError(`${what} must be a number of milliseconds from 1 to 2147483647, not ${describe(value)}`);
  }
  return value;
}

/** A whole number in a range. */
export function checkInteger(value: unknown, what: string, least: number, most: number): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < least || value > most) {
    throw new TypeError(`${what} must be a whole number from ${least} to ${most}, not ${describe(value)}`);
  }
  return value;
}

/** One of the four priorities, if there is one. */
export function checkPriority(value: unknown, what: string): Priority | undefined {
  if (value === undefined || PRIORITIES.includes(value as Priority)) return value as Priority | undefined;
  throw new TypeError(`${what} must be one of ${PRIORITIES.join(', ')}, not ${describe(value)}`);
}

/** A time to live in seconds, if there is one. */
export function checkTtl(value: unknown, what: string): number | undefined {
  if (value === undefined || (typeof value === 'number' && Number.isFinite(value) && value > 0)) return value;
  throw new TypeError(`${what} must be a positive number of seconds, not ${describe(value)}`);
}

/** A string that is not empty. */
export function checkName(value: unknown, what: string): string {
  if (typeof value !== 'string' || value === '') {
    throw new TypeError(`${what} must be a string that is not empty, not ${describe(value)}`);
  }
  return value;
}

/** An `AbortSignal`, if there is one. */
export function checkSignal(value: unknown, what: string): AbortSignal | undefined {
  if (value === undefined || value instanceof AbortSignal) return value;
  throw new TypeError(`${what} must be an AbortSignal, not ${describe(value)}`);
}

/** A function. */
export function checkFunction(value: unknown, what: string): void {
  if (typeof value !== 'function') throw new TypeError(`${what} must be a function, not ${describe(value)}`);
}

/**
 * The canonical form of an agent URI: scheme and host lower-cased.
 *
 * @throws TypeError - It is not one; the message says what is wrong.
 */
export function normalizeAgentUri(uri: string): string {
  if (typeof uri !== 'string') throw new TypeError(`an agent URI is a string, not ${describe(uri)}`);
  try {
    return nativeAgentCall(() => binding.normalizeAgentUri(uri));
  } catch (error) {
    if (error instanceof AgentError) throw new TypeError(error.message, { cause: error });
    throw error;
  }
}

/** The error of a request whose signal has fired. */
export function cancelled(signal: AbortSignal, what: string): AgentError {
  return new AgentError('TASK_CANCELLED', `${what} was cancelled`, { cause: signal.reason });
}

/** What `promise` comes to, unless the signal fires before. */
export async function orCancelled<T>(promise: Promise<T>, signal: AbortSignal | undefined, what: string): Promise<T> {
  if (!signal) return await promise;
  if (signal.aborted) throw cancelled(signal, what);
  let end = () => undefined as void;
  const aborted = new Promise<never>((_, reject) => (end = onAbort(signal, () => reject(cancelled(signal, what)))));
  return await Promise.race([promise, aborted]).finally(end);
}

/** A value for an error message, short. */
export function describe(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 40));
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'an array' : 'an object';
  return typeof value === 'function' ? 'a function' : String(value);
}
