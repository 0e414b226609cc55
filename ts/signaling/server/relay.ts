// The TURN server that shares the port of a signaling server.
import { randomBytes } from 'node:crypto';
import { isIP } from 'node:net';

import { checkInteger, checkMembers, checkName, describe } from '../../base';
import type { binding } from '../../native';
import type { SignalingAuthMode } from './auth';
import { checkNetworks } from './networks';

/** Limits of a relay; docs/relay.md has the reasons. */
export interface SignalingRelayLimits {
  /** Allocations in total; more get the error 508. Default: 4,000. */
  maxAllocations?: number;
  /** Allocations of one agent; more get the error 486. Default: 200. */
  maxAllocationsPerAgent?: number;
  /** Allocations of one address, of IPv6 of one /64; more get the error 486. Default: 1,000. */
  maxAllocationsPerAddress?: number;
  /** The longest that an allocation lives without a refresh, in seconds. Default: 3,600. */
  maxLifetime?: number;
  /** Bytes relayed in a second in total, both directions together; what is more is dropped. Default: 125,000,000. */
  bandwidth?: number;
  /** Bytes relayed in a second for one agent. Default: 12,500,000. */
  bandwidthPerAgent?: number;
  /** Bytes relayed in a second for one address, of IPv6 for one /64. Default: 62,500,000. */
  bandwidthPerAddress?: number;
}

/**
 * The option `relay` of {@link createSignalingServer}: a TURN server (RFC 8656) at the address and port of the signaling server, by UDP,
 * TCP and, where the server has `tls`, TLS. Agents get its URLs and credentials that expire when they are registered, and new ones when
 * half of their time is over.
 */
export interface SignalingRelayOptions extends SignalingRelayLimits {
  /**
   * What credentials are made with, at least 16 characters. Default: a random one, so that those of before a restart are refused; agents
   * get new ones when they register again.
   */
  secret?: string;
  /** Seconds that credentials are good for new allocations; running ones can be refreshed beyond that. Default: 3,600. */
  ttl?: number;
  /** What user names say about the agent in events: `'hash'`, the default, is always the same for an agent; `'uri'` shows which it is. */
  username?: 'hash' | 'uri';
  /** Also for the agents of an open server, that is for everybody. Default: false. */
  allowOpen?: boolean;
  /**
   * The host in the URLs that agents are told, `'relay.example'` or `'relay.example:443'`. Default: what each agent has dialled for
   * signaling. Behind a proxy it is required, which does not pass TURN on.
   */
  host?: string;
  /**
   * IP addresses to relay from, at most one of IPv4 and one of IPv6. Default: the one that the client has reached; for the other family
   * the one that packets to the internet leave from.
   */
  addresses?: string | readonly string[];
  /** Behind a 1:1 NAT: what those addresses are called outside, at most one of IPv4 and one of IPv6. */
  announce?: string | readonly string[];
  /** The first and the last UDP port to relay from. Default: `[49152, 65535]`. */
  ports?: readonly [first: number, last: number];
  /**
   * Peers that may be reached although they are in private networks, on this host or the like: addresses and ranges. Default: none. Other
   * clients of this relay are reached in any case.
   */
  allowPeers?: readonly string[];
  /** Peers that may not be reached, whatever else is said: addresses and ranges. Default: none. */
  denyPeers?: readonly string[];
}

/** What a relay counts. */
export interface SignalingRelayStats {
  /** Allocations at this moment. */
  allocations: number;
  /** Allocations since the start. */
  totalAllocations: number;
  /** Datagrams passed on, both directions. */
  relayed: number;
  /** Bytes of those, without what TURN adds. */
  relayedBytes: number;
  /** Datagrams dropped because a limit of bandwidth was reached. */
  overBandwidth: number;
  /** Datagrams dropped because a socket or the connection of a client was full. */
  congested: number;
  /** Datagrams dropped because there was no permission for the peer. */
  notPermitted: number;
  /** Requests for peers that may not be reached. */
  forbiddenPeers: number;
  /** Allocations refused: too many, or no port left. */
  refused: number;
  /** Requests with a wrong user name or password, or with credentials that have expired. */
  denied: number;
  /** Requests of strangers that were not answered because there were too many of them. */
  rateLimited: number;
  /** Datagrams that were neither STUN nor of a client. */
  malformed: number;
}

const LIMITS = [
  'maxAllocations',
  'maxAllocationsPerAgent',
  'maxAllocationsPerAddress',
  'maxLifetime',
  'bandwidth',
  'bandwidthPerAgent',
  'bandwidthPerAddress',
] as const satisfies readonly (keyof SignalingRelayLimits)[];

