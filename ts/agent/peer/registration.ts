// The place of one agent in a signaling service: registered, lost, given up.
import { clearTimeout, setTimeout } from '../../platform';
import { AgentError, messageOf } from '../../base';
import type { AgentKeys } from '../../identity';
import { isSignalingMessage, type SignalingAdapter, type SignalingMessage, type Unsubscribe } from '../../signaling';
import { WebSocketSignaling } from '../../signaling/client';
import type { RTCIceServer } from '../../w3c';
import { watchNetwork } from '../connection';
import type { PeerOptions } from './options';

/** How long `close()` waits for an adapter to end a subscription. */
const GOODBYE = 2000;

/** What a registration tells its peer. */
export interface RegistrationHost {
  readonly agentId: string;
  /** For services that want to know who it is. */
  readonly keys: AgentKeys | undefined;
  /** The service offers ICE servers. */
  offerIceServers(servers: readonly RTCIceServer[]): void;
  /** How often the network is looked at, in milliseconds; 0 for never. */
  readonly networkInterval: number;
  /** Others can find this agent again. */
  returned(): void;
  /** A message has come. Never throws. */
  deliver(message: SignalingMessage): void;
  /** The registration has failed. */
  failed(error: AgentError): void;
  /** The service is lost for good. */
  lost(error: AgentError): void;
}

/** One subscription to a signaling adapter. */
export class Registration {
  /** Resolves when other agents can find this one. */
  readonly ready: Promise<void>;
  readonly #host: RegistrationHost;
  readonly #adapter: SignalingAdapter;
  readonly #subscription: Promise<Unsubscribe>;
  #unwatch: () => void = () => undefined;
  #settled = false;
  #closed = false;

  constructor(host: RegistrationHost, adapter: SignalingAdapter) {
    this.#host = host;
    this.#adapter = adapter;
    this.#subscription = this.#subscribe().finally(() => (this.#settled = true));
    const { agentId, networkInterval } = host;
    if (adapter instanceof WebSocketSignaling && networkInterval > 0) {
      this.#unwatch = watchNetwork(networkInterval, () => adapter.hurry(agentId));
    }
    this.ready = this.#subscription.then(() => undefined);
    // Nobody has to wait for it.
    this.ready.catch(() => undefined);
  }

  /** Why the service is not there at the moment; nothing if it is, or does not say. */
  get problem(): string | undefined {
    return this.#adapter instanceof WebSocketSignaling ? this.#adapter.problem(this.#host.agentId) : undefined;
  }

  /** Sends a message once registered. */
  async send(message: SignalingMessage): Promise<void> {
    await this.ready;
    await this.#adapter.send(message);
  }

  /**
   * Ends the subscription; resolves when the adapter has, or after two seconds. One that is still being made is not
   * waited for, as it may never be: it is ended as soon as it stands.
   */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#unwatch();
    const webSocket = this.#adapter instanceof WebSocketSignaling;
    if (this.#adapter instanceof WebSocketSignaling) this.#adapter.abandon(this.#host.agentId);
    // If it never came to a registration, there is nothing to end; nor does an error help anybody now.
    const end = this.#subscription.then((unsubscribe) => unsubscribe()).catch(() => undefined);
    if (!this.#settled && !webSocket) return;
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<void>((resolve) => (timer = setTimeout(resolve, GOODBYE)));
    await Promise.race([end, patience]);
    clearTimeout(timer);
  }

  async #subscribe(): Promise<Unsubscribe> {
    // Listeners that the caller adds right after createPeer() are there before the first message.
    await Promise.resolve();
    const { agentId, keys } = this.#host;
    try {
      return await this.#adapter.subscribe(
        agentId,
        (message) => {
          if (!this.#closed && isSignalingMessage(message)) this.#host.deliver(message);
        },
        (error) => {
          if (!this.#closed) this.#host.lost(error);
        },
        {
          ...(keys && { keys }),
          registered: () => {
            // The first time nothing can have been lost, and what waits for it is sent by itself.
            if (!this.#closed && this.#settled) this.#host.returned();
          },
          offerIceServers: (servers) => {
            if (!this.#closed) this.#host.offerIceServers(servers);
          },
        },
      );
    } catch (error) {
      const text = `signaling failed: ${messageOf(error)}`;
      const failure =
        error instanceof AgentError
          ? error
          : new AgentError('AGENT_UNREACHABLE', text, { cause: error, retryable: true });
      this.#host.failed(failure);
      throw failure;
    }
  }
}

/** The adapter behind the option `signaling`. @throws TypeError - It is neither a URL nor an adapter. */
export function adapterOf(signaling: PeerOptions['signaling']): SignalingAdapter {
  if (typeof signaling === 'string' || signaling instanceof URL || Array.isArray(signaling)) {
    return new WebSocketSignaling(signaling);
  }
  const adapter = signaling as Partial<SignalingAdapter> | null | undefined;
  if (typeof adapter?.send !== 'function' || typeof adapter.subscribe !== 'function') {
    throw new TypeError(
      'signaling must be the URL of a server, a list of those or an adapter with send() and subscribe()',
    );
  }
  return adapter as SignalingAdapter;
}
