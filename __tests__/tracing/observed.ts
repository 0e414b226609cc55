// OpenTelemetry's own SDK, which keeps in memory what it is told.
import { context, type Attributes, type SpanKind } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
  type ReadableSpan,
  type Sampler,
} from '@opentelemetry/sdk-trace-base';

/** Context follows what is asynchronous, as in a program that has set up its SDK. Call it once, at the top of a test file. */
export function contextsFollow(): void {
  beforeAll(() => void context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable()));
  afterAll(() => context.disable());
}

/** Spans that have ended. */
export function tracer(sampler?: Sampler) {
  const exporter = new InMemorySpanExporter();
  const tracerProvider = new BasicTracerProvider({
    ...(sampler && { sampler }),
    spanProcessors: [new SimpleSpanProcessor(exporter)],
  });
  return {
    tracerProvider,
    tracer: tracerProvider.getTracer('test'),
    spans: () => exporter.getFinishedSpans(),
    /** The only one of this name and kind. */
    span(name: string, kind: SpanKind): ReadableSpan {
      const found = exporter.getFinishedSpans().filter((span) => span.name === name && span.kind === kind);
      expect(found).toHaveLength(1);
      return found[0]!;
    },
  };
}

/** Points of a metric by their attributes. */
export type Points = { attributes: Attributes; value: unknown }[];

/** Metrics, collected when they are asked for. */
export function meter() {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 2 ** 31 - 1 });
  const meterProvider = new MeterProvider({ readers: [reader] });
  return {
    meterProvider,
    async collect(): Promise<Map<string, Points>> {
      exporter.reset();
      await reader.forceFlush();
      const all = exporter.getMetrics().flatMap(({ scopeMetrics }) => scopeMetrics.flatMap(({ metrics }) => metrics));
      return new Map(all.map(({ descriptor, dataPoints }) => [descriptor.name, dataPoints as Points]));
    },
    close: () => meterProvider.shutdown(),
  };
}
