// The runtime's own timers and classes. Test environments put others in their place: jsdom its events, in a context or over the globals;
// fake timers theirs, which would stop the event loop for us, also when they were installed before this is loaded.
import { Blob } from 'node:buffer';
import timers from 'node:timers';
import util from 'node:util';
import { runInThisContext } from 'node:vm';

/** What `@sinonjs/fake-timers` (Jest, Vitest, Sinon) leaves at a function that stands in for another: the clock, which keeps that one. */
type Faked = { clock?: Record<string, unknown> };

function real<F extends (...args: never[]) => unknown>(name: string, found: F): F {
  const kept = (found as Faked).clock?.[`_${name}`];
  return typeof kept === 'function' ? (kept as F) : found;
}

export const setTimeout = real('setTimeout', timers.setTimeout);
export const clearTimeout = real('clearTimeout', timers.clearTimeout);
export const setInterval = real('setInterval', timers.setInterval);
export const clearInterval = real('clearInterval', timers.clearInterval);
export const setImmediate = real('setImmediate', timers.setImmediate);
export const queueMicrotask = real('queueMicrotask', globalThis.queueMicrotask);
export const nextTick = real('nextTick', process.nextTick.bind(process));

/**
 * The clock of `performance`, kept from the start: test frameworks replace it by one that stands still, and each use of the global goes
 * through a getter.
 */
export const now = performance.now.bind(performance);

checkTimers();

/** Timers that nothing fires would let every connection wait for ever, and nobody would know why. */
function checkTimers(): void {
  // Bun lists none.
  if (process.versions['bun'] !== undefined) return;
  const count = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
  const before = count();
  const timer = setTimeout(() => {}, 1000);
  const after = count();
  clearTimeout(timer);
  if (after > before) return;
  throw new Error(
    'ossa-webrtc was loaded while the timers were faked, by something that does not say where the real ones are; load it before: ' +
      'import it at the top of the file, or install the fake timers later',
  );
}

/** Fires an event by which the runtime shows its own classes. */
function genuine() {
  // Bun has no such function.
  const { transferableAbortController } = util as Partial<typeof util>;
  const controller = transferableAbortController?.() ?? new AbortController();
  let event: Event | undefined;
  controller.signal.addEventListener('abort', (one) => (event = one));
  controller.abort();
  return { event: event!, reason: controller.signal.reason as DOMException, signal: controller.signal };
}

const { event, reason, signal } = genuine();

/** What a class is based on in the end, `Object` left out. */
function baseOf(object: object): unknown {
  const above = Object.getPrototypeOf(object) as object;
  return Object.getPrototypeOf(Object.getPrototypeOf(above)) === null ? above.constructor : baseOf(above);
}

export const EventTarget = baseOf(signal) as typeof globalThis.EventTarget;
export type EventTarget = globalThis.EventTarget;

export const Event = event.constructor as typeof globalThis.Event;
export type Event = globalThis.Event;

export const DOMException = reason.constructor as typeof globalThis.DOMException;
export type DOMException = globalThis.DOMException;

export const MessageEvent = messageEvent();
export type MessageEvent = globalThis.MessageEvent;

export { Blob };

function messageEvent(): typeof globalThis.MessageEvent {
  const found = runInThisContext('globalThis.MessageEvent') as typeof globalThis.MessageEvent | undefined;
  if (found?.prototype instanceof Event) return found;
  // Another one stands over the global, whose events our targets would not take.
  return class MessageEvent<T = unknown> extends Event {
    readonly data: T;
    readonly origin = '';
    readonly lastEventId = '';
    readonly source = null;
    readonly ports = [];

    constructor(type: string, init: ConstructorParameters<typeof globalThis.Event>[1] & { data?: T } = {}) {
      super(type, init);
      this.data = init.data as T;
    }
  } as unknown as typeof globalThis.MessageEvent;
}

/** jsdom has none. */
export const structuredClone = runInThisContext('globalThis.structuredClone') as typeof globalThis.structuredClone;
