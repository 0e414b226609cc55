// Measures of the links of a program, added up: a time series for each agent would be one for everybody who ever came by.
import type { Counter, Histogram, Meter, ObservableCounter, UpDownCounter } from '@opentelemetry/api';

import type { WatchedLink } from '../index';

/** What a link had moved when it was looked at last. */
interface Moved {
  sent: number;
  received: number;
}

/** Counts links, and what they move. */
export class LinkMetrics {
  readonly #open: UpDownCounter;
  readonly #closed: Counter;
  readonly #roundTrip: Histogram;
  readonly #io: ObservableCounter;
  readonly #links = new Map<WatchedLink, Moved>();
  readonly #moved: Moved = { sent: 0, received: 0 };

  constructor(meter: Meter) {
    this.#open = meter.createUpDownCounter('ossa.links', { description: 'Links that are open.', unit: '{link}' });
    this.#closed = meter.createCounter('ossa.links.closed', {
      description: 'Links that were closed, with `error.type` if it was not by choice.',
      unit: '{link}',
    });
    this.#roundTrip = meter.createHistogram('ossa.link.round_trip_time', {
      description: 'Round trip time of the path of each link, whenever metrics are collected.',
      unit: 's',
      advice: { explicitBucketBoundaries: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1] },
    });
    this.#io = meter.createObservableCounter('ossa.link.io', {
      description: 'Bytes of the datagrams of all links, up to the last collection for a link that is closed.',
      unit: 'By',
    });
    meter.addBatchObservableCallback(
      async (result) => {
        await Promise.all([...this.#links.keys()].map((link) => this.#look(link)));
        result.observe(this.#io, this.#moved.sent, { 'network.io.direction': 'transmit' });
        result.observe(this.#io, this.#moved.received, { 'network.io.direction': 'receive' });
      },
      [this.#io],
    );
  }

  add(link: WatchedLink): void {
    this.#links.set(link, { sent: 0, received: 0 });
    this.#open.add(1);
    void link.closed.then(() => {
      this.#links.delete(link);
      this.#open.add(-1);
      this.#closed.add(1, link.error ? { 'error.type': link.error.code } : {});
    });
  }

  async #look(link: WatchedLink): Promise<void> {
    const report = await link.getStats();
    const last = this.#links.get(link);
    if (!last) return;
    for (const entry of report.values()) {
      if (entry.type === 'transport') {
        const [sent, received] = [Number(entry['bytesSent']), Number(entry['bytesReceived'])];
        // Another connection of the same link begins at zero.
        this.#moved.sent += sent < last.sent ? sent : sent - last.sent;
        this.#moved.received += received < last.received ? received : received - last.received;
        Object.assign(last, { sent, received });
      } else if (
        entry.type === 'candidate-pair' &&
        typeof entry['currentRoundTripTime'] === 'number' &&
        entry['nominated']
      ) {
        this.#roundTrip.record(entry['currentRoundTripTime']);
      }
    }
  }
}
