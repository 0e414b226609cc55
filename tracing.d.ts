import { TracerProvider, MeterProvider, Context } from '@opentelemetry/api';
import { Tracing, SignalingServer } from './index.js';

/** Options of {@link openTelemetry}. */
interface OpenTelemetryOptions {
    /** Makes the spans. Default: the global one, at the time of the call or later. */
    tracerProvider?: TracerProvider;
    /** Makes the instruments. Default: the global one, at the time of the call. */
    meterProvider?: MeterProvider;
    /**
     * Whether what this agent sends goes on with its trace here, and is sampled as it was there. Otherwise a call from it begins a trace of
     * its own, which has a link to the other one: for agents of strangers, who could have everything recorded. Default: every agent's does.
     */
    trust?: (agentId: string) => boolean;
}
/**
 * Traces and measures agents by OpenTelemetry: `createPeer({ tracing: openTelemetry() })`. One for all agents of a program. Spans for connecting
 * (client), calls (client and server) and files (producer and consumer); metrics for calls and links. See docs/tracing.md for their names.
 *
 * @throws TypeError - An option is unknown or not of its type.
 */
declare function openTelemetry(options?: OpenTelemetryOptions): Tracing;

/**
 * Where in a trace a received message belongs: its metadata may have been given a `traceparent` by the agent that sent it. For
 * `context.with(traceContextOf(message.metadata), ...)`, or as the parent of a span. Without one, or with one that is not as
 * Trace Context 3.2 has it, `parent` is returned as it is.
 */
declare function traceContextOf(metadata: Readonly<Record<string, unknown>>, parent?: Context): Context;

/** Options of {@link observeSignalingServer}. */
interface ObserveOptions {
    /** Makes the instruments. Default: the global one, at the time of the call. */
    meterProvider?: MeterProvider;
}
/**
 * Hands what a signaling server counts (`server.stats()`) to OpenTelemetry, whenever metrics are collected: instruments
 * `ossa.signaling.connections`, `ossa.signaling.relayed_bytes`, `ossa.signaling.relay.allocations` and so on. Until the function that is returned is called;
 * call it when the server is closed.
 *
 * @throws TypeError - An option is unknown or not of its type.
 */
declare function observeSignalingServer(server: SignalingServer, options?: ObserveOptions): () => void;

export { observeSignalingServer, openTelemetry, traceContextOf };
export type { ObserveOptions, OpenTelemetryOptions };
