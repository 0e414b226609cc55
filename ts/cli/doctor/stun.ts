// As much of STUN (RFC 8489, RFC 5780) as it takes to ask a server which address it sees, and to have it answer from another.
import { randomBytes } from 'node:crypto';
import type { RemoteInfo, Socket } from 'node:dgram';

const COOKIE = 0x2112a442;
const HEADER = 20;
const BINDING_REQUEST = 0x0001;
const BINDING_SUCCESS = 0x0101;
const BINDING_ERROR = 0x0111;

const MAPPED_ADDRESS = 0x0001;
const CHANGE_REQUEST = 0x0003;
const CHANGED_ADDRESS = 0x0005;
const ERROR_CODE = 0x0009;
const XOR_MAPPED_ADDRESS = 0x0020;
const OTHER_ADDRESS = 0x802c;

/** An IP address and a port. */
export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

/** What a server has answered. */
export interface StunAnswer {
  /** Where our packet came from, as the server sees it. */
  readonly mapped?: Endpoint;
  /** Another address of the server, if it can answer from there (RFC 5780). */
  readonly other?: Endpoint;
  /** An error of the server. */
  readonly error?: string;
}

/** What is asked besides the address: an answer from another IP address or port of the server. */
export interface Change {
  readonly ip?: boolean;
  readonly port?: boolean;
}

/** A binding request. */
export function bindingRequest(transaction: Buffer, change?: Change): Buffer {
  const attributes = Buffer.alloc(change ? 8 : 0);
  if (change) {
    attributes.writeUInt16BE(CHANGE_REQUEST, 0);
    attributes.writeUInt16BE(4, 2);
    attributes.writeUInt32BE((change.ip ? 4 : 0) | (change.port ? 2 : 0), 4);
  }
  const header = Buffer.alloc(HEADER);
  header.writeUInt16BE(BINDING_REQUEST, 0);
  header.writeUInt16BE(attributes.length, 2);
  header.writeUInt32BE(COOKIE, 4);
  transaction.copy(header, 8);
  return Buffer.concat([header, attributes]);
}

/** The answer in a packet; nothing if it is none to this transaction. Any packet is safe to give. */
export function bindingAnswer(packet: Buffer, transaction: Buffer): StunAnswer | undefined {
  if (packet.length < HEADER || packet.readUInt32BE(4) !== COOKIE) return undefined;
  if (!packet.subarray(8, HEADER).equals(transaction)) return undefined;
  const type = packet.readUInt16BE(0);
  if (type !== BINDING_SUCCESS && type !== BINDING_ERROR) return undefined;
  const end = Math.min(packet.length, HEADER + packet.readUInt16BE(2));
  const found: { mapped?: Endpoint; other?: Endpoint; error?: string } = {};
  for (let at = HEADER; at + 4 <= end;) {
    const [kind, length] = [packet.readUInt16BE(at), packet.readUInt16BE(at + 2)];
    const value = packet.subarray(at + 4, Math.min(end, at + 4 + length));
    at += 4 + length + ((4 - (length % 4)) % 4);
    if (value.length < length) break;
    if (kind === XOR_MAPPED_ADDRESS) found.mapped = endpoint(value, packet.subarray(4, HEADER)) ?? found.mapped;
    if (kind === MAPPED_ADDRESS) found.mapped ??= endpoint(value);
    if (kind === OTHER_ADDRESS || kind === CHANGED_ADDRESS) found.other ??= endpoint(value);
    if (kind === ERROR_CODE && value.length >= 4) {
      found.error = `${(value[2]! & 7) * 100 + value[3]!} ${value.subarray(4).toString('utf8')}`.trim();
    }
  }
  if (type === BINDING_ERROR) return { error: found.error ?? 'an error without a code' };
  return found;
}

/** `MAPPED-ADDRESS` and its like; with `mask`, what was hidden from NATs that rewrite addresses (RFC 8489 14.2). */
function endpoint(value: Buffer, mask?: Buffer): Endpoint | undefined {
  const size = value[1] === 1 ? 4 : value[1] === 2 ? 16 : 0;
  if (size === 0 || value.length < 4 + size) return undefined;
  const port = value.readUInt16BE(2) ^ (mask ? mask.readUInt16BE(0) : 0);
  const bytes = Buffer.from(value.subarray(4, 4 + size));
  if (mask) for (let index = 0; index < size; index++) bytes[index]! ^= mask[index]!;
  if (size === 4) return { address: bytes.join('.'), port };
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(index * 2).toString(16));
  // The URL parser knows the canonical form (RFC 5952).
  return { address: new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1), port };
}

/** Milliseconds between transmissions; they double. */
const FIRST_RETRANSMISSION = 250;

/**
 * Asks a server over a socket, again and again until there is an answer or the time is over; then nothing. The answer may
 * come from anywhere: that is what a change of address asks for.
 */
export function ask(
  socket: Socket,
  server: Endpoint,
  { change, timeout }: { change?: Change; timeout: number },
): Promise<(StunAnswer & { rtt: number; from: Endpoint }) | undefined> {
  const transaction = randomBytes(12);
  const request = bindingRequest(transaction, change);
  return new Promise((resolve) => {
    const started = performance.now();
    let pace = FIRST_RETRANSMISSION;
    let timer: NodeJS.Timeout;
    const end = (answer?: StunAnswer & { rtt: number; from: Endpoint }) => {
      clearTimeout(timer);
      socket.off('message', receive);
      resolve(answer);
    };
    const receive = (packet: Buffer, { address, port }: RemoteInfo) => {
      const answer = bindingAnswer(packet, transaction);
      if (answer) end({ ...answer, rtt: performance.now() - started, from: { address, port } });
    };
    const transmit = () => {
      const left = timeout - (performance.now() - started);
      if (left <= 0) return end();
      // What cannot be sent is not answered: no route, a firewall of this machine.
      socket.send(request, server.port, server.address, () => undefined);
      timer = setTimeout(transmit, Math.min(left, pace));
      pace *= 2;
    };
    socket.on('message', receive);
    transmit();
  });
}
