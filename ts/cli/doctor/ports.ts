// Ports that an agent can be reached at: of ICE over TCP, and one port for all connections (`transport.listen`).
import { createSocket } from 'node:dgram';
import { once } from 'node:events';

import type { RTCConfiguration, RTCIceCandidate } from '../../index';
import { duration } from '../output';
import { found, type Check } from './checks';
import { exchange, type Relay } from './connections';

const LOCAL = { includeLoopback: true, bindAddress: '127.0.0.1' } as const;
const overTcp = ({ protocol }: Pick<RTCIceCandidate, 'protocol'>) => protocol === 'tcp';

/** ICE over TCP (RFC 6544), with itself. */
export async function checkTcp(timeout: number): Promise<{ checks: Check[]; works: boolean }> {
  const both: RTCConfiguration = { transport: { ...LOCAL, tcp: 'both' } };
  const result = await exchange([both, both], timeout, overTcp);
  if (!result) {
    const text =
      'ICE over TCP (transport.tcp) does not work on 127.0.0.1: something here stops TCP to ports of this program';
    return { checks: [found('ice-tcp', 'fail', text)], works: false };
  }
  const { connect, rtt } = result;
  const text = `ICE over TCP (transport.tcp) works on 127.0.0.1: ${duration(connect)} to connect, ${duration(rtt)} round trip`;
  return { checks: [found('ice-tcp', 'ok', text, { connect, rtt })], works: true };
}

/** What was found about one port. */
export interface Port {
  readonly port: number;
  /** Several connections at it work on this machine. */
  readonly works: boolean;
  /** Whether packets that nobody here has asked for come in from the internet; nothing if there was no relay to send them. */
  readonly outside?: boolean;
}

/** What is known when the port is looked at. */
export interface Surroundings {
  /** The port to look at; a free one if nobody has named one. */
  readonly port: number | undefined;
  /** TURN servers, one of which may send from outside. */
  readonly relays: readonly Relay[];
  /** The address that STUN servers have seen. */
  readonly mapped: string | undefined;
  readonly ca: string | undefined;
}

/** One port for all connections: whether it can be opened, serves several at once, and is reached from outside. */
export async function checkPort(
  { port: wanted, relays, mapped, ca }: Surroundings,
  timeout: number,
): Promise<{ checks: Check[]; port?: Port }> {
  const port = wanted ?? (await freePort());
  const given = wanted !== undefined;
  try {
    const works = await serves(port, timeout);
    const what = `one port for all connections (transport.listen), here ${port},`;
    const text = works
      ? `${what} works: two connections over UDP and one over TCP at the same time`
      : `${what} does not work on 127.0.0.1`;
    const checks = [found('one-port', works ? 'ok' : 'fail', text, { port })];
    const relay = relays.find(({ rtt }) => rtt !== undefined);
    if (!works || !relay) return { checks, port: { port, works } };
    const outside = await reached(port, relay, mapped, ca, timeout);
    const where = `UDP port ${port}${mapped === undefined ? '' : ` at ${mapped}`}`;
    checks.push(
      outside
        ? found('one-port-outside', 'ok', `${where} is reached from outside, tried through ${relay.server.url}`, {
            port,
          })
        : found(
            'one-port-outside',
            given ? 'warn' : 'skip',
            `${where} is not reached from outside, tried through ${relay.server.url}: a NAT or firewall lets in answers only`,
            { port },
          ),
    );
    return { checks, port: { port, works, outside } };
  } catch (error) {
    const text = `port ${port} cannot be opened for all connections (transport.listen): ${(error as Error).message}`;
    return { checks: [found('one-port', 'fail', text, { port })], port: { port, works: false } };
  }
}

/** Two connections over UDP and one over TCP, all at one port of this machine. */
async function serves(port: number, timeout: number): Promise<boolean> {
  const caller: RTCConfiguration = { transport: { ...LOCAL, tcp: 'active' } };
  const listener: RTCConfiguration = { transport: { ...LOCAL, tcp: 'passive', listen: { port } } };
  const overUdp = (candidate: Pick<RTCIceCandidate, 'protocol'>) => !overTcp(candidate);
  const ways = [overUdp, overUdp, overTcp];
  const results = await Promise.all(ways.map((way) => exchange([caller, listener], timeout, way)));
  return results.every(Boolean);
}

/** Whether a stranger on the internet reaches the port: a side that sends no checks opens no way through a NAT or firewall. */
async function reached(
  port: number,
  { server }: Relay,
  mapped: string | undefined,
  ca: string | undefined,
  timeout: number,
): Promise<boolean> {
  const { url, username, credential } = server;
  const stranger: RTCConfiguration = {
    iceServers: [{ urls: url, username, credential }],
    iceTransportPolicy: 'relay',
    ...(ca === undefined ? {} : { transport: { tlsCaPem: ca } }),
  };
  const announce = mapped === undefined ? {} : { announce: [mapped], announceLocal: true };
  const listener: RTCConfiguration = { transport: { listen: { port, ...announce }, ice: { lite: true } } };
  return (await exchange([stranger, listener], timeout)) !== undefined;
}

/** A port that nobody has at the moment. */
async function freePort(): Promise<number> {
  const socket = createSocket('udp4');
  socket.bind(0);
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  await once(socket, 'close');
  return port;
}
