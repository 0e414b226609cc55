// Tracks made from streams of PCM, and read as such: every sample arrives, in time, at the rate of the reader's choice.
import { once } from 'node:events';
import { createReadStream, createWriteStream, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ReadableStream } from 'node:stream/web';

import {
  nonstandard,
  PCMSink,
  PCMSource,
  type MediaStreamTrack,
  type PCMChunk,
  type PCMSinkOptions,
} from 'ossa-webrtc';

import { amplitude, samplesOf, tone, trimmed } from './tones';

const bytes = (samples: Int16Array) => new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength);

async function all(sink: PCMSink): Promise<Int16Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of sink) chunks.push(chunk);
  return samplesOf(chunks);
}

/** What a busy machine does not let be read in time is not lost: that is another test's business. */
const patientSink = (track: MediaStreamTrack, options: PCMSinkOptions = {}) =>
  new PCMSink(track, { bufferDuration: 60_000, ...options });

/** Without silence, also such as a busy machine's writer leaves in between. */
const sounding = (samples: Int16Array) => samples.filter((sample) => sample !== 0);

/** Chunks of sizes that have nothing to do with samples. */
function* odd(data: Uint8Array): Iterable<Uint8Array> {
  for (let at = 0, size = 1; at < data.length; at += size, size = (size * 7 + 3) % 4001) {
    yield data.subarray(at, at + size);
  }
}

test('what is written in chunks of any size is read sample by sample, and the track ends with it', async () => {
  const samples = tone(440, 48_000, 0.4);
  const source = PCMSource.from(odd(bytes(samples)));
  const ended = new Promise((resolve) => (source.track.onended = resolve));
  expect(sounding(await all(patientSink(source.track)))).toEqual(sounding(samples));
  await source.done;
  await ended;
  expect(source.track.readyState).toBe('ended');
  expect(source.stats()).toMatchObject({ written: 19_200, played: 19_200, queued: 0, cleared: 0 });
});

test('a WHATWG stream of floats is read by a Node stream as 16 bits at another rate, in stereo', async () => {
  const floats = Float32Array.from(tone(1_000, 24_000, 0.5), (sample) => sample / 32_768);
  const stream = new ReadableStream<PCMChunk>({
    start(controller) {
      for (let at = 0; at < floats.length; at += 1_000) controller.enqueue(floats.slice(at, at + 1_000));
      controller.close();
    },
  });
  const source = new PCMSource({ sampleRate: 24_000, format: 'f32le', bufferDuration: 1_000 });
  const sink = patientSink(source.track, { sampleRate: 16_000, channelCount: 2 });
  const folder = mkdtempSync(join(tmpdir(), 'pcm-'));
  const path = join(folder, 'heard.pcm');
  const written = pipeline(Readable.fromWeb(sink.readable), createWriteStream(path));
  await stream.pipeTo(source.writable);
  await written;
  const heard = samplesOf([readFileSync(path)]);
  rmSync(folder, { recursive: true });
  const left = heard.filter((_, at) => at % 2 === 0);
  expect(left).toEqual(heard.filter((_, at) => at % 2 === 1));
  expect(left.length).toBeGreaterThanOrEqual(0.49 * 16_000);
  const middle = trimmed(left).slice(1_600, 6_400);
  expect(amplitude(middle, 1_000, 16_000)).toBeCloseTo(0.5, 2);
});

test('a file is played from a Node stream', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'pcm-'));
  const path = join(folder, 'speech.pcm');
  writeFileSync(path, bytes(tone(440, 8_000, 0.3)));
  const source = PCMSource.from(createReadStream(path, { highWaterMark: 777 }), { sampleRate: 8_000 });
  const heard = await all(patientSink(source.track, { sampleRate: 8_000 }));
  rmSync(folder, { recursive: true });
  expect(sounding(heard)).toEqual(sounding(tone(440, 8_000, 0.3)));
});

test('a writer waits while as much is queued as was allowed, and loses nothing', async () => {
  const source = new PCMSource({ sampleRate: 8_000, bufferDuration: 40 });
  const writer = source.writable.getWriter();
  let most = 0;
  const watch = setInterval(() => (most = Math.max(most, source.bufferedDuration)), 1);
  const heard = all(patientSink(source.track, { sampleRate: 8_000 }));
  const samples = tone(440, 8_000, 0.3);
  await writer.write(samples);
  expect(source.stats()).toMatchObject({ written: 2_400 });
  await writer.close();
  clearInterval(watch);
  expect(most).toBeLessThanOrEqual(40);
  expect(sounding(await heard)).toEqual(sounding(samples));
});

test('running dry is told and counted, the track is silent meanwhile, and goes on afterwards', async () => {
  const source = new PCMSource();
  const heard = all(patientSink(source.track));
  const writer = source.writable.getWriter();
  const dry = () => new Promise<void>((resolve) => source.once('underrun', resolve));
  const first = dry();
  await writer.write(tone(440, 48_000, 0.05));
  await first;
  const second = dry();
  await writer.write(tone(440, 48_000, 0.05));
  await second;
  expect(source.stats().underruns).toBe(2);
  await writer.close();
  const samples = await heard;
  const spoken = tone(440, 48_000, 0.05);
  expect(sounding(samples)).toEqual(sounding(Int16Array.from([...spoken, ...spoken])));
  expect(samples.length).toBeGreaterThan(4_800); // And silence around it.
});

