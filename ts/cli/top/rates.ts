// Rates of what the programs count.
import type { LinkSnapshot, ProgramSnapshot } from '../../agent/inspection';

/** One link on the screen. */
export interface Row {
  readonly pid: number;
  readonly title: string;
  readonly self: string;
  readonly link: LinkSnapshot;
  /** Bytes in a second; nothing before there are two snapshots. */
  readonly sendRate: number | undefined;
  readonly receiveRate: number | undefined;
}

interface Seen {
  readonly at: number;
  readonly sent: number;
  readonly received: number;
  readonly sendRate: number | undefined;
  readonly receiveRate: number | undefined;
}

/** Remembers the counts of the snapshots before. */
export class Rates {
  #seen = new Map<string, Seen>();

  /** The links of all programs, sorted by program and name. */
  rows(snapshots: ReadonlyMap<string, ProgramSnapshot>): Row[] {
    const seen = new Map<string, Seen>();
    const rows: Row[] = [];
    for (const [record, { pid, title, at, agents }] of snapshots) {
      for (const { agent: self, links } of agents) {
        for (const link of links) {
          const key = JSON.stringify([record, self, link.agent]);
          const now = this.#rate(this.#seen.get(key), at, link);
          seen.set(key, now);
          rows.push({ pid, title, self, link, sendRate: now.sendRate, receiveRate: now.receiveRate });
        }
      }
    }
    this.#seen = seen;
    const order = (row: Row) => [String(row.pid).padStart(10), row.self, row.link.agent].join('\n');
    return rows.sort((a, b) => (order(a) < order(b) ? -1 : 1));
  }

  #rate(before: Seen | undefined, at: number, link: LinkSnapshot): Seen {
    const counts = { sent: link.bytesSent, received: link.bytesReceived };
    if (before?.at === at) return before;
    if (!before) return { at, ...counts, sendRate: undefined, receiveRate: undefined };
    const seconds = (at - before.at) / 1000;
    // Of a connection that was rebuilt the counts begin anew.
    const rate = (now: number, then: number) => (now >= then ? now - then : now) / seconds;
    return {
      at,
      ...counts,
      sendRate: rate(counts.sent, before.sent),
      receiveRate: rate(counts.received, before.received),
    };
  }
}
