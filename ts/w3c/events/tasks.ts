// Taken at load time, so that fake timers of test frameworks do not stop the event loop for us. They replace the globals
// and the members of `node:timers` alike.
const later = setImmediate;
const job = queueMicrotask;

/**
 * "Queue a task": the steps run in a turn of the event loop of their own, after all promise jobs of this one. A task that
 * was queued keeps the process alive until it has run.
 */
export function queueTask(steps: () => void): void {
  later(steps);
}

/** "Queue a microtask". */
export function queueJob(steps: () => void): void {
  job(steps);
}

/** Fires a plain event. */
export function fire(target: EventTarget, type: string): void {
  target.dispatchEvent(new Event(type));
}