test('an interrupted speaker is silent at once, and speaks again', async () => {
  const source = new PCMSource({ bufferDuration: 60_000 });
  const writer = source.writable.getWriter();
  await writer.write(new Int16Array(48_000 * 30));
  const dropped = source.clear();
  expect(dropped).toBeGreaterThan(29_000);
  expect(source.bufferedDuration).toBe(0);
  await writer.write(tone(440, 48_000, 0.05));
  await writer.close(); // Half a minute would take longer than this test may.
  expect(source.stats().played + source.stats().cleared).toBe(source.stats().written);
});

test('a reader that does not read loses the oldest, and is told', async () => {
  const source = new PCMSource();
  const sink = new PCMSink(source.track, { bufferDuration: 50 });
  const overrun = new Promise<void>((resolve) => sink.once('overrun', resolve));
  await overrun;
  expect(sink.stats().overruns).toBe(1);
  expect(sink.stats().dropped).toBeGreaterThanOrEqual(480);
  const first = await sink.readable.getReader().read();
  expect(first.value!.byteLength).toBeGreaterThan(0);
  source.track.stop();
});

test('the level is that of what is heard', async () => {
  const source = new PCMSource();
  const sink = new PCMSink(source.track);
  expect(source.level).toBe(0);
  const writer = source.writable.getWriter();
  void writer.write(tone(440, 48_000, 5)).catch(() => undefined);
  for await (const chunk of sink) if (samplesOf([chunk]).some((sample) => sample !== 0)) break;
  expect(source.level).toBeCloseTo(0.5, 2);
  source.track.enabled = false;
  expect([source.level, sink.level]).toEqual([0, 0]);
  source.close();
});

test('when nobody listens any more, whoever writes learns it', async () => {
  const source = new PCMSource();
  const clone = source.track.clone();
  const writer = source.writable.getWriter();
  source.track.stop();
  await writer.write(tone(440, 48_000, 0.01)); // The clone listens.
  const ended = new Promise<void>((resolve) => source.once('end', resolve));
  const waiting = writer.write(new Int16Array(48_000 * 10));
  clone.stop();
  await ended;
  await expect(waiting).rejects.toMatchObject({ name: 'InvalidStateError' });
});

test('aborting a writer that waits for room ends the track at once', async () => {
  const source = new PCMSource();
  const writer = source.writable.getWriter();
  writer.closed.catch(() => undefined);
  const waiting = writer.write(new Int16Array(48_000 * 60));
  const ended = once(source.track, 'ended');
  void writer.abort(new Error('enough')).catch(() => undefined);
  await expect(waiting).rejects.toBeDefined();
  await ended;
});

test('an error of the stream ends the track and is told', async () => {
  async function* broken() {
    yield tone(440, 48_000, 0.01);
    await Promise.resolve();
    throw new Error('the line is dead');
  }
  const source = PCMSource.from(broken());
  await expect(source.done).rejects.toThrow('the line is dead');
  await once(source.track, 'ended');
  const empty = PCMSource.from([]);
  await empty.done;
});

test('a sink that is stopped or cancelled closes its stream; the track goes on', async () => {
  const source = new PCMSource();
  const [stopped, cancelled] = [new PCMSink(source.track), new PCMSink(source.track)];
  const rest = all(stopped);
  stopped.stop();
  await rest;
  await cancelled.readable.cancel();
  expect([stopped.stopped, cancelled.stopped, source.track.readyState]).toEqual([true, true, 'live']);
  source.close();
});

test('JavaScript is woken once for all tracks together', async () => {
  const source = new PCMSource();
  let [events, turns, fresh] = [0, 0, true];
  const sinks = Array.from({ length: 40 }, () => new nonstandard.RTCAudioSink(source.track.clone()));
  const enough = new Promise<void>((resolve) => {
    for (const sink of sinks) {
      sink.ondata = () => {
        if (fresh) {
          [turns, fresh] = [turns + 1, false];
          setImmediate(() => (fresh = true));
        }
        if (++events === 40 * 20) resolve();
      };
    }
  });
  await enough;
  expect(turns).toBeLessThanOrEqual(25);
  source.close();
});

test.each<[string, () => unknown, typeof TypeError | typeof RangeError, string]>([
  ['a rate', () => new PCMSource({ sampleRate: 4_000 }), RangeError, 'sampleRate is 4000'],
  ['a rate that is no number', () => new PCMSource({ sampleRate: NaN }), RangeError, 'sampleRate is NaN'],
  ['channels', () => new PCMSource({ channelCount: 6 }), RangeError, 'channelCount is 6'],
  ['a format', () => new PCMSource({ format: 'mp3' as 's16le' }), TypeError, "format is 'mp3'"],
  ['a buffer', () => new PCMSource({ bufferDuration: 1 }), RangeError, 'bufferDuration is 1'],
  ['a sink', () => new PCMSink(new PCMSource().track, { sampleRate: 1 }), RangeError, 'sampleRate is 1'],
  ['no track', () => new PCMSink({} as never), TypeError, 'not an instance of MediaStreamTrack'],
])('%s out of range is refused with the reason', (_, make, kind, text) => {
  expect(make).toThrow(kind);
  expect(make).toThrow(text);
});

test('what is no PCM of the format is refused, and breaks the stream as every error of a writer does', async () => {
  for (const chunk of ['text', 7, null, {}, new Float32Array(480), [1, 2]]) {
    const source = new PCMSource();
    const writer = source.writable.getWriter();
    writer.closed.catch(() => undefined);
    await expect(writer.write(chunk as PCMChunk)).rejects.toThrow(/^a chunk of PCM is a/);
    source.close();
  }
});
