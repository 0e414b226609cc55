// MediaStream and MediaStreamTrack as mediacapture-streams has them; the names follow its Web Platform Tests where there are such.
import {
  MediaStream,
  MediaStreamTrack,
  MediaStreamTrackEvent,
  nonstandard,
  OverconstrainedError,
  PCMSource,
} from 'ossa-webrtc';

import { once } from '../w3c/helper';

const construct = (target: unknown, ...args: unknown[]) => new (target as new (...args: unknown[]) => unknown)(...args);
const newTrack = () => new nonstandard.RTCAudioSource().createTrack();

test('a stream is made from nothing, from tracks, which it shares, and from another stream', () => {
  const [one, other] = [newTrack(), newTrack()];
  const empty = new MediaStream();
  expect([empty.active, empty.getTracks()]).toEqual([false, []]);
  const stream = new MediaStream([one, other, one]);
  expect(stream.getTracks()).toEqual([one, other]);
  expect(stream.getAudioTracks()).toEqual([one, other]);
  expect(stream.getVideoTracks()).toEqual([]);
  const same = new MediaStream(stream);
  expect(same.getTracks()[0]).toBe(one);
  expect(new Set([empty.id, stream.id, same.id]).size).toBe(3);
  expect(stream.getTrackById(other.id)).toBe(other);
  expect(stream.getTrackById('nobody')).toBeNull();
});

test('tracks are added once and removed if they are there, without events', () => {
  const stream = new MediaStream();
  const track = newTrack();
  stream.onaddtrack = stream.onremovetrack = () => {
    throw new Error('a program knows what it does itself');
  };
  stream.addTrack(track);
  stream.addTrack(track);
  expect(stream.getTracks()).toEqual([track]);
  stream.removeTrack(track);
  stream.removeTrack(track);
  expect(stream.getTracks()).toEqual([]);
  expect(track.readyState).toBe('live');
});

test('a clone of a stream has clones of its tracks', () => {
  const stream = new MediaStream([newTrack()]);
  const copy = stream.clone();
  const [track, twin] = [stream.getTracks()[0]!, copy.getTracks()[0]!];
  expect(twin.id).not.toBe(track.id);
  track.stop();
  expect([stream.active, copy.active]).toEqual([false, true]);
});

test('what is no stream and no track is refused', () => {
  const stream = new MediaStream();
  for (const value of [null, 1, 'x', {}, [{}], [null]]) expect(() => construct(MediaStream, value)).toThrow(TypeError);
  for (const value of [undefined, null, {}, Object.create(MediaStreamTrack.prototype)]) {
    expect(() => stream.addTrack(value as MediaStreamTrack)).toThrow(TypeError);
  }
  expect(() => construct(MediaStreamTrack)).toThrow(TypeError);
  expect(() => construct(MediaStreamTrackEvent, 'addtrack')).toThrow(TypeError);
  expect(() => construct(MediaStreamTrackEvent, 'addtrack', { track: {} })).toThrow(TypeError);
  const track = newTrack();
  expect(new MediaStreamTrackEvent('addtrack', { track, cancelable: true })).toMatchObject({ track, cancelable: true });
});

test('a track is live, enabled and not muted, and has a kind, an id and a label', () => {
  const track = new PCMSource({ label: 'speech' }).track;
  expect(track).toMatchObject({ kind: 'audio', label: 'speech', enabled: true, muted: false, readyState: 'live' });
  expect(track.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  track.stop();
});

test('clones are enabled, disabled and stopped by themselves', () => {
  const track = newTrack();
  track.enabled = false;
  const clone = track.clone();
  expect(clone.enabled).toBe(false);
  clone.enabled = true;
  expect(track.enabled).toBe(false);
  track.stop();
  expect([track.readyState, clone.readyState]).toEqual(['ended', 'live']);
  expect(track.clone().readyState).toBe('ended');
});

test('ended is fired when the source is over, and not by stop()', async () => {
  const source = new nonstandard.RTCAudioSource();
  const [stopped, track, clone] = [source.createTrack(), source.createTrack(), source.createTrack()];
  stopped.onended = () => {
    throw new Error('whoever stops a track knows it');
  };
  stopped.stop();
  const ended = [once(track, 'ended'), once(clone, 'ended')];
  source.close();
  expect(track.readyState).toBe('live'); // The event comes in a task of its own, and the state with it.
  await Promise.all(ended);
  expect([track.readyState, clone.readyState]).toEqual(['ended', 'ended']);
  expect(source.createTrack().readyState).toBe('ended');
});

test('a track tells what its source is like, and takes no demand that the source does not meet', async () => {
  const { track } = new PCMSource({ sampleRate: 24_000, channelCount: 2 });
  expect(track.getSettings()).toEqual({ sampleRate: 24_000, channelCount: 2, sampleSize: 16 });
  expect(track.getCapabilities()).toMatchObject({ sampleRate: { min: 24_000, max: 24_000 } });
  const wishes = { sampleRate: 48_000, channelCount: { exact: 2 }, echoCancellation: true };
  await track.applyConstraints(wishes);
  expect(track.getConstraints()).toEqual(wishes);
  const refused = track.applyConstraints({ sampleRate: { min: 44_100 } });
  await expect(refused).rejects.toBeInstanceOf(OverconstrainedError);
  await expect(refused).rejects.toMatchObject({ name: 'OverconstrainedError', constraint: 'sampleRate' });
  expect(track.getConstraints()).toEqual(wishes);
  await track.applyConstraints();
  expect(track.getConstraints()).toEqual({});
  await expect(track.applyConstraints(1 as unknown as undefined)).rejects.toThrow(TypeError);
  track.stop();
});
