// The interfaces of this host, and what its network stack can do.
import { randomUUID } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { networkInterfaces } from 'node:os';

/** Where an address is valid. */
export type Scope = 'loopback' | 'link-local' | 'private' | 'reserved' | 'public';

/** One address of an interface. */
export interface Address {
  readonly name: string;
  readonly address: string;
  readonly family: 4 | 6;
  readonly scope: Scope;
}

/** All addresses of this host. */
export function addresses(): Address[] {
  return Object.entries(networkInterfaces()).flatMap(([name, list]) =>
    (list ?? []).map(({ address, family, internal }) => ({
      name,
      address,
      family: family === 'IPv6' ? (6 as const) : (4 as const),
      scope: internal ? ('loopback' as const) : scopeOf(address),
    })),
  );
}

/**
 * Private: RFC 1918, RFC 6598 (carrier-grade NAT), RFC 4193. Reserved: for documentation (RFC 5737, RFC 3849, RFC 9637), benchmarks (RFC 2544),
 * and what RFC 6890 leaves unused. Everything else is public.
 */
export function scopeOf(address: string): Scope {
  if (/^(127\.|::1$)/.test(address)) return 'loopback';
  if (/^(169\.254\.|fe[89ab])/i.test(address)) return 'link-local';
  const carrier = /^100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\./;
  const local = /^(10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|f[cd])/i;
  if (carrier.test(address) || local.test(address)) return 'private';
  const documentation = /^(192\.0\.2\.|198\.51\.100\.|203\.0\.113\.|2001:0?db8:|3fff:0?[0-9a-f]{0,3}:)/i;
  const unused = /^(0\.|198\.1[89]\.|2[4-5]\d\.|192\.0\.0\.)/;
  return documentation.test(address) || unused.test(address) ? 'reserved' : 'public';
}

/** Whether there is a route to the internet over IPv6. Nothing is sent: connecting a UDP socket only looks for one. */
export async function hasIpv6Route(): Promise<boolean> {
  const socket = createSocket('udp6');
  try {
    return await new Promise<boolean>((resolve) => {
      socket.on('error', () => resolve(false));
      // An address of the DNS root servers (a.root-servers.net).
      socket.connect(53, '2001:503:ba3e::2:30', (...args: unknown[]) => resolve(args[0] === undefined));
    });
  } finally {
    socket.close();
  }
}

const MDNS = '224.0.0.251';
const MDNS_PORT = 5353;

/**
 * Whether multicast DNS questions leave this host and come back to it: browsers hide their addresses behind names in `.local`,
 * which are found that way.
 */
export async function hasMulticast(timeout: number): Promise<boolean> {
  const socket = createSocket({ type: 'udp4', reuseAddr: true });
  const name = `${randomUUID()}.local`;
  let timer: NodeJS.Timeout | undefined;
  try {
    return await new Promise<boolean>((resolve) => {
      timer = setTimeout(() => resolve(false), timeout);
      socket.on('error', () => resolve(false));
      socket.on('message', (packet) => {
        if (packet.includes(name.slice(0, 36))) resolve(true);
      });
      socket.bind(MDNS_PORT, () => {
        try {
          socket.addMembership(MDNS);
          socket.setMulticastLoopback(true);
          socket.send(question(name), MDNS_PORT, MDNS, (error) => error && resolve(false));
        } catch {
          resolve(false);
        }
      });
    });
  } finally {
    clearTimeout(timer);
    socket.close();
  }
}

/** A DNS question for the IPv4 address of a name (RFC 1035 4.1). */
function question(name: string): Buffer {
  const labels = name.split('.').map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label)]));
  const header = Buffer.from([0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
  return Buffer.concat([header, ...labels, Buffer.from([0, 0, 1, 0, 1])]);
}
