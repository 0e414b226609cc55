// What agents tell somebody who watches them: that something begins, what it belongs to, and how it ends. No tracing system is known here;
// `ossa-webrtc/tracing` is one. Without anybody who watches nothing of this is made.
import type { RTCPeerConnection, RTCStatsReport } from '../../w3c';

/** Where in a trace something belongs, as it travels (W3C Trace Context). */
export interface TraceContext {
  /** Section 3.2: version, trace, parent and flags. */
  traceparent: string;
  /** Section 3.3: what tracing systems add. */
  tracestate?: string | undefined;
}

/** What came with a call or a file, from an agent that may have written anything. */
export interface ReceivedTraceContext {
  readonly traceparent?: unknown;
  readonly tracestate?: unknown;
}

/** Something under way. */
export interface TracedWork {
  /** What the other side goes on from; nothing if it is not traced at all. */
  readonly context: TraceContext | undefined;
  /** It is over; with what it failed with, if it did. Only the first time counts. */
  end(error?: unknown): void;
}

/** Connecting to another agent. */
export interface TracedConnecting extends TracedWork {
  /** It is connected, by this connection. */
  connected(connection: RTCPeerConnection): void;
}

/** A call of this side whose result comes item by item, or may. */
export interface TracedCall extends TracedWork {
  /** Items that were received until it ended. */
  items(count: number): void;
}

/** A call of the other side. */
export interface TracedAnswer extends TracedWork {
  /** Runs the handler, and what that does, as part of it. */
  run<Result>(handle: () => Result): Result;
}

/** A file on its way. */
export interface TracedFile extends TracedWork {
  /** Bytes of the whole file, once they are known. */
  size(bytes: number): void;
}

/** A link as far as it is watched. */
export interface WatchedLink {
  readonly remote: { readonly agentId: string };
  /** Resolves when it is closed. */
  readonly closed: Promise<void>;
  /** Why it is closed, if it was not by choice. */
  readonly error: { readonly code: string } | undefined;
  getStats(): Promise<RTCStatsReport>;
}

/** Watches one agent. */
export interface AgentTracing {
  /** Where in a trace a message that is sent now belongs; nothing if it belongs to none. */
  current(): TraceContext | undefined;
  /** Connects to another agent. */
  connecting(remote: string): TracedConnecting;
  /** Calls another agent. */
  calling(remote: string, capability: string): TracedCall;
  /** Answers a call. `known`: there is a handler for it; other names are whatever somebody came up with. */
  answering(remote: string, capability: string, known: boolean, received: ReceivedTraceContext): TracedAnswer;
  /** Sends a file. */
  sending(remote: string, file: string): TracedFile;
  /** Is offered a file. */
  receiving(remote: string, file: string, received: ReceivedTraceContext): TracedFile;
  /** A link is open. */
  linked(link: WatchedLink): void;
}

/** Watches agents: the option `tracing` of `createPeer`. Made by `openTelemetry()` of `ossa-webrtc/tracing`. */
export interface Tracing {
  /** Watches the agent of this URI. */
  forAgent(agentId: string): AgentTracing;
}

/** @throws TypeError - It is not a {@link Tracing}. */
export function checkTracing(value: unknown): Tracing | undefined {
  if (value === undefined) return undefined;
  const tracing = value as Tracing;
  if (typeof (tracing as Partial<Tracing> | null)?.forAgent === 'function') return tracing;
  throw new TypeError('tracing must be what openTelemetry() of ossa-webrtc/tracing returns');
}

/** The same promise, which ends `work`. */
export async function traced<Result>(work: TracedWork, result: Promise<Result>): Promise<Result> {
  try {
    const value = await result;
    work.end();
    return value;
  } catch (error) {
    work.end(error);
    throw error;
  }
}
