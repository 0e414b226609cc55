// Tones of a telephone's keys: what script is told while they are sent, and what the other side gets of them.
import {
  EncodedSink,
  RTCDTMFToneChangeEvent,
  RTCRtpSender,
  type MediaStreamTrack,
  type RTCDTMFSender,
  type RTCEncodedAudioFrame,
  type RTCEncodedVideoFrame,
} from 'ossa-webrtc';

import { errorOf, negotiate, newPeer, once, trickle } from '../w3c/helper';
import { call, heard, toneTrack } from './callers';

/** An event as RFC 4733 2.3 has it. */
interface Told {
  event: number;
  end: boolean;
  volume: number;
  duration: number;
  timestamp: number;
}

const sinks: EncodedSink[] = [];
afterEach(() => sinks.splice(0).forEach((sink) => sink.stop()));

function sinkOf(track: MediaStreamTrack): EncodedSink {
  const sink = new EncodedSink(track);
  sinks.push(sink);
  return sink;
}

type Frame = RTCEncodedAudioFrame | RTCEncodedVideoFrame;

const isTone = (frame: Frame) => /telephone-event$/.test(frame.getMetadata().mimeType!);

function told(frame: Frame): Told {
  const bytes = new DataView(frame.data);
  const [event, flags] = [bytes.getUint8(0), bytes.getUint8(1)];
  const timestamp = frame.getMetadata().rtpTimestamp!;
  return { event, end: flags >> 7 === 1, volume: flags & 0x3f, duration: bytes.getUint16(2), timestamp };
}

/** What comes of a track, up to and with the end of the last of so many tones. */
async function receive(track: MediaStreamTrack, tones: number): Promise<{ events: Told[][]; between: number }> {
  const events = new Map<number, Told[]>();
  let between = 0;
  let before = false;
  for await (const frame of sinkOf(track)) {
    if (isTone(frame)) {
      const one = told(frame);
      events.set(one.timestamp, [...(events.get(one.timestamp) ?? []), one]);
      const all = [...events.values()];
      if (all.length === tones && all.at(-1)!.filter(({ end }) => end).length === 3) break;
      before = !one.end;
    } else if (before) {
      between++;
    }
  }
  return { events: [...events.values()], between };
}

/** The tones that are told, up to the end. */
function tonesOf(dtmf: RTCDTMFSender): Promise<string[]> {
  const tones: string[] = [];
  return new Promise((resolve) => {
    dtmf.ontonechange = ({ tone }) => {
      tones.push(tone);
      if (tone === '') resolve(tones);
    };
  });
}

/** Until tones can be sent. */
async function connected({ a, sender }: Awaited<ReturnType<typeof call>>): Promise<RTCDTMFSender> {
  while (a.connectionState !== 'connected') await once(a, 'connectionstatechange');
  return sender.dtmf!;
}

test('tones arrive as they were asked for, in place of audio, which goes on behind them', async () => {
  const both = await call(toneTrack(440));
  const dtmf = await connected(both);
  expect(dtmf.canInsertDTMF).toBe(true);
  await heard(both.track, [440], 440);
  const arriving = receive(both.track, 3);
  const telling = tonesOf(dtmf);
  dtmf.insertDTMF('1a#', 80, 50);
  expect(dtmf.toneBuffer).toBe('1A#');
  const { events, between } = await arriving;
  expect(events.map(([first]) => first!.event)).toEqual([1, 12, 11]);
  for (const packets of events) {
    const durations = packets.map(({ duration }) => duration);
    expect(durations).toEqual([...durations].sort((one, other) => one - other));
    // 80 ms of the clock of Opus.
    expect(packets.slice(-3)).toEqual(Array(3).fill(expect.objectContaining({ end: true, duration: 3840 })));
    expect(packets.filter(({ end }) => end)).toHaveLength(3);
    expect(packets.every(({ volume }) => volume === 10)).toBe(true);
  }
  // The next one begins 130 ms later, a little more on a busy machine.
  for (const [at, [next]] of events.slice(1).entries()) {
    expect(next!.timestamp - events[at]![0]!.timestamp).toBeGreaterThan(0.1 * 48_000);
  }
  expect(between).toBe(0);
  expect(await telling).toEqual(['1', 'A', '#', '']);
  expect(dtmf.toneBuffer).toBe('');
  await heard(both.track, [440], 440);
});

