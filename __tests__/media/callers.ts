// Callers that say one tone each, and who waits until such a tone is heard.
import { PCMSink, PCMSource, type MediaStream, type MediaStreamTrack, type RTCTrackEvent } from 'ossa-webrtc';

import { negotiate, newPeer, once, trickle } from '../w3c/helper';
import { amplitude, samplesOf, tone } from './tones';

export const FORMAT = { sampleRate: 24_000, channelCount: 1, format: 's16le' } as const;

const sources: PCMSource[] = [];
afterEach(() => sources.splice(0).forEach((source) => source.close()));

/** A track of a tone, in real time, for as long as the test lasts. */
export function toneTrack(frequency: number): MediaStreamTrack {
  const second = tone(frequency, FORMAT.sampleRate, 1);
  const source = PCMSource.from(
    (function* () {
      for (;;) yield second;
    })(),
    FORMAT,
  );
  // It is cut off at the end of the test.
  source.done?.catch(() => undefined);
  sources.push(source);
  return source.track;
}

/** Two connections, `a` with what it sends, and what `b` gets of it. */
export async function call(sent: MediaStreamTrack, ...streams: MediaStream[]) {
  const [a, b] = [newPeer(), newPeer()];
  trickle(a, b);
  const sender = a.addTrack(sent, ...streams);
  const incoming = once<RTCTrackEvent>(b, 'track');
  await negotiate(a, b);
  const { track, receiver } = await incoming;
  return { a, b, sender, receiver, track };
}

/** Which of these tones is heard, once one of them is alone. */
export async function heard(track: MediaStreamTrack, frequencies: number[], until: number): Promise<void> {
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
