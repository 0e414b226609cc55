// What the Web Platform Tests are run on: the package, and a `getUserMedia()` without devices, since many tests only want some track. For the same reason there are as much
// of an `AudioContext` as their helper makes a tone with, and a permission to give.
import { EncodedSource, MediaStream, nonstandard } from '../index.js';

export * from '../index.js';

const BLOCK_MS = 10;
const SAMPLE_RATE = 48_000;

/** Noise, in real time, until the track is stopped. */
function audio() {
  const source = new nonstandard.RTCAudioSource();
  const track = source.createTrack();
  const samples = new Int16Array((SAMPLE_RATE * BLOCK_MS) / 1000);
  const timer = setInterval(() => {
    if (track.readyState === 'ended') return clearInterval(timer);
    for (let at = 0; at < samples.length; at++) samples[at] = (Math.random() - 0.5) * 8000;
    source.onData({ samples, sampleRate: SAMPLE_RATE });
  }, BLOCK_MS);
  timer.unref();
  return track;
}

/** A key frame of VP8 (RFC 6386, section 9.1), without a picture that would make sense. */
const PICTURE = new Uint8Array(200);
PICTURE.set([0x10, 0, 0, 0x9d, 0x01, 0x2a, 16, 0, 16, 0]);

/** 30 pictures a second, until all tracks are stopped. */
function video() {
  const source = new EncodedSource({ mimeType: 'video/VP8' });
  let timestamp = 0;
  const timer = setInterval(() => {
    try {
      source.write({ data: PICTURE, timestamp: (timestamp += 33_333) });
    } catch {
      clearInterval(timer);
    }
  }, 33);
  timer.unref();
  return source.track;
}

export const mediaDevices = {
  async getUserMedia(constraints = {}) {
    if (!constraints.audio && !constraints.video) throw new TypeError('neither audio nor video was asked for');
    return new MediaStream([...(constraints.audio ? [audio()] : []), ...(constraints.video ? [video()] : [])]);
  },
};

globalThis.AudioContext = class AudioContext {
  createMediaStreamDestination() {
    return { stream: new MediaStream([audio()]) };
  }
  createOscillator() {
    return { connect: (destination) => destination, start() {} };
  }
};
globalThis.setMediaPermission = async () => {};
