// Taken at load time from the module, so that fake timers of test frameworks do not stop the event loop for us.
import { setImmediate } from 'node:timers';

/**
 * "Queue a task": the steps run in a turn of the event loop of their own, after all promise jobs of this one. A task that
 * was queued keeps the process alive until it has run.
 */
export function queueTask(steps: () => void): void {
  setImmediate(steps);
}

/** Fires a plain event. */
export function fire(target: EventTarget, type: string): void {
  target.dispatchEvent(new Event(type));
}
