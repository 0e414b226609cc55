// Which channels carry the messages of a link.
import type { RTCDataChannelInit } from '../../w3c';

/**
 * The channels that carry messages. Both sides must use the same:
 * - `'single'`: one channel, `ossa-channel`, ordered and reliable.
 * - `'multiplex'`: `control` (ordered), `data` (unordered, reliable) and `events` (ordered, at most 3 retransmissions),
 *   negotiated with the ids 0, 1 and 2 as in the specification's chapter on multiplexing.
 * - `'reference'`: `control` (ordered) and `data` (unordered, no retransmissions), as the reference class of OSSA makes them.
 */
export type ChannelPreset = 'single' | 'multiplex' | 'reference';

/** One channel of a preset. */
export interface PresetChannel extends RTCDataChannelInit {
  readonly label: string;
}

/** The first of each carries calls, heartbeats and whatever names no channel: it is always reliable. */
const PRESETS: Readonly<Record<ChannelPreset, readonly [PresetChannel, ...PresetChannel[]]>> = {
  // Reliable, unlike in the specification's example: calls and messages must not get lost.
  single: [{ label: 'ossa-channel', ordered: true }],
  multiplex: [
    { label: 'control', ordered: true, negotiated: true, id: 0 },
    { label: 'data', ordered: false, negotiated: true, id: 1 },
    { label: 'events', ordered: true, maxRetransmits: 3, negotiated: true, id: 2 },
  ],
  reference: [
    { label: 'control', ordered: true },
    { label: 'data', ordered: false, maxRetransmits: 0 },
  ],
};

/** Channels that presets announce in-band: where they do not belong they tell what the other side uses. */
const ANNOUNCED: ReadonlyMap<string, ChannelPreset> = new Map([
  ['ossa-channel', 'single'],
  ['control', 'reference'],
  ['data', 'reference'],
]);

/** The channels of a preset, the main one first. */
export function presetChannels(preset: ChannelPreset): readonly [PresetChannel, ...PresetChannel[]] {
  return PRESETS[preset];
}

/** The preset that a channel announced by the other side belongs to, if that is not ours. */
export function foreignPreset(label: string, ours: ChannelPreset): ChannelPreset | undefined {
  const theirs = ANNOUNCED.get(label);
  return theirs === ours ? undefined : theirs;
}

/** @throws TypeError - Not the name of a preset. */
export function checkPreset(value: unknown): ChannelPreset {
  if (value === undefined) return 'single';
  if (typeof value === 'string' && Object.hasOwn(PRESETS, value)) return value as ChannelPreset;
  throw new TypeError(`channels must be one of ${Object.keys(PRESETS).join(', ')}, not ${JSON.stringify(value)}`);
}
