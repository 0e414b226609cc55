// An encoder of VP8 that makes exactly what it is told: real pictures of FFmpeg, small ones, each filled up behind its end, which decoders don't look at.
import { execFileSync } from 'node:child_process';

const RATE = 25;
/** What is assumed until somebody says more; browsers begin with as much. */
const START = 300_000;

/** Frames of ten seconds that move, with a key frame each second, in less than any link here carries. */
function pictures() {
  const film = ['-f', 'lavfi', '-i', `testsrc2=size=320x240:rate=${RATE}`, '-t', '10'];
  const codec = [
    '-c:v',
    'libvpx',
    '-b:v',
    '80k',
    '-maxrate',
    '80k',
    '-bufsize',
    '80k',
    '-g',
    `${RATE}`,
    '-deadline',
    'realtime',
  ];
  const ivf = execFileSync('ffmpeg', ['-v', 'error', ...film, ...codec, '-f', 'ivf', '-'], { maxBuffer: 1 << 24 });
  const frames = [];
  // A header of 32 bytes, and 12 before each frame, which begin with its size.
  for (let at = 32; at + 12 <= ivf.length;) {
    const end = at + 12 + ivf.readUInt32LE(at);
    frames.push(ivf.subarray(at + 12, end));
    at = end;
  }
  return frames;
}

const isKey = (frame) => (frame[0] & 1) === 0;

export class Encoder {
  #frames = pictures();
  #next = 0;
  #rate = START;
  /** Bytes that may be sent beyond what was; negative after a frame that was larger than it should. */
  #owed = 0;
  #begin;
  #timer;

  constructor(source) {
    this.source = source;
    source.on('targetbitrate', (bps) => (this.#rate = bps));
    source.on('keyframerequest', () => {
      while (!isKey(this.#frames[this.#next])) this.#next = (this.#next + 1) % this.#frames.length;
    });
  }

  start() {
    this.#begin ??= performance.now();
    this.#timer ??= setInterval(() => this.#write(), 1000 / RATE);
  }

  #write() {
    const frame = this.#frames[this.#next];
    this.#next = (this.#next + 1) % this.#frames.length;
    this.#owed += this.#rate / 8 / RATE;
    const size = Math.max(frame.length, Math.round(this.#owed));
    this.#owed -= size;
    const data = Buffer.concat([frame, Buffer.alloc(size - frame.length)]);
    this.source.write({ data, timestamp: (performance.now() - this.#begin) * 1000 });
  }

  stop() {
    clearInterval(this.#timer);
    this.source.close();
  }
}
