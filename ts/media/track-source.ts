// What the tracks of one source share. Sources of every kind are made from this: of samples here, of connections above.
import type { NativeAudioTrack, NativeEncodedTrack } from '../native';
import type { MediaTrackSettings } from './constraints';

/** What a source has to say of itself. */
export interface TrackSourceInit {
  kind: 'audio' | 'video';
  /** For people. */
  label?: string;
  /** Nothing comes for the time being; {@link TrackSource.setMuted} changes it. */
  muted?: boolean;
  /** What it is like now. */
  settings?: () => MediaTrackSettings;
  /** Nobody listens any more: the last of its tracks was stopped. */
  onunused?: () => void;
}

/** A track as its source and as senders see it. */
export interface TrackCore {
  readonly source: TrackSource;
  /** The native side, for tracks whose samples are at hand. */
  readonly audio: NativeAudioTrack | undefined;
  /** The native side, for tracks whose media is encoded already. */
  readonly encoded: NativeEncodedTrack | undefined;
  readonly live: boolean;
  readonly enabled: boolean;
  /** Told after it has been disabled or enabled, stopped or ended; the returned function ends that. */
  watch(changed: () => void): () => void;
  /** The source is over: `ended`. */
  end(): void;
  /** The source is or is no longer muted. */
  mute(muted: boolean): void;
}

/** Where tracks come from (mediacapture-streams 4.2: "source"). */
export class TrackSource {
  readonly kind: 'audio' | 'video';
  readonly label: string;
  readonly #init: TrackSourceInit;
  readonly #tracks = new Set<TrackCore>();
  #muted: boolean;
  #ended = false;

  constructor(init: TrackSourceInit) {
    this.kind = init.kind;
    this.label = init.label ?? '';
    this.#init = init;
    this.#muted = init.muted ?? false;
  }

  get muted(): boolean {
    return this.#muted;
  }
  get ended(): boolean {
    return this.#ended;
  }
  get settings(): MediaTrackSettings {
    return this.#init.settings?.() ?? {};
  }

  /** From now on the track hears of this source. */
  add(track: TrackCore): void {
    this.#tracks.add(track);
  }

  /** A track was stopped. */
  remove(track: TrackCore): void {
    if (this.#tracks.delete(track) && this.#tracks.size === 0) this.#init.onunused?.();
  }

  /** Nothing comes for the time being, or comes again: `mute` and `unmute` of all tracks, at once: call it in a task. */
  setMuted(muted: boolean): void {
    if (this.#muted === muted || this.#ended) return;
    this.#muted = muted;
    for (const track of [...this.#tracks]) track.mute(muted);
  }

  /** Nothing comes any more: `ended` of all tracks. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    const tracks = [...this.#tracks];
    this.#tracks.clear();
    for (const track of tracks) track.end();
  }
}
