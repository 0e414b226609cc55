/* eslint-disable @typescript-eslint/no-unsafe-declaration-merging -- the merged interfaces only refine types of members that are there */
import { randomUUID } from 'node:crypto';

import { EventTarget } from '../platform';
import { type AddEventListener, type RemoveEventListener } from '../w3c/events';
import {
  constructible,
  conversionFailed,
  DOMString,
  EventHandlers,
  exposeInterface,
  instanceOf,
  isObject,
  requireArguments,
  sequence,
  type EventHandler,
} from '../webidl';
import { isMediaStreamTrack, type MediaStreamTrack } from './track';
import { MediaStreamTrackEvent } from './track-event';

/** Events of {@link MediaStream}. Fired when the other side of a connection changes the stream, not by its own methods. */
export interface MediaStreamEventMap {
  /** A track has come. */
  addtrack: MediaStreamTrackEvent;
  /** A track has gone. */
  removetrack: MediaStreamTrackEvent;
}

/** The stream as a connection sees it. */
interface StreamCore {
  /** Adds a track; `addtrack`. */
  add(track: MediaStreamTrack): void;
  /** Removes a track; `removetrack`. */
  remove(track: MediaStreamTrack): void;
}

/** The stream as a connection sees it: what it changes, the program is told. */
export let streamCoreOf: (stream: MediaStream) => StreamCore;

/** Brand check of {@link MediaStream}. */
export let isMediaStream: (value: unknown) => value is MediaStream;

/** A stream with the name that a remote description gives it. */
export let createMediaStream: (id: string) => MediaStream;

const track = instanceOf('MediaStreamTrack', isMediaStreamTrack);
const tracks = sequence(track);

/** Tracks that belong together (mediacapture-streams 4.2). */
export class MediaStream extends EventTarget {
  readonly #id: string;
  readonly #tracks = new Set<MediaStreamTrack>();
  readonly #handlers = new EventHandlers(this);

  /** Empty, or with the given tracks, or with those of another stream; tracks are shared, not cloned. */
  constructor(streamOrTracks?: MediaStream | Iterable<MediaStreamTrack>);
  constructor(...args: unknown[]) {
    super();
    const [given, id] = args;
    this.#id = given === constructible ? (id as string) : randomUUID();
    if (given === undefined || given === constructible) return;
    if (!isObject(given)) conversionFailed('new MediaStream: the argument', 'is neither a MediaStream nor tracks');
    const initial = #tracks in given ? given.#tracks : tracks(given, 'tracks');
    for (const one of initial) this.#tracks.add(one);
  }

  /** A UUID, or what a remote description says. */
  get id(): string {
    return this.#id;
  }
  /** A track of it is live. */
  get active(): boolean {
    return [...this.#tracks].some(({ readyState }) => readyState === 'live');
  }

  /** Its tracks of audio. */
  getAudioTracks(): MediaStreamTrack[] {
    return [...this.#tracks].filter(({ kind }) => kind === 'audio');
  }
  /** Its tracks of video. */
  getVideoTracks(): MediaStreamTrack[] {
    return [...this.#tracks].filter(({ kind }) => kind === 'video');
  }
  /** All of its tracks, in the order in which they came. */
  getTracks(): MediaStreamTrack[] {
    return [...this.#tracks];
  }
  /** The track of this id; `null` if there is none. */
  getTrackById(trackId: string): MediaStreamTrack | null {
    requireArguments(arguments.length, 1, 'getTrackById');
    const id = DOMString(trackId, 'trackId');
    return [...this.#tracks].find((one) => one.id === id) ?? null;
  }
  /** Adds a track, unless it is there already. No event. */
  addTrack(track_: MediaStreamTrack): void {
    requireArguments(arguments.length, 1, 'addTrack');
    this.#tracks.add(track(track_, 'track'));
  }
  /** Takes a track away, if it is there. It goes on. No event. */
  removeTrack(track_: MediaStreamTrack): void {
    requireArguments(arguments.length, 1, 'removeTrack');
    this.#tracks.delete(track(track_, 'track'));
  }
  /** Another stream, with clones of all tracks. */
  clone(): MediaStream {
    return new MediaStream([...this.#tracks].map((one) => one.clone()));
  }

  /** A track has come. */
  get onaddtrack(): EventHandler<MediaStreamTrackEvent> {
    return this.#handlers.get('addtrack');
  }
  set onaddtrack(value: EventHandler<MediaStreamTrackEvent>) {
    this.#handlers.set('addtrack', value);
  }
  /** A track has gone. */
  get onremovetrack(): EventHandler<MediaStreamTrackEvent> {
    return this.#handlers.get('removetrack');
  }
  set onremovetrack(value: EventHandler<MediaStreamTrackEvent>) {
    this.#handlers.set('removetrack', value);
  }

  static {
    isMediaStream = (value): value is MediaStream => isObject(value) && #tracks in value;
    createMediaStream = (id) => new (MediaStream as new (...args: unknown[]) => MediaStream)(constructible, id);
    streamCoreOf = (stream) => ({
      add: (one) => {
        if (stream.#tracks.has(one)) return;
        stream.#tracks.add(one);
        stream.dispatchEvent(new MediaStreamTrackEvent('addtrack', { track: one }));
      },
      remove: (one) => {
        if (!stream.#tracks.delete(one)) return;
        stream.dispatchEvent(new MediaStreamTrackEvent('removetrack', { track: one }));
      },
    });
  }
}

export interface MediaStream {
  addEventListener: AddEventListener<MediaStreamEventMap>;
  removeEventListener: RemoveEventListener<MediaStreamEventMap>;
}

exposeInterface(MediaStream, 'MediaStream');
