// Packets into a running call that nobody should send: from somebody on the path, who has no key, and from the other side itself.
import { createSocket, type Socket } from 'node:dgram';

import { MediaStream, type MediaStreamTrack, type RTCPeerConnection, type RTCTrackEvent } from 'ossa-webrtc';
import { MediaStreamTrack as WeriftTrack, RTCPeerConnection as Werift, RtpHeader, RtpPacket } from 'werift';

import { negotiate, newPeer, once, receive, trickle } from '../w3c/helper';
import { heard, toneTrack } from './callers';

const closing: (() => unknown)[] = [];
afterEach(() => Promise.all(closing.splice(0).map((close) => close())));

const PACKETS = 10_000;
const CALLER = 440;
const CALLEE = 1000;
const TONES = [CALLER, CALLEE, 1700];
/** RTP and RTCP, other than STUN and DTLS (RFC 7983). */
const isMedia = (packet: Uint8Array) => packet[0]! >> 6 === 2;

/** A source of chance that is the same in each run (Park and Miller). */
function chance(seed: number): (below: number) => number {
  let state = seed;
  return (below) => (state = (state * 48_271) % 0x7fffffff) % below;
}

/** The packet with something wrong in it: bits, its length, or who has sent it. */
function mutated(packet: Uint8Array, below: (below: number) => number): Buffer {
  const copy = Buffer.from(packet);
  // A frame of silence is shorter than the words that some of these write.
  switch (below(copy.length < 4 ? 2 : 6)) {
    case 0:
      return copy.subarray(0, 1 + below(copy.length));
    case 1:
      return Buffer.concat([copy, Buffer.alloc(1 + below(1000), below(256))]);
    case 2:
      copy.writeUInt32BE(below(0x7fffffff), Math.min(8, copy.length - 4));
      return copy;
    case 3:
      copy.writeUInt16BE(below(0x10000), 2);
      return copy;
    default:
      for (let bits = 1 + below(16); bits > 0; bits--) {
        const at = below(copy.length);
        // Its first two bits say that it is media.
        copy[at] = copy[at]! ^ (1 << below(at === 0 ? 6 : 8));
      }
      return copy;
  }
}

/** A port that stands for an address. Who sends there is sent on from another port; `spoil` sees each packet and may add some. */
async function relay(address: string, port: number, spoil: (packet: Buffer) => Buffer[]) {
  const sockets: Socket[] = [];
  const bind = () => {
    const socket = createSocket('udp4');
    sockets.push(socket);
    return new Promise<Socket>((resolve) => socket.bind(0, () => resolve(socket)));
  };
  closing.push(() => sockets.forEach((socket) => socket.close()));
  const [front, back] = [await bind(), await bind()];
  let sender = { port: 0, address };
  front.on('message', (packet, from) => {
    sender = from;
    for (const one of [packet, ...spoil(packet)]) back.send(one, port, address, () => undefined);
  });
  back.on('message', (packet) => {
    for (const one of [packet, ...spoil(packet)]) front.send(one, sender.port, sender.address, () => undefined);
  });
  return front.address().port;
}

async function gathered(connection: RTCPeerConnection): Promise<string> {
  while (connection.iceGatheringState !== 'complete') await once(connection, 'icegatheringstatechange');
  return connection.localDescription!.sdp;
}

/** A call of two others in this process. */
async function bystander(): Promise<() => Promise<void>> {
  const [a, b] = [newPeer(), newPeer()];
  trickle(a, b);
  a.addTrack(toneTrack(1700));
  const incoming = once<RTCTrackEvent>(b, 'track');
  await negotiate(a, b);
  const { track } = await incoming;
  await heard(track, TONES, 1700);
  return () => heard(track, TONES, 1700);
}

