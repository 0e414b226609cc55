import { AgentCard } from '@a2a-js/sdk';
import { AgentCardResolver, TransportFactory, Transport, ClientFactory } from '@a2a-js/sdk/client';
import { AgentPeer, AllowOption } from './index.js';
import { A2ARequestHandler } from '@a2a-js/sdk/server';

/** Options of {@link a2aClientFactory} and of what it is made of. */
interface A2aClientOptions {
    /** Which of the other agent's services, as its `serveA2a` calls it. Default: `'a2a'`. */
    name?: string;
    /** Milliseconds to wait for an answer, or for each event of a stream. Default: 300,000. */
    timeout?: number;
}
/**
 * A `ClientFactory` of the SDK for agents that are reached over links of `peer`, and for those with an interface over HTTP:
 * `await a2aClientFactory(peer).createFromUrl('agent://example.com/other')`.
 *
 * What fails on the way rejects with an `AgentError`: `AGENT_UNREACHABLE`, also when the connection is lost meanwhile, `UNAUTHORIZED`,
 * `CAPABILITY_NOT_FOUND`, `TASK_TIMEOUT`, `TASK_CANCELLED`, `RATE_LIMIT_EXCEEDED`, `MESSAGE_TOO_LARGE`. What the other agent answers is the SDK's.
 *
 * @throws TypeError - An option is unknown or not valid.
 */
declare function a2aClientFactory(peer: AgentPeer, options?: A2aClientOptions): ClientFactory;
/** Makes transports over links, for a `ClientFactory` of your own. */
declare class LinkTransportFactory implements TransportFactory {
    #private;
    /** @throws TypeError - An option is unknown or not valid. */
    constructor(peer: AgentPeer, options?: A2aClientOptions);
    /** What interfaces in agent cards say that it reaches. */
    get protocolName(): string;
    /** A transport to the agent whose URI `url` is. @throws TypeError - It is none. */
    create(url: string, agentCard: AgentCard): Promise<Transport>;
}
/** Asks agents for their cards: of `agent:` URIs over a link, of others as `otherwise` does. */
declare class LinkCardResolver implements AgentCardResolver {
    #private;
    /** @throws TypeError - An option is unknown or not valid. */
    constructor(peer: AgentPeer, options?: A2aClientOptions, otherwise?: AgentCardResolver);
    /** @throws AgentError - The agent cannot be reached or has no card for this one. @throws TypeError - This is no agent URI. */
    resolve(baseUrl: string, path?: string): Promise<AgentCard>;
}

/** Options of {@link serveA2a}. */
interface ServeA2aOptions {
    /** Under which clients ask for it; one agent may serve several. At most 256 bytes. Default: `'a2a'`. */
    name?: string;
    /**
     * Who may ask: agent URIs, patterns with `*`, a `RegExp` or a function, as the option of `createPeer`. Default: every agent whose key this one
     * was given (`how` is `'pinned'`, `'resolver'` or `'jwks'`); agents that are known from an earlier contact only (`'tofu'`) have to be named here.
     */
    allow?: AllowOption;
    /** Answers agents whose names are not proven as well; then `allow` is a list of names that anybody can use. Default: false. */
    unauthenticated?: boolean;
    /** Gives the card to every agent that has a link, also to one that may not ask for anything else. Default: false. */
    publicCard?: boolean;
    /** Requests and streams at a time, over all links; more wait, at most `queue` of them. Default: 1,024. */
    concurrency?: number;
    /** Requests that may wait; more are refused with `RATE_LIMIT_EXCEEDED`. Default: 1,024. */
    queue?: number;
}
/** What {@link serveA2a} gives back. */
interface A2aServing {
    /** Takes no more requests; those that run go on. Idempotent. */
    close(): void;
}
/**
 * Answers A2A to agents that have a link to `peer`, whichever side has made it, with a request handler of the SDK (`DefaultRequestHandler`). Its
 * agent card needs an interface with `protocolBinding: LINK_BINDING`, the URI of this agent as `url`, and the protocol version. Executors find the
 * caller in `context.user` (`userName` is its URI, `isAuthenticated` whether that is proven) and in `context.state.get('agent')`.
 *
 * @throws TypeError - An option is unknown or not valid, or the peer serves something of this name already.
 */
declare function serveA2a(peer: AgentPeer, requestHandler: A2ARequestHandler, options?: ServeA2aOptions): A2aServing;

/** The `protocolBinding` of an interface in an agent card that is reached over a link; its `url` is the URI of the agent. */
declare const LINK_BINDING = "OSSA-LINK";

export { LINK_BINDING, LinkCardResolver, LinkTransportFactory, a2aClientFactory, serveA2a };
export type { A2aClientOptions, A2aServing, ServeA2aOptions };
