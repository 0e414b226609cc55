// All tests, one after the other; each gives findings in words.
import type { RTCIceServer } from '../../index';
import { duration } from '../output';
import { found, type Check } from './checks';
import { exchange, gather, tryRelay, type Relay } from './connections';
import { clockAhead, meet } from './meeting';
import { examineNat, type Filtering, type Mapping, type Nat } from './nat';
import { addresses, hasIpv6Route, hasMulticast, type Address } from './network';
import { serverUrls, stunServers, turnUrls, type ServerUrl } from './servers';

/** A clock that is off by more makes others refuse our tokens: they allow 60 seconds. */
export const SKEW_LIMIT = 60_000;
const SKEW_WARNING = 10_000;

/** Why the native library cannot be loaded, and what to do; nothing if it can. */
export async function missingLibrary(): Promise<{ check: Check; todo: string } | undefined> {
  try {
    await import('../../index.js');
    return undefined;
  } catch (error) {
    const [what = '', todo] = (error as Error).message.split('\nWhat to do: ');
    const text = what.replace(/^ossa-webrtc: /, '').replace(/\n\s*/g, ' ');
    const sentence = todo ?? 'install the package again.';
    return { check: found('library', 'fail', text), todo: sentence.charAt(0).toUpperCase() + sentence.slice(1) };
  }
}

/** The connection of this machine with itself. */
export async function checkLoopback(timeout: number): Promise<{ checks: Check[]; works: boolean }> {
  const transport = { includeLoopback: true, bindAddress: '127.0.0.1' };
  const result = await exchange([{ transport }, { transport }], timeout);
  if (!result)
    return { checks: [found('loopback', 'fail', 'a data channel over 127.0.0.1 does not work')], works: false };
  const { connect, rtt } = result;
  const text = `a data channel over 127.0.0.1 works: ${duration(connect)} to connect, ${duration(rtt)} round trip`;
  return { checks: [found('loopback', 'ok', text, { connect, rtt })], works: true };
}

/** Interfaces, IPv6 and multicast. */
export async function checkNetwork(timeout: number): Promise<{ checks: Check[]; addresses: Address[]; ipv6: boolean }> {
  const list = addresses();
  const [ipv6, multicast] = await Promise.all([hasIpv6Route(), hasMulticast(timeout)]);
  const outer = list.filter(({ scope }) => scope !== 'loopback');
  const checks = outer.map(({ name, address, family, scope }) => {
    const unused = scope === 'link-local' ? ', not used for connections' : '';
    return found('interface', 'ok', `${name}: ${address} (IPv${family}, ${scope}${unused})`, {
      name,
      address,
      family,
      scope,
    });
  });
  if (outer.length === 0) checks.push(found('interface', 'warn', 'no interface besides the loopback has an address'));
  checks.push(
    ipv6
      ? found('ipv6', 'ok', 'there is a route to the internet over IPv6')
      : found('ipv6', 'skip', 'no route to the internet over IPv6; IPv4 is enough for most'),
    multicast
      ? found('mdns', 'ok', 'multicast DNS works: addresses that browsers hide behind .local names can be found')
      : found(
          'mdns',
          'warn',
          'no multicast DNS: browsers in the same network that hide their address are not found directly',
        ),
  );
  return { checks, addresses: list, ipv6 };
}

/** Candidates, as an agent would tell them. */
export async function checkCandidates(
  iceServers: RTCIceServer[],
  ca: string | undefined,
  timeout: number,
): Promise<Check[]> {
  const transport = ca === undefined ? {} : { transport: { tlsCaPem: ca } };
  const { candidates, causes } = await gather({ iceServers, ...transport }, timeout);
  if (candidates.length === 0) {
    const why = causes.map(({ text }) => text).join('; ');
    const text = `this host has no candidates: agents cannot connect${why && ` (${why})`}`;
    return [found('candidate', 'fail', text, { causes })];
  }
  return candidates.map(({ type, address, port, protocol, relatedAddress, relatedPort }) => {
    const behind = type === 'srflx' ? ` for ${relatedAddress}:${relatedPort}` : '';
    const kind = { host: 'own address', srflx: 'as seen by STUN', relay: 'relayed' }[type as string] ?? type;
    const facts = { kind: type, address, port, protocol };
    return found('candidate', 'ok', `${type}: ${address}:${port} (${protocol}, ${kind}${behind})`, facts);
  });
}

