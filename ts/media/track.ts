/* eslint-disable @typescript-eslint/no-unsafe-declaration-merging -- the merged interfaces only refine types of members that are there */
import { randomUUID } from 'node:crypto';

import type { NativeAudioTrack, NativeEncodedTrack } from '../native';
import { EventTarget, structuredClone } from '../platform';
import { fire, queueTask, type AddEventListener, type RemoveEventListener } from '../w3c/events';
import {
  constructible,
  EventHandlers,
  exposeInterface,
  illegalConstructor,
  isObject,
  promiseOperation,
  type EventHandler,
} from '../webidl';
import {
  capabilitiesOf,
  check,
  type MediaTrackCapabilities,
  type MediaTrackConstraints,
  type MediaTrackSettings,
} from './constraints';
import type { TrackCore, TrackSource } from './track-source';

/** `live` until the track is stopped or its source ends. */
export type MediaStreamTrackState = 'live' | 'ended';

/** Events of {@link MediaStreamTrack}. */
export interface MediaStreamTrackEventMap {
  /** The source gives nothing for the time being. */
  mute: Event;
  /** The source gives something again. */
  unmute: Event;
  /** The source gives nothing any more. Not fired by `stop()`. */
  ended: Event;
}

/** Samples, or what is encoded already. */
type NativeTrack = NativeAudioTrack | NativeEncodedTrack;

interface Init {
  source: TrackSource;
  native: NativeTrack | undefined;
  id?: string;
}

/** A track of a source; `native` is what is in it, if that is at hand. `id` is for what a remote description names. */
export let createMediaStreamTrack: (source: TrackSource, native?: NativeTrack, id?: string) => MediaStreamTrack;

/** The track as its source and as senders see it. */
export let coreOf: (track: MediaStreamTrack) => TrackCore;

/** Brand check of {@link MediaStreamTrack}. */
export let isMediaStreamTrack: (value: unknown) => value is MediaStreamTrack;

/** One stream of audio or video, out of a source of this package (mediacapture-streams 4.3). */
export class MediaStreamTrack extends EventTarget {
  readonly #core: Core;
  readonly #handlers = new EventHandlers(this);

  private constructor(...args: unknown[]) {
    illegalConstructor(args[0], 'MediaStreamTrack');
    super();
    this.#core = new Core(args[1] as Init, this);
  }

  /** `audio` or `video`. */
  get kind(): string {
    return this.#core.source.kind;
  }
  /** A UUID, or what a remote description says. */
  get id(): string {
    return this.#core.id;
  }
  /** What the source is called; may be empty. */
  get label(): string {
    return this.#core.source.label;
  }
  /** Sound or pictures, if `true`; silence or black, if `false`. This track alone. */
  get enabled(): boolean {
    return this.#core.enabled;
  }
  set enabled(value: boolean) {
    this.#core.enable(Boolean(value));
  }
  /** The source gives nothing for the time being. */
  get muted(): boolean {
    return this.#core.muted;
  }
  /** `live` or `ended`. */
  get readyState(): MediaStreamTrackState {
    return this.#core.live ? 'live' : 'ended';
  }

