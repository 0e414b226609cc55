// A track that came over one connection goes out over another, undecoded; statistics tell what happened to it.
import { EncodedSource, MediaStream, type RTCPeerConnection, type RTCStats, type RTCTrackEvent } from 'ossa-webrtc';

import { negotiate, newPeer, once, trickle } from '../w3c/helper';
import { call, heard, toneTrack } from './callers';

async function entries(pc: RTCPeerConnection, type: string): Promise<RTCStats[]> {
  const all: RTCStats[] = [...(await pc.getStats()).values()];
  return all.filter((one) => one.type === type);
}

test('what one connection receives is heard by those that it is sent on to', async () => {
  const { track } = await call(toneTrack(440), new MediaStream());
  const listen = async () => {
    const { a: out, b: listener, track: arrived } = await call(track);
    await heard(arrived, [440, 1000], 440);
    return { out, listener };
  };
  const listeners = await Promise.all([listen(), listen()]);
  for (const { out, listener } of listeners) {
    const [sent] = await entries(out, 'outbound-rtp');
    const [received] = await entries(listener, 'inbound-rtp');
    expect(sent).toMatchObject({ kind: 'audio', packetsSent: expect.any(Number) as number });
    expect(received).toMatchObject({ kind: 'audio', packetsLost: 0 });
    expect(await entries(listener, 'codec')).toContainEqual(expect.objectContaining({ mimeType: 'audio/opus' }));
  }
}, 20_000);

test('statistics of a call tell how much work goes into its packets, and what was left out', async () => {
  const { a, track } = await call(toneTrack(440));
  await heard(track, [440], 440);
  const [sent] = await entries(a, 'outbound-rtp');
  // What browsers spend, or less if this machine is busy.
  expect([9, 7, 0]).toContain((sent as RTCStats & { encoderComplexity: number }).encoderComplexity);
  expect(sent).toHaveProperty('packetsDiscardedOnSend');
}, 20_000);

test('a layer of simulcast is muted while its sender does not send it, whatever comes of the others', async () => {
  const [a, b] = [newPeer(), newPeer()];
  trickle(a, b);
  const source = new EncodedSource({ mimeType: 'video/vp8' });
  // A track is sent as the first layer; of the second nothing ever comes.
  a.addTransceiver(source.track, { sendEncodings: [{ rid: 'h' }, { rid: 'q' }] });
  const incoming = once<RTCTrackEvent>(b, 'track');
  await negotiate(a, b);
  const { receiver } = await incoming;
  const [large, small] = [receiver.getLayer('h'), receiver.getLayer('q')];
  expect([large.muted, small.muted]).toEqual([true, true]);
  // A key frame of VP8 (RFC 6386 9.1).
  const data = Uint8Array.of(0x10, 0, 0, 0x9d, 0x01, 0x2a, 16, 0, 16, 0, 7, 7, 7, 7);
  let timestamp = 0;
  const show = () => {
    const camera = setInterval(() => source.write({ data, timestamp: (timestamp += 33_333) }), 33);
    return () => clearInterval(camera);
  };
  for (const _ of [1, 2]) {
    const unmuted = once(large, 'unmute');
    const hide = show();
    await unmuted;
    expect([large.muted, small.muted]).toEqual([false, true]);
    hide();
    await once(large, 'mute');
  }
  source.close();
}, 20_000);
