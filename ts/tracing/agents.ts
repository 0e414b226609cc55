// Agents: their spans, and the measures of their calls and links.
import {
  context,
  diag,
  metrics,
  ROOT_CONTEXT,
  SpanKind,
  trace,
  type Attributes,
  type Histogram,
  type MeterProvider,
  type Tracer,
  type TracerProvider,
} from '@opentelemetry/api';

import { checkFunction, checkMembers } from '../base';
import type { AgentTracing, ReceivedTraceContext, TraceContext, Tracing, WatchedLink } from '../index';
import { checkProvider } from './checks';
import { received, told } from './context';
import { LinkMetrics } from './links';
import { errorType, Work } from './work';

/** Options of {@link openTelemetry}. */
export interface OpenTelemetryOptions {
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

/** The instrumentation, for those who look at the data. */
export const SCOPE = 'ossa-webrtc';

/** Seconds, as the conventions for calls have them. */
const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

/** Names that nobody here has given: each one of its own would be a time series. */
const OTHER = '_OTHER';

/** Characters that are kept of one: it may have as many as a message. */
const LONGEST_NAME = 128;

/** What all agents of a program have in common. */
interface Instruments {
  readonly tracer: Tracer;
  readonly clientDuration: Histogram;
  readonly serverDuration: Histogram;
  readonly links: LinkMetrics;
  readonly trust: (agentId: string) => boolean;
}

/**
 * Traces and measures agents by OpenTelemetry: `createPeer({ tracing: openTelemetry() })`. One for all agents of a program. Spans for connecting
 * (client), calls (client and server) and files (producer and consumer); metrics for calls and links. See docs/tracing.md for their names.
 *
 * @throws TypeError - An option is unknown or not of its type.
 */
export function openTelemetry(options: OpenTelemetryOptions = {}): Tracing {
  checkMembers(options, 'the options of openTelemetry', ['tracerProvider', 'meterProvider', 'trust']);
  const { tracerProvider = trace, meterProvider = metrics, trust = () => true } = options;
  checkProvider(tracerProvider, 'getTracer', 'tracerProvider');
  checkProvider(meterProvider, 'getMeter', 'meterProvider');
  checkFunction(trust, 'trust');
  const meter = meterProvider.getMeter(SCOPE);
  const duration = (side: string) =>
    meter.createHistogram(`rpc.${side}.call.duration`, {
      description: `Duration of calls, seen by the ${side}.`,
      unit: 's',
      advice: { explicitBucketBoundaries: BUCKETS },
    });
  const instruments: Instruments = {
    tracer: tracerProvider.getTracer(SCOPE),
    clientDuration: duration('client'),
    serverDuration: duration('server'),
    links: new LinkMetrics(meter),
    trust,
  };
  return { forAgent: (agentId) => new Agent(agentId, instruments) };
}

/** One agent. */
class Agent implements AgentTracing {
  readonly #agentId: string;
  readonly #instruments: Instruments;

  constructor(agentId: string, instruments: Instruments) {
    this.#agentId = agentId;
    this.#instruments = instruments;
  }

  current(): TraceContext | undefined {
    return told(context.active());
  }

  connecting(remote: string): Work {
    return this.#here('connect', SpanKind.CLIENT, this.#about(remote));
  }

  calling(remote: string, capability: string): Work {
    const call = callOf(capability);
    const attributes = { ...call, 'server.address': remote, ...this.#about(remote) };
    return this.#here(capability, SpanKind.CLIENT, attributes, this.#timed(this.#instruments.clientDuration, call));
  }

  answering(remote: string, capability: string, known: boolean, from: ReceivedTraceContext): Work {
    const name = known ? capability : OTHER;
    const call = callOf(name);
    const original = known ? {} : { 'rpc.method_original': capability.slice(0, LONGEST_NAME) };
    const attributes = { ...call, ...original, ...this.#about(remote) };
    const ended = this.#timed(this.#instruments.serverDuration, call);
    return this.#from(remote, from, name, SpanKind.SERVER, attributes, ended);
  }

  sending(remote: string, file: string): Work {
    return this.#here('send file', SpanKind.PRODUCER, { 'ossa.file.id': file, ...this.#about(remote) });
  }

  receiving(remote: string, file: string, from: ReceivedTraceContext): Work {
    const attributes = { 'ossa.file.id': file, ...this.#about(remote) };
    return this.#from(remote, from, 'receive file', SpanKind.CONSUMER, attributes);
  }

  linked(link: WatchedLink): void {
    this.#instruments.links.add(link);
  }

  #about(remote: string): Attributes {
    return { 'ossa.agent.id': this.#agentId, 'ossa.peer.id': remote };
  }

  /** Begun by this program, as part of what it does. */
  #here(name: string, kind: SpanKind, attributes: Attributes, ended?: (work: Work, error: unknown) => void): Work {
    const parent = context.active();
    const span = this.#instruments.tracer.startSpan(name, { kind, attributes }, parent);
    const work: Work = new Work(span, parent, (error) => ended?.(work, error));
    return work;
  }

  /** Begun by the other agent. */
  #from(
    remote: string,
    from: ReceivedTraceContext,
    name: string,
    kind: SpanKind,
    attributes: Attributes,
    ended?: (work: Work, error: unknown) => void,
  ): Work {
    const { tracer } = this.#instruments;
    const there = received(from);
    const follows = there !== undefined && this.#trusts(remote);
    // Not what is active here: that is whatever brought the message in.
    const parent = follows ? trace.setSpanContext(ROOT_CONTEXT, there) : ROOT_CONTEXT;
    const links = there && !follows ? [{ context: there }] : [];
    const span = tracer.startSpan(name, { kind, attributes, links }, parent);
    const work: Work = new Work(span, parent, (error) => ended?.(work, error));
    return work;
  }

  /** Whoever asks is in the middle of a message: what the application throws must not cost the link. */
  #trusts(remote: string): boolean {
    try {
      return this.#instruments.trust(remote);
    } catch (error) {
      diag.error(`${SCOPE}: trust() has thrown for ${remote}, whose traces are not gone on with`, error);
      return false;
    }
  }

  /** Notes how a call has ended, and how long it took. */
  #timed(histogram: Histogram, call: Attributes): (work: Work, error: unknown) => void {
    const started = performance.now();
    return (work, error) => {
      const failed = error === undefined ? undefined : errorType(error);
      const outcome = {
        'rpc.response.status_code': failed ?? 'OK',
        ...(failed !== undefined && { 'error.type': failed }),
      };
      work.note(outcome);
      histogram.record((performance.now() - started) / 1000, { ...call, ...outcome });
    };
  }
}

const callOf = (method: string): Attributes => ({ 'rpc.system.name': SCOPE, 'rpc.method': method });
