// What strangers do to the port of a relay, and that those who relay do not notice.
import { randomBytes } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { connect, type Socket as TcpSocket } from 'node:net';
import { setImmediate } from 'node:timers/promises';

import { RTCPeerConnection, type SignalingServer } from 'ossa-webrtc';

import { relayOnly } from '../fixtures/relay-only';
import { iceServer, relayed, serve } from './relay-setup';

const expected = { echo: 1006, kinds: ['relay'] };
const BINDING = Buffer.from([0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, ...new Array<number>(12).fill(7)]);
const ALLOCATE = Buffer.from([0, 3, 0, 0, 0x21, 0x12, 0xa4, 0x42, ...new Array<number>(12).fill(7)]);

let server: SignalingServer;
let socket: Socket;
beforeEach(async () => {
  server = await serve({}, { maxHalfOpen: 20 });
  socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
});
afterEach(async () => {
  socket.close();
  await server.close();
});

const send = (data: Buffer) =>
  new Promise<void>((resolve, reject) => {
    socket.send(data, server.port, '127.0.0.1', (error) => (error ? reject(error) : resolve()));
  });

/** Resolves when the server has looked at everything that was sent before. */
async function served(): Promise<void> {
  const answer = once(socket, 'message');
  await send(BINDING);
  await answer;
}

test('10,000 datagrams of garbage are counted and disturb nobody', async () => {
  const running = relayOnly(RTCPeerConnection, [iceServer(server, 'udp')]);
  const kinds = [
    (i: number) => randomBytes(1 + (i % 1400)),
    () => BINDING.subarray(0, 10),
    (i: number) => Buffer.concat([ALLOCATE.subarray(0, 20), randomBytes(i % 100)]),
    () => Buffer.from([0x40, 0, 0xff, 0xff, 1]),
    () => Buffer.alloc(0),
  ];
  for (let i = 0; i < 10_000; i++) {
    await send(kinds[i % kinds.length]!(i));
    if (i % 100 === 0) await served();
  }
  expect(await running).toEqual(expected);
  expect(server.stats().relay!.malformed).toBeGreaterThan(5000);
  expect(await relayed(iceServer(server, 'udp'))).toBe('relay');
}, 30_000);

test('strangers get small answers, and not many', async () => {
  let [answers, largest] = [0, 0];
  socket.on('message', (answer: Buffer) => {
    answers++;
    largest = Math.max(largest, answer.length);
  });
  const { rateLimited } = await (async () => {
    for (;;) {
      await send(ALLOCATE);
      // Answers are read only when nothing else is to be done.
      await setImmediate();
      const stats = server.stats().relay!;
      if (stats.rateLimited >= 1000) return stats;
    }
  })();
  expect(rateLimited).toBeGreaterThanOrEqual(1000);
  expect(answers).toBeGreaterThan(0);
  expect(largest).toBeLessThanOrEqual(72);
});

test('connections that begin and do not go on make room for others', async () => {
  const slow: TcpSocket[] = [];
  try {
    for (let i = 0; i < 100; i++) {
      const one = connect(server.port, '127.0.0.1').on('error', () => undefined);
      await once(one, 'connect');
      // A request for an allocation, one byte of which will never come.
      one.write(ALLOCATE.subarray(0, 19));
      slow.push(one);
    }
    expect(await relayOnly(RTCPeerConnection, [iceServer(server, 'tcp')])).toEqual(expected);
    for (const one of slow.slice(0, 70)) if (!one.closed) await once(one, 'close');
  } finally {
    for (const one of slow) one.destroy();
  }
});

test('10,000 connections of garbage are ended and disturb nobody', async () => {
  const running = relayOnly(RTCPeerConnection, [iceServer(server, 'tcp')]);
  const one = async (i: number) => {
    const garbage = connect(server.port, '127.0.0.1').on('error', () => undefined);
    // Whether it is reset or ended is no matter.
    const closed = new Promise((resolve) => garbage.on('close', resolve));
    // The first byte says STUN, the others do not.
    garbage.write(Buffer.concat([Buffer.from([i % 4]), Buffer.alloc(30, 0xee)]));
    await closed;
  };
  for (let i = 0; i < 1000; i++) await Promise.all(Array.from({ length: 10 }, (_, j) => one(i + j)));
  expect(await running).toEqual(expected);
}, 30_000);
