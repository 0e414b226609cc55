// Samples in and out of this package, as a user has them.
const { EncodedSink, PCMSink, PCMSource, RTCRtpReceiver } = require('../..');
const { Ear, toneGenerator } = require('./ear.cjs');

const FORMAT = { sampleRate: 48_000, channelCount: 1, format: 'f32le' };

function tone(frequency, level) {
  const next = toneGenerator(frequency, level, FORMAT.sampleRate);
  const source = new PCMSource(FORMAT);
  (async () => {
    const writer = source.writable.getWriter();
    for (;;) await writer.write(next(960));
  })().catch(() => undefined); // stopped
  return { track: source.track, stop: () => source.track.stop() };
}

function listen(track) {
  const sink = new PCMSink(track, FORMAT);
  const ear = new Ear(() => sink.stop());
  (async () => {
    for await (const { buffer, byteOffset, byteLength } of sink) {
      ear.hear(new Float32Array(buffer.slice(byteOffset, byteOffset + byteLength)), FORMAT.sampleRate);
    }
  })();
  return ear;
}

function prefer(transceiver, codec) {
  const { codecs } = RTCRtpReceiver.getCapabilities('audio');
  transceiver.setCodecPreferences(codecs.filter(({ mimeType }) => mimeType === `audio/${codec}`));
}

/** The next keys of a telephone that are pressed, as RFC 4733 numbers them. */
async function keys(track, count) {
  const ended = new Map();
  for await (const frame of new EncodedSink(track)) {
    const { mimeType, rtpTimestamp } = frame.getMetadata();
    const [event, flags] = new Uint8Array(frame.data);
    if (mimeType === 'audio/telephone-event' && flags >= 0x80) ended.set(rtpTimestamp, event);
    if (ended.size === count) break;
  }
  return [...ended.values()];
}

module.exports = { tone, listen, prefer, keys };