const MAPPINGS: Readonly<Record<Mapping, string>> = {
  none: 'no NAT: the servers see an address of this machine',
  'endpoint-independent': 'the NAT keeps one outer port for all destinations (endpoint-independent mapping): good',
  'address-dependent': 'the NAT uses another outer port for each address (address-dependent mapping, "symmetric")',
  'address-and-port-dependent':
    'the NAT uses another outer port for each address and port (address-and-port-dependent mapping, "symmetric")',
  'destination-dependent': 'the NAT uses another outer port for each destination ("symmetric")',
  unknown: 'what the NAT does cannot be seen with one server alone',
};

const FILTERINGS: Readonly<Record<Filtering, string>> = {
  'endpoint-independent': 'the NAT or firewall lets packets of everybody in (endpoint-independent filtering)',
  'address-dependent':
    'the NAT or firewall lets packets in from addresses that were sent to (address-dependent filtering)',
  'address-and-port-dependent':
    'the NAT or firewall lets packets in only from where something was sent to (address-and-port-dependent filtering)',
  unknown: 'who is let in cannot be seen: no server here can answer from another address (RFC 5780)',
};

const STRICT: readonly Mapping[] = ['address-dependent', 'address-and-port-dependent', 'destination-dependent'];

/** STUN servers, and the NAT that they show. */
export async function checkNat(urls: readonly ServerUrl[], timeout: number): Promise<{ checks: Check[]; nat?: Nat }> {
  const { servers, unresolved } = await stunServers(urls);
  const checks = unresolved.map((url) => found('stun', 'fail', `${url}: the name cannot be resolved to IPv4`, { url }));
  if (servers.length === 0) {
    if (unresolved.length === 0) checks.push(found('stun', 'skip', 'no STUN server was given'));
    return { checks };
  }
  const nat = await examineNat(servers, timeout);
  for (const { server, mapped, rtt, error } of nat.seen) {
    if (mapped) {
      const text = `${server.url} answers in ${duration(rtt!)} and sees ${mapped.address}:${mapped.port}`;
      checks.push(found('stun', 'ok', text, { url: server.url, rtt, mapped }));
    } else {
      checks.push(
        found('stun', 'fail', `${server.url} ${error ? `refuses: ${error}` : 'does not answer over UDP'}`, {
          url: server.url,
        }),
      );
    }
  }
  const { mapping, filtering, keepsPort } = nat;
  if (nat.seen.some(({ mapped }) => mapped)) {
    const status = STRICT.includes(mapping) ? 'warn' : mapping === 'unknown' ? 'skip' : 'ok';
    checks.push(found('nat-mapping', status, MAPPINGS[mapping], { mapping, keepsPort }));
    checks.push(found('nat-filtering', filtering === 'unknown' ? 'skip' : 'ok', FILTERINGS[filtering], { filtering }));
  }
  return { checks, nat };
}

/** TURN servers, by each way to them. */
export async function checkRelays(
  urls: readonly ServerUrl[],
  ca: string | undefined,
  timeout: number,
): Promise<{ checks: Check[]; relays: Relay[] }> {
  const tried = await Promise.all(turnUrls(urls).map((server) => tryRelay(server, ca, timeout)));
  // A way that nobody has said is there, and that is not there, is nothing to tell of.
  const relays = tried.filter(({ server, address }) => !server.derived || address !== undefined);
  if (relays.length === 0) return { checks: [found('turn', 'skip', 'no TURN server was given')], relays };
  return { checks: relays.map(relayCheck), relays };
}

