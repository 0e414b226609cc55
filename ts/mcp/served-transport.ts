// A session of somebody else, as the server of the SDK sees it.
import { randomUUID } from 'node:crypto';

import { AgentError, type AgentChannel, type Link } from '../index';
import { clearTimeout, setTimeout } from '../platform';
import type { Session } from './session';
import { McpTransport } from './transport';

/** What it needs of whoever serves it. */
export interface ServedHost {
  readonly maxMessageBytes: number;
  readonly maxRequests: number;
  /** Milliseconds without a connection after which it is given up. */
  readonly resumeTime: number;
  /** What the client is allowed to. */
  readonly scopes: () => readonly string[];
  /** It is over. */
  gone(id: string): void;
}

/** The server's side of one session. */
export class McpServedTransport extends McpTransport {
  readonly #host: ServedHost;
  readonly #session: Session;
  #started = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(link: Link, theirs: number, host: ServedHost) {
    super(link, host.maxMessageBytes, host.maxRequests);
    this.#host = host;
    this.#session = this.begin({ session: randomUUID(), received: 0, maxMessageBytes: theirs });
    this.lost();
  }

  /** Whether a server takes its messages. */
  get started(): boolean {
    return this.#started;
  }

  /** Messages of the client that have arrived. */
  get received(): number {
    return this.#session.received;
  }

  start(): Promise<void> {
    if (this.#started) return Promise.reject(new Error('the transport was started already; each session has its own'));
    this.#started = true;
    return Promise.resolve();
  }

  /** The client takes the session up again, and has received so much. @throws AgentError - That cannot be. */
  rewind(received: number): void {
    if (this.#session.rewind(received)) return this.lost();
    const error = new AgentError('PROTOCOL_ERROR', `${received} messages of the session cannot have arrived`);
    this.end(error);
    throw error;
  }

  /** The client has opened a channel for it. */
  attach(channel: AgentChannel): void {
    clearTimeout(this.#timer);
    this.#session.detach();
    this.#session.attach(channel);
  }

  protected override get scopes(): readonly string[] {
    return this.#host.scopes();
  }

  protected lost(): void {
    clearTimeout(this.#timer);
    const { resumeTime } = this.#host;
    const text = `${this.remote.agentId} has not come back to its session within ${resumeTime} ms`;
    const late = () => this.end(new AgentError('AGENT_UNREACHABLE', text, { retryable: true }));
    this.#timer = setTimeout(late, resumeTime).unref();
  }

  protected finished(): void {
    clearTimeout(this.#timer);
    this.#host.gone(this.#session.id);
  }
}
