// Which way the packets of a link take.
import type { Link, RTCStats } from '../../index';

/** One end of the path. */
export interface PathEnd {
  readonly type: string;
  /** Unknown for an address that no candidate has told, of which only checks have come. */
  readonly address?: string;
  readonly port?: number;
  readonly protocol: string;
  /** How this end reaches its TURN server, if it uses one. */
  readonly relayProtocol?: string;
}

/** The pair of candidates in use. */
export interface Path {
  readonly local: PathEnd;
  readonly remote: PathEnd;
  /** Round trip of the last connectivity check, in milliseconds. */
  readonly rtt?: number;
}

/** The path in use at this moment; nothing while there is none. */
export async function pathOf(link: Link): Promise<Path | undefined> {
  const stats = await link.getStats();
  const transport = [...stats.values()].find(({ type }) => type === 'transport');
  const pair = stats.get(String(transport?.['selectedCandidatePairId']));
  const local = end(stats.get(String(pair?.['localCandidateId'])));
  const remote = end(stats.get(String(pair?.['remoteCandidateId'])));
  if (!local || !remote) return undefined;
  const rtt: unknown = pair!['currentRoundTripTime'];
  return { local, remote, ...(typeof rtt === 'number' ? { rtt: rtt * 1000 } : {}) };
}

function end(candidate: RTCStats | undefined): PathEnd | undefined {
  if (!candidate) return undefined;
  const { candidateType, address, port, protocol, relayProtocol } = candidate as unknown as Record<string, unknown>;
  return {
    type: String(candidateType),
    ...(typeof address === 'string' ? { address } : {}),
    ...(typeof port === 'number' ? { port } : {}),
    protocol: String(protocol),
    ...(typeof relayProtocol === 'string' ? { relayProtocol } : {}),
  };
}

const NAMES: Readonly<Record<string, string>> = {
  host: 'own address',
  srflx: 'address seen by STUN',
  prflx: 'address seen by the other side',
  relay: 'relay',
};

/** The path for people: `relayed: relay 192.0.2.1:50000 (by tcp) -> own address 10.0.0.1:4000`. */
export function pathText({ local, remote }: Path): string {
  const relayed = local.type === 'relay' || remote.type === 'relay';
  return `${relayed ? 'relayed' : 'direct'}: ${endText(local)} -> ${endText(remote)}`;
}

function endText({ type, address, port, relayProtocol }: PathEnd): string {
  const where = address === undefined ? '' : ` ${address.includes(':') ? `[${address}]` : address}:${port}`;
  return `${NAMES[type] ?? type}${where}${relayProtocol ? ` (by ${relayProtocol})` : ''}`;
}
