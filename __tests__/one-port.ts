// Ports that many connections share: a free one, what is open at it, and connections to whoever answers offers there.
import { createSocket } from 'node:dgram';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';

import { RTCPeerConnection, type RTCConfiguration, type RTCDataChannel } from 'ossa-webrtc';

/** Below those that the system gives out by itself, so that no other program of this machine gets one by chance. */
const [LOWEST, HIGHEST] = [10_000, 32_000];

const bindUdp = (address: string, port: number) =>
  new Promise<boolean>((resolve) => {
    const socket = createSocket('udp4').on('error', () => resolve(false));
    socket.bind({ address, port, exclusive: true }, () => socket.close(() => resolve(true)));
  });

const bindTcp = (address: string, port: number) =>
  new Promise<boolean>((resolve) => {
    const server = createServer().on('error', () => resolve(false));
    server.listen({ host: address, port, exclusive: true }, () => server.close(() => resolve(true)));
  });

/** Whether another program could take it, for UDP and for TCP. */
export async function isFree(address: string, port: number): Promise<boolean> {
  return (await bindUdp(address, port)) && (await bindTcp(address, port));
}

/** A port that nobody has. */
export async function freePort(address: string): Promise<number> {
  for (;;) {
    const port = LOWEST + Math.floor(Math.random() * (HIGHEST - LOWEST));
    if (await isFree(address, port)) return port;
  }
}

/** The sockets of all processes with this local address, in this state if it is TCP. */
function count(kind: 'udp' | 'tcp', address: string, port: number, state?: string): number {
  const [a, b, c, d] = address.split('.').map(Number) as [number, number, number, number];
  const word = Buffer.from([d, c, b, a]).toString('hex').toUpperCase();
  const local = `${word}:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const lines = readFileSync(`/proc/net/${kind}`, 'utf8').split('\n');
  const rows = lines.map((line) => line.trim().split(/\s+/));
  return rows.filter(([, from, , its]) => from === local && (state === undefined || its === state)).length;
}

/** How many sockets are bound to it, UDP ones and listening TCP ones. */
export function sockets(address: string, port: number): { udp: number; tcp: number } {
  return { udp: count('udp', address, port), tcp: count('tcp', address, port, '0A') };
}

/** How many TCP connections it has. */
export function established(address: string, port: number): number {
  return count('tcp', address, port, '01');
}

/** Answers an offer that has all candidates in it, with an answer that has. */
export type Answerer = (offer: string) => Promise<string>;

async function gathered(connection: RTCPeerConnection): Promise<string> {
  await connection.setLocalDescription();
  while (connection.iceGatheringState !== 'complete') {
    await new Promise((resolve) => connection.addEventListener('icegatheringstatechange', resolve, { once: true }));
  }
  return connection.localDescription!.sdp;
}

/** A connection at the port that answers, and sends back what it is sent. */
export function echoing(configuration: RTCConfiguration, kept: (connection: RTCPeerConnection) => void): Answerer {
  return async (offer) => {
    const connection = new RTCPeerConnection(configuration);
    kept(connection);
    connection.ondatachannel = ({ channel }) => {
      channel.onmessage = ({ data }) => channel.send(`echo: ${data as string}`);
    };
    await connection.setRemoteDescription({ type: 'offer', sdp: offer });
    return await gathered(connection);
  };
}

/** A client's end of a connection. */
export class Dialled {
  private constructor(
    readonly connection: RTCPeerConnection,
    readonly channel: RTCDataChannel,
  ) {}

  /** Connects to whoever answers. Candidates that do not pass are left out on both ways. */
  static async to(
    answerer: Answerer,
    configuration: RTCConfiguration = {},
    passes: (candidate: string) => boolean = () => true,
  ): Promise<Dialled> {
    const connection = new RTCPeerConnection(configuration);
    try {
      const channel = connection.createDataChannel('x');
      const open = new Promise((resolve) => (channel.onopen = resolve));
      const passing = (sdp: string) => sdp.replace(/^a=candidate:.*\r\n/gm, (line) => (passes(line) ? line : ''));
      const answer = await answerer(passing(await gathered(connection)));
      await connection.setRemoteDescription({ type: 'answer', sdp: passing(answer) });
      await open;
      return new Dialled(connection, channel);
    } catch (error) {
      connection.close();
      throw error;
    }
  }

  /** What comes back of a text. */
  async echo(text: string): Promise<string> {
    const answer = new Promise<string>((resolve) => {
      this.channel.onmessage = ({ data }) => resolve(data as string);
    });
    this.channel.send(text);
    return await answer;
  }

  /** The addresses in use. */
  async pair(): Promise<Pair> {
    return await pairOf(this.connection);
  }

  close(): void {
    this.connection.close();
  }
}

/** One end of a connection. */
interface End {
  readonly address: string | null;
  readonly port: number;
  readonly protocol: string;
}

/** Both ends of the pair that a connection uses. */
export interface Pair {
  readonly local: End;
  readonly remote: End;
}

/** What a connection uses. Either has `getStats()`. */
export async function pairOf(connection: Pick<RTCPeerConnection, 'getStats'>): Promise<Pair> {
  const stats = [...(await connection.getStats()).values()] as Record<string, unknown>[];
  const find = (id: unknown) => stats.find((entry) => entry.id === id)!;
  const pair = find(stats.find(({ type }) => type === 'transport')!.selectedCandidatePairId);
  const end = (id: unknown): End => {
    const { address, port, protocol } = find(id) as unknown as End;
    return { address, port, protocol };
  };
  return { local: end(pair.localCandidateId), remote: end(pair.remoteCandidateId) };
}
