// The sessions that are served: by link, as nobody else may take one up, and by id.
import { messageOf } from '../base';
import { AgentError, type Link, type RemoteAgent } from '../index';
import * as expected from './expected';
import { McpServedTransport, type ServedHost } from './served-transport';
import { opening, type Answer, type Opening } from './session';
import type { McpSessionFactory } from './factory';

/** How sessions are served. */
export interface ServedOptions {
  readonly factory: McpSessionFactory;
  readonly scopes: (caller: RemoteAgent) => readonly string[];
  readonly onerror: (error: AgentError, caller: RemoteAgent) => void;
  readonly maxSessions: number;
  readonly maxSessionsPerAgent: number;
  readonly maxRequests: number;
  readonly maxMessageBytes: number;
  readonly resumeTime: number;
}

/** The sessions of one link. */
class LinkSessions {
  readonly sessions = new Map<string, McpServedTransport>();
  readonly ended = (error?: AgentError): void => {
    const text = `the link to ${this.link.remote.agentId} is closed`;
    for (const session of [...this.sessions.values()]) {
      void session.fail(error ?? new AgentError('AGENT_UNREACHABLE', text, { retryable: true }));
    }
  };

  constructor(readonly link: Link) {}
}

/** All sessions of one server. */
export class ServedSessions {
  readonly #options: ServedOptions;
  readonly #links = new Map<Link, LinkSessions>();
  #size = 0;
  #over = false;

  constructor(options: ServedOptions) {
    this.#options = options;
  }

  /** Sessions that are open. */
  get size(): number {
    return this.#size;
  }

  /** What the call of a client leads to. @throws AgentError - It gets no session, or has none of that id. */
  async open(link: Link, input: unknown): Promise<Answer> {
    expected.listen(link);
    const asked = opening(input);
    const transport = asked.session === undefined ? await this.#create(link, asked) : this.#resume(link, asked);
    const { maxMessageBytes } = this.#options;
    return { session: transport.sessionId!, received: transport.received, maxMessageBytes };
  }

  /** Ends all of them. */
  close(): void {
    this.#over = true;
    for (const { sessions } of this.#links.values()) for (const session of [...sessions.values()]) void session.close();
  }

  #resume(link: Link, { session, received }: Opening): McpServedTransport {
    const transport = this.#links.get(link)?.sessions.get(session!);
    if (!transport) throw expected.unknownSession();
    transport.rewind(received!);
    return transport;
  }

  async #create(link: Link, asked: Opening): Promise<McpServedTransport> {
    const { factory, maxSessions, maxSessionsPerAgent, onerror } = this.#options;
    const here = this.#links.get(link)?.sessions.size ?? 0;
    if (this.#size >= maxSessions) throw tooMany(`${maxSessions} sessions are open`);
    if (here >= maxSessionsPerAgent) throw tooMany(`${here} sessions of ${link.remote.agentId} are open`);
    // Counts from here on: factories of many callers may run at the same time.
    const transport = this.#add(link, asked.maxMessageBytes);
    try {
      const server = await factory(link.remote, transport);
      await server?.connect(transport);
      if (!transport.started) throw new Error('the factory has connected no server to the session');
      if (this.#over || link.state === 'closed') throw new Error('the server was closed meanwhile');
      return transport;
    } catch (error) {
      await transport.close();
      if (error instanceof AgentError) throw error;
      onerror(new AgentError('INTERNAL_ERROR', messageOf(error), { cause: error }), link.remote);
      // What went wrong in here is nobody's business over there.
      throw new AgentError('CAPABILITY_FAILED', 'the server of the session could not be made', { retryable: true });
    }
  }

  #add(link: Link, theirs: number): McpServedTransport {
    let of = this.#links.get(link);
    if (!of) {
      this.#links.set(link, (of = new LinkSessions(link)));
      link.on('close', of.ended);
    }
    const { sessions } = of;
    const { maxMessageBytes, maxRequests, resumeTime, scopes } = this.#options;
    const host: ServedHost = {
      ...{ maxMessageBytes, maxRequests, resumeTime },
      scopes: () => scopes(link.remote),
      gone: (id) => {
        sessions.delete(id);
        this.#size--;
        expected.forget(link, id);
        if (sessions.size > 0) return;
        this.#links.delete(link);
        link.off('close', of.ended);
      },
    };
    const transport = new McpServedTransport(link, theirs, host);
    sessions.set(transport.sessionId!, transport);
    this.#size++;
    expected.expect(link, transport.sessionId!, (channel) => transport.attach(channel));
    return transport;
  }
}

function tooMany(what: string): AgentError {
  return new AgentError('RATE_LIMIT_EXCEEDED', `${what} already; close some, or try again later`, { retryable: true });
}
