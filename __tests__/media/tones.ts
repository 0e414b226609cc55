/** A sine of half of full scale, as 16-bit samples. */
export function tone(frequency: number, sampleRate: number, seconds: number, channels = 1): Int16Array {
  const samples = new Int16Array(Math.round(sampleRate * seconds) * channels);
  for (let at = 0; at < samples.length; at++) {
    const time = Math.floor(at / channels) / sampleRate;
    samples[at] = Math.round(16384 * Math.sin(2 * Math.PI * frequency * time));
  }
  return samples;
}

/** The amplitude of a frequency, of full scale. */
export function amplitude(
  samples: ArrayLike<number>,
  frequency: number,
  sampleRate: number,
  fullScale = 32768,
): number {
  let sine = 0;
  let cosine = 0;
  for (let at = 0; at < samples.length; at++) {
    const angle = (2 * Math.PI * frequency * at) / sampleRate;
    sine += samples[at]! * Math.sin(angle);
    cosine += samples[at]! * Math.cos(angle);
  }
  return (2 * Math.hypot(sine, cosine)) / samples.length / fullScale;
}

/** The samples of bytes that came in pieces. */
export function samplesOf(chunks: Uint8Array[]): Int16Array {
  const bytes = Buffer.concat(chunks);
  return new Int16Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
}

/** Without the silence before and after. */
export function trimmed(samples: Int16Array): Int16Array {
  const first = samples.findIndex((sample) => sample !== 0);
  const last = samples.findLastIndex((sample) => sample !== 0);
  return first < 0 ? new Int16Array() : samples.slice(first, last + 1);
}
