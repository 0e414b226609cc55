// The side that opens sessions.
import { setTimeout } from '../platform';
import { checkInteger, checkMembers, checkMilliseconds, checkName, checkSignal } from '../base';
import { AgentError, type Link } from '../index';
import { answerOf, checkLimits, SESSION_PROTOCOL, type Answer, type Session } from './session';
import { McpTransport } from './transport';

/** Options of {@link McpClientTransport}. */
export interface McpClientOptions {
  /** Which of the other agent's servers, as its `serveMcp` calls it. Default: `'mcp'`. */
  name?: string;
  /** Milliseconds to wait for the session. Default: 30,000. */
  timeout?: number;
  /** Gives up while the session is being opened, and ends it later. */
  signal?: AbortSignal;
  /** Bytes of one message that this side takes, from 64 KiB to 256 MiB; a larger result is an error. Default: 16 MiB. */
  maxMessageBytes?: number;
  /** Requests of the server (sampling, elicitation) that may wait for an answer; more get an error. Default: 1,024. */
  maxRequests?: number;
}

/** Attempts to take a session up again while the link has a connection. */
const ATTEMPTS = 3;

/**
 * The client's side of MCP over a link: `await client.connect(new McpClientTransport(link))`. Any number of them may use one link.
 *
 * `start()`, which `connect()` calls, rejects with an `AgentError`: `CAPABILITY_NOT_FOUND` if no such server is there, `UNAUTHORIZED` if it
 * does not serve this agent, `RATE_LIMIT_EXCEEDED` if it has too many sessions, what its factory threw, `TASK_TIMEOUT`,
 * `TASK_CANCELLED`, `AGENT_UNREACHABLE`.
 */
export class McpClientTransport extends McpTransport {
  readonly #capability: string;
  readonly #timeout: number;
  readonly #signal: AbortSignal | undefined;
  readonly #abort = () => this.end(new AgentError('TASK_CANCELLED', 'the session was cancelled'));
  #session: Session | undefined;
  #started = false;

  /** @throws TypeError - An option is unknown or not valid. */
  constructor(link: Link, options: McpClientOptions = {}) {
    checkMembers(options, 'the options of McpClientTransport', [
      ...['name', 'timeout', 'signal', 'maxMessageBytes', 'maxRequests'],
    ]);
    const { name = 'mcp', timeout = 30_000, maxRequests = 1024 } = options;
    super(link, checkLimits(options.maxMessageBytes), checkInteger(maxRequests, 'maxRequests', 1, 2 ** 24));
    this.#capability = checkName(name, 'name');
    this.#timeout = checkMilliseconds(timeout, 'timeout');
    this.#signal = checkSignal(options.signal, 'signal');
  }

  /** The id of the session, once the server has said something: a client of the SDK initializes only what has none. */
  override get sessionId(): string | undefined {
    return this.#session && this.#session.received > 0 ? this.#session.id : undefined;
  }

  /** Opens the session. @throws AgentError - See {@link McpClientTransport}. */
  async start(): Promise<void> {
    if (this.#started) throw new Error('the transport was started already; each client needs one of its own');
    this.#started = true;
    try {
      const answer = await this.#ask({});
      if (this.over) throw new AgentError('TASK_CANCELLED', 'the transport was closed while it was being opened');
      this.#session = this.begin(answer);
      this.#signal?.addEventListener('abort', this.#abort, { once: true });
      await this.#attach(this.#session);
    } catch (error) {
      // The SDK is told by this call.
      this.onerror = undefined;
      this.end(undefined);
      throw error;
    }
  }

  /** @internal */
  protected lost(): void {
    void this.#resume(this.#session!);
  }

  /** @internal */
  protected finished(): void {
    this.#signal?.removeEventListener('abort', this.#abort);
  }

  /** Takes the session up again on the next connection of the link. */
  async #resume(session: Session): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      await settled(this.link);
      try {
        return await this.#takeUp(session);
      } catch (error) {
        if (session.over) return;
        // Of an attempt that the next loss of the connection has ended nothing is known.
        if (isPassing(error) && this.link.state !== 'open') attempt = 0;
        else if (!isPassing(error) || attempt >= ATTEMPTS) return session.end(error as AgentError);
      }
    }
  }

  async #takeUp(session: Session): Promise<void> {
    if (session.over) return;
    const { received } = await this.#ask({ session: session.id, received: session.received });
    if (session.over) return;
    if (!session.rewind(received)) {
      throw new AgentError('PROTOCOL_ERROR', `${this.remote.agentId} says that it has received what was not sent`);
    }
    await this.#attach(session);
  }

  async #ask(about: { session?: string; received?: number }): Promise<Answer> {
    const input = { version: 1, maxMessageBytes: this.maxMessageBytes, ...about };
    const options = { timeout: this.#timeout, signal: this.#signal };
    return answerOf(await this.link.call(this.#capability, input, options));
  }

  async #attach(session: Session): Promise<void> {
    const options = this.#signal ? { signal: this.#signal } : {};
    const channel = await this.link.createChannel(session.id, { protocol: SESSION_PROTOCOL }, options);
    if (session.over) void channel.close();
    else session.attach(channel);
  }
}

/** Resolves when the link has a connection again, or is closed. */
async function settled(link: Link): Promise<void> {
  // The loss is told before the state changes.
  await new Promise((resolve) => setTimeout(resolve, 0));
  while (link.state === 'reconnecting') await new Promise((resolve) => link.once('state', resolve));
}

function isPassing(error: unknown): boolean {
  return error instanceof AgentError && (error.code === 'AGENT_UNREACHABLE' || error.code === 'TASK_TIMEOUT');
}
