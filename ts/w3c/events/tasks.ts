import { Event, queueMicrotask, setImmediate } from '../../platform';

/**
 * "Queue a task": the steps run in a turn of the event loop of their own, after all promise jobs of this one. A task that
 * was queued keeps the process alive until it has run.
 */
export function queueTask(steps: () => void): void {
  setImmediate(steps);
}

/** "Queue a microtask". */
export function queueJob(steps: () => void): void {
  queueMicrotask(steps);
}

/** Fires a plain event. */
export function fire(target: EventTarget, type: string): void {
  target.dispatchEvent(new Event(type));
}