function relayCheck({ server, address, time, rtt, error, causes }: Relay): Check {
  const { url, scheme, transport, derived } = server;
  const by = scheme === 'turns' ? 'TLS' : transport.toUpperCase();
  const facts = { url, by: by.toLowerCase(), given: !derived, address, time, rtt, error, causes };
  if (address === undefined) return found('turn', 'fail', `${url} by ${by}: ${error}`, facts);
  const text = `${url} by ${by}: relays at ${address}, ${duration(time!)} to set up`;
  if (derived) return found('turn', 'ok', `${text} (not asked for)`, facts);
  if (rtt === undefined) {
    return found('turn', 'warn', `${text}, but no data came through from one relayed address to another`, facts);
  }
  return found('turn', 'ok', `${text}, ${duration(rtt)} round trip through it`, facts);
}

/** The signaling server, and the clock by it. */
export async function checkSignaling(
  url: string,
  open: () => ReturnType<typeof import('../options').signalingOf>,
  ca: string | undefined,
  timeout: number,
): Promise<{ checks: Check[]; works: boolean; iceServers: readonly RTCIceServer[]; ahead?: number }> {
  const checks: Check[] = [];
  let works = true;
  let iceServers: readonly RTCIceServer[] = [];
  try {
    const met = await meet(await open(), timeout);
    const { register, rtt } = met;
    iceServers = met.iceServers;
    const text = `${url} works: ${duration(register)} to register, ${duration(rtt)} for a message and its answer`;
    checks.push(found('signaling', 'ok', text, { url, register, rtt }));
    const urls = iceServers.flatMap((server) => server.urls);
    if (urls.length > 0) checks.push(found('signaling-ice', 'ok', `it hands out ${urls.join(', ')}`, { urls }));
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    // It is there, and does what it should: it does not know us.
    const refused = code === 'UNAUTHORIZED' || code === 'AUTH_FAILED';
    works = refused;
    const text = refused ? `${url} is there, and refuses agents without a proof: ${message}` : named(url, message);
    checks.push(found('signaling', refused ? 'warn' : 'fail', text, { url, code }));
  }
  const ahead = works ? await clockAhead(url, ca, timeout) : undefined;
  if (works) checks.push(clockCheck(ahead));
  return { checks, works, iceServers, ...(ahead === undefined ? {} : { ahead }) };
}

function clockCheck(ahead: number | undefined): Check {
  if (ahead === undefined) return found('clock', 'skip', 'the signaling server does not say what time it has');
  const off = Math.abs(ahead);
  if (off === 0)
    return found('clock', 'ok', 'the clock agrees with that of the signaling server, to the second', { ahead });
  const text = `the clock is ${duration(off)} ${ahead > 0 ? 'behind' : 'ahead of'} that of the signaling server`;
  if (off > SKEW_LIMIT) {
    const why =
      'proofs of names and passwords of TURN servers are good for a short time, and clocks may differ by 60 s';
    return found('clock', 'fail', `${text}: ${why}`, { ahead });
  }
  return found('clock', off > SKEW_WARNING ? 'warn' : 'ok', text, { ahead });
}

/** The message with its address, once: errors name the URL, and the host that it leads to as well. */
export function named(url: string, message: string): string {
  const shorter = message.replace(`: ${new URL(url).host}: `, ': ');
  return shorter.startsWith(url.replace(/\/$/, '')) ? shorter : `${url}: ${shorter}`;
}

/** All URLs of servers: of those that were given, and of those that the signaling service hands out. */
export const urlsOf = (given: readonly RTCIceServer[], offered: readonly RTCIceServer[]): ServerUrl[] => [
  ...serverUrls(given),
  ...serverUrls(offered).map((server) => ({ ...server, offered: true as const })),
];
