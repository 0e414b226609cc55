// A span of something that an agent does.
import { context, SpanStatusCode, trace, type Attributes, type Context, type Span } from '@opentelemetry/api';

import { messageOf } from '../base';
import { setTimeout } from '../platform';
import {
  AgentError,
  type RTCIceTransport,
  type RTCPeerConnection,
  type TraceContext,
  type TracedAnswer,
  type TracedCall,
  type TracedConnecting,
  type TracedFile,
} from '../index';
import { told } from './context';

/** What a span says of an error: a code that is one of few, else the class of what was thrown. */
export function errorType(error: unknown): string {
  if (error instanceof AgentError) return error.code;
  return error instanceof Error ? error.name : '_OTHER';
}

/** How long a span waits for the path of a connection that carries something already; where checks work, that is a round trip or two. */
const PATH_MS = 1000;

/** The span of something under way. */
export class Work implements TracedCall, TracedAnswer, TracedConnecting, TracedFile {
  readonly context: TraceContext | undefined;
  readonly #span: Span;
  readonly #within: Context;
  readonly #ended: (error: unknown) => void;
  /** What the span has to wait for before it is handed on, with the time of its end. */
  #path: Promise<void> | undefined;
  #over = false;

  /** `ended` hears of the end, once. */
  constructor(span: Span, parent: Context, ended: (error: unknown) => void = () => undefined) {
    this.#span = span;
    this.#within = trace.setSpan(parent, span);
    this.context = told(this.#within);
    this.#ended = ended;
  }

  run<Result>(handle: () => Result): Result {
    return context.with(this.#within, handle);
  }

  items(count: number): void {
    this.note({ 'ossa.stream.items': count });
  }

  size(bytes: number): void {
    this.note({ 'file.size': bytes });
  }

  /** Which way the packets take; no addresses, which say where somebody is. */
  connected(connection: RTCPeerConnection): void {
    const ice = connection.sctp?.transport.iceTransport;
    if (!ice || this.#notePath(ice)) return;
    // What the other side sends may come before this side has chosen a pair.
    this.#path = new Promise<unknown>((resolve) => {
      ice.addEventListener('selectedcandidatepairchange', resolve, { once: true });
      setTimeout(resolve, PATH_MS).unref();
    }).then(() => void this.#notePath(ice));
  }

  #notePath(ice: RTCIceTransport): boolean {
    const pair = ice.getSelectedCandidatePair();
    if (!pair) return false;
    const { local, remote } = pair;
    this.#span.setAttributes({
      'network.transport': local.protocol ?? 'udp',
      'network.type': remote.address?.includes(':') ? 'ipv6' : 'ipv4',
      'ossa.candidate.local': local.type ?? 'host',
      'ossa.candidate.remote': remote.type ?? 'host',
    });
    return true;
  }

  note(attributes: Attributes): void {
    if (!this.#over) this.#span.setAttributes(attributes);
  }

  end(error?: unknown): void {
    if (this.#over) return;
    if (error !== undefined) {
      const message = messageOf(error);
      this.note({ 'error.type': errorType(error) });
      this.#span.recordException(error instanceof Error ? error : message);
      this.#span.setStatus({ code: SpanStatusCode.ERROR, message });
    }
    this.#ended(error);
    this.#over = true;
    const at = performance.now();
    if (this.#path) void this.#path.then(() => this.#span.end(at));
    else this.#span.end(at);
  }
}
