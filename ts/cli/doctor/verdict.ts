// What the findings mean, in plain words: who can be reached, and what to do about it.
import type { Relay } from './connections';
import type { Nat } from './nat';
import type { Address } from './network';
import type { Port } from './ports';

/** Everything that was found. */
export interface Findings {
  readonly loopback: boolean;
  readonly addresses: readonly Address[];
  readonly ipv6: boolean;
  /** Nothing if no server was given to ask. */
  readonly nat?: Nat;
  readonly relays: readonly Relay[];
  /** One port for all connections. */
  readonly port?: Port;
  /** Nothing if no server was given; whether it works otherwise. */
  readonly signaling?: boolean;
  /** The clock differs from that of a signaling server by more than agents allow each other. */
  readonly wrongClock?: boolean;
}

/** Whether some kind of agent can be reached. */
export interface Verdict {
  readonly who: 'same-machine' | 'same-network' | 'internet-direct' | 'strict-nat' | 'udp-blocked';
  readonly answer: 'yes' | 'no' | 'perhaps' | 'unknown';
  readonly text: string;
}

/** All verdicts, from the nearest to the farthest. */
export function verdicts(findings: Findings): Verdict[] {
  return [sameMachine(findings), sameNetwork(findings), internet(findings), strictNat(findings), udpBlocked(findings)];
}

/** All verdicts if nothing could be tested. */
export function untested(why: string): Verdict[] {
  const all = [
    ['same-machine', 'Agents on this machine'],
    ['same-network', 'Agents in the same network'],
    ['internet-direct', 'Agents elsewhere on the internet'],
    ['strict-nat', 'Agents behind a strict (symmetric) NAT'],
    ['udp-blocked', 'Agents in networks that block UDP'],
  ] as const;
  return all.map(([who, others]) => ({ who, answer: 'unknown', text: `${others}: not tested, ${why}.` }));
}

function sameMachine({ loopback }: Findings): Verdict {
  const text = loopback
    ? 'Agents on this machine connect.'
    : 'Agents on this machine do not connect: UDP fails even here.';
  return { who: 'same-machine', answer: loopback ? 'yes' : 'no', text };
}

function sameNetwork({ loopback, addresses }: Findings): Verdict {
  const usable = addresses.filter(({ scope }) => scope !== 'loopback' && scope !== 'link-local');
  if (!loopback || usable.length === 0) {
    const text = 'Agents in the same network do not connect: this machine has no address there.';
    return { who: 'same-network', answer: 'no', text };
  }
  const text = 'Agents in the same network connect directly, unless a firewall on either side stops UDP.';
  return { who: 'same-network', answer: 'yes', text };
}

const answers = (nat: Nat) => nat.seen.some(({ mapped }) => mapped !== undefined);

function internet({ nat, ipv6 }: Findings): Verdict {
  const who = 'internet-direct';
  const others = 'Agents elsewhere on the internet';
  if (!nat) return { who, answer: 'unknown', text: `${others}: not tested, no STUN server was given.` };
  if (!answers(nat)) {
    return {
      who,
      answer: 'no',
      text: `${others} do not connect directly over IPv4: no STUN server answers, so UDP seems to be blocked.`,
    };
  }
  const six = ipv6 ? ' Agents that have IPv6 as well may connect over it, without any NAT.' : '';
  switch (nat.mapping) {
    case 'none':
      return { who, answer: 'yes', text: `${others} connect directly: this machine has a public address.` };
    case 'endpoint-independent':
      return {
        who,
        answer: 'yes',
        text: `${others} connect directly, unless their own NAT is strict (see below).${six}`,
      };
    case 'unknown':
      return {
        who,
        answer: 'perhaps',
        text: `${others} may connect directly; one server alone does not show what the NAT does.${six}`,
      };
    default:
      return {
        who,
        answer: 'perhaps',
        text: `${others} connect directly only if they have a public address or a NAT that lets everybody in: the NAT here uses another port for each destination.${six}`,
      };
  }
}

