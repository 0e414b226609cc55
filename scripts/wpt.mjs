// What the Web Platform Tests are run on: the package, and a `getUserMedia()` without devices, since many tests only want some track.
import { nonstandard, RTCPeerConnection, MediaStream } from '../index.js';

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

/** A track of video that never has a picture: that of a receiver. */
function video() {
  return new RTCPeerConnection().addTransceiver('video').receiver.track;
}

export const mediaDevices = {
  async getUserMedia(constraints = {}) {
    if (!constraints.audio && !constraints.video) throw new TypeError('neither audio nor video was asked for');
    return new MediaStream([...(constraints.audio ? [audio()] : []), ...(constraints.video ? [video()] : [])]);
  },
};
