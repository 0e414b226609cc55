// What is encoded comes out of connections and goes into others as it is. Nothing is decoded but where a tone is to be heard.
import {
  connectionCauses,
  EncodedSink,
  EncodedSource,
  PCMSource,
  RTCEncodedAudioFrame,
  RTCEncodedVideoFrame,
  RTCRtpSender,
  RTPSink,
  type MediaFaultEvent,
  type MediaStreamTrack,
} from 'ossa-webrtc';

import { negotiate, newPeer, once, trickle } from '../w3c/helper';
import { call, heard, toneTrack } from './callers';

const open: { close(): void }[] = [];
afterEach(() => open.splice(0).forEach((one) => one.close()));

const sent = async (track: MediaStreamTrack) => (await call(track)).track;

/** A frame of VP8 (RFC 6386 9.1) that says whether it depends on others, and nothing else that makes sense. */
function vp8(key: boolean, length: number): Uint8Array {
  const frame = new Uint8Array(length).fill(7);
  frame.set([key ? 0x10 : 0x11, 0, 0, 0x9d, 0x01, 0x2a, 16, 0, 16, 0]);
  return frame;
}

test('frames of a call go through the program into another call, which hears it', async () => {
  const sink = new EncodedSink(await sent(toneTrack(440)));
  const source = new EncodedSource({ mimeType: 'audio/opus' });
  open.push(source, { close: () => sink.stop() });
  const frames: RTCEncodedAudioFrame[] = [];
  const transform = new TransformStream<RTCEncodedAudioFrame, RTCEncodedAudioFrame>({
    transform: (frame, controller) => {
      frames.push(frame);
      controller.enqueue(frame);
    },
  });
  void sink.readable
    .pipeThrough(transform as never)
    .pipeTo(source.writable as never)
    .catch(() => undefined);
  await heard(await sent(source.track), [440], 440);
  expect(frames[0]).toBeInstanceOf(RTCEncodedAudioFrame);
  const [one, two] = frames.slice(-2).map((frame) => frame.getMetadata());
  expect(one).toMatchObject({ mimeType: 'audio/opus', contributingSources: [] });
  expect((two!.rtpTimestamp! - one!.rtpTimestamp!) % 960).toBe(0);
  expect(one!.synchronizationSource).toBe(two!.synchronizationSource);
});

test('packets of a call go through the program into another call, which hears it', async () => {
  const sink = new RTPSink(await sent(toneTrack(440)));
  const source = new EncodedSource({ mimeType: 'audio/opus' });
  open.push(source, { close: () => sink.stop() });
  const versions = new Set<number>();
  void (async () => {
    for await (const packet of sink) {
      versions.add(packet[0]! >> 6);
      source.writePacket(packet);
    }
  })().catch(() => undefined);
  await heard(await sent(source.track), [440], 440);
  expect([...versions]).toEqual([2]);
});

test('video comes out as it went in, from a key frame on, which is asked for', async () => {
  const source = new EncodedSource({ mimeType: 'video/vp8' });
  open.push(source);
  let timestamp = 0;
  let asked = 0;
  let wanted = false;
  const key = vp8(true, 20_000);
  source.on('keyframerequest', () => {
    asked++;
    wanted = true;
  });
  // An encoder that makes no key frame by itself.
  const camera = setInterval(() => {
    source.write({ data: wanted ? key : vp8(false, 300), timestamp: (timestamp += 33_333) });
    wanted = false;
  }, 33);
  open.push({ close: () => clearInterval(camera) });
  const sink = new EncodedSink(await sent(source.track));
  open.push({ close: () => sink.stop() });
  const read: RTCEncodedVideoFrame[] = [];
  for await (const frame of sink) if (read.push(frame as RTCEncodedVideoFrame) === 2) break;
  expect(read.map(({ type, data }) => [type, data.byteLength])).toEqual([
    ['key', 20_000],
    ['delta', 300],
  ]);
  expect(Buffer.compare(Buffer.from(read[0]!.data), key)).toBe(0);
  const [first, second] = read.map((frame) => frame.getMetadata());
  expect(second!.rtpTimestamp! - first!.rtpTimestamp!).toBe(3_000);
  expect(first).toMatchObject({ mimeType: 'video/VP8' });
  expect(asked).toBeGreaterThan(0);
});

test('a reader that is too slow is told, and goes on with a key frame that it asks for', async () => {
  const source = new EncodedSource({ mimeType: 'video/VP8' });
  open.push(source);
  const sink = new EncodedSink(source.track, { highWaterMark: 2 });
  const overrun = new Promise<void>((resolve) => sink.on('overrun', resolve));
  source.write({ data: vp8(true, 100), timestamp: 0 });
  for (let at = 1; at < 5; at++) source.write({ data: vp8(false, 100), timestamp: at });
  await overrun;
  const asked = new Promise<void>((resolve) => source.on('keyframerequest', resolve));
  const reader = sink[Symbol.asyncIterator]();
  await reader.next();
  await reader.next();
  await asked;
  source.write({ data: vp8(false, 100), timestamp: 6 });
  source.write({ data: vp8(true, 200), timestamp: 7 });
  const { value } = (await reader.next()) as IteratorYieldResult<RTCEncodedVideoFrame>;
  expect([value.type, value.data.byteLength]).toEqual(['key', 200]);
  expect(sink.stats()).toEqual({ read: 3, dropped: 4, overruns: 1 });
});

