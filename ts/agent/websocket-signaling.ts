import { binding } from '../native/loader';
import { AgentError, errorFromJson, nativeAgentCall, reportError } from './errors';
import { checkInteger, checkMembers, checkMilliseconds, normalizeAgentUri } from './options';
import type { RoomListener, SignalingAdapter, SignalingMessage, Unsubscribe } from './signaling';
import { RoomClient } from './signaling-rooms';

type NativeClient = InstanceType<typeof binding.SignalingClient>;

/** Options of {@link WebSocketSignaling}; times in milliseconds. */
export interface WebSocketSignalingOptions {
  /** Time for connecting and registering, each attempt. Default: 10,000. */
  connectTimeout?: number;
  /** Longest delay before the first reconnection; it doubles from there. Default: 250. */
  reconnectDelay?: number;
  /** Longest delay between reconnections. Default: 30,000. */
  maxReconnectDelay?: number;
  /** Attempts in a row until the first registration. Default: 5. */
  firstAttempts?: number;
  /** Attempts in a row after a loss. Default: no limit. */
  attempts?: number;
  /** PEM certificates of authorities to trust for `wss:` besides the operating system's. */
  ca?: string;
  /** Called when the connection is lost and will be tried again in `retryIn` milliseconds. */
  onDisconnect?: (agentId: string, reason: string, retryIn: number) => void;
  /** Called for every registration: the first, and each after a loss. */
  onRegister?: (agentId: string) => void;
}

const OPTIONS = [
  'connectTimeout',
  'reconnectDelay',
  'maxReconnectDelay',
  'firstAttempts',
  'attempts',
  'ca',
  'onDisconnect',
  'onRegister',
] as const;

/** Signaling through a WebSocket server, `createSignalingServer()` for example. Each agent has its own connection. */
export class WebSocketSignaling implements SignalingAdapter {
  /** The URL of the server. */
  readonly url: string;
  readonly #options: WebSocketSignalingOptions;
  readonly #clients = new Map<string, NativeClient>();
  readonly #rooms = new Map<string, RoomClient>();

  /**
   * Connects when the first agent subscribes.
   * @throws TypeError for a URL that is not `ws:` or `wss:`, for unknown options and for values of a wrong type or range.
   */
  constructor(url: string | URL, options: WebSocketSignalingOptions = {}) {
    checkMembers(options, 'the options of WebSocketSignaling', OPTIONS);
    for (const name of ['connectTimeout', 'reconnectDelay', 'maxReconnectDelay'] as const) {
      if (options[name] !== undefined) checkMilliseconds(options[name], name);
    }
    for (const name of ['firstAttempts', 'attempts'] as const) {
      if (options[name] !== undefined) checkInteger(options[name], name, 1, 2 ** 32 - 1);
    }
    this.url = String(url);
    if (!/^wss?:\/\/./i.test(this.url)) {
      throw new TypeError(`${JSON.stringify(this.url)} is not the URL of a signaling server (ws:// or wss://)`);
    }
    this.#options = { ...options };
  }

  /**
   * Sends a message over the connection of its sender.
   * @throws AgentError `UNAUTHORIZED` if the sender is not registered from here.
   */
  send(message: SignalingMessage): void {
    const client = message.from === undefined ? undefined : this.#clients.get(message.from);
    if (!client) throw new AgentError('UNAUTHORIZED', `${message.from} is not registered with ${this.url} from here`);
    nativeAgentCall(() => client.send(JSON.stringify(message)));
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
  ): Promise<Unsubscribe> {
    const agent = normalizeAgentUri(agentId);
    if (this.#clients.has(agent)) {
      return Promise.reject(new AgentError('UNAUTHORIZED', `${agent} is registered with ${this.url} already`));
    }
    return new Promise((resolve, reject) => {
      let closed!: () => void;
      const gone = new Promise<void>((done) => (closed = done));
      const { onDisconnect, onRegister, ...options } = this.#options;
      let registered = false;
      const handlers: Record<string, (content: string | undefined) => void> = {
        registered: () => {
          registered = true;
          resolve(unsubscribe);
          onRegister?.(agent);
        },
        message: (content) => deliver(JSON.parse(content!) as SignalingMessage),
        room: (content) => rooms.handle(content!),
        disconnected: (content) => {
          rooms.disconnected();
          const { error, retryIn } = JSON.parse(content!) as { error: string; retryIn: number };
          onDisconnect?.(agent, error, retryIn);
        },
        closed: (content) => {
          this.#clients.delete(agent);
          this.#rooms.delete(agent);
          rooms.closed(content);
          closed();
          const error = content
            ? retryableIfUnreachable(errorFromJson(content))
            : new AgentError('TASK_CANCELLED', 'the signaling client was closed');
          reject(error);
          if (content && registered) failed(error);
        },
      };
      const client = nativeAgentCall(
        () =>
          new binding.SignalingClient(this.url, agent, options, (type, content) => {
            try {
              handlers[type]?.(content ?? undefined);
            } catch (error) {
              // The native side has nobody to tell.
              reportError(error);
            }
          }),
      );
      // Lives as long as the client; nothing is called before this function has returned.
      const rooms = new RoomClient({
        join: (room) => nativeAgentCall(() => client.join(room)),
        leave: (room) => nativeAgentCall(() => client.leave(room)),
      });
      this.#clients.set(agent, client);
      this.#rooms.set(agent, rooms);
      const unsubscribe = (): Promise<void> => {
        client.close();
        return gone;
      };
    });
  }

  /**
   * Enters a room of the server; after a loss of the connection the agent enters it again.
   * @returns rejects with `RATE_LIMIT_EXCEEDED` if the room is full or the agent is in too many, `INVALID_MESSAGE` for a name
   * that is not one, `UNAUTHORIZED` if the agent is not registered from here, `PROTOCOL_ERROR` if the server knows no rooms.
   */
  async join(room: string, agentId: string, onMembers: RoomListener): Promise<Unsubscribe> {
    const rooms = this.#rooms.get(normalizeAgentUri(agentId));
    if (!rooms) throw new AgentError('UNAUTHORIZED', `${agentId} is not registered with ${this.url} from here`);
    return await rooms.join(room, onMembers);
  }

  /** Ends the registration of one agent, also while it is being made. @internal */
  abandon(agentId: string): void {
    this.#clients.get(agentId)?.close();
  }
}

function retryableIfUnreachable(error: AgentError): AgentError {
  if (error.code !== 'AGENT_UNREACHABLE') return error;
  return new AgentError(error.code, error.message, { retryable: true });
}
