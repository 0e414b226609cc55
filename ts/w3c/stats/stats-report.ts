/* eslint-disable @typescript-eslint/no-unsafe-declaration-merging -- the merged interfaces only refine types of members that are there */
import {
  callback as callbackFunction,
  constructible,
  DOMString,
  exposeInterface,
  illegalConstructor,
  requireArguments,
} from '../../webidl';

/** One entry of a report: these three, and the members of its type (W3C webrtc-stats). */
export interface RTCStats {
  /** Identifies the monitored object across reports. */
  id: string;
  /** When the values were taken, in milliseconds since the Unix epoch. */
  timestamp: number;
  /** For example `transport`, `candidate-pair`, `data-channel`. */
  type: string;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- the members depend on `type`
  [member: string]: any;
}

/** Names the iterators of a map in any version of TypeScript: only 5.6 and later have `MapIterator`. */
type Entries = ReadonlyMap<string, RTCStats>;

/** Makes a report out of what the core has counted. */
export let createStatsReport: (entries: readonly RTCStats[]) => RTCStatsReport;

/** Statistics of a connection: a read-only map from id to entry (webrtc-pc 8.4). */
export class RTCStatsReport {
  readonly #entries: Map<string, RTCStats>;

  private constructor(...args: unknown[]) {
    illegalConstructor(args[0], 'RTCStatsReport');
    this.#entries = args[1] as Map<string, RTCStats>;
  }

  /** Number of entries. */
  get size(): number {
    return this.#entries.size;
  }
  /** The pairs of id and entry. */
  entries(): ReturnType<Entries['entries']> {
    return this.#entries.entries();
  }
  /** The ids. */
  keys(): ReturnType<Entries['keys']> {
    return this.#entries.keys();
  }
  /** The entries. */
  values(): ReturnType<Entries['values']> {
    return this.#entries.values();
  }
  /** Calls a function for every entry. */
  forEach(callback: (value: RTCStats, key: string, report: RTCStatsReport) => void, thisArg?: unknown): void;
  forEach(callback: unknown, ...rest: unknown[]): void {
    const entries = this.#entries;
    requireArguments(arguments.length, 1, 'RTCStatsReport.forEach');
    const call = callbackFunction(callback, 'callback');
    for (const [key, value] of entries) call.call(rest[0], value, key, this);
  }
  /** The entry with this id. */
  get(key: string): RTCStats | undefined {
    const entries = this.#entries;
    requireArguments(arguments.length, 1, 'RTCStatsReport.get');
    return entries.get(DOMString(key, 'key'));
  }
  /** Whether there is an entry with this id. */
  has(key: string): boolean {
    const entries = this.#entries;
    requireArguments(arguments.length, 1, 'RTCStatsReport.has');
    return entries.has(DOMString(key, 'key'));
  }

  static {
    createStatsReport = (entries) =>
      new RTCStatsReport(constructible, new Map(entries.map((entry) => [entry.id, entry])));
  }
}

export interface RTCStatsReport {
  /** The pairs of id and entry. */
  [Symbol.iterator](): ReturnType<Entries['entries']>;
}

exposeInterface(RTCStatsReport, 'RTCStatsReport');
// A maplike's iterator is the very function `entries`, and not enumerable.
Object.defineProperty(RTCStatsReport.prototype, Symbol.iterator, {
  value: Object.getOwnPropertyDescriptor(RTCStatsReport.prototype, 'entries')?.value,
  writable: true,
  configurable: true,
});
