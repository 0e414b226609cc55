// What was heard last, of samples that come in.

/** Of the longest tone's period it holds dozens. */
const WINDOW_MS = 85;
/** Where nothing came for so long, there is silence. */
const SILENCE_MS = 300;

class Ear {
  #samples = new Float32Array(0);
  #rate = 48_000;
  #at = 0;
  #watch = null;

  /** @param stop ends what feeds it. */
  constructor(stop) {
    this.stop = stop;
  }

  /** @param samples between -1 and 1. */
  hear(samples, sampleRate) {
    this.#watch?.look(samples, sampleRate);
    const all = new Float32Array(this.#samples.length + samples.length);
    all.set(this.#samples);
    all.set(samples, this.#samples.length);
    this.#samples = all.slice(-Math.round((sampleRate * WINDOW_MS) / 1000));
    this.#rate = sampleRate;
    this.#at = performance.now();
  }

  window() {
    const silent = performance.now() - this.#at > SILENCE_MS;
    return { samples: silent ? [] : this.#samples, sampleRate: this.#rate };
  }

  /** The longest pause in what is heard from now on, in milliseconds, and how much that was, once it is `during`. */
  gaps(during) {
    return new Promise((resolve) => (this.#watch = new Gaps(during, resolve)));
  }
}

/** Pauses in what is heard, by the samples' own time. */
class Gaps {
  #quiet = 0;
  #longest = 0;
  #heard = 0;
  #during;
  #done;

  constructor(during, done) {
    this.#during = during;
    this.#done = done;
  }

  look(samples, sampleRate) {
    const ms = 1000 / sampleRate;
    for (const sample of samples) {
      this.#quiet = Math.abs(sample) < 0.01 ? this.#quiet + ms : 0;
      this.#longest = Math.max(this.#longest, this.#quiet);
    }
    this.#heard += samples.length * ms;
    if (this.#heard >= this.#during) this.#done({ longest: this.#longest, heard: this.#heard });
  }
}

/** Samples of a tone without end, `length` at a time. */
function toneGenerator(frequency, level, sampleRate) {
  let at = 0;
  return (length) =>
    Float32Array.from({ length }, () => level * Math.sin((2 * Math.PI * frequency * at++) / sampleRate));
}

/** Calls `action` once for each `ms` that have passed, also when a timer comes late. Returns what ends it. */
function pace(ms, action) {
  const start = performance.now();
  let done = 0;
  const timer = setInterval(() => {
    for (; done * ms <= performance.now() - start; done++) action();
  }, ms);
  return () => clearInterval(timer);
}

const toInt16 = (samples) => Int16Array.from(samples, (sample) => Math.round(sample * 32767));
const fromInt16 = (samples) => Float32Array.from(samples, (sample) => sample / 32768);

module.exports = { Ear, toneGenerator, pace, toInt16, fromInt16 };
