// What strangers do to a port that many connections share, and that those who are connected do not notice.
import { randomBytes } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { connect, type Socket as TcpSocket } from 'node:net';

import { Dialled, echoing, established, freePort, type Answerer } from '../one-port';
import { newPeer } from './helper';

/** Of this file alone. */
const ADDRESS = '127.0.0.85';
/** Without a request yet, at a port, and from one address: docs/networks.md. */
const [MOST, MOST_FROM_ONE] = [512, 32];

let port: number;
let answerer: Answerer;
let client: Dialled;
const open: (Dialled | ReturnType<typeof newPeer>)[] = [];

const transport = () => ({ listen: { port, address: ADDRESS }, tcp: 'passive' as const });

beforeEach(async () => {
  port = await freePort(ADDRESS);
  answerer = echoing({ transport: transport() }, (connection) => open.push(connection));
  client = await Dialled.to(answerer);
  open.push(client);
});
afterEach(() => {
  for (const one of open.splice(0)) one.close();
});

/** Somebody new gets in, by TCP alone or by what works. */
async function newcomer(tcp: boolean): Promise<void> {
  const passes = (candidate: string) => !tcp || / tcp /.test(candidate);
  const one = await Dialled.to(answerer, { transport: { tcp: tcp ? 'active' : 'off' } }, passes);
  open.push(one);
  expect(await one.echo('new')).toBe('echo: new');
}

/** A connectivity check (RFC 8445, 7.2) for somebody who is here, of somebody who does not know the password. */
function check(ufrag: string): Buffer {
  const name = Buffer.from(`${ufrag}:them`);
  const username = Buffer.concat([Buffer.from([0, 6, 0, name.length]), name, Buffer.alloc(-name.length & 3)]);
  const integrity = Buffer.concat([Buffer.from([0, 8, 0, 20]), randomBytes(20)]);
  const header = Buffer.from([0, 1, 0, username.length + integrity.length, 0x21, 0x12, 0xa4, 0x42]);
  return Buffer.concat([header, randomBytes(12), username, integrity]);
}

const ufragOf = (connection: { localDescription: { sdp: string } | null }) =>
  /a=ice-ufrag:(\S+)/.exec(connection.localDescription!.sdp)![1]!;

test('10,000 datagrams of garbage and forged checks disturb nobody', async () => {
  const socket: Socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const ufrag = ufragOf(open[0] as ReturnType<typeof newPeer>);
  const kinds = [
    (i: number) => randomBytes(1 + (i % 1400)),
    () => check(ufrag),
    () => check('nobody'),
    (i: number) => check(ufrag).subarray(0, i % 60),
    // DTLS, and an answer that nobody has asked for.
    (i: number) => Buffer.concat([Buffer.from([22, 254, 253]), randomBytes(i % 100)]),
    () => Buffer.from([1, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, ...randomBytes(12)]),
    () => Buffer.alloc(0),
  ];
  try {
    for (let i = 0; i < 10_000; i++) {
      const garbage = kinds[i % kinds.length]!(i);
      await new Promise((sent) => socket.send(garbage, port, ADDRESS, sent));
      if (i % 1000 === 0) expect(await client.echo(`${i}`)).toBe(`echo: ${i}`);
    }
    await newcomer(false);
    expect(await client.echo('still')).toBe('echo: still');
  } finally {
    socket.close();
  }
});

test('10,000 TCP connections of garbage are ended and disturb nobody', async () => {
  const framed = (message: Buffer) =>
    Buffer.concat([Buffer.from([message.length >> 8, message.length & 255]), message]);
  const ufrag = ufragOf(open[0] as ReturnType<typeof newPeer>);
  const kinds = [
    () => Buffer.from('GET / HTTP/1.1\r\n\r\n'),
    () => framed(check('nobody')),
    () => framed(check(ufrag)),
    () => framed(randomBytes(100)),
    () => Buffer.alloc(70, 0xff),
  ];
  const one = async (i: number) => {
    const garbage = connect(port, ADDRESS).on('error', () => undefined);
    // Whether it is reset or ended is no matter.
    const closed = new Promise((resolve) => garbage.on('close', resolve));
    garbage.resume().write(kinds[i % kinds.length]!());
    await closed;
  };
  for (let i = 0; i < 10_000; i += 20) {
    await Promise.all(Array.from({ length: 20 }, (_, j) => one(i + j)));
    if (i % 1000 === 0) expect(await client.echo(`${i}`)).toBe(`echo: ${i}`);
  }
  await newcomer(true);
});

test('connections that say nothing, or a byte now and then, make room for others', async () => {
  const slow: TcpSocket[] = [];
  try {
    for (let i = 0; i < MOST + 5 * MOST_FROM_ONE; i++) {
      // More than one address has for itself, and more than all have together.
      const localAddress = `127.0.1.${1 + (i % 20)}`;
      const one = connect({ port, host: ADDRESS, localAddress }).on('error', () => undefined);
      await once(one, 'connect');
      if (i % 2 === 0) one.write(Buffer.from([0]));
      slow.push(one.resume());
    }
    await newcomer(true);
    for (const one of slow) if (!one.destroyed) one.write(Buffer.from([60]));
    await newcomer(true);
    // Beside the two newcomers. Nobody has had the five seconds yet after which a silent connection ends anyway.
    expect(established(ADDRESS, port)).toBeLessThanOrEqual(MOST + 2);
    expect(await client.echo('still')).toBe('echo: still');
  } finally {
    for (const one of slow) one.destroy();
  }
});