test('tones go out in place of what another call brings, which goes on behind them', async () => {
  const first = await call(toneTrack(440));
  const second = await call(first.track);
  const dtmf = await connected(second);
  await heard(second.track, [440], 440);
  const arriving = receive(second.track, 2);
  dtmf.insertDTMF('90', 60);
  const { events, between } = await arriving;
  expect(events.map(([one]) => one!.event)).toEqual([9, 0]);
  expect(between).toBe(0);
  await heard(second.track, [440], 440);
});

test('tones need no track, and have the clock of the codec that was negotiated', async () => {
  const [a, b] = [newPeer(), newPeer()];
  trickle(a, b);
  const transceiver = a.addTransceiver('audio', { direction: 'sendonly' });
  const { codecs } = RTCRtpSender.getCapabilities('audio')!;
  transceiver.setCodecPreferences(codecs.filter(({ clockRate }) => clockRate === 8000));
  const incoming = once<Event & { track: MediaStreamTrack }>(b, 'track');
  await negotiate(a, b);
  const { track } = await incoming;
  while (a.connectionState !== 'connected') await once(a, 'connectionstatechange');
  const arriving = receive(track, 1);
  transceiver.sender.dtmf!.insertDTMF('*', 100);
  const { events } = await arriving;
  expect(events[0]!.at(-1)).toMatchObject({ event: 10, duration: 800 });
});

test('a comma is a pause of two seconds', async () => {
  const both = await call(toneTrack(440));
  const dtmf = await connected(both);
  const arriving = receive(both.track, 2);
  dtmf.insertDTMF('1,2', 40, 30);
  const { events } = await arriving;
  const [one, two] = events.map(([first]) => first!.timestamp);
  expect((two! - one!) / 48_000).toBeGreaterThan(2);
});

test('tones are refused before the call stands, on hold, for a peer that takes none, and for what is no tone', async () => {
  const both = await call(toneTrack(440));
  const { a, b, sender } = both;
  const invalid = { name: 'InvalidStateError' };
  if (a.connectionState !== 'connected') expect(errorOf(() => sender.dtmf!.insertDTMF('1'))).toMatchObject(invalid);
  const dtmf = await connected(both);
  expect(errorOf(() => dtmf.insertDTMF('12x'))).toMatchObject({ name: 'InvalidCharacterError' });
  expect(dtmf.toneBuffer).toBe('');
  expect(a.addTransceiver('video').sender.dtmf).toBeNull();
  const [transceiver] = a.getTransceivers();
  transceiver!.direction = 'recvonly';
  await negotiate(a, b);
  expect(dtmf.canInsertDTMF).toBe(false);
  expect(errorOf(() => dtmf.insertDTMF('1'))).toMatchObject(invalid);
  transceiver!.direction = 'sendrecv';
  await a.setLocalDescription();
  await b.setRemoteDescription(a.localDescription!);
  await b.setLocalDescription();
  const { type, sdp } = b.localDescription!;
  const numbers = [...sdp.matchAll(/^a=rtpmap:(\d+) telephone-event.*\r\n/gm)].map(([, number]) => ` ${number}`);
  const without = numbers.reduce((text, number) => text.replace(number, ''), sdp);
  await a.setRemoteDescription({ type, sdp: without.replace(/^a=rtpmap:\d+ telephone-event.*\r\n/gm, '') });
  expect(dtmf.canInsertDTMF).toBe(false);
  expect(transceiver!.currentDirection).toBe('sendonly');
  a.close();
  expect(errorOf(() => dtmf.insertDTMF('1'))).toMatchObject(invalid);
});

test('what is inserted replaces what waits, and an empty text is the end', async () => {
  const both = await call(toneTrack(440));
  const dtmf = await connected(both);
  const tones: string[] = [];
  const ended = new Promise<void>((resolve) =>
    dtmf.addEventListener('tonechange', (event) => {
      expect(event).toBeInstanceOf(RTCDTMFToneChangeEvent);
      const { tone } = event;
      tones.push(`${tone}/${dtmf.toneBuffer}`);
      if (tone === '1') dtmf.insertDTMF('89', 40, 30);
      if (tone === '8') dtmf.insertDTMF('');
      if (tone === '') resolve();
    }),
  );
  dtmf.insertDTMF('123', 40, 30);
  await ended;
  expect(tones).toEqual(['1/23', '8/9', '/']);
});
