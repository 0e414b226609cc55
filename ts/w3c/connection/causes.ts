// Why a connection does not come about, of which the W3C classes tell next to nothing: `icecandidateerror`, and the state `failed`.
import type { CandidateCounts, ConnectCause } from '../../base';
import type { NativeDiagnosis, NativeKindCounts } from '../../native';
import type { RTCPeerConnection } from './peer-connection';
import { subjectOf, type Subject } from './subjects';

/**
 * What stands in the way of a connection, or has ended it, as far as this side knows: servers first, then the path. To be asked in the state
 * `failed`, or when you have waited long enough. A connection that works may have causes too: servers that did not help. Empty after `close()`.
 *
 * @throws TypeError - `connection` is no `RTCPeerConnection` of this package.
 */
export function connectionCauses(connection: RTCPeerConnection): ConnectCause[] {
  const subject = subjectOf(connection);
  if (!subject) throw new TypeError('connectionCauses() takes an RTCPeerConnection of this package');
  const diagnosis = subject.native.diagnosis();
  if (!diagnosis) return [];
  const servers = diagnosis.faults.map(serverCause);
  const path = pathCause(diagnosis, {
    relays: hasRelay(subject),
    servers: subject.configuration.iceServers.length > 0,
    data: subject.transports?.hasData ?? true,
  });
  return [...servers, ...(path ? [path] : []), ...subject.media.faults];
}

function hasRelay({ configuration }: Subject): boolean {
  const urls = configuration.iceServers.flatMap((server) => server.urls);
  return urls.some((url) => /^\s*turns?:/i.test(url));
}

const SERVER_KINDS = {
  refused: 'server-refused',
  unreachable: 'server-unreachable',
  'name-not-found': 'server-name-not-found',
  untrusted: 'server-untrusted',
  local: 'local',
} as const;

function serverCause({ url, code, text, fault }: NativeDiagnosis['faults'][number]): ConnectCause {
  const todo = {
    refused: code === 401 ? 'give the user name and password that the server accepts' : undefined,
    unreachable: 'check that the server runs, and that a firewall lets packets to it pass',
    'name-not-found': 'check the name of the server',
    untrusted: 'give the authority of its certificate (transport.tlsCaPem), or the server a certificate for its name',
    local: undefined,
  }[fault];
  return { kind: SERVER_KINDS[fault], ...(url && { url }), code, text, ...(todo && { todo }) };
}

const all = ({ host, reflexive, relay }: NativeKindCounts) => host + reflexive + relay;

const counts = ({ host, reflexive, relay, inner }: NativeKindCounts): CandidateCounts => ({
  host,
  srflx: reflexive,
  relay,
  inner,
});

function inWords({ host, reflexive, relay }: NativeKindCounts): string {
  const kinds = [host && `${host} host`, reflexive && `${reflexive} srflx`, relay && `${relay} relay`];
  return kinds.filter(Boolean).join(', ') || 'no';
}

/** What this side was given, and what it wants. */
interface Given {
  /** A TURN server. */
  readonly relays: boolean;
  /** Any. */
  readonly servers: boolean;
  /** There is an association, for data. */
  readonly data: boolean;
}

/** What is wrong beyond servers: the first thing that is missing. */
function pathCause(diagnosis: NativeDiagnosis, given: Given): ConnectCause | undefined {
  const { ice, dtls, local, gathered, described, hadPath } = diagnosis;
  if (dtls === 'failed') return ofDtls(diagnosis);
  if (hadPath || ice === 'connected' || ice === 'completed') return aboveIce(diagnosis, given);
  if (all(local) === 0 && gathered) return withoutCandidates(diagnosis, given);
  return described ? betweenCandidates(diagnosis, given) : undefined;
}

/** Its messages may travel in the checks of ICE, so that it can fail before there is a path. */
function ofDtls({ dtlsError }: NativeDiagnosis): ConnectCause {
  const text = `DTLS: ${dtlsError ?? 'it has failed'}`;
  const todo = 'make sure that nothing on the way changes the descriptions or drops packets of up to 1,200 bytes';
  return { kind: 'dtls-failed', code: 0, text, todo };
}

function aboveIce({ ice, dtls, sctp }: NativeDiagnosis, { data }: Given): ConnectCause | undefined {
  if (ice === 'failed' || ice === 'disconnected') {
    const text = 'there was a path, but the other side does not answer on it any more';
    return { kind: 'path-lost', code: 0, text, todo: 'check that the other side is there, and the network between' };
  }
  if (dtls !== 'connected') {
    const text = `ICE has a path, but the DTLS handshake has not finished (${dtls})`;
    return { kind: 'dtls-unfinished', code: 0, text };
  }
  if (data && sctp !== 'connected') {
    return { kind: 'sctp-unfinished', code: 0, text: 'DTLS is connected, but the SCTP association is not' };
  }
  return undefined;
}

