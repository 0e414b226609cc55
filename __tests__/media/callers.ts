// Callers that say one tone each, and who waits until such a tone is heard.
import { PCMSink, PCMSource, type MediaStreamTrack } from 'ossa-webrtc';

import { amplitude, samplesOf, tone } from './tones';

export const FORMAT = { sampleRate: 24_000, channelCount: 1, format: 's16le' } as const;

const sources: PCMSource[] = [];
afterEach(() => sources.splice(0).forEach((source) => source.close()));

/** A track of a tone, in real time. */
export function toneTrack(frequency: number): MediaStreamTrack {
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
