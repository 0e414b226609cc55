// Samples in and out of libwebrtc.
const { nonstandard } = require('@roamhq/wrtc');
const { Ear, fromInt16, pace, toInt16, toneGenerator } = require('./ear.cjs');

const RATE = 48_000;

function tone(frequency, level) {
  const source = new nonstandard.RTCAudioSource();
  const track = source.createTrack();
  const next = toneGenerator(frequency, level, RATE);
  const end = pace(10, () =>
    source.onData({ samples: toInt16(next(RATE / 100)), sampleRate: RATE, bitsPerSample: 16, channelCount: 1 }),
  );
  return {
    track,
    stop() {
      end();
      track.stop();
    },
  };
}

function listen(track) {
  const sink = new nonstandard.RTCAudioSink(track);
  const ear = new Ear(() => sink.stop());
  sink.ondata = ({ samples, sampleRate, channelCount }) => {
    ear.hear(fromInt16(samples.filter((_, at) => at % channelCount === 0)), sampleRate);
  };
  return ear;
}

module.exports = { tone, listen };
