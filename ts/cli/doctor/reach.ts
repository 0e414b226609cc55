// What an agent in this network can be reached by, in one sentence.
import type { Nat } from './nat';
import type { Findings } from './verdict';

/** Who reaches an agent here without a relay. */
export type Direct = 'anybody' | 'most' | 'public' | 'network' | 'nobody' | 'unknown';

/** Ways to an agent in this network. */
export interface Reach {
  /** Over UDP: anybody; most, but those behind strict NATs; those with a public address; those of this network. */
  readonly udp: Direct;
  /** At a port that it listens at, over UDP or TCP. */
  readonly port: 'anybody' | 'forwarded' | 'network' | 'unknown';
  /** How it reaches the relays that work. */
  readonly relay: readonly ('udp' | 'tcp' | 'tls')[];
  readonly text: string;
}

const UDP: Readonly<Record<Direct, string>> = {
  anybody: 'directly over UDP by anybody',
  most: 'directly over UDP by all but agents behind strict NATs',
  public: 'directly over UDP only by agents with a public address or a NAT that lets everybody in',
  network: 'directly in its own network only',
  nobody: 'by nobody over UDP',
  unknown: 'directly in its own network (beyond it was not tested)',
};

const PORTS: Readonly<Record<Reach['port'], string>> = {
  anybody: 'at a port that it listens at (transport.listen, transport.tcp) from anywhere',
  forwarded: 'at a port that it listens at only if the router or firewall lets it in',
  network: 'at a port that it listens at in its own network',
  unknown: 'at a port that it listens at if nothing is in the way',
};

/** The ways that were found. */
export function reach(findings: Findings): Reach {
  const udp = direct(findings);
  const port = atPort(findings);
  const works = findings.relays.filter(({ address, server }) => address !== undefined && !server.derived);
  const by = works.map(({ server }) => (server.scheme === 'turns' ? ('tls' as const) : server.transport));
  const relay = [...new Set(by)];
  const relayed =
    relay.length > 0 ? `through the relay by everybody (by ${relay.join(', ').toUpperCase()})` : 'through no relay';
  const text = `An agent here can be reached ${UDP[udp]}, ${PORTS[port]}, and ${relayed}.`;
  return { udp, port, relay, text };
}

function direct({ loopback, addresses, nat }: Findings): Direct {
  if (!loopback) return 'nobody';
  const local = addresses.some(({ scope }) => scope !== 'loopback' && scope !== 'link-local') ? 'network' : 'nobody';
  if (!nat) return local === 'network' ? 'unknown' : local;
  if (!nat.seen.some(({ mapped }) => mapped !== undefined)) return local;
  if (nat.filtering === 'endpoint-independent') return 'anybody';
  return keepsMapping(nat) ? 'most' : 'public';
}

/** Whether others can be told where this machine is; with one server alone that is supposed. */
function keepsMapping({ mapping }: Nat): boolean {
  return mapping === 'none' || mapping === 'endpoint-independent' || mapping === 'unknown';
}

function atPort({ nat, port }: Findings): Reach['port'] {
  if (port?.outside !== undefined) return port.outside ? 'anybody' : 'forwarded';
  if (!nat) return 'unknown';
  if (!nat.seen.some(({ mapped }) => mapped !== undefined)) return 'network';
  return nat.mapping === 'none' ? 'unknown' : 'forwarded';
}
