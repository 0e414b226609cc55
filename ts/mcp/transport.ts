// A session as the SDK sees it: both sides of MCP use the same.
import { AgentError, type Link, type RemoteAgent } from '../index';
import { cancelledBy, failure, isMessage, isRequest, isResponse, messageOf, type Looked } from './messages';
import { Session, type Answer } from './session';
import type { JsonRpcMessage, McpMessageExtra } from './types';

/** JSON-RPC's own code for a failure of the answering side, and the first of those that are free for servers. */
const INTERNAL_ERROR = -32_603;
const SERVER_BUSY = -32_000;

/** What the SDK gives along with a message. A link has one way only, so there is nothing to choose by it. */
interface SendOptions {
  relatedRequestId?: string | number | undefined;
  resumptionToken?: string | undefined;
  onresumptiontoken?: ((token: string) => void) | undefined;
}

/**
 * A `Transport` of the official MCP SDK over a link: `@modelcontextprotocol/sdk` from 1.20 on, and `@modelcontextprotocol/client` and
 * `server` 2. Sessions of one link do not wait for each other, survive its reconnections without the SDK noticing, and end with it.
 */
export abstract class McpTransport {
  /** The session is over, by either side. Set by the SDK. */
  onclose?: (() => void) | undefined;
  /** Why it ended, if it was not by choice, or what a message could not be sent for. Set by the SDK. */
  onerror?: ((error: Error) => void) | undefined;
  /**
   * A message has arrived. If the function returns a promise, the next message waits for it, and after 1 MiB so does the other side.
   * Set by the SDK.
   */
  onmessage?: (<T extends JsonRpcMessage>(message: T, extra?: McpMessageExtra) => void | Promise<void>) | undefined;
  /** The link that it goes over. */
  readonly link: Link;
  /** Limits of this side. @internal */
  protected readonly maxMessageBytes: number;
  #session: Session | undefined;
  #protocolVersion: string | undefined;
  /** Requests of the other side without an answer, by id; at the bound more are answered with an error. */
  readonly #unanswered = new Set<unknown>();
  readonly #maxRequests: number;
  #over = false;

  /** @internal */
  constructor(link: Link, maxMessageBytes: number, maxRequests: number) {
    this.link = link;
    this.maxMessageBytes = maxMessageBytes;
    this.#maxRequests = maxRequests;
  }

  /** The other agent, and how it was proven. */
  get remote(): RemoteAgent {
    return this.link.remote;
  }

  /** The id of the session, once it is open. */
  get sessionId(): string | undefined {
    return this.#session?.id;
  }

  /** The version of MCP that the two sides have agreed on. */
  get protocolVersion(): string | undefined {
    return this.#protocolVersion;
  }

  /** Requests of the other side that have no answer yet. */
  get pendingRequests(): number {
    return this.#unanswered.size;
  }

  /** Called by the SDK. */
  setProtocolVersion(version: string): void {
    this.#protocolVersion = version;
  }

  /** Begins. Called by the SDK. */
  abstract start(): Promise<void>;

