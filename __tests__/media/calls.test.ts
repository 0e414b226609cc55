// Audio over connections, as programs see it.
import { MediaStream, PCMSink, PCMSource, type MediaStreamTrack, type RTCTrackEvent } from 'ossa-webrtc';

import { negotiate, newPeer, once, trickle } from '../w3c/helper';
import { amplitude, samplesOf, tone } from './tones';

const FORMAT = { sampleRate: 24_000, channelCount: 1, format: 's16le' } as const;

const sources: PCMSource[] = [];
afterEach(() => sources.splice(0).forEach((source) => source.close()));

/** A track of a tone, in real time. */
function toneTrack(frequency: number): MediaStreamTrack {
  const source = new PCMSource({ ...FORMAT, bufferDuration: 30_000 });
  const samples = tone(frequency, FORMAT.sampleRate, 25);
  // It is cut off at the end of the test.
  source.writable
    .getWriter()
    .write(new Uint8Array(samples.buffer))
    .catch(() => undefined);
  sources.push(source);
  return source.track;
}

/** Which of these tones is heard, once one of them is alone. */
async function heard(track: MediaStreamTrack, frequencies: number[], until: number): Promise<void> {
  const sink = new PCMSink(track, FORMAT);
  let chunks: Uint8Array[] = [];
  for await (const chunk of sink) {
    chunks.push(chunk);
    const samples = samplesOf(chunks);
    if (samples.length < FORMAT.sampleRate / 5) continue;
    chunks = [];
    const [loud, ...others] = [until, ...frequencies.filter((one) => one !== until)].map((frequency) =>
      amplitude(samples, frequency, FORMAT.sampleRate),
    );
    if (loud! > 0.3 && others.every((level) => level < 0.05)) break;
  }
}

test('a tone that is sent is heard, another that replaces it as well, and silence is told', async () => {
  const [a, b] = [newPeer(), newPeer()];
  trickle(a, b);
  const sender = a.addTrack(toneTrack(440), new MediaStream());
  const incoming = once<RTCTrackEvent>(b, 'track');
  await negotiate(a, b);
  const { track, receiver } = await incoming;
  const unmuted = once(track, 'unmute');
  await heard(track, [440, 1000], 440);
  await unmuted;
  expect(track.muted).toBe(false);
  expect(receiver.getSynchronizationSources()[0]).toMatchObject({ source: expect.any(Number) as number });
  await sender.replaceTrack(toneTrack(1000));
  await heard(track, [440, 1000], 1000);
  const muted = once(track, 'mute');
  a.getTransceivers()[0]!.direction = 'inactive';
  await negotiate(a, b);
  await muted;
  expect(track.readyState).toBe('live');
}, 20_000);

test('a call that is hung up ends the track of the other side, and lets the sink of it end', async () => {
  const [a, b] = [newPeer(), newPeer()];
  trickle(a, b);
  a.addTrack(toneTrack(440));
  const incoming = once<RTCTrackEvent>(b, 'track');
  await negotiate(a, b);
  const { track } = await incoming;
  await heard(track, [440], 440);
  const sink = new PCMSink(track, FORMAT);
  const over = new Promise<void>((resolve) => sink.on('end', resolve));
  const ended = once(track, 'ended');
  b.close();
  await ended;
  await over;
}, 20_000);