test('a call with data goes on while somebody on its path adds 10,000 spoilt packets, which leave nothing behind', async () => {
  const stillHeard = await bystander();
  const below = chance(1);
  let left = 0;
  let finished: () => void;
  const spoil = (packet: Buffer) => {
    if (left === 0 || !isMedia(packet)) return [];
    const some = Array.from({ length: Math.min(left, 50) }, () => mutated(packet, below));
    left -= some.length;
    if (left === 0) finished();
    return some;
  };

  const [caller, callee] = [newPeer(), newPeer()];
  const channel = caller.createDataChannel('beside');
  caller.addTrack(toneTrack(CALLER), new MediaStream());
  callee.addTrack(toneTrack(CALLEE), new MediaStream());
  const [toCaller, toCallee] = [once<RTCTrackEvent>(caller, 'track'), once<RTCTrackEvent>(callee, 'track')];
  await caller.setLocalDescription();
  // Without candidates of the caller, all goes through the relay that stands for the callee.
  const offer = (await gathered(caller)).replace(/^a=candidate:.*\r\n/gm, '');
  await callee.setRemoteDescription({ type: 'offer', sdp: offer });
  await callee.setLocalDescription();
  const answer = await gathered(callee);
  const [line, head, address, port] = /^(a=candidate:\S+ 1 udp \d+) (\d+\.\d+\.\d+\.\d+) (\d+) typ host/im.exec(
    answer,
  )!;
  const path = await relay(address!, Number(port), spoil);
  const through = line.replace(`${head} ${address} ${port}`, `${head} ${address} ${path}`);
  const sdp = answer.replace(/^a=candidate:.*\r\n/gm, '').replace(/^(a=ice-ufrag:)/m, `${through}\r\n$1`);
  await caller.setRemoteDescription({ type: 'answer', sdp });

  const [{ receiver: callerHears }, { receiver: calleeHears }] = await Promise.all([toCaller, toCallee]);
  const bothHeard = () =>
    Promise.all([heard(calleeHears.track, TONES, CALLER), heard(callerHears.track, TONES, CALLEE)]);
  await bothHeard();
  const attacked = new Promise<void>((resolve) => (finished = resolve));
  left = PACKETS;
  await attacked;
  await Promise.all([bothHeard(), stillHeard()]);
  expect(callerHears.getSynchronizationSources()).toHaveLength(1);
  expect(calleeHears.getSynchronizationSources()).toHaveLength(1);
  expect(channel.readyState).toBe('open');
  expect([caller.connectionState, callee.connectionState]).toEqual(['connected', 'connected']);
}, 30_000);

/** werift, which sends back the audio that it gets, and whatever else it is told to. */
async function echo(caller: RTCPeerConnection) {
  const werift = new Werift();
  closing.push(() => werift.close());
  const track = new WeriftTrack({ kind: 'audio' });
  const genuine = new Promise<RtpPacket>((resolve) => {
    werift.ontrack = ({ track: incoming }) =>
      incoming.onReceiveRtp.subscribe((packet) => {
        track.writeRtp(packet.clone());
        resolve(packet);
      });
  });
  werift.addTrack(track);
  await caller.setLocalDescription();
  await gathered(caller);
  await werift.setRemoteDescription({ type: 'offer', sdp: caller.localDescription!.sdp });
  await werift.setLocalDescription(await werift.createAnswer());
  await caller.setRemoteDescription({ type: 'answer', sdp: werift.localDescription!.sdp });
  return { werift, genuine };
}

test('a call outlives 10,000 packets with the right keys and nonsense in them, and so do the calls beside it', async () => {
  const stillHeard = await bystander();
  const caller = newPeer();
  const channel = caller.createDataChannel('beside');
  caller.addTrack(toneTrack(CALLER));
  const incoming = once<RTCTrackEvent>(caller, 'track');
  const { werift, genuine } = await echo(caller);
  werift.onDataChannel.subscribe((other) => other.onMessage.subscribe((message) => other.send(message)));
  const { receiver } = await incoming;
  const track: MediaStreamTrack = receiver.track;
  await heard(track, TONES, CALLER);

  const below = chance(2);
  const [transport] = werift.dtlsTransports;
  const {
    payload,
    header: { payloadType: genuineType },
  } = await genuine;
  const report = Buffer.from([0x81, 201, 0, 7, ...Buffer.alloc(28), 0x81, 206, 0, 3, ...Buffer.alloc(12, 7)]);
  for (let sent = 0; sent < PACKETS; sent++) {
    if (sent % 4 === 0) {
      // Without the first eight bytes there is nothing to encrypt.
      const bytes = Buffer.concat([mutated(report, below), Buffer.alloc(8)]);
      await transport!.sendRtcp([{ serialize: () => bytes } as never]);
      continue;
    }
    // Of another source: werift's own count of packets would not survive jumps in one (RFC 3711, 3.3.1).
    const header = new RtpHeader({
      payloadType: below(2) === 0 ? genuineType : below(128),
      sequenceNumber: below(0x10000),
      timestamp: below(0x7fffffff),
      marker: below(2) === 1,
      ssrc: below(0x7fffffff),
    });
    await transport!.sendRtp(mutated(payload, below), header);
  }
  await Promise.all([heard(track, TONES, CALLER), stillHeard()]);
  channel.send('still there?');
  expect(await receive(channel, 1)).toEqual(['still there?']);
  // As many as a connection knows; more are not told apart.
  expect(receiver.getSynchronizationSources().length).toBeLessThanOrEqual(1024);
  expect(caller.connectionState).toBe('connected');
}, 30_000);