  /**
   * Sends a message and resolves when it is on its way; while the link reconnects it waits. A response that is too large for the other
   * side becomes an error that says so.
   *
   * @throws AgentError - `AGENT_UNREACHABLE` if the session is not open, or ends before; `MESSAGE_TOO_LARGE`; `RATE_LIMIT_EXCEEDED` if more
   * than 64 MiB or 65,536 messages wait already; `INVALID_MESSAGE` if it is no message of JSON-RPC.
   */
  async send(message: JsonRpcMessage, _options?: SendOptions): Promise<void> {
    const session = this.#session;
    if (!session || this.#over) {
      const text = session ? 'the session is over' : 'the transport was not started';
      throw new AgentError('AGENT_UNREACHABLE', text, { retryable: session !== undefined });
    }
    if (!isMessage(message)) throw new AgentError('INVALID_MESSAGE', 'this is no message of JSON-RPC 2.0');
    if (isResponse(message)) this.#unanswered.delete(message.id);
    await session.send(this.#textOf(message, session.mostBytes));
  }

  /** Ends the session; the other side is told. Idempotent. Called by the SDK. */
  close(): Promise<void> {
    this.end(undefined);
    return Promise.resolve();
  }

  /** Ends the session because of an error, which the other side gets as its `onerror`. */
  fail(error: AgentError): Promise<void> {
    this.end(error);
    return Promise.resolve();
  }

  /** The session has been opened by a call. @internal */
  protected begin({ session, maxMessageBytes }: Answer): Session {
    const host = {
      deliver: (text: string) => this.#deliver(text),
      lost: () => this.lost(),
      ended: (error: AgentError | undefined) => this.#ended(error),
    };
    const limits = { ours: this.maxMessageBytes, theirs: maxMessageBytes };
    this.#session = new Session(host, this.link, session, limits);
    return this.#session;
  }

  /** @internal */
  protected end(error: AgentError | undefined): void {
    if (this.#session) this.#session.end(error);
    else this.#ended(error);
  }

  /** Whether it is over. @internal */
  protected get over(): boolean {
    return this.#over;
  }

  /** The scopes of the sender. @internal */
  protected get scopes(): readonly string[] {
    return [];
  }

  /** The connection below the session is gone. @internal */
  protected abstract lost(): void;

  /** The session is over: what else there is to do. @internal */
  protected abstract finished(): void;

  #ended(error: AgentError | undefined): void {
    if (this.#over) return;
    this.#over = true;
    this.#unanswered.clear();
    this.finished();
    if (error) this.onerror?.(error);
    this.onclose?.();
  }

  #textOf(message: Looked, most: number): string {
    const text = JSON.stringify(message);
    const bytes = Buffer.byteLength(text);
    if (bytes <= most) return text;
    const reason = `${bytes} bytes, and the other side takes ${most} (maxMessageBytes)`;
    const error = new AgentError('MESSAGE_TOO_LARGE', `the message has ${reason}`);
    if (!isResponse(message)) throw error;
    // Whoever waits for it would wait in vain.
    this.onerror?.(error);
    return JSON.stringify(failure(message.id, INTERNAL_ERROR, `MESSAGE_TOO_LARGE: the result has ${reason}`));
  }

  #deliver(text: string): void | Promise<void> {
    const message = messageOf(text);
    if (!message) {
      const { agentId } = this.remote;
      return this.end(new AgentError('PROTOCOL_ERROR', `${agentId} has sent what is no message of JSON-RPC 2.0`));
    }
    if (isRequest(message)) {
      if (this.#unanswered.size >= this.#maxRequests) return this.#refuse(message);
      this.#unanswered.add(message.id);
    }
    // Nobody answers it any more.
    this.#unanswered.delete(cancelledBy(message));
    return this.#hand(message);
  }

  #hand(message: Looked): void | Promise<void> {
    try {
      const done = this.onmessage?.(message, this.#extra);
      return done === undefined ? undefined : Promise.resolve(done).catch((error: unknown) => this.#threw(error));
    } catch (error) {
      this.#threw(error);
    }
  }

  #threw(error: unknown): void {
    this.onerror?.(error instanceof Error ? error : new Error(String(error)));
  }

  #refuse({ id }: Looked): void {
    const text = `RATE_LIMIT_EXCEEDED: ${this.#maxRequests} requests of this session wait for an answer already`;
    this.#session?.send(JSON.stringify(failure(id, SERVER_BUSY, text))).catch(() => undefined);
  }

  get #extra(): McpMessageExtra {
    const agent = this.remote;
    if (!agent.authenticated) return {};
    return { authInfo: { token: '', clientId: agent.agentId, scopes: [...this.scopes], extra: { agent } } };
  }
}
