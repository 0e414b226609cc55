// What anyone who can reach our ports may send us.
import { createSocket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { randomBytes, randomInt } from 'node:crypto';

import type { RTCPeerConnection } from 'ossa-webrtc';

import { connected, event, negotiate, state } from './pair';

/** The addresses at which a connection listens, from its own description. */
function addresses(connection: RTCPeerConnection): { address: string; port: number }[] {
  const lines = [
    ...(connection.localDescription?.sdp ?? '').matchAll(/^a=candidate:\S+ 1 udp \d+ (\S+) (\d+) typ host/gim),
  ];
  return lines.map(([, address, port]) => ({ address: address ?? '', port: Number(port) }));
}

/** Random bytes behind a plausible beginning: STUN, DTLS handshake, DTLS application data, SCTP, or nothing known. */
function garbage(round: number): Buffer {
  const packet = randomBytes(randomInt(1, 1400));
  const heads = [
    [0x00, 0x01, 0x00, 0x08, 0x21, 0x12, 0xa4, 0x42], // STUN binding request
    [0x01, 0x01, 0x00, 0x0c, 0x21, 0x12, 0xa4, 0x42], // STUN binding response
    [0x16, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, round & 255, 0x01, 0x00], // DTLS handshake
    [0x17, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 0, round & 255, 0x00, 0x40], // DTLS application data
    [0x15, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0x00, 0x02, 0x02, 0x28], // DTLS fatal alert, handshake_failure
    [0x13, 0x88, 0x13, 0x88, 0, 0, 0, 0], // SCTP in the clear
    [],
  ];
  Buffer.from(heads[round % heads.length] ?? []).copy(packet);
  return packet;
}

test('10,000 datagrams of garbage at the ports of a live connection change nothing', async () => {
  const { offerer, answerer, channel, incoming, close } = await connected();
  const targets = [...addresses(offerer), ...addresses(answerer)];
  expect(targets.length).toBeGreaterThan(1);
  const sockets = { v4: createSocket('udp4'), v6: createSocket('udp6') };
  for (let round = 0; round < 10_000; round++) {
    const { address, port } = targets[round % targets.length] as { address: string; port: number };
    const socket = isIPv6(address) ? sockets.v6 : sockets.v4;
    // A full socket buffer or an interface without a route is not what this test is about.
    await new Promise<void>((sent) => socket.send(garbage(round), port, address, () => sent()));
  }
  sockets.v4.close();
  sockets.v6.close();

  const received: string[] = [];
  incoming.onmessage = ({ data }) => {
    received.push(data as string);
    incoming.send(`echo ${data as string}`);
  };
  for (let i = 0; i < 100; i++) {
    channel.send(`message ${i}`);
    expect((await event<MessageEvent>(channel, 'message')).data).toBe(`echo message ${i}`);
  }
  expect(received).toEqual(Array.from({ length: 100 }, (_, i) => `message ${i}`));
  expect([offerer.connectionState, answerer.connectionState]).toEqual(['connected', 'connected']);
  close();
});

test('a certificate that does not match the signaled fingerprint ends the connection before any data', async () => {
  const other = (digit: string) => (digit === '0' ? '1' : '0');
  const [offerer, answerer, channel] = await negotiate((sdp) =>
    sdp.replace(/(a=fingerprint:sha-256 )(.)/, (_, head: string, digit: string) => head + other(digit)),
  );
  const opened = jest.fn();
  channel.onopen = opened;
  answerer.ondatachannel = opened;
  // The offer was altered: its receiver notices.
  expect(await state(answerer, 'failed', 'connected')).toBe('failed');
  expect(opened).not.toHaveBeenCalled();
  offerer.close();
  answerer.close();
});
