// The side that asks. The SDK's own JSON-RPC transport writes and reads the messages; only the way they go is another one.
import { AgentCard } from '@a2a-js/sdk';
import {
  ClientFactory,
  ClientFactoryOptions,
  JsonRpcTransportFactory,
  type AgentCardResolver,
  type Transport,
  type TransportFactory,
} from '@a2a-js/sdk/client';

import { checkMembers, checkMilliseconds, checkName } from '../base';
import { AgentError, normalizeAgentUri, type AgentPeer, type CallOptions, type ResultStream } from '../index';
import { answered, LINK_BINDING, type Answered, type Asked } from './wire';

/** Options of {@link a2aClientFactory} and of what it is made of. */
export interface A2aClientOptions {
  /** Which of the other agent's services, as its `serveA2a` calls it. Default: `'a2a'`. */
  name?: string;
  /** Milliseconds to wait for an answer, or for each event of a stream. Default: 300,000. */
  timeout?: number;
}

/** How services are asked. */
interface Way {
  readonly name: string;
  readonly timeout: number;
}

function wayOf(options: A2aClientOptions): Way {
  checkMembers(options, 'the options of an A2A client', ['name', 'timeout']);
  const { name = 'a2a', timeout = 300_000 } = options;
  return { name: checkName(name, 'name'), timeout: checkMilliseconds(timeout, 'timeout') };
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
export function a2aClientFactory(peer: AgentPeer, options: A2aClientOptions = {}): ClientFactory {
  const usual = ClientFactoryOptions.default;
  const own = {
    transports: [new LinkTransportFactory(peer, options)],
    preferredTransports: [LINK_BINDING],
    cardResolver: new LinkCardResolver(peer, options, usual.cardResolver),
  };
  return new ClientFactory(ClientFactoryOptions.createFrom(usual, own));
}

/** Makes transports over links, for a `ClientFactory` of your own. */
export class LinkTransportFactory implements TransportFactory {
  readonly #peer: AgentPeer;
  readonly #way: Way;

  /** @throws TypeError - An option is unknown or not valid. */
  constructor(peer: AgentPeer, options: A2aClientOptions = {}) {
    this.#peer = peer;
    this.#way = wayOf(options);
  }

  /** What interfaces in agent cards say that it reaches. */
  get protocolName(): string {
    return LINK_BINDING;
  }

  /** A transport to the agent whose URI `url` is. @throws TypeError - It is none. */
  async create(url: string, agentCard: AgentCard): Promise<Transport> {
    const agentId = normalizeAgentUri(url);
    const fetchImpl: typeof fetch = (_, init) => this.#fetch(agentId, init!);
    return await new JsonRpcTransportFactory({ fetchImpl }).create(agentId, agentCard);
  }

  /** What the SDK would send to a server over HTTP. */
  async #fetch(agentId: string, { body, headers, signal }: RequestInit): Promise<Response> {
    const parameters: Record<string, string> = {};
    new Headers(headers).forEach((value, name) => {
      if (name !== 'content-type' && name !== 'accept') parameters[name] = value;
    });
    const question: Asked = { rpc: JSON.parse(body as string) as Record<string, unknown>, parameters };
    const options = { timeout: this.#way.timeout, signal: signal ?? undefined };
    const results = ask(this.#peer, agentId, this.#way.name, question, options);
    const first = await results.next();
    if (first.done) return events(results, undefined);
    const answer = answered(first.value);
    if ('event' in answer) return events(results, answer.event);
    await results.return();
    return Response.json(answer.rpc);
  }
}

/** Asks agents for their cards: of `agent:` URIs over a link, of others as `otherwise` does. */
export class LinkCardResolver implements AgentCardResolver {
  readonly #peer: AgentPeer;
  readonly #way: Way;
  readonly #otherwise: AgentCardResolver | undefined;

  /** @throws TypeError - An option is unknown or not valid. */
  constructor(peer: AgentPeer, options: A2aClientOptions = {}, otherwise?: AgentCardResolver) {
    this.#peer = peer;
    this.#way = wayOf(options);
    this.#otherwise = otherwise;
  }

  /** @throws AgentError - The agent cannot be reached or has no card for this one. @throws TypeError - This is no agent URI. */
  async resolve(baseUrl: string, path?: string): Promise<AgentCard> {
    if (this.#otherwise && /^https?:/i.test(baseUrl)) return await this.#otherwise.resolve(baseUrl, path);
    const { name, timeout } = this.#way;
    const results = ask(this.#peer, normalizeAgentUri(baseUrl), name, { card: true }, { timeout });
    const first = await results.next();
    await results.return();
    const { card } = answered(first.value);
    if (card === undefined) throw new AgentError('PROTOCOL_ERROR', `${baseUrl} has answered without an agent card`);
    return AgentCard.fromJSON(card);
  }
}

function ask(
  peer: AgentPeer,
  agentId: string,
  name: string,
  question: Asked,
  options: CallOptions,
): ResultStream<Answered> {
  return peer.callStream<Answered>(agentId, name, question, options);
}

/** Events as the SDK reads them, at its pace; when it has enough, the call is cancelled. */
function events(results: ResultStream<Answered>, first: unknown): Response {
  const encoder = new TextEncoder();
  const written = (event: unknown) => encoder.encode(`data: ${JSON.stringify(event)}\n\n`);
  const body = new ReadableStream<Uint8Array>(
    {
      start: (controller) => (first === undefined ? controller.close() : controller.enqueue(written(first))),
      pull: async (controller) => {
        const { done, value } = await results.next();
        if (done) controller.close();
        else controller.enqueue(written(answered(value).event));
      },
      cancel: async () => void (await results.return()),
    },
    // One event is read ahead.
    { highWaterMark: 1 },
  );
  return new Response(body, { headers: { 'content-type': 'text/event-stream' } });
}
