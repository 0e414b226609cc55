import { Link, RemoteAgent, AgentError, AllowOption, AgentPeer } from './index.js';

/** A JSON-RPC 2.0 request, notification or response. What it says is for the SDK to check. */
interface JsonRpcMessage {
    jsonrpc: '2.0';
}
/** Who has sent a message, in the form in which the SDK gives it to handlers as `authInfo`. */
interface McpAuthInfo {
    /** There is none: the certificate of the connection is what was proven. Empty. */
    token: string;
    /** The URI of the agent. */
    clientId: string;
    /** What the option `scopes` of {@link serveMcp} has said. */
    scopes: string[];
    /** `extra.agent` is the `RemoteAgent`, with how it was proven. */
    extra?: Record<string, unknown>;
}
/** What comes with a message. */
interface McpMessageExtra {
    /** The sender, if its name is proven; absent if it is not. */
    authInfo?: McpAuthInfo;
}

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
declare abstract class McpTransport {
    #private;
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
    /** The other agent, and how it was proven. */
    get remote(): RemoteAgent;
    /** The id of the session, once it is open. */
    get sessionId(): string | undefined;
    /** The version of MCP that the two sides have agreed on. */
    get protocolVersion(): string | undefined;
    /** Requests of the other side that have no answer yet. */
    get pendingRequests(): number;
    /** Called by the SDK. */
    setProtocolVersion(version: string): void;
    /** Begins. Called by the SDK. */
    abstract start(): Promise<void>;
    /**
     * Sends a message and resolves when it is on its way; while the link reconnects it waits. A response that is too large for the other
     * side becomes an error that says so.
     *
     * @throws AgentError - `AGENT_UNREACHABLE` if the session is not open, or ends before; `MESSAGE_TOO_LARGE`; `RATE_LIMIT_EXCEEDED` if more
     * than 64 MiB or 65,536 messages wait already; `INVALID_MESSAGE` if it is no message of JSON-RPC.
     */
    send(message: JsonRpcMessage, _options?: SendOptions): Promise<void>;
    /** Ends the session; the other side is told. Idempotent. Called by the SDK. */
    close(): Promise<void>;
    /** Ends the session because of an error, which the other side gets as its `onerror`. */
    fail(error: AgentError): Promise<void>;
}

/** Options of {@link McpClientTransport}. */
interface McpClientOptions {
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
/**
 * The client's side of MCP over a link: `await client.connect(new McpClientTransport(link))`. Any number of them may use one link.
 *
 * `start()`, which `connect()` calls, rejects with an `AgentError`: `CAPABILITY_NOT_FOUND` if no such server is there, `UNAUTHORIZED` if it
 * does not serve this agent, `RATE_LIMIT_EXCEEDED` if it has too many sessions, what its factory threw, `TASK_TIMEOUT`,
 * `TASK_CANCELLED`, `AGENT_UNREACHABLE`.
 */
declare class McpClientTransport extends McpTransport {
    #private;
    /** @throws TypeError - An option is unknown or not valid. */
    constructor(link: Link, options?: McpClientOptions);
    /** The id of the session, once the server has said something: a client of the SDK initializes only what has none. */
    get sessionId(): string | undefined;
    /** Opens the session. @throws AgentError - See {@link McpClientTransport}. */
    start(): Promise<void>;
}

/** A `Server` or `McpServer` of the SDK, or a `Client`. */
interface McpServerLike {
    connect(transport: McpTransport): Promise<void>;
}
/**
 * Makes the server of one session, for the agent that has opened it. It may also connect one to `transport` itself and return nothing.
 * What it throws refuses the session.
 */
type McpSessionFactory = (caller: RemoteAgent, transport: McpTransport) => McpServerLike | void | Promise<McpServerLike | void>;

/** Options of {@link serveMcp}. */
interface ServeMcpOptions {
    /** Under which clients ask for it; one agent may serve several. At most 256 bytes. Default: `'mcp'`. */
    name?: string;
    /**
     * Who may open sessions: agent URIs, patterns with `*`, a `RegExp` or a function, as the option of `createPeer`. Default: every agent whose
     * key this one was given (`how` is `'pinned'`, `'resolver'` or `'jwks'`); agents that are known from an earlier contact only (`'tofu'`) have
     * to be named here.
     */
    allow?: AllowOption;
    /** Serves agents whose names are not proven as well; then `allow` is a list of names that anybody can use. Default: false. */
    unauthenticated?: boolean;
    /** What handlers find in `authInfo.scopes`. Default: none. */
    scopes?: (caller: RemoteAgent) => readonly string[];
    /** Sessions at a time; more are refused with `RATE_LIMIT_EXCEEDED`. Default: 1,024. */
    maxSessions?: number;
    /** Sessions of one agent at a time. Default: 64. */
    maxSessionsPerAgent?: number;
    /** Requests of one session that may wait for an answer; more are answered with an error. Default: 1,024. */
    maxRequests?: number;
    /** Bytes of one message that this side takes, from 64 KiB to 256 MiB. Default: 16 MiB. */
    maxMessageBytes?: number;
    /** Milliseconds that a session without a connection is kept for its client to come back. Default: 300,000. */
    resumeTime?: number;
    /** Told of what went wrong in a session that was opened, or could not be. */
    onerror?: (error: AgentError, caller: RemoteAgent) => void;
}
/** What {@link serveMcp} gives back. */
interface McpServing extends AsyncDisposable {
    /** Sessions that are open. */
    readonly sessions: number;
    /** Takes no more sessions and ends those that are open. Idempotent. */
    close(): Promise<void>;
}
/**
 * Serves MCP to agents that have a link to `peer`, whichever side has made it. `factory` makes a server of the SDK for each session.
 *
 * @throws TypeError - An option is unknown or not valid, or the peer serves something of this name already.
 */
declare function serveMcp(peer: AgentPeer, factory: McpSessionFactory, options?: ServeMcpOptions): McpServing;

export { McpClientTransport, McpTransport, serveMcp };
export type { JsonRpcMessage, McpAuthInfo, McpClientOptions, McpMessageExtra, McpServerLike, McpServing, McpSessionFactory, ServeMcpOptions };