test('copies of a frame have their own bytes, and other metadata where they are given', async () => {
  const source = new EncodedSource({ mimeType: 'video/VP8' });
  open.push(source);
  const sink = new EncodedSink(source.track);
  source.write({ data: vp8(true, 100), timestamp: 1_000_000 });
  const { value } = (await sink[Symbol.asyncIterator]().next()) as IteratorYieldResult<RTCEncodedVideoFrame>;
  const copy = new RTCEncodedVideoFrame(value, { metadata: { rtpTimestamp: 5 } });
  expect(value.getMetadata().rtpTimestamp).toBe(90_000);
  expect(copy.getMetadata()).toEqual({ ...value.getMetadata(), rtpTimestamp: 5 });
  expect(copy.data).not.toBe(value.data);
  copy.data = new ArrayBuffer(3);
  expect([value.data.byteLength, copy.data.byteLength]).toEqual([100, 3]);
  expect(() => new RTCEncodedVideoFrame({} as RTCEncodedVideoFrame)).toThrow(TypeError);
  expect(() => new RTCEncodedAudioFrame(value as never)).toThrow(TypeError);
  sink.stop();
});

test('what can not be sent is refused with the reason', () => {
  expect(() => new EncodedSource({ mimeType: 'video/MPEG' })).toThrow(/has to be one of audio\/opus/);
  const source = new EncodedSource({ mimeType: 'video/VP8' });
  expect(() => source.write({ data: new Uint8Array(), timestamp: 0 })).toThrow(TypeError);
  expect(() => source.write({ data: new Uint8Array(2 ** 21), timestamp: 0 })).toThrow(RangeError);
  expect(() => source.write({ data: vp8(true, 20), timestamp: NaN })).toThrow(/number of microseconds/);
  expect(() => source.write({ data: 'text' as never, timestamp: 0 })).toThrow(/no bytes/);
  expect(() => source.write(undefined as never)).toThrow(TypeError);
  expect(() => source.writePacket(Buffer.from('GET / HTTP/1.1'))).toThrow(/no RTP packet/);
  source.close();
  expect(() => source.write({ data: vp8(true, 20), timestamp: 0 })).toThrow(DOMException);
  const pcm = new PCMSource();
  expect(() => new EncodedSink(pcm.track)).toThrow(/not a track of encoded frames/);
  expect(() => new RTPSink(source.track, { highWaterMark: 0 })).toThrow(RangeError);
  pcm.close();
});

test('the end of a source ends its track and who reads it, and the end of all tracks the source', async () => {
  const source = new EncodedSource({ mimeType: 'audio/PCMU' });
  const sink = new EncodedSink(source.track);
  source.write({ data: new Uint8Array(160), timestamp: 0 });
  const ended = once(source.track, 'ended');
  await source.writable.close();
  await ended;
  let frames = 0;
  for await (const frame of sink) frames += frame.data.byteLength;
  expect(frames).toBe(160);
  const other = new EncodedSource({ mimeType: 'audio/PCMU' });
  other.track.stop();
  expect(() => other.write({ data: new Uint8Array(160), timestamp: 0 })).toThrow(/ended/);
});

test('an encoder is told what it should make, and who has set that', async () => {
  const source = new EncodedSource({ mimeType: 'video/VP8' });
  open.push(source);
  const told = (wanted: number) =>
    new Promise<void>((resolve) => source.on('targetbitrate', (bps) => bps === wanted && resolve()));
  const calls = [await call(source.track), await call(source.track.clone())];
  const limit = async ({ sender }: (typeof calls)[number], maxBitrate: number | undefined) => {
    const parameters = sender.getParameters();
    parameters.encodings[0]!.maxBitrate = maxBitrate;
    await sender.setParameters(parameters);
  };
  const first = told(50_000);
  await limit(calls[0]!, 50_000);
  await first;
  // The narrowest counts, for as long as it takes the track.
  const narrower = told(40_000);
  await limit(calls[1]!, 40_000);
  await narrower;
  const again = told(50_000);
  await calls[1]!.sender.replaceTrack(null);
  await again;
});

test('a codec that the other side lacks is told, and what it takes', async () => {
  const source = new EncodedSource({ mimeType: 'video/H264' });
  const [a, b] = [newPeer(), newPeer()];
  trickle(a, b);
  const transceiver = a.addTransceiver(source.track);
  const { codecs } = RTCRtpSender.getCapabilities('video')!;
  transceiver.setCodecPreferences(codecs.filter(({ mimeType }) => mimeType === 'video/VP8'));
  const fault = once<MediaFaultEvent>(a, 'mediafault');
  await negotiate(a, b);
  let timestamp = 0;
  const camera = setInterval(() => {
    source.write({ data: new Uint8Array([0, 0, 0, 1, 0x65, 1, 2, 3]), timestamp: (timestamp += 33_333) });
  }, 33);
  open.push(source, { close: () => clearInterval(camera) });
  const told = await fault;
  expect(told.cause).toEqual({
    kind: 'media-refused',
    code: 0,
    text: 'a track of video/H264 (packetization-mode=1) is left out: the other side takes video/VP8',
  });
  expect(told.transceiver).toBe(transceiver);
  expect(connectionCauses(a)).toContainEqual(told.cause);
});
