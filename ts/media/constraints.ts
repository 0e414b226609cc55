// What a track without a device can be asked for: its source is as it is, so a constraint is met or it is not.
import { isObject } from '../webidl';
import { OverconstrainedError } from './overconstrained-error';

/** A wish about a number (mediacapture-streams 4.3.6); a bare number is a wish, `exact`, `min` and `max` are demands. */
export type ConstrainNumber = number | { exact?: number; ideal?: number; min?: number; max?: number };

/** Wishes and demands (mediacapture-streams 4.3.8). What a source knows nothing of is ignored, as the standard has it. */
export interface MediaTrackConstraints {
  /** Samples a second. */
  sampleRate?: ConstrainNumber;
  /** Bits of a sample. */
  sampleSize?: ConstrainNumber;
  /** 1 or 2. */
  channelCount?: ConstrainNumber;
  /** Alternatives; the first one that is met counts. */
  advanced?: MediaTrackConstraints[];
  /** Others, of devices. */
  [other: string]: unknown;
}

/** What a source is like; absent is what it does not know of itself (mediacapture-streams 4.3.9). */
export interface MediaTrackSettings {
  /** Samples a second. */
  sampleRate?: number;
  /** Bits of a sample. */
  sampleSize?: number;
  /** 1 or 2. */
  channelCount?: number;
}

/** What a source could be like: the same as it is, since nothing of it can be changed (mediacapture-streams 4.3.7). */
export interface MediaTrackCapabilities {
  /** Samples a second. */
  sampleRate?: { min: number; max: number };
  /** Bits of a sample. */
  sampleSize?: { min: number; max: number };
  /** 1 or 2. */
  channelCount?: { min: number; max: number };
}

/** What the settings allow. */
export function capabilitiesOf(settings: MediaTrackSettings): MediaTrackCapabilities {
  const ranges = Object.entries(settings).map(([name, value]) => [
    name,
    { min: value as number, max: value as number },
  ]);
  return Object.fromEntries(ranges) as MediaTrackCapabilities;
}

/**
 * Checks the demands among the constraints.
 *
 * @throws OverconstrainedError naming the first that the settings do not meet.
 */
export function check(constraints: MediaTrackConstraints, settings: MediaTrackSettings): void {
  for (const [name, value] of Object.entries(settings) as [string, number][]) {
    const wanted = constraints[name];
    if (!isObject(wanted)) continue;
    const { exact, min, max } = wanted as { exact?: number; min?: number; max?: number };
    const met =
      (exact === undefined || exact === value) &&
      (min === undefined || min <= value) &&
      (max === undefined || max >= value);
    if (!met) {
      const demand = JSON.stringify({ exact, min, max });
      throw new OverconstrainedError(name, `${name} is ${value} and cannot be changed; ${demand} was demanded`);
    }
  }
}
