// The side that answers. The SDK's own JSON-RPC handler reads and writes the messages.
import { AgentCard, Extensions } from '@a2a-js/sdk';
import {
  defaultServerCallContextBuilder,
  JsonRpcTransportHandler,
  validateVersion,
  type A2ARequestHandler,
  type ServerCallContext,
} from '@a2a-js/sdk/server';

import { resolveAllow } from '../agent/auth';
import { checkInteger, checkMembers, checkName, onAbort } from '../base';
import type { AgentPeer, AllowOption, CallContext, RemoteAgent } from '../index';
import { Doorkeeper } from '../serving';
import { asked, LINK_BINDING, type Answered, type ServiceParameters } from './wire';

/** Responses of the SDK's handler, one for each event. */
type Events = AsyncGenerator<unknown, void, undefined>;

/** Options of {@link serveA2a}. */
export interface ServeA2aOptions {
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
export interface A2aServing {
  /** Takes no more requests; those that run go on. Idempotent. */
  close(): void;
}

const MEMBERS = ['name', 'allow', 'unauthenticated', 'publicCard', 'concurrency', 'queue'];

/**
 * Answers A2A to agents that have a link to `peer`, whichever side has made it, with a request handler of the SDK (`DefaultRequestHandler`). Its
 * agent card needs an interface with `protocolBinding: LINK_BINDING`, the URI of this agent as `url`, and the protocol version. Executors find the
 * caller in `context.user` (`userName` is its URI, `isAuthenticated` whether that is proven) and in `context.state.get('agent')`.
 *
 * @throws TypeError - An option is unknown or not valid, or the peer serves something of this name already.
 */
export function serveA2a(
  peer: AgentPeer,
  requestHandler: A2ARequestHandler,
  options: ServeA2aOptions = {},
): A2aServing {
  checkMembers(options, 'the options of serveA2a', MEMBERS);
  const { name = 'a2a', publicCard = false, concurrency = 1024, queue = 1024 } = options;
  if (typeof publicCard !== 'boolean') throw new TypeError('publicCard must be true or false');
  const doorkeeper = new Doorkeeper(resolveAllow(options.allow), options.unauthenticated);
  const rpc = new JsonRpcTransportHandler(requestHandler);
  const answer = async (input: unknown, { link, signal }: CallContext): Promise<unknown> => {
    const question = asked(input);
    if (!('card' in question) || !publicCard) await doorkeeper.admit(link.remote);
    if ('card' in question) return { card: AgentCard.toJSON(await requestHandler.getAgentCard()) } satisfies Answered;
    return await respond(requestHandler, rpc, question, link.remote, signal);
  };
  const limits = {
    concurrency: checkInteger(concurrency, 'concurrency', 1, 2 ** 24),
    queue: checkInteger(queue, 'queue', 0, 2 ** 24),
  };
  return { close: peer.handle(checkName(name, 'name'), answer, limits) };
}

async function respond(
  requestHandler: A2ARequestHandler,
  handler: JsonRpcTransportHandler,
  { rpc, parameters }: { rpc: Readonly<Record<string, unknown>>; parameters: ServiceParameters },
  caller: RemoteAgent,
  signal: AbortSignal,
): Promise<unknown> {
  const context = contextOf(parameters, caller);
  try {
    validateVersion(context.requestedVersion, await requestHandler.getAgentCard(), LINK_BINDING);
    const result = await handler.handle({ ...rpc }, context);
    return Symbol.asyncIterator in result
      ? await streamed(result, rpc.id, signal)
      : ({ rpc: result } satisfies Answered);
  } catch (error) {
    return failed(rpc.id, error);
  }
}

function contextOf(parameters: ServiceParameters, agent: RemoteAgent): ServerCallContext {
  const context = defaultServerCallContextBuilder({
    extensions: Extensions.parseServiceParameter(parameters['a2a-extensions']),
    user: { isAuthenticated: agent.authenticated, userName: agent.agentId },
    headers: { ...parameters },
    requestedVersion: parameters['a2a-version'],
  });
  context.state.set('agent', agent);
  return context;
}

/** A stream that fails before its first event is an answer that is an error, as over HTTP. */
async function streamed(stream: Events, id: unknown, signal: AbortSignal): Promise<unknown> {
  // Whoever has stopped reading is not waited for until the next event, which may be far away.
  let end = () => undefined as void;
  const over = new Promise<void>((resolve) => (end = onAbort(signal, resolve)));
  const next = async () => (await Promise.race([stream.next(), over])) ?? { done: true as const, value: undefined };
  const finish = () => {
    end();
    stream.return().catch(() => undefined);
  };
  let first: IteratorResult<unknown, void>;
  try {
    first = await next();
  } catch (error) {
    finish();
    throw error;
  }
  return (async function* (): AsyncGenerator<Answered> {
    try {
      for (let event = first; !event.done; event = await next()) yield { event: event.value };
    } catch (error) {
      yield { event: failed(id, error).rpc };
    } finally {
      finish();
    }
  })();
}

function failed(id: unknown, error: unknown): { rpc: unknown } {
  return { rpc: { jsonrpc: '2.0', id: id ?? null, error: JsonRpcTransportHandler.mapToJSONRPCError(error) } };
}
