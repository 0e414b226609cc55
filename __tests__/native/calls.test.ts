// Audio between native connections, from samples to samples.
import type * as Native from '../../ts/native';

import { amplitude, samplesOf, tone } from '../media/tones';
import { negotiate, TestPeer } from './support';

// eslint-disable-next-line @typescript-eslint/no-require-imports -- the copy of the module that the peers are of
const native = require('../../dist/native/index.js') as typeof Native;

const MONO = { sampleRate: 24_000, channelCount: 1, format: 's16le' } as const;
const INIT = { direction: 'sendrecv' as const, streams: [], encodings: [], byTrack: true };

/** Who is garbage plays nothing, and a track that is garbage is stopped. */
const playing: unknown[] = [];

/** A track of a tone that is played in real time. */
function toneTrack(frequency: number, seconds: number) {
  const feed = native.openAudioFeed(MONO, seconds * 1000 + 100, () => {})[0];
  const samples = tone(frequency, MONO.sampleRate, seconds);
  feed.write(new Uint8Array(samples.buffer));
  const track = feed.track();
  native.playAudioFeed(feed);
  playing.push(feed, track);
  return track;
}

/** So many seconds of what comes out of a track. */
async function listen(track: Native.NativeAudioTrack, seconds: number): Promise<Int16Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  playing.push(track);
  await new Promise<void>((resolve) => {
    const [tap, id] = native.openAudioTap(track, MONO, 10_000, () => {
      const bytes = tap.readBytes();
      if (bytes) chunks.push(bytes);
      length += bytes?.length ?? 0;
      if (length < seconds * MONO.sampleRate * 2) return;
      tap.stop();
      native.detachAudio(id);
      resolve();
    });
  });
  return samplesOf(chunks);
}

test('the tone that one side sends is the tone that the other hears, both ways at once', async () => {
  const [a, b] = [new TestPeer({ media: true }), new TestPeer({ media: true })];
  const { id: atA } = a.native.media.addTransceiver('audio', INIT);
  const { id: atB } = b.native.media.addTransceiver('audio', INIT);
  a.native.media.sendAudio(atA, toneTrack(440, 20));
  b.native.media.sendAudio(atB, toneTrack(1_000, 20));
  const heard = [listen(a.native.media.receiveAudio(atA), 2), listen(b.native.media.receiveAudio(atB), 2)];
  negotiate(a, b);
  const levels = (await Promise.all(heard)).map((samples) =>
    [440, 1_000].map((frequency) => amplitude(samples.slice(samples.length / 2), frequency, MONO.sampleRate)),
  );
  expect(levels[0]![1]).toBeGreaterThan(0.4);
  expect(levels[0]![0]).toBeLessThan(0.05);
  expect(levels[1]![0]).toBeGreaterThan(0.4);
  expect(levels[1]![1]).toBeLessThan(0.05);
  const entry = (type: string) => a.native.getStats().find((one) => one.type === type);
  expect(entry('inbound-rtp')).toMatchObject({ kind: 'audio', mid: '0', packetsLost: 0, transportId: 'T01' });
  expect(entry('inbound-rtp')!.totalSamplesReceived).toBeGreaterThan(48_000);
  expect(entry('inbound-rtp')!.jitterBufferEmittedCount).toBeGreaterThan(48_000);
  expect(entry('outbound-rtp')!.packetsSent).toBeGreaterThan(50);
  expect(entry('media-source')!.audioLevel).toBeCloseTo(0.5, 1);
  expect(entry('media-playout')!.totalSamplesCount).toBeGreaterThan(48_000);
  expect(a.native.getStats().filter(({ type }) => type === 'codec')).toMatchObject([
    { mimeType: 'audio/opus', clockRate: 48_000, channels: 2 },
    { mimeType: 'audio/opus', clockRate: 48_000, channels: 2 },
  ]);
  a.native.close();
  b.native.close();
  playing.length = 0;
});

test('a closed connection takes no track and gives none', () => {
  const a = new TestPeer({ media: true });
  const { id: audio } = a.native.media.addTransceiver('audio', INIT);
  a.native.close();
  expect(() => a.native.media.receiveAudio(audio)).toThrow('closed');
  expect(() => a.native.media.sendAudio(audio, null)).toThrow('closed');
});