function withoutCandidates({ relayOnly, faults }: NativeDiagnosis, { relays }: Given): ConnectCause | undefined {
  if (relayOnly && !relays) {
    const text = "iceTransportPolicy is 'relay', and there is no TURN server";
    return { kind: 'no-relay', code: 0, text, todo: 'give one in iceServers, or let the signaling server offer one' };
  }
  // Why that is so has been said.
  if (faults.length > 0) return undefined;
  const text = 'this machine has no address that others could reach';
  return { kind: 'no-candidates', code: 0, text, todo: 'check its network, and the options of transport' };
}

function betweenCandidates(diagnosis: NativeDiagnosis, given: Given): ConnectCause | undefined {
  const { local, remote, namesNotFound, checksSent, checksReceived, answersReceived } = diagnosis;
  const facts = { code: 0, local: counts(local), remote: counts(remote), checksSent, checksReceived };
  const heard = checksReceived > 0 || answersReceived > 0;
  // A candidate of TCP needs no socket before it is used: that there is none for it has been said.
  if (checksSent === 0 && !heard && diagnosis.faults.length > 0) return undefined;
  if (all(remote) === 0 && !heard) {
    if (namesNotFound > 0) {
      const text = `the other side hides its addresses behind ${namesNotFound} names that were not found`;
      return { kind: 'names-not-found', text, todo: 'let multicast DNS pass, or use a STUN or TURN server', ...facts };
    }
    return { kind: 'no-remote-candidates', text: 'the other side has told of no candidate', ...facts };
  }
  const sides = `this side has ${inWords(local)} candidates, the other side ${inWords(remote)}`;
  if (!heard && all(local) > 0 && all(remote) > 0 && !shareFamily(local, remote)) {
    const [here, there] = local.ipv6 > 0 ? [6, 4] : [4, 6];
    const text = `this side has IPv${here} addresses only, the other side IPv${there} only (${sides})`;
    return { kind: 'no-common-family', text, todo: 'use a TURN server that has both', ...facts };
  }
  if (answersReceived > 0) {
    return { kind: 'no-pair-chosen', text: `checks are answered, but no pair was chosen (${sides})`, ...facts };
  }
  const why = stopped(diagnosis, given);
  const todo = whatToDo(diagnosis, given);
  if (checksReceived > 0) {
    const text = `${checksReceived} checks of the other side came in, but none of the ${checksSent} of this side was answered (${sides})${why}`;
    return { kind: 'checks-one-way', text, todo, ...facts };
  }
  const text = `${checksSent} checks were sent and nothing came back (${sides})${why}`;
  return { kind: 'checks-unanswered', text, todo, ...facts };
}

function shareFamily(local: NativeKindCounts, remote: NativeKindCounts): boolean {
  const four = (side: NativeKindCounts) => all(side) > side.ipv6;
  return (four(local) && four(remote)) || (local.ipv6 > 0 && remote.ipv6 > 0);
}

/** A side that has told of nothing that leads to it from outside. */
const enclosed = (side: NativeKindCounts) => all(side) === side.inner;

/** What the candidates say about where checks have got lost, to be put behind a text. */
function stopped({ local, remote }: NativeDiagnosis, { servers }: Given): string {
  if (local.relay > 0 || remote.relay > 0) return '';
  const [here, there] = [enclosed(local), enclosed(remote)];
  if (!here && !there) {
    return ', so NATs or firewalls between them let no check through, as with a NAT that uses another port for each destination';
  }
  const blocked = 'UDP seems to be blocked there, or no STUN server is given';
  if (here && there) return '; both know addresses of their own networks only, which lead nowhere from outside';
  if (there) return `; the other side knows addresses of its own network only: ${blocked}`;
  const ours = servers
    ? 'no server has told it one of outside, so UDP seems to be blocked'
    : 'it was given no STUN server';
  return `; this side knows addresses of its own network only: ${ours}`;
}

function whatToDo({ local, remote }: NativeDiagnosis, { servers }: Given): string {
  if (local.relay > 0 || remote.relay > 0) {
    return 'check that firewalls let UDP pass between the agents and the TURN server, which has to reach the other side';
  }
  const relay = 'use a TURN server: in iceServers, or offered by the signaling server';
  if (enclosed(local) && enclosed(remote)) return `${relay}; if both are in one network, let UDP pass between them`;
  return servers ? relay : `give a STUN server in iceServers; where that is not enough, ${relay}`;
}