const MEMBERS = [
  ...['secret', 'ttl', 'username', 'allowOpen', 'host', 'addresses', 'announce', 'ports', 'allowPeers', 'denyPeers'],
  ...LIMITS,
];

/** What the core takes. */
type NativeRelay = NonNullable<ConstructorParameters<typeof binding.SignalingServer>[0]['relay']>;

/** What the rest of the server's options say about it. */
interface Surroundings {
  readonly mode: SignalingAuthMode;
  readonly embedded: boolean;
  readonly behindProxy: boolean;
}

/**
 * The option `relay` of a server.
 *
 * @throws TypeError - It is not one, or does not go with the other options.
 */
export function resolveRelay(
  option: boolean | SignalingRelayOptions | undefined,
  { mode, embedded, behindProxy }: Surroundings,
): NativeRelay | undefined {
  if (option === undefined || option === false) return undefined;
  const relay = option === true ? {} : option;
  checkMembers(relay, 'relay', MEMBERS);
  const { secret = randomBytes(32).toString('base64'), ttl = 3600, username = 'hash', allowOpen = false, host } = relay;
  if (embedded) {
    throw new TypeError(
      'relay needs a port of its own, which TURN speaks as well: leave out server, and give host and port',
    );
  }
  if (checkName(secret, 'relay.secret').length < 16) {
    throw new TypeError('relay.secret must have at least 16 characters: it can be guessed as often as anybody likes');
  }
  checkInteger(ttl, 'relay.ttl', 1, 7 * 86_400);
  if (username !== 'hash' && username !== 'uri') {
    throw new TypeError(`relay.username must be 'hash' or 'uri', not ${describe(username)}`);
  }
  if (typeof allowOpen !== 'boolean') throw new TypeError('relay.allowOpen must be true or false');
  if (mode === 'open' && !allowOpen) {
    throw new TypeError(
      'relay on an open server would let everybody use it to hide where he is: set auth, or relay.allowOpen if that is meant',
    );
  }
  if (host !== undefined && !isPlace(checkName(host, 'relay.host'))) {
    throw new TypeError(`relay.host must be a host name or address, with a port or without, not ${describe(host)}`);
  }
  if (host === undefined && behindProxy) {
    throw new TypeError(
      'relay.host is required with trustProxy: what agents dial is the proxy, which passes no TURN on',
    );
  }
  const { ports } = relay;
  return {
    secret,
    ttl,
    showAgent: username === 'uri',
    allowOpen,
    host,
    addresses: onePerFamily(relay.addresses, 'relay.addresses'),
    announce: onePerFamily(relay.announce, 'relay.announce'),
    ...(ports === undefined ? {} : range(ports)),
    allowPeers: checkNetworks(relay.allowPeers ?? [], 'relay.allowPeers'),
    denyPeers: checkNetworks(relay.denyPeers ?? [], 'relay.denyPeers'),
    ...limitsOf(relay),
  };
}

function limitsOf(relay: SignalingRelayLimits): Partial<Record<(typeof LIMITS)[number], number>> {
  const given = LIMITS.filter((name) => relay[name] !== undefined);
  return Object.fromEntries(
    given.map((name) => {
      const most = name.startsWith('bandwidth') ? Number.MAX_SAFE_INTEGER : 2 ** 31 - 1;
      return [name, checkInteger(relay[name], `relay.${name}`, 1, most)];
    }),
  );
}

function isPlace(text: string): boolean {
  const url = `http://${text}/`;
  return URL.canParse(url) && /^[\w.-]+(:\d+)?$|^\[[\da-fA-F:.]+\](:\d+)?$/.test(text) && !text.endsWith(':0');
}

function onePerFamily(value: string | readonly string[] | undefined, what: string): string[] {
  const texts: readonly unknown[] = value === undefined ? [] : typeof value === 'string' ? [value] : value;
  if (!Array.isArray(texts)) throw new TypeError(`${what} must be an IP address or an array of them`);
  const families = texts.map((text) => {
    const family = typeof text === 'string' ? isIP(text) : 0;
    if (family === 0) throw new TypeError(`${what} must hold IP addresses, not ${describe(text)}`);
    return family;
  });
  if (new Set(families).size < families.length) {
    throw new TypeError(`${what} must hold at most one address of IPv4 and one of IPv6`);
  }
  return [...(texts as string[])];
}

function range(ports: unknown): { firstPort: number; lastPort: number } {
  if (!Array.isArray(ports) || ports.length !== 2) {
    throw new TypeError(`relay.ports must be the first and the last port, [49152, 65535], not ${describe(ports)}`);
  }
  const first = checkInteger((ports as unknown[])[0], 'relay.ports[0]', 1, 65_535);
  return { firstPort: first, lastPort: checkInteger((ports as unknown[])[1], 'relay.ports[1]', first, 65_535) };
}
