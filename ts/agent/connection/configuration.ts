// The configuration of an agent's connections: what the application has said, and the ICE servers that signaling offers.
import type { Logger } from '../../base';
import { RTCPeerConnection, type RTCConfiguration, type RTCIceServer } from '../../w3c';

/** Servers taken from a signaling service; more than a few slow gathering down. */
const MAX_OFFERED = 16;

/**
 * Agents open TCP connections where the other side accepts them, which costs nothing where UDP works; to accept them takes a port that is
 * open to the other side, so they do where one is named.
 */
export function withTcp(own: RTCConfiguration): RTCConfiguration {
  const { transport } = own;
  const tcp = transport?.tcp ?? (transport?.tcpPortRange || transport?.listen ? 'both' : 'active');
  return { ...own, transport: { ...transport, tcp } };
}

/** See above. New connections and ICE restarts use what is current then. */
export class LinkConfiguration {
  /** Until the signaling service has had the chance to offer servers. Never rejects. */
  #settling: Promise<void> | undefined;
  readonly #own: RTCConfiguration;
  #current: RTCConfiguration;

  constructor(own: RTCConfiguration, registered: Promise<void>) {
    this.#own = own;
    this.#current = own;
    const done = () => {
      this.#settling = undefined;
    };
    this.#settling = registered.then(done, done);
  }

  /** Resolves when the signaling service has had the chance to offer servers; nothing if it has. */
  get settling(): Promise<void> | undefined {
    return this.#settling;
  }

  /** Another object after every change. */
  get current(): RTCConfiguration {
    return this.#current;
  }

  /** Takes what the signaling service offers, besides the application's own servers and in place of what it offered before. */
  offered(servers: readonly RTCIceServer[], logger: Logger): void {
    const usable = servers.slice(0, MAX_OFFERED).filter((server) => {
      try {
        new RTCPeerConnection({ iceServers: [server] }).close();
        return true;
      } catch {
        return false;
      }
    });
    if (usable.length < servers.length) {
      logger.warn('ICE servers of the signaling service ignored', { count: servers.length - usable.length });
    }
    this.#current = { ...this.#own, iceServers: [...(this.#own.iceServers ?? []), ...usable] };
  }
}
