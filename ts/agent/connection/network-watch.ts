// Notices that this machine has other addresses than before, or has slept.
import { networkInterfaces } from 'node:os';

import { binding } from '../../native';

/** What made somebody look at the network. */
export type NetworkChange = 'addresses' | 'woken';

type Listener = (change: NetworkChange) => void;

/**
 * Looks at the interfaces every few seconds while somebody listens: a list of addresses takes some tens of microseconds,
 * and no system-wide notification is portable. One per interval and JavaScript thread. Does not keep the process alive.
 */
class NetworkWatch {
  readonly #listeners = new Set<Listener>();
  #timer: NodeJS.Timeout | undefined;
  #clock = new binding.ClockWatch();
  #addresses = '';

  constructor(private readonly interval: number) {}

  listen(listener: Listener): () => void {
    if (this.#listeners.size === 0) this.#start();
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size > 0) return;
      clearInterval(this.#timer);
      this.#timer = undefined;
    };
  }

  #start(): void {
    // Where the machine was before nobody listened is of no interest.
    this.#clock = new binding.ClockWatch();
    this.#clock.observe(this.interval);
    this.#addresses = addresses();
    this.#timer = setInterval(() => this.#look(), this.interval).unref();
  }

  #look(): void {
    const before = this.#addresses;
    this.#addresses = addresses();
    const woken = this.#clock.observe(this.interval) != null;
    const change: NetworkChange | undefined = before !== this.#addresses ? 'addresses' : woken ? 'woken' : undefined;
    if (change) for (const listener of [...this.#listeners]) listener(change);
  }
}

/** Every address that others may reach, as one text. */
function addresses(): string {
  let interfaces: ReturnType<typeof networkInterfaces>;
  try {
    interfaces = networkInterfaces();
  } catch {
    // Some sandboxes forbid it: then nothing ever changes.
    return '';
  }
  return Object.entries(interfaces)
    .flatMap(([name, list]) => (list ?? []).filter(({ internal }) => !internal).map(({ cidr }) => `${name} ${cidr}`))
    .sort()
    .join('\n');
}

const watches = new Map<number, NetworkWatch>();

/** Calls `listener` for each change until the returned function is called. `interval` is in milliseconds. */
export function watchNetwork(interval: number, listener: Listener): () => void {
  let watch = watches.get(interval);
  if (!watch) watches.set(interval, (watch = new NetworkWatch(interval)));
  return watch.listen(listener);
}