  /** Another track of the same source, which is enabled, disabled and stopped by itself. */
  clone(): MediaStreamTrack {
    return this.#core.clone();
  }
  /** Ends this track, without an event. The last track of a source that is stopped ends the source. */
  stop(): void {
    this.#core.stop();
  }
  /** What the source could be like: nothing of it can be changed, so each range has one value. */
  getCapabilities(): MediaTrackCapabilities {
    return capabilitiesOf(this.#core.source.settings);
  }
  /** What was last given to {@link applyConstraints} with success. */
  getConstraints(): MediaTrackConstraints {
    return structuredClone(this.#core.constraints);
  }
  /** What the source is like. */
  getSettings(): MediaTrackSettings {
    return { ...this.#core.source.settings };
  }
  /**
   * Demands (`exact`, `min`, `max`) are checked, wishes change nothing.
   *
   * @throws OverconstrainedError if the source does not meet a demand; it cannot be changed.
   */
  applyConstraints(constraints?: MediaTrackConstraints): Promise<void> {
    return promiseOperation(() => {
      const core = this.#core;
      if (constraints !== undefined && constraints !== null && !isObject(constraints)) {
        throw new TypeError('constraints is not an object (dictionary MediaTrackConstraints)');
      }
      const wanted = structuredClone({ ...constraints });
      if (core.live) check(wanted, core.source.settings);
      core.constraints = wanted;
      return Promise.resolve();
    });
  }

  /** The source gives nothing for the time being. */
  get onmute(): EventHandler {
    return this.#handlers.get('mute');
  }
  set onmute(value: EventHandler) {
    this.#handlers.set('mute', value);
  }
  /** The source gives something again. */
  get onunmute(): EventHandler {
    return this.#handlers.get('unmute');
  }
  set onunmute(value: EventHandler) {
    this.#handlers.set('unmute', value);
  }
  /** The source gives nothing any more. */
  get onended(): EventHandler {
    return this.#handlers.get('ended');
  }
  set onended(value: EventHandler) {
    this.#handlers.set('ended', value);
  }

  static {
    createMediaStreamTrack = (source, native, id) => new MediaStreamTrack(constructible, { source, native, id });
    coreOf = (track) => track.#core;
    isMediaStreamTrack = (value): value is MediaStreamTrack => isObject(value) && #core in value;
  }
}

class Core implements TrackCore {
  readonly id: string;
  readonly source: TrackSource;
  readonly #native: NativeTrack | undefined;
  readonly #track: MediaStreamTrack;
  readonly #watchers = new Set<() => void>();
  constraints: MediaTrackConstraints = {};
  enabled = true;
  live: boolean;
  muted: boolean;

  constructor({ source, native, id }: Init, track: MediaStreamTrack) {
    this.id = id ?? randomUUID();
    this.source = source;
    this.#native = native;
    this.#track = track;
    this.live = !source.ended;
    this.muted = source.muted;
    if (this.live) source.add(this);
  }

  get audio(): NativeAudioTrack | undefined {
    return this.#native && 'level' in this.#native ? this.#native : undefined;
  }

  get encoded(): NativeEncodedTrack | undefined {
    return this.#native && !('level' in this.#native) ? this.#native : undefined;
  }

  enable(enabled: boolean): void {
    if (this.enabled === enabled) return;
    this.enabled = enabled;
    this.#native?.setEnabled(enabled);
    this.#changed();
  }

  clone(): MediaStreamTrack {
    const track = createMediaStreamTrack(this.source, this.#native?.duplicate());
    const core = coreOf(track) as Core;
    core.enable(this.enabled);
    core.constraints = structuredClone(this.constraints);
    if (!this.live) core.stop();
    return track;
  }

  stop(): void {
    if (!this.live) return;
    this.live = false;
    this.#native?.stop();
    this.#changed();
    this.source.remove(this);
  }

  end(): void {
    if (!this.live) return;
    queueTask(() => {
      // `stop()` may have been faster, and has no event.
      if (!this.live) return;
      this.live = false;
      this.#changed();
      fire(this.#track, 'ended');
    });
  }

  mute(muted: boolean): void {
    if (!this.live || this.muted === muted) return;
    this.muted = muted;
    fire(this.#track, muted ? 'mute' : 'unmute');
  }

  watch(changed: () => void): () => void {
    this.#watchers.add(changed);
    return () => void this.#watchers.delete(changed);
  }

  #changed(): void {
    for (const changed of [...this.#watchers]) changed();
  }
}

export interface MediaStreamTrack {
  addEventListener: AddEventListener<MediaStreamTrackEventMap>;
  removeEventListener: RemoveEventListener<MediaStreamTrackEventMap>;
}

exposeInterface(MediaStreamTrack, 'MediaStreamTrack');