const works = (relays: readonly Relay[], fits: (relay: Relay) => boolean = () => true) =>
  relays.filter((relay) => relay.address !== undefined && !relay.server.derived && fits(relay));

function strictNat({ nat, relays }: Findings): Verdict {
  const who = 'strict-nat';
  const others = 'Agents behind a strict (symmetric) NAT';
  if (works(relays).length > 0) return { who, answer: 'yes', text: `${others} connect through the relay.` };
  if (nat?.mapping === 'none' || nat?.filtering === 'endpoint-independent') {
    const why = nat.mapping === 'none' ? 'this machine has a public address' : 'the NAT here lets everybody in';
    return { who, answer: 'yes', text: `${others} connect directly, because ${why}.` };
  }
  if (!nat)
    return { who, answer: 'unknown', text: `${others}: not tested, neither a STUN nor a TURN server was given.` };
  return { who, answer: 'no', text: `${others} do not connect: that takes a TURN server that works.` };
}

function udpBlocked({ relays }: Findings): Verdict {
  const who = 'udp-blocked';
  const others = 'Agents in networks that block UDP';
  const [tls, tcp] = [
    works(relays, ({ server }) => server.scheme === 'turns'),
    works(relays, ({ server }) => server.scheme === 'turn' && server.transport === 'tcp'),
  ];
  if (tls.length > 0) return { who, answer: 'yes', text: `${others} connect through the relay, by TLS.` };
  if (tcp.length > 0) {
    return {
      who,
      answer: 'perhaps',
      text: `${others} connect through the relay by TCP, unless only web traffic is let out; TLS on port 443 would pass there as well.`,
    };
  }
  if (relays.length === 0) return { who, answer: 'unknown', text: `${others}: not tested, no TURN server was given.` };
  return {
    who,
    answer: 'no',
    text: `${others} do not connect: none of the TURN servers that were given works by TCP or TLS.`,
  };
}

/** What the user can do; empty if all is well. */
export function advice(findings: Findings): string[] {
  const { nat, relays, signaling, loopback, wrongClock } = findings;
  const list: string[] = [];
  if (wrongClock)
    list.push('Set the clock of this machine, or that of the signaling server, and let it be kept right (NTP).');
  if (!loopback) list.push('Let this program use UDP on 127.0.0.1: a firewall or sandbox on this machine forbids it.');
  if (signaling === undefined)
    list.push('Give the signaling server to test it: --signaling wss://host (or set OSSA_SIGNALING).');
  if (signaling === false)
    list.push('Check the address of the signaling server, and that it runs: ossa-webrtc signal starts one.');
  if (!nat) list.push('Give a STUN server, better two, to see what the NAT does: --ice stun:host.');
  else if (!answers(nat)) {
    const relayed = works(relays).length > 0;
    list.push(
      relayed
        ? 'Let UDP out to the STUN servers if you can: everything goes through the relay, which is slower.'
        : 'Let UDP out to the STUN servers, or use a TURN server by TCP or TLS: --ice turns:user:password@host.',
    );
  } else if (nat.mapping === 'unknown') list.push('Give a second STUN server at another address: --ice stun:host.');
  const strict = nat !== undefined && nat.mapping !== 'none' && nat.mapping !== 'endpoint-independent';
  const usable = works(relays);
  if (strict && usable.length === 0)
    list.push(
      'Use a TURN server, on all agents: without one, many will not find a way here: --ice turn:user:password@host.',
    );
  for (const { server, address, causes = [] } of relays) {
    if (!server.derived) list.push(...causes.flatMap(({ todo }) => (todo ? [`${server.url}: ${todo}.`] : [])));
    const better = server.derived && address !== undefined && !usable.some((other) => other.server.transport === 'tcp');
    if (better)
      list.push(`Add --ice ${server.url} (with the same password), which works too: it helps where UDP is blocked.`);
  }
  return list;
}
