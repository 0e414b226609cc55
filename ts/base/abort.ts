// Many waiting for one AbortSignal, with one listener: Node warns of a leak from the eleventh on.
import { AgentError } from './errors';

const waiting = new WeakMap<AbortSignal, { callbacks: Set<() => void>; listener: () => void }>();

/**
 * Calls `callback`, which must not throw, if the signal fires from now on and until the function that is returned is
 * called. Nothing happens without a signal, nor if it has fired already.
 */
export function onAbort(signal: AbortSignal | undefined, callback: () => void): () => void {
  if (!signal || signal.aborted) return () => undefined;
  let entry = waiting.get(signal);
  if (!entry) {
    const callbacks = new Set<() => void>();
    const listener = () => {
      waiting.delete(signal);
      for (const callback of callbacks) callback();
    };
    entry = { callbacks, listener };
    waiting.set(signal, entry);
    signal.addEventListener('abort', listener, { once: true });
  }
  const { callbacks, listener } = entry;
  callbacks.add(callback);
  return () => {
    callbacks.delete(callback);
    if (callbacks.size > 0 || waiting.get(signal)?.callbacks !== callbacks) return;
    waiting.delete(signal);
    signal.removeEventListener('abort', listener);
  };
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
