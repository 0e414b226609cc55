// The audio of one stack beside `w3c-driver.cjs`: sends tones, and tells what is heard. It runs in Node children and, as text, in browsers: it
// uses nothing from outside the function.

/**
 * @param w3c the driver that holds the connections.
 * @param audio the stack's samples: `tone(frequency, level)` gives `{ track, stop() }`, `listen(track)` gives an ear, whose `window()` is
 *     `{ samples, sampleRate }`, the last tenth of a second or so (none: silence), and, where all samples are at hand, `gaps(ms)`;
 *     `prefer(transceiver, codec)` where codecs can be chosen, `keys(track, count)` where the keys of a telephone are told.
 * @returns the calls of the protocol, each `async (params) => result`.
 */
function createMediaDriver(w3c, audio) {
  /** Of full scale. */
  const LEVEL = 0.25;
  /** So often in a row something is heard before it is believed. */
  const STEADY = 4;
  const PATIENCE_MS = 15_000;
  const tones = new Map();
  const ears = new Map();

  const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
  const transceivers = (params) => w3c.connection(params).getTransceivers();

  /** How loud it is, and the frequency by its zero crossings; `purity` is the share of that frequency in all that is heard. */
  function analyse({ samples, sampleRate }) {
    let energy = 0;
    for (const sample of samples) energy += sample * sample;
    const level = samples.length === 0 ? 0 : Math.sqrt((2 * energy) / samples.length);
    const crossings = [];
    for (let at = 1; at < samples.length; at++) {
      const [before, after] = [samples[at - 1], samples[at]];
      if (before < 0 && after >= 0) crossings.push(at - after / (after - before));
    }
    const periods = crossings.length - 1;
    if (periods < 1) return { level, frequency: 0, purity: 0 };
    const frequency = (periods * sampleRate) / (crossings[periods] - crossings[0]);
    let [sine, cosine] = [0, 0];
    for (let at = 0; at < samples.length; at++) {
      const angle = (2 * Math.PI * frequency * at) / sampleRate;
      sine += samples[at] * Math.sin(angle);
      cosine += samples[at] * Math.cos(angle);
    }
    return { level, frequency, purity: (2 * Math.hypot(sine, cosine)) / samples.length / level };
  }

  /** The share of two frequencies in what is heard, and the weaker one of them, of full scale. */
  function analysePair({ samples, sampleRate }, frequencies) {
    let energy = 0;
    for (const sample of samples) energy += (sample * sample) / samples.length;
    const amplitudes = frequencies.map((frequency) => {
      let [sine, cosine] = [0, 0];
      for (let at = 0; at < samples.length; at++) {
        const angle = (2 * Math.PI * frequency * at) / sampleRate;
        sine += samples[at] * Math.sin(angle);
        cosine += samples[at] * Math.cos(angle);
      }
      return (2 * Math.hypot(sine, cosine)) / Math.max(samples.length, 1);
    });
    const both = amplitudes.reduce((sum, amplitude) => sum + (amplitude * amplitude) / 2, 0);
    return { purity: energy > 0 ? both / energy : 0, level: Math.min(...amplitudes) };
  }

  async function earOf(params) {
    const until = performance.now() + PATIENCE_MS;
    let track;
    while (!(track = transceivers(params)[params.index]?.receiver?.track)) {
      if (performance.now() > until) throw new Error(`no track at transceiver ${params.index}`);
      await pause(20);
    }
    let ear = ears.get(track);
    if (!ear) ears.set(track, (ear = await audio.listen(track)));
    return ear;
  }

  /** Listens until what is heard fits several times in a row, and returns the last of it. */
  async function listenFor(params, wanted, fits, measure = analyse) {
    const ear = await earOf(params);
    const until = performance.now() + PATIENCE_MS;
    let heard;
    for (let steady = 0; steady < STEADY;) {
      if (performance.now() > until) throw new Error(`waited for ${wanted}, heard ${JSON.stringify(heard)}`);
      await pause(40);
      heard = measure(ear.window());
      steady = fits(heard) ? steady + 1 : 0;
    }
    return heard;
  }

  const methods = {
    /** Adds a track, which becomes the tone `name`. */
    async addTone({ pc, name, frequency, codec }) {
      const tone = await audio.tone(frequency, LEVEL);
      const connection = w3c.connection({ pc });
      const sender = connection.addTrack(tone.track);
      tones.set(`${pc} ${name}`, { tone, sender });
      if (codec) {
        audio.prefer(
          connection.getTransceivers().find((one) => one.sender === sender),
          codec,
        );
      }
      return {};
    },

    async removeTone({ pc, name }) {
      const { tone, sender } = tones.get(`${pc} ${name}`);
      w3c.connection({ pc }).removeTrack(sender);
      tone.stop();
      tones.delete(`${pc} ${name}`);
      return {};
    },

    async direct({ pc, index, direction }) {
      const transceiver = transceivers({ pc })[index];
      transceiver.direction = direction;
      return {};
    },

    /** Waits for a pure tone of `frequency` as loud as it was sent, and measures it: stacks may fade in what begins. */
    heard: (params) =>
      listenFor(params, `a tone of ${params.frequency} Hz`, ({ frequency, level, purity }) => {
        const near = (value, wanted, tolerance) => Math.abs(value / wanted - 1) < tolerance;
        return near(frequency, params.frequency, 0.01) && near(level, LEVEL, 0.2) && purity > 0.9;
      }),

    /** Presses keys of a telephone. */
    async press({ pc, index, keys, duration }) {
      transceivers({ pc })[index].sender.dtmf.insertDTMF(keys, duration);
      return {};
    },

    /** Waits until a key is heard, by its two frequencies. */
    hearKey: (params) =>
      listenFor(
        params,
        `the key of ${params.frequencies} Hz`,
        ({ purity, level }) => purity > 0.8 && level > 0.01,
        (window) => analysePair(window, params.frequencies),
      ),

    /** Waits until so many keys were told, and tells which. */
    keys: (params) => audio.keys(transceivers(params)[params.index].receiver.track, params.count),

    silent: (params) => listenFor(params, 'silence', ({ level }) => level < 0.005),

    /** Listens for so much of the samples' own time, in milliseconds; tells the longest pause in it, and how much was heard. */
    gaps: async (params) => (await earOf(params)).gaps(params.during),

    directions: async (params) => transceivers(params).map(({ currentDirection }) => currentDirection),

    async closePeer(params) {
      for (const [key, { tone }] of tones) {
        if (!key.startsWith(`${params.pc} `)) continue;
        tone.stop();
        tones.delete(key);
      }
      for (const transceiver of transceivers(params)) {
        const { track } = transceiver.receiver ?? {};
        ears.get(track)?.stop();
        ears.delete(track);
      }
      return w3c.closePeer(params);
    },
  };
  return methods;
}

module.exports = { createMediaDriver };
