// What two of our own agents tell each other first: an ordinary heartbeat, which everybody else ignores, with one more
// member in its metadata.

/** What this version can do beyond the specification, as the other side is told. */
export const FEATURES = ['parts', 'cancel', 'stream', 'files'];

/** No version needs more, and whoever sends more is not one of ours. */
const MAX_FEATURES = 64;
const MAX_FEATURE_LENGTH = 64;

/** The member `ossa` of the metadata. */
export interface Hello {
  version: number;
  /** Milliseconds between heartbeats; 0: none are sent. */
  heartbeat: number;
  /** Its preset of message channels. */
  channels: string | undefined;
  /** Largest message that is taken, in bytes. */
  maxMessageBytes: number | undefined;
  features: ReadonlySet<string>;
}

/** What is known of somebody who has not said anything. */
export const STRANGER: Hello = {
  version: 0,
  heartbeat: 0,
  channels: undefined,
  maxMessageBytes: undefined,
  features: new Set(),
};

/** Reads the metadata of a heartbeat; `undefined` if it is an ordinary one. Never throws. */
export function parseHello(metadata: unknown): Hello | undefined {
  const hello = member(metadata, 'ossa');
  const version = member(hello, 'version');
  if (!isCount(version) || version < 1) return undefined;
  const heartbeat = member(hello, 'heartbeat');
  const bytes = member(hello, 'maxMessageBytes');
  const features = member(hello, 'features');
  const channels = member(hello, 'channels');
  const known = Array.isArray(features) ? features.slice(0, MAX_FEATURES) : [];
  return {
    version,
    heartbeat: isCount(heartbeat) ? heartbeat : 0,
    channels: typeof channels === 'string' ? channels.slice(0, MAX_FEATURE_LENGTH) : undefined,
    maxMessageBytes: isCount(bytes) && bytes > 0 ? bytes : undefined,
    features: new Set(
      known.filter((name): name is string => typeof name === 'string' && name.length <= MAX_FEATURE_LENGTH),
    ),
  };
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
