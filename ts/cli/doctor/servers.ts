// The STUN and TURN servers that were given, one URL each.
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';

import type { RTCIceServer } from '../../index';
import type { StunServer } from './nat';

/** One URL of a server. */
export interface ServerUrl {
  readonly url: string;
  readonly scheme: 'stun' | 'stuns' | 'turn' | 'turns';
  readonly host: string;
  readonly port: number;
  readonly transport: 'udp' | 'tcp';
  readonly username?: string;
  readonly credential?: string;
  /** The signaling service hands it out: it knows all ways to the server, and no other is tried. */
  readonly offered?: true;
  /** Not asked for: the same server by another way, to know whether that would work. */
  readonly derived?: true;
}

/** Every URL of a list of servers. */
export function serverUrls(servers: readonly RTCIceServer[]): ServerUrl[] {
  return servers.flatMap(({ urls, username, credential }) =>
    [urls].flat().flatMap((url) => {
      const parsed = parse(url);
      return parsed ? [{ ...parsed, username, credential }] : [];
    }),
  );
}

function parse(url: string): ServerUrl | undefined {
  const match = /^(stuns?|turns?):(\[[0-9a-f:.]+\]|[^:?[\]]+)(?::(\d+))?(?:\?transport=(udp|tcp))?$/i.exec(url);
  if (!match) return undefined;
  const scheme = match[1]!.toLowerCase() as ServerUrl['scheme'];
  const secure = scheme.endsWith('s');
  const transport = (match[4]?.toLowerCase() as 'udp' | 'tcp' | undefined) ?? (secure ? 'tcp' : 'udp');
  const host = match[2]!.replace(/^\[|\]$/g, '');
  return { url, scheme, host, port: match[3] ? Number(match[3]) : secure ? 5349 : 3478, transport };
}

/** The TURN URLs, and the same servers by TCP and TLS where only UDP was asked for. */
export function turnUrls(urls: readonly ServerUrl[]): ServerUrl[] {
  const given = urls.filter(({ scheme }) => scheme.startsWith('turn'));
  const key = ({ scheme, host, transport }: ServerUrl) => `${scheme} ${host} ${transport}`;
  const known = new Set(given.map(key));
  const derived: ServerUrl[] = [];
  for (const server of given.filter(({ offered }) => !offered)) {
    const host = isIP(server.host) === 6 ? `[${server.host}]` : server.host;
    const ways: ServerUrl[] = [
      { ...server, url: `turn:${host}:${server.port}?transport=tcp`, scheme: 'turn', transport: 'tcp', derived: true },
      { ...server, url: `turns:${host}`, scheme: 'turns', port: 5349, transport: 'tcp', derived: true },
    ];
    for (const way of ways) {
      if (known.has(key(way))) continue;
      known.add(key(way));
      derived.push(way);
    }
  }
  return [...given, ...derived];
}

/** The servers that answer STUN over UDP, with their IPv4 addresses: TURN servers do as well. */
export async function stunServers(
  urls: readonly ServerUrl[],
): Promise<{ servers: StunServer[]; unresolved: string[] }> {
  const servers = new Map<string, StunServer>();
  const unresolved: string[] = [];
  for (const { url, scheme, host, port, transport } of urls) {
    if (transport !== 'udp' || (scheme !== 'stun' && scheme !== 'turn')) continue;
    try {
      const { address } = await lookup(host, { family: 4 });
      const known = `${address}:${port}`;
      if (!servers.has(known)) servers.set(known, { url, address, port });
    } catch {
      unresolved.push(url);
    }
  }
  return { servers: [...servers.values()], unresolved };
}
