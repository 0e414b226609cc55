// What a signaling server counts, beside its Prometheus page.
import { metrics, type BatchObservableResult, type MeterProvider, type Observable } from '@opentelemetry/api';

import { checkMembers } from '../base';
import type { SignalingServer } from '../index';
import { SCOPE } from './agents';
import { checkProvider } from './checks';

/** Options of {@link observeSignalingServer}. */
export interface ObserveOptions {
  /** Makes the instruments. Default: the global one, at the time of the call. */
  meterProvider?: MeterProvider;
}

/** Of these there are more and fewer; everything else only grows. */
const LEVELS = new Set(['connections', 'agents', 'rooms', 'relay.allocations', 'cluster.nodes', 'cluster.agents']);

/** `slowConsumers` is `slow_consumers`. */
const snakeCase = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** The numbers among what the server counts, by path: `relay.allocations`. */
function numbers(stats: object, path = ''): [string, number][] {
  return Object.entries(stats).flatMap(([name, value]: [string, unknown]): [string, number][] => {
    if (typeof value === 'number') return [[path + name, value]];
    return typeof value === 'object' && value !== null ? numbers(value, `${path}${name}.`) : [];
  });
}

/**
 * Hands what a signaling server counts (`server.stats()`) to OpenTelemetry, whenever metrics are collected: instruments
 * `ossa.signaling.connections`, `ossa.signaling.relayed_bytes`, `ossa.signaling.relay.allocations` and so on. Until the function that is returned is called;
 * call it when the server is closed.
 *
 * @throws TypeError - An option is unknown or not of its type.
 */
export function observeSignalingServer(server: SignalingServer, options: ObserveOptions = {}): () => void {
  checkMembers(options, 'the options of observeSignalingServer', ['meterProvider']);
  const { meterProvider = metrics } = options;
  checkProvider(meterProvider, 'getMeter', 'meterProvider');
  const meter = meterProvider.getMeter(SCOPE);
  const instruments = new Map<string, Observable>(
    numbers(server.stats()).map(([path]) => {
      const name = `ossa.signaling.${snakeCase(path)}`;
      const unit = path.endsWith('Bytes') ? 'By' : '1';
      const isLevel = LEVELS.has(path);
      const made = isLevel
        ? meter.createObservableUpDownCounter(name, { unit })
        : meter.createObservableCounter(name, { unit });
      return [path, made];
    }),
  );
  const observe = (result: BatchObservableResult): void => {
    for (const [path, value] of numbers(server.stats())) {
      const instrument = instruments.get(path);
      if (instrument) result.observe(instrument, value);
    }
  };
  const all = [...instruments.values()];
  meter.addBatchObservableCallback(observe, all);
  return () => meter.removeBatchObservableCallback(observe, all);
}
