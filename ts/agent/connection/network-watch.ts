// Notices that this machine has other addresses than before, leaves its network by another router, or has slept.
import { readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';

import { clearInterval, setInterval } from '../../platform';
import { binding } from '../../native';

/** What made somebody look at the network. */
export type NetworkChange = 'addresses' | 'routes' | 'woken';

/** `online`: the machine has an address that leads beyond its cable, or never had one since it was watched. */
type Listener = (change: NetworkChange, online: boolean) => void;

/**
 * Looks at the interfaces every few seconds while somebody listens: a list of addresses takes some tens of microseconds,
 * and no system-wide notification is portable. One per interval and JavaScript thread. Does not keep the process alive.
 */
class NetworkWatch {
  readonly #listeners = new Set<Listener>();
  #timer: NodeJS.Timeout | undefined;
  #clock = new binding.ClockWatch();
  #addresses = '';
  #routes = '';
  #everOnline = false;

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
    this.#routes = defaultRoutes();
    this.#everOnline = leadsOn(this.#addresses, this.#routes);
    this.#timer = setInterval(() => this.#look(), this.interval).unref();
  }

  #look(): void {
    const [oldAddresses, oldRoutes] = [this.#addresses, this.#routes];
    this.#addresses = addresses();
    this.#routes = defaultRoutes();
    const woken = this.#clock.observe(this.interval) != null;
    let change: NetworkChange | undefined;
    if (oldAddresses !== this.#addresses) change = 'addresses';
    else if (oldRoutes !== this.#routes) change = 'routes';
    else if (woken) change = 'woken';
    const leads = leadsOn(this.#addresses, this.#routes);
    this.#everOnline ||= leads;
    // What talks over its own loopback only has lost nothing.
    const online = leads || !this.#everOnline;
    if (change) for (const listener of [...this.#listeners]) listener(change, online);
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

/** How interfaces are called that container and machine managers make for what runs on this host; the core ranks them last by the same names. */
const INSIDE = /^(docker|br-|veth|virbr|vnet|cni|flannel|cali|podman|lxc|lxdbr|vmnet|vboxnet|vEthernet)/;

/**
 * Whether this machine can reach others: it has a default route, or an address of a network that is not one inside of it. Link-local addresses
 * stay when a network goes, and so do those of the bridges of containers.
 */
function leadsOn(list: string, routes: string): boolean {
  if (routes !== '') return true;
  const lines = list.split('\n').filter((line) => line !== '' && !/ (fe[89ab].:|169\.254\.)/i.test(line));
  return lines.some((line) => !INSIDE.test(line));
}

/** Longer tables are those of routers, and reading them would take longer than a look at the addresses. */
const LONGEST_TABLE = 64 * 1024;

/**
 * The default routes as one text: a machine that changes routers may keep its address. Linux only; elsewhere a change of the router is noticed
 * by the silence that follows.
 */
function defaultRoutes(): string {
  return ['/proc/net/route', '/proc/net/ipv6_route'].flatMap(routesOf).sort().join('\n');
}

function routesOf(table: string): string[] {
  if (process.platform !== 'linux') return [];
  try {
    const text = readFileSync(table, 'utf8');
    if (text.length > LONGEST_TABLE) return [];
    const columns = text.split('\n').map((line) => line.trim().split(/\s+/));
    // IPv4: device, destination, gateway; IPv6: destination, length of its prefix, two of the source, gateway, ..., device. Unreachable ones are on `lo`.
    const route = table.endsWith('ipv6_route')
      ? (c: string[]) => (/^0{32}$/.test(c[0] ?? '') && c[1] === '00' && c[9] !== 'lo' ? [`${c[9]} ${c[4]}`] : [])
      : (c: string[]) => (c[1] === '00000000' && c[7] === '00000000' ? [`${c[0]} ${c[2]}`] : []);
    return columns.flatMap(route);
  } catch {
    // Some sandboxes hide it.
    return [];
  }
}

const watches = new Map<number, NetworkWatch>();

/** Calls `listener` for each change until the returned function is called. `interval` is in milliseconds. */
export function watchNetwork(interval: number, listener: Listener): () => void {
  let watch = watches.get(interval);
  if (!watch) watches.set(interval, (watch = new NetworkWatch(interval)));
  return watch.listen(listener);
}
