// Audio over connections, as programs see it.
import { MediaStream, PCMSink, type RTCStatsReport } from 'ossa-webrtc';

import { negotiate, once } from '../w3c/helper';
import { call, FORMAT, heard, toneTrack } from './callers';

test('a tone that is sent is heard, another that replaces it as well, and silence is told', async () => {
  const { a, b, sender, receiver, track } = await call(toneTrack(440), new MediaStream());
  const unmuted = once(track, 'unmute');
  await heard(track, [440, 1000], 440);
  await unmuted;
  expect(track.muted).toBe(false);
  const [source] = receiver.getSynchronizationSources();
  expect(source).toMatchObject({ source: expect.any(Number) as number });
  // Since the epoch, within the ten seconds for which sources are kept.
  expect(Math.abs(Date.now() - source!.timestamp)).toBeLessThan(10_000);
  await sender.replaceTrack(toneTrack(1000));
  await heard(track, [440, 1000], 1000);
  const muted = once(track, 'mute');
  a.getTransceivers()[0]!.direction = 'inactive';
  await negotiate(a, b);
  await muted;
  expect(track.readyState).toBe('live');
}, 20_000);

test('a transceiver that is stopped is silent at the other side before anything is negotiated', async () => {
  const { a, track } = await call(toneTrack(440));
  if (track.muted) await once(track, 'unmute');
  const muted = once(track, 'mute');
  a.getTransceivers()[0]!.stop();
  await muted;
}, 20_000);

test('a call that is hung up ends the track of the other side, and lets the sink of it end', async () => {
  const { b, track } = await call(toneTrack(440));
  await heard(track, [440], 440);
  const sink = new PCMSink(track, FORMAT);
  const over = new Promise<void>((resolve) => sink.on('end', resolve));
  const ended = once(track, 'ended');
  b.close();
  await ended;
  await over;
}, 20_000);

test('statistics tell how things were when they were asked for, and nothing of the RTP of what is stopped', async () => {
  const { a, b, sender, receiver, track } = await call(toneTrack(440));
  if (track.muted) await once(track, 'unmute');
  const rtp = async (report: Promise<RTCStatsReport>) =>
    [...(await report).values()].map(({ type }) => type).filter((type) => /bound-rtp/.test(type));
  const before = [rtp(sender.getStats()), rtp(receiver.getStats())];
  a.getTransceivers()[0]!.stop();
  const after = rtp(sender.getStats());
  b.close();
  const closed = rtp(receiver.getStats());
  expect(await Promise.all(before)).toEqual([['outbound-rtp'], ['inbound-rtp']]);
  expect(await after).toEqual([]);
  expect(await closed).toEqual([]);
}, 20_000);
