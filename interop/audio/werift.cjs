// werift has packets and no codecs: those of Opus are made and read by libopus as WebAssembly, those of G.711 here.
const OpusScript = require('opusscript');
const { MediaStreamTrack, RTCRtpCodecParameters, RtpHeader, RtpPacket } = require('werift');
const { Ear, fromInt16, pace, toInt16, toneGenerator } = require('./ear.cjs');

const PACKET_MS = 20;

/** What its connections are made with: it would not have PCMA. */
const config = () => ({
  codecs: {
    audio: [
      new RTCRtpCodecParameters({ mimeType: 'audio/opus', clockRate: 48_000, channels: 2 }),
      new RTCRtpCodecParameters({ mimeType: 'audio/PCMU', clockRate: 8_000, channels: 1, payloadType: 0 }),
      new RTCRtpCodecParameters({ mimeType: 'audio/PCMA', clockRate: 8_000, channels: 1, payloadType: 8 }),
    ],
  },
});

/** G.711, by its two tables of 256 values: what is written is the nearest of them. */
function g711(value) {
  const values = Array.from({ length: 256 }, (_, byte) => value(byte));
  const nearest = (sample) =>
    values.reduce((best, one, byte) => (Math.abs(one - sample) < Math.abs(values[best] - sample) ? byte : best), 0);
  return {
    rate: 8_000,
    encode: (samples) => Buffer.from(Uint8Array.from(samples, nearest)),
    decode: (payload) => Int16Array.from(payload, (byte) => values[byte]),
  };
}

const pcmu = () =>
  g711((byte) => {
    const bits = ~byte & 0xff;
    const magnitude = ((((bits & 15) << 3) + 132) << ((bits >> 4) & 7)) - 132;
    return bits & 0x80 ? -magnitude : magnitude;
  });

const pcma = () =>
  g711((byte) => {
    const bits = byte ^ 0x55;
    const exponent = (bits >> 4) & 7;
    const mantissa = ((bits & 15) << 4) + 8;
    const magnitude = exponent === 0 ? mantissa : (mantissa + 256) << (exponent - 1);
    return bits & 0x80 ? magnitude : -magnitude;
  });

function opus() {
  const codec = new OpusScript(48_000, 1, OpusScript.Application.AUDIO);
  return {
    rate: 48_000,
    encode: (samples) => codec.encode(Buffer.from(samples.buffer), samples.length),
    decode(payload) {
      const { buffer, byteOffset, length } = codec.decode(payload);
      return new Int16Array(buffer.slice(byteOffset, byteOffset + length));
    },
  };
}

const makers = { 'audio/opus': opus, 'audio/pcmu': pcmu, 'audio/pcma': pcma };

/** The codec of this name, made once for a track. */
function codecs() {
  const made = new Map();
  return ({ mimeType }) => {
    const name = mimeType.toLowerCase();
    if (!made.has(name)) made.set(name, makers[name]());
    return made.get(name);
  };
}

function tone(frequency, level) {
  const track = new MediaStreamTrack({ kind: 'audio' });
  const codecOf = codecs();
  let [sequenceNumber, timestamp, next, rate] = [0, 0, null, 0];
  const end = pace(PACKET_MS, () => {
    // Told by the sender once it was negotiated.
    if (!track.codec) return;
    const codec = codecOf(track.codec);
    if (codec.rate !== rate) next = toneGenerator(frequency, level, (rate = codec.rate));
    const length = (rate * PACKET_MS) / 1000;
    const header = new RtpHeader({ sequenceNumber, timestamp, ssrc: 1, payloadType: 0 });
    track.writeRtp(new RtpPacket(header, codec.encode(toInt16(next(length)))));
    sequenceNumber = (sequenceNumber + 1) & 0xffff;
    timestamp = (timestamp + length) >>> 0;
  });
  return { track, stop: end };
}

function listen(track) {
  const codecOf = codecs();
  const { unSubscribe } = track.onReceiveRtp.subscribe(({ payload }) => {
    const codec = codecOf(track.codec);
    ear.hear(fromInt16(codec.decode(payload)), codec.rate);
  });
  const ear = new Ear(unSubscribe);
  return ear;
}

module.exports = { config, tone, listen };
