// What a NAT between this host and the internet does (RFC 4787, RFC 5780).
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { networkInterfaces } from 'node:os';

import { ask, type Endpoint, type StunAnswer } from './stun';

/** A server to ask, by its name and its address. */
export interface StunServer extends Endpoint {
  /** As the user knows it. */
  readonly url: string;
}

/** How the NAT chooses the outer address and port of a socket. */
export type Mapping =
  | 'none'
  | 'endpoint-independent'
  | 'address-dependent'
  | 'address-and-port-dependent'
  | 'destination-dependent'
  | 'unknown';

/** From whom the NAT lets packets in. */
export type Filtering = 'endpoint-independent' | 'address-dependent' | 'address-and-port-dependent' | 'unknown';

/** What one server has answered. */
export interface Seen extends StunAnswer {
  readonly server: StunServer;
  /** Milliseconds; nothing if there was no answer. */
  readonly rtt?: number;
}

/** The NAT as far as it can be seen. */
export interface Nat {
  readonly seen: readonly Seen[];
  readonly mapping: Mapping;
  readonly filtering: Filtering;
  /** The port outside is the one of the socket. */
  readonly keepsPort: boolean;
}

/** Asks all servers from one socket, and servers that can do more (RFC 5780) to answer from other addresses. */
export async function examineNat(servers: readonly StunServer[], timeout: number): Promise<Nat> {
  // Filtering first: its socket must not have sent anything to the other address of the server.
  const [socket, filtering] = await Promise.all([open(), examineFiltering(servers, timeout)]);
  try {
    const local = socket.address().port;
    const answers = await Promise.all(servers.map((server) => one(socket, server, timeout)));
    const seen = [...answers, ...(await others(socket, answers, timeout))];
    const mapping = mappingOf(seen, local);
    const keepsPort = seen.some(({ mapped }) => mapped?.port === local);
    return { seen: answers, mapping, filtering, keepsPort };
  } finally {
    socket.close();
  }
}

async function one(socket: Socket, server: StunServer, timeout: number): Promise<Seen> {
  return { server, ...(await ask(socket, server, { timeout })) };
}

/** The same question to the other address and port of a server that has some. */
async function others(socket: Socket, answers: readonly Seen[], timeout: number): Promise<Seen[]> {
  const capable = answers.find(({ other, mapped }) => mapped && other && other.address !== '0.0.0.0');
  if (!capable) return [];
  const { server } = capable;
  const other = capable.other!;
  const ends = [
    { address: other.address, port: server.port },
    { address: other.address, port: other.port },
  ].filter(({ address, port }) => address !== server.address || port !== server.port);
  return await Promise.all(ends.map((end) => one(socket, { url: server.url, ...end }, timeout)));
}

/** Which mapping explains what was seen (RFC 5780 4.3). */
export function mappingOf(seen: readonly Seen[], localPort: number, own = ownAddresses()): Mapping {
  const answered = seen.filter(({ mapped }) => mapped !== undefined);
  if (answered.length === 0) return 'unknown';
  if (answered.every(({ mapped }) => own.has(mapped!.address) && mapped!.port === localPort)) return 'none';
  const differ = (a: Seen, b: Seen) => a.mapped!.address !== b.mapped!.address || a.mapped!.port !== b.mapped!.port;
  const pairs = answered.flatMap((a, index) => answered.slice(index + 1).map((b) => [a, b] as const));
  const samePlace = pairs.filter(([a, b]) => a.server.address === b.server.address && a.server.port !== b.server.port);
  const elsewhere = pairs.filter(([a, b]) => a.server.address !== b.server.address);
  if (samePlace.some(([a, b]) => differ(a, b))) return 'address-and-port-dependent';
  if (elsewhere.some(([a, b]) => differ(a, b)))
    return samePlace.length > 0 ? 'address-dependent' : 'destination-dependent';
  return elsewhere.length > 0 ? 'endpoint-independent' : 'unknown';
}

/** RFC 5780 4.4, with the first server that answers and has another address. */
async function examineFiltering(servers: readonly StunServer[], timeout: number): Promise<Filtering> {
  for (const server of servers) {
    const socket = await open();
    try {
      const answer = await ask(socket, server, { timeout });
      // A server without another address answers from where it is, which proves nothing.
      if (!answer?.mapped || !answer.other || answer.other.address === server.address) continue;
      const elsewhere = await ask(socket, server, { change: { ip: true, port: true }, timeout });
      if (elsewhere?.mapped && elsewhere.from.address !== server.address) return 'endpoint-independent';
      const samePlace = await ask(socket, server, { change: { port: true }, timeout });
      if (samePlace?.mapped && samePlace.from.port !== server.port) return 'address-dependent';
      return 'address-and-port-dependent';
    } finally {
      socket.close();
    }
  }
  return 'unknown';
}

async function open(): Promise<Socket> {
  const socket = createSocket('udp4');
  // An answer that a server has refused to give is no answer.
  socket.on('error', () => undefined);
  socket.bind(0);
  await once(socket, 'listening');
  return socket;
}

function ownAddresses(): Set<string> {
  return new Set(Object.values(networkInterfaces()).flatMap((list) => (list ?? []).map(({ address }) => address)));
}
