// W3C Trace Context, as it travels and as OpenTelemetry has it.
import {
  createTraceState,
  isSpanContextValid,
  ROOT_CONTEXT,
  trace,
  type Context,
  type SpanContext,
} from '@opentelemetry/api';

import type { ReceivedTraceContext, TraceContext } from '../index';

/** Version, trace, parent, flags; what a later version has behind them starts with a dash (Trace Context 3.2.2). */
const TRACEPARENT = /^(?!ff)([\da-f]{2})-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})(?:$|-)/;

/** Characters of version 00, and of any: a later one may have more, but not whatever somebody sends. */
const LENGTH = { version0: 55, longest: 256 };

/** Characters and members of a `tracestate` (3.3.1.1 and 3.3.1.5): what has more is left out as a whole, which is allowed. */
const TRACESTATE = { characters: 512, members: 32 };

/** The flags that have a meaning here: sampled. */
const KNOWN_FLAGS = 0x01;

/** What another agent says about where something belongs. What is not as it should be is as if it were not there. */
export function received({ traceparent, tracestate }: ReceivedTraceContext): SpanContext | undefined {
  if (typeof traceparent !== 'string' || traceparent.length > LENGTH.longest) return undefined;
  const match = TRACEPARENT.exec(traceparent);
  if (!match) return undefined;
  const [, version, traceId, spanId, flags] = match as unknown as [string, string, string, string, string];
  if (version === '00' && traceparent.length !== LENGTH.version0) return undefined;
  const traceFlags = parseInt(flags, 16) & KNOWN_FLAGS;
  const traceState = stateOf(tracestate);
  const context: SpanContext = { traceId, spanId, traceFlags, isRemote: true, ...(traceState && { traceState }) };
  return isSpanContextValid(context) ? context : undefined;
}

function stateOf(tracestate: unknown) {
  if (typeof tracestate !== 'string' || tracestate === '' || tracestate.length > TRACESTATE.characters)
    return undefined;
  if (tracestate.split(',').length > TRACESTATE.members) return undefined;
  return createTraceState(tracestate);
}

/** What another agent is told; nothing outside of any trace. Baggage stays here: it is not for strangers. */
export function told(context: Context): TraceContext | undefined {
  const span = trace.getSpanContext(context);
  if (!span || !isSpanContextValid(span)) return undefined;
  const flags = (span.traceFlags & KNOWN_FLAGS).toString(16).padStart(2, '0');
  const traceparent = `00-${span.traceId}-${span.spanId}-${flags}`;
  const tracestate = span.traceState?.serialize();
  if (!tracestate || tracestate.length > TRACESTATE.characters) return { traceparent };
  return { traceparent, tracestate };
}

/**
 * Where in a trace a received message belongs: its metadata may have been given a `traceparent` by the agent that sent it. For
 * `context.with(traceContextOf(message.metadata), ...)`, or as the parent of a span. Without one, or with one that is not as
 * Trace Context 3.2 has it, `parent` is returned as it is.
 */
export function traceContextOf(metadata: Readonly<Record<string, unknown>>, parent: Context = ROOT_CONTEXT): Context {
  const { traceparent, tracestate } = metadata;
  const span = received({ traceparent, tracestate });
  return span ? trace.setSpanContext(parent, span) : parent;
}
