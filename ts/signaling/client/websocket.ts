import {
  AgentError,
  cancelled,
  errorFromJson,
  nativeAgentCall,
  onAbort,
  reportError,
  systemErrorInWords,
} from '../../base';
import { normalizeAgentUri } from '../../identity';
import { binding } from '../../native';
import type { RTCIceServer } from '../../w3c';
import type { RoomListener, SignalingAdapter, SignalingMessage, SubscriptionContext, Unsubscribe } from '..';
import {
  checkServers,
  checkSignalingOptions,
  type NativeSignalingOptions,
  type SignalingState,
  type WebSocketSignalingOptions,
} from './options';
import { makeProver } from './prover';
import { RoomClient } from './rooms';

type NativeClient = InstanceType<typeof binding.SignalingClient>;

/** What the native client says with its events. */
interface EventContent {
  url: string;
  error: string;
  retryIn: number;
}

/** One registration. */
interface Place {
  readonly client: NativeClient;
  readonly rooms: RoomClient;
}

/**
 * Signaling through a server, `createSignalingServer()` for example, over a WebSocket (`ws:`, `wss:`) or plain HTTP requests
 * (`http:`, `https:`), or through the first of several servers that can be reached. Each agent has its own connection.
 */
export class WebSocketSignaling implements SignalingAdapter {
  /** The URL of the server; of the preferred one if there are several. */
  readonly url: string;
  /** The URLs of all servers, the preferred one first. */
  readonly urls: readonly string[];
  readonly #options: WebSocketSignalingOptions;
  readonly #native: NativeSignalingOptions;
  readonly #places = new Map<string, Place>();
  /** Why those that are not registered at the moment are not. */
  readonly #problems = new Map<string, string>();

  /**
   * Connects when the first agent subscribes.
   *
   * @param server - URL of a server, or of up to 16 that know the same agents: the first that can be reached is used.
   * @throws TypeError for a URL that is not `ws:`, `wss:`, `http:` or `https:`, for unknown options and for values of a wrong
   * type or range.
   */
  constructor(server: string | URL | readonly (string | URL)[], options: WebSocketSignalingOptions = {}) {
    this.urls = checkServers(server);
    this.url = this.urls[0]!;
    this.#native = checkSignalingOptions(this.urls, options);
    this.#options = { ...options };
  }

  /**
   * Sends a message over the connection of its sender.
   * @throws AgentError `UNAUTHORIZED` if the sender is not registered from here.
   */
  send(message: SignalingMessage): void {
    const place = message.from === undefined ? undefined : this.#places.get(message.from);
    if (!place)
      throw new AgentError('UNAUTHORIZED', `${message.from} is not registered with ${shown(this.url)} from here`);
    nativeAgentCall(() => place.client.send(JSON.stringify(message)));
  }

