import { nextTick } from '../platform';

/** Passed by our own code to the constructors of interfaces that script cannot construct. */
export const constructible = Symbol('ossa-webrtc.constructible');

/** Throws for `new RTCSctpTransport()` and its like, unless our own code calls. */
export function illegalConstructor(token: unknown, name: string): void {
  if (token !== constructible) throw new TypeError(`Illegal constructor: ${name} objects are made by a connection`);
}

/**
 * Gives a class what WebIDL demands of an interface object beyond what `class` does by itself: enumerable members, a class
 * string, and no trace of rest parameters. https://webidl.spec.whatwg.org/#js-interfaces
 */
export function exposeInterface(interfaceObject: { prototype: object }, name: string): void {
  const { prototype } = interfaceObject;
  makeEnumerable(prototype, ['constructor']);
  makeEnumerable(interfaceObject, ['prototype', 'length', 'name']);
  Object.defineProperty(prototype, Symbol.toStringTag, { value: name, configurable: true });
}

function makeEnumerable(owner: object, except: string[]): void {
  for (const key of Object.getOwnPropertyNames(owner)) {
    if (!except.includes(key)) Object.defineProperty(owner, key, { enumerable: true });
  }
}

/** Runs an operation that returns a promise: what WebIDL would throw becomes a rejection. */
export function promiseOperation<T>(steps: () => Promise<T>): Promise<T> {
  try {
    return steps();
  } catch (error) {
    return Promise.reject(thrown(error));
  }
}

/** What was thrown, typed as promises want their reasons; script may throw anything. */
export function thrown(error: unknown): Error {
  return error as Error;
}

/** Runs a callback function given by script; its exception is reported, never propagated to our algorithms. */
export function invokeCallback(callback: (...args: unknown[]) => unknown, ...args: unknown[]): void {
  try {
    callback(...args);
  } catch (error) {
    reportException(error);
  }
}

/** "Report the exception": in Node that is `uncaughtException`, on its own stack. */
export function reportException(error: unknown): void {
  nextTick(() => {
    throw error;
  });
}
