// Blocks of samples, name for name as in node-webrtc: what its programs do, ours do.
import { nonstandard, type RTCAudioData, type RTCAudioDataEvent } from 'ossa-webrtc';

import { once } from '../w3c/helper';
import { tone } from './tones';

const { RTCAudioSource, RTCAudioSink } = nonstandard;
type Sink = InstanceType<typeof RTCAudioSink>;

/** The next blocks of a sink. */
function blocks(sink: Sink, count: number): Promise<RTCAudioDataEvent[]> {
  const got: RTCAudioDataEvent[] = [];
  return new Promise((resolve) => {
    sink.ondata = (block) => {
      if (got.push(block) === count) resolve(got);
    };
  });
}

test.each([8_000, 16_000, 22_050, 44_100, 48_000, 96_000])(
  'a block of 10 ms at %i Hz is heard as it was handed in, mono and stereo',
  async (sampleRate) => {
    for (const channelCount of [1, 2]) {
      const source = new RTCAudioSource();
      const sink = new RTCAudioSink(source.createTrack());
      const heard = blocks(sink, 3);
      const numberOfFrames = Math.floor(sampleRate / 100);
      const samples = tone(440, sampleRate, 3 * (numberOfFrames / sampleRate), channelCount);
      const size = numberOfFrames * channelCount;
      const given = [0, 1, 2].map((n) => samples.slice(n * size, (n + 1) * size));
      for (const samples of given) {
        source.onData({ samples, sampleRate, bitsPerSample: 16, channelCount, numberOfFrames });
      }
      for (const [n, block] of (await heard).entries()) {
        expect(block).toMatchObject({ type: 'data', sampleRate, bitsPerSample: 16, channelCount, numberOfFrames });
        expect(block.samples).toEqual(given[n]);
      }
      sink.stop();
    }
  },
);

test('channels, bits and frames need not be said: mono, 16 bits, 10 ms', async () => {
  const source = new RTCAudioSource();
  const sink = new RTCAudioSink(source.createTrack());
  const heard = blocks(sink, 1);
  source.onData({ samples: tone(440, 48_000, 0.01), sampleRate: 48_000 });
  expect((await heard)[0]).toMatchObject({ channelCount: 1, numberOfFrames: 480 });
  sink.stop();
});

test('every sink of every track hears it; a disabled track is silent, a stopped sink deaf', async () => {
  const source = new RTCAudioSource();
  const [track, disabled] = [source.createTrack(), source.createTrack()];
  disabled.enabled = false;
  const [one, other, silent, deaf] = [track, track, disabled, track].map((track) => new RTCAudioSink(track));
  const heard = [one!, other!, silent!].map((sink) => blocks(sink, 1));
  deaf!.ondata = () => {
    throw new Error('it was stopped');
  };
  deaf!.stop();
  expect([one!.stopped, deaf!.stopped]).toEqual([false, true]);
  const samples = tone(440, 48_000, 0.01);
  source.onData({ samples, sampleRate: 48_000 });
  const [first, second, third] = (await Promise.all(heard)).map((blocks) => blocks[0]!.samples);
  expect([first, second]).toEqual([samples, samples]);
  expect(third).toEqual(new Int16Array(480));
  for (const sink of [one!, other!, silent!]) sink.stop();
});

test('a sink is stopped when its track is, and when the source ends', async () => {
  const source = new RTCAudioSource();
  const track = source.createTrack();
  const sink = new RTCAudioSink(track);
  const last = blocks(sink, 1);
  source.onData({ samples: tone(440, 48_000, 0.01), sampleRate: 48_000 });
  const ended = once(track, 'ended');
  source.close();
  expect((await last)[0]!.numberOfFrames).toBe(480);
  await ended;
  expect(new RTCAudioSink(track).stopped).toBe(false); // It learns of the end like everybody else: later.
  source.onData({ samples: tone(440, 48_000, 0.01), sampleRate: 48_000 }); // Nobody hears it, and nobody minds.
});

test('a block that is not what it says is refused, with the reason', () => {
  const source = new RTCAudioSource();
  const samples = new Int16Array(480);
  const wrong: [unknown, typeof TypeError | typeof RangeError, string][] = [
    [undefined, TypeError, 'data is not an object'],
    [{ sampleRate: 48_000 }, TypeError, 'RTCAudioData.samples is not an Int16Array'],
    [{ samples: [...samples], sampleRate: 48_000 }, TypeError, 'RTCAudioData.samples is not an Int16Array'],
    [{ samples, sampleRate: 48_000, bitsPerSample: 8 }, TypeError, 'RTCAudioData.bitsPerSample is 8'],
    [{ samples, sampleRate: 44_100 }, TypeError, '441 frames of 1 channels were said'],
    [{ samples, sampleRate: 48_000, numberOfFrames: 0 }, TypeError, '0 frames'],
    [{ samples, sampleRate: 7_000, numberOfFrames: 480 }, RangeError, 'sampleRate is 7000'],
    [{ samples, sampleRate: 48_000, channelCount: 3, numberOfFrames: 160 }, RangeError, 'channelCount is 3'],
    [{ samples, sampleRate: NaN, numberOfFrames: 480 }, RangeError, 'sampleRate is NaN'],
    [{ samples: new Int16Array(), sampleRate: 48_000, numberOfFrames: 0 }, TypeError, 'samples'],
  ];
  for (const [data, kind, text] of wrong) {
    const given = () => source.onData(data as RTCAudioData);
    expect(given).toThrow(kind);
    expect(given).toThrow(text);
  }
  expect(() => new RTCAudioSink({} as never)).toThrow(TypeError);
});
