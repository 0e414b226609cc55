// Checks of what users pass in: every option is known and of its type, or refused.

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

/** A value for an error message, short. */
export function describe(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 40));
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'an array' : 'an object';
  return typeof value === 'function' ? 'a function' : String(value);
}
