import type { RTCStats } from './stats-report';

/**
 * "The stats selection algorithm" (webrtc-pc 8.5): the entries that are chosen, and those that they refer to, directly or indirectly,
 * in the order in which they were.
 */
export function selectStats<T extends RTCStats>(entries: readonly T[], chosen: (entry: T) => boolean): T[] {
  const byId = new Map(entries.map((entry) => [entry.id, entry]));
  const selected = new Set(entries.filter(chosen));
  // A set tells also those that are added while it is walked through.
  for (const entry of selected) {
    for (const id of references(entry)) {
      const other = byId.get(id);
      if (other) selected.add(other);
    }
  }
  return entries.filter((entry) => selected.has(entry));
}

/** Members whose name ends so are ids of other entries (webrtc-stats 4.2). */
function references(entry: RTCStats): string[] {
  return Object.entries<unknown>(entry)
    .filter(([name]) => /Ids?$/.test(name))
    .flatMap(([, value]) => (Array.isArray(value) ? (value as unknown[]) : [value]))
    .filter((value): value is string => typeof value === 'string');
}