  /**
   * Connects and registers an agent; resolves when others can reach it. A connection that is lost is made again; `failed` is
   * called when that is given up.
   * @returns rejects with `UNAUTHORIZED` if the name is taken, and with the reason if the service cannot be reached.
   */
  subscribe(
    agentId: string,
    deliver: (message: SignalingMessage) => void,
    failed: (error: AgentError) => void,
    context?: SubscriptionContext,
  ): Promise<Unsubscribe> {
    const agent = normalizeAgentUri(agentId);
    const { signal } = this.#options;
    if (signal?.aborted) return Promise.reject(cancelled(signal, `the registration of ${agent}`));
    if (this.#places.has(agent)) {
      return Promise.reject(new AgentError('UNAUTHORIZED', `${agent} is registered with ${shown(this.url)} already`));
    }
    const { keys = context?.keys, token } = this.#options;
    const prover = makeProver(agent, { keys, token });
    return new Promise((resolve, reject) => this.#connect(agent, deliver, failed, resolve, reject, context, prover));
  }

  #connect(
    agent: string,
    deliver: (message: SignalingMessage) => void,
    failed: (error: AgentError) => void,
    resolve: (unsubscribe: Unsubscribe) => void,
    reject: (error: AgentError) => void,
    context: SubscriptionContext | undefined,
    prover: ReturnType<typeof makeProver>,
  ): void {
    const { onDisconnect, onRegister, onState, signal } = this.#options;
    let closed!: () => void;
    const gone = new Promise<void>((done) => (closed = done));
    let registered = false;
    let unwanted = false;
    let { url } = this;
    const tell = (state: SignalingState['state'], details: Partial<SignalingState> = {}) =>
      onState?.({ state, agentId: agent, url, ...details });
    const handlers: Record<string, (content: string | undefined) => void> = {
      connecting: (content) => {
        ({ url } = parse(content));
        tell('connecting');
      },
      registered: (content) => {
        ({ url } = parse(content));
        registered = true;
        this.#problems.delete(agent);
        resolve(unsubscribe);
        context?.registered?.();
        tell('registered');
        onRegister?.(agent);
      },
      iceServers: (content) => context?.offerIceServers(iceServersOf(content!)),
      message: (content) => deliver(JSON.parse(content!) as SignalingMessage),
      room: (content) => rooms.handle(content!),
      disconnected: (content) => {
        rooms.disconnected();
        const { retryIn, ...why } = parse(content);
        const error = why.error && systemErrorInWords(why.error);
        if (error !== undefined) this.#problems.set(agent, `${shown(url)}: ${error}`);
        tell('disconnected', { reason: error, retryIn });
        onDisconnect?.(agent, error, retryIn);
      },
      closed: (content) => {
        this.#places.delete(agent);
        this.#problems.delete(agent);
        stopWaiting?.();
        rooms.closed(content);
        closed();
        const error = this.#endOf(agent, content, unwanted);
        reject(error ?? new AgentError('TASK_CANCELLED', 'the signaling client was closed'));
        if (error && registered) failed(error);
        tell('closed', error && { error, reason: error.message });
      },
    };
    const client = nativeAgentCall(
      () =>
        new binding.SignalingClient(
          agent,
          this.#native,
          (type, content) => {
            try {
              handlers[type]?.(content ?? undefined);
            } catch (error) {
              // The native side has nobody to tell.
              reportError(error);
            }
          },
          prover,
        ),
    );
    // Lives as long as the client; nothing is called before this function has returned.
    const rooms = new RoomClient({
      join: (room) => nativeAgentCall(() => client.join(room)),
      leave: (room) => nativeAgentCall(() => client.leave(room)),
    });
    this.#places.set(agent, { client, rooms });
    const stopWaiting =
      signal &&
      onAbort(signal, () => {
        unwanted = true;
        client.close();
      });
    const unsubscribe = (): Promise<void> => {
      client.close();
      return gone;
    };
  }

  /** Why a registration has ended; nothing if the agent wanted it. */
  #endOf(agent: string, content: string | undefined, aborted: boolean): AgentError | undefined {
    if (aborted) return cancelled(this.#options.signal!, `the registration of ${agent}`);
    return content ? retryableIfUnreachable(errorFromJson(content)) : undefined;
  }

  /**
   * Enters a room of the server; after a loss of the connection the agent enters it again.
   * @returns rejects with `RATE_LIMIT_EXCEEDED` if the room is full or the agent is in too many, `INVALID_MESSAGE` for a name
   * that is not one, `UNAUTHORIZED` if the agent is not registered from here, `PROTOCOL_ERROR` if the server knows no rooms.
   */
  async join(room: string, agentId: string, onMembers: RoomListener): Promise<Unsubscribe> {
    const place = this.#places.get(normalizeAgentUri(agentId));
    if (!place) throw new AgentError('UNAUTHORIZED', `${agentId} is not registered with ${shown(this.url)} from here`);
    return await place.rooms.join(room, onMembers);
  }

  /** Why an agent is not registered at the moment, if that is known. @internal */
  problem(agentId: string): string | undefined {
    return this.#problems.get(agentId);
  }

  /** The network has changed: the connection has to show that it is alive, or is made anew at once. @internal */
  hurry(agentId: string): void {
    this.#places.get(agentId)?.client.hurry();
  }

  /** Ends the registration of one agent, also while it is being made. @internal */
  abandon(agentId: string): void {
    this.#places.get(agentId)?.client.close();
  }
}

function parse(content: string | undefined): EventContent {
  return JSON.parse(content!) as EventContent;
}

function iceServersOf(content: string): RTCIceServer[] {
  return (JSON.parse(content) as { iceServers: RTCIceServer[] }).iceServers;
}

function retryableIfUnreachable(error: AgentError): AgentError {
  if (error.code !== 'AGENT_UNREACHABLE') return error;
  return new AgentError(error.code, error.message, { retryable: true });
}

/** A URL without its query, in which some services take tokens: errors end up in logs. */
function shown(url: string): string {
  return url.split('?', 1)[0]!;
}
