import { toUSVString } from 'node:util';

/**
 * Converts an ECMAScript value to a WebIDL type. `context` names the value in the error message, for example
 * `RTCIceServer.urls`.
 */
export type Converter<T> = (value: unknown, context: string) => T;

/** Throws the `TypeError` of a failed conversion: what was given, and what would have been right. */
export function conversionFailed(context: string, problem: string): never {
  throw new TypeError(`${context} ${problem}`);
}

/** https://webidl.spec.whatwg.org/#js-DOMString; a template literal refuses symbols, `String()` does not. */
export const DOMString: Converter<string> = (value, context) => {
  if (typeof value === 'string') return value;
  if (typeof value === 'symbol') conversionFailed(context, 'is a symbol, which has no string value');
  return `${value as string}`;
};

/** A string without lone surrogates: each becomes U+FFFD. */
export const USVString: Converter<string> = (value, context) => toUSVString(DOMString(value, context));

/** https://webidl.spec.whatwg.org/#js-boolean */
export const boolean: Converter<boolean> = (value) => Boolean(value);

/** https://webidl.spec.whatwg.org/#js-object */
export const object: Converter<object> = (value, context) =>
  isObject(value) ? value : conversionFailed(context, 'is not an object');

/** An ECMAScript object, functions included. */
export function isObject(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}

interface IntegerType {
  /** Width in bits. */
  bits: 8 | 16 | 32 | 64;
  signed?: boolean;
  /** `[EnforceRange]`: out of range is a `TypeError`, not a modulo. */
  enforceRange?: boolean;
}

/** https://webidl.spec.whatwg.org/#abstract-opdef-converttoint */
export function integer({ bits, signed = false, enforceRange = false }: IntegerType): Converter<number> {
  const modulus = 2 ** bits;
  // 64-bit types are limited to what a Number can hold exactly.
  const max = bits === 64 ? Number.MAX_SAFE_INTEGER : signed ? modulus / 2 - 1 : modulus - 1;
  const min = !signed ? 0 : bits === 64 ? Number.MIN_SAFE_INTEGER : -modulus / 2;
  return (value, context) => {
    const number = toNumber(value, context);
    if (enforceRange) {
      const whole = Math.trunc(number) + 0; // -0 becomes 0
      if (!(whole >= min && whole <= max)) {
        conversionFailed(context, `is ${number}, not an integer between ${min} and ${max}`);
      }
      return whole;
    }
    if (!Number.isFinite(number)) return 0;
    let whole = Math.trunc(number) % modulus;
    if (whole < 0) whole += modulus;
    return signed && whole > max ? whole - modulus : whole + 0;
  };
}

/** https://webidl.spec.whatwg.org/#js-double: a finite number. */
export const double: Converter<number> = (value, context) => {
  const number = toNumber(value, context);
  return Number.isFinite(number) ? number : conversionFailed(context, `is ${number}, not a finite number`);
};

function toNumber(value: unknown, context: string): number {
  if (typeof value === 'bigint' || typeof value === 'symbol') {
    conversionFailed(context, `is a ${typeof value}, not a number`);
  }
  return Number(value);
}

export const octet = integer({ bits: 8 });
export const octetEnforceRange = integer({ bits: 8, enforceRange: true });
export const unsignedShort = integer({ bits: 16 });
export const unsignedShortEnforceRange = integer({ bits: 16, enforceRange: true });
export const long = integer({ bits: 32, signed: true });
export const unsignedLong = integer({ bits: 32 });
export const unsignedLongEnforceRange = integer({ bits: 32, enforceRange: true });
export const unsignedLongLongEnforceRange = integer({ bits: 64, enforceRange: true });

/** `T?`: `null` and `undefined` become `null`. */
export function nullable<T>(type: Converter<T>): Converter<T | null> {
  return (value, context) => (value === null || value === undefined ? null : type(value, context));
}

/** An enumeration where another value is a `TypeError` (arguments and dictionary members). */
export function enumeration<T extends string>(values: readonly T[]): Converter<T> {
  return (value, context) => {
    const text = DOMString(value, context) as T;
    if (values.includes(text)) return text;
    return conversionFailed(context, `is '${text}', not one of ${values.map((name) => `'${name}'`).join(', ')}`);
  };
}

/** `sequence<T>`: any iterable object. */
export function sequence<T>(type: Converter<T>): Converter<T[]> {
  return (value, context) => {
    const method: unknown = isObject(value) ? (value as { [Symbol.iterator]?: unknown })[Symbol.iterator] : undefined;
    if (typeof method !== 'function') conversionFailed(context, 'is not an iterable object');
    const result: T[] = [];
    for (const item of value as Iterable<unknown>) result.push(type(item, `${context}[${result.length}]`));
    return result;
  };
}

/** A platform object of one interface, recognised by its brand and not by its prototype. */
export function instanceOf<T>(name: string, isInstance: (value: unknown) => value is T): Converter<T> {
  return (value, context) => (isInstance(value) ? value : conversionFailed(context, `is not an instance of ${name}`));
}

/** A callback function. */
export const callback: Converter<(...args: unknown[]) => unknown> = (value, context) =>
  typeof value === 'function'
    ? (value as (...args: unknown[]) => unknown)
    : conversionFailed(context, 'is not a function');

/** Throws unless an operation got the arguments that it cannot do without. */
export function requireArguments(given: number, required: number, operation: string): void {
  if (given >= required) return;
  throw new TypeError(`${operation} needs ${required} argument${required === 1 ? '' : 's'}, but got ${given}`);
}
