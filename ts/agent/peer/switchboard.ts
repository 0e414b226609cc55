// Where the messages of the signaling service go: to the link that they belong to, or to a new one.
import { AgentError, errorFromStranger, type Logger } from '../../base';
import { normalizeAgentUri } from '../../identity';
import type { SignalingMessage } from '../../signaling';
import type { Guard } from '../auth';
import type { Link } from '../link';
import { Admission } from './admission';
import { EarlyMessages } from './early-messages';
import type { PeerOptions } from './options';
import { SeenOffers } from './seen-offers';

/** What the switchboard needs of its peer. */
export interface SwitchboardHost {
  readonly agentId: string;
  readonly logger: Logger;
  /** By agent URI. */
  readonly links: ReadonlyMap<string, Link>;
  readonly guard: Guard;
  transmit(message: SignalingMessage): Promise<void>;
  /** Makes a link, in place of the one that may be there. */
  makeLink(remote: string, sessionId: string | undefined): Link;
}

/** See above. What it is given has passed the {@link Guard}. */
export class Switchboard {
  readonly #host: SwitchboardHost;
  readonly #admission: Admission;
  readonly #early = new EarlyMessages();
  readonly #seen = new SeenOffers();
  #closed = false;

  constructor(host: SwitchboardHost, accept: PeerOptions['accept']) {
    this.#host = host;
    this.#admission = new Admission(accept, host.logger);
  }

  /** Nothing that comes from now on matters. */
  close(): void {
    this.#closed = true;
    this.#admission.close();
  }

  /** A message from the signaling service. Never throws: what it says is not to be trusted. */
  receive(message: SignalingMessage): void {
    if (this.#closed) return;
    if (message.from === undefined) {
      this.#serviceError(message);
      return;
    }
    let remote: string;
    try {
      remote = normalizeAgentUri(message.from);
    } catch {
      return;
    }
    if (remote === this.#host.agentId) return;
    const link = this.#host.links.get(remote);
    if (message.type === 'offer') this.#offered(remote, link, message);
    else if (!link?.lifeline.matches(message)) this.#early.keep(remote, message);
    else if (message.type !== 'error') link.lifeline.handle(message);
    else {
      link.lifeline.heard = true;
      const { code, message: text } = errorFromStranger(message.error);
      const retryable = code === 'RATE_LIMIT_EXCEEDED' || code === 'AGENT_UNREACHABLE';
      link.lifeline.signalingError(new AgentError(code, `${remote}: ${text}`, { retryable }), message.sessionId);
    }
  }

  /** An error without sender: the service could not deliver something. */
  #serviceError({ sessionId, error }: SignalingMessage): void {
    if (sessionId === undefined || !error) return;
    for (const { lifeline } of this.#host.links.values()) {
      if (lifeline.sessionId !== sessionId) continue;
      const { code, message } = errorFromStranger(error);
      const retryable = code === 'AGENT_UNREACHABLE';
      lifeline.signalingError(new AgentError(code, message, { retryable }), sessionId);
    }
  }

  #offered(remote: string, link: Link | undefined, offer: SignalingMessage): void {
    const fresh = this.#seen.add(remote, offer);
    if (link?.lifeline.offered(offer)) return this.#takeEarly(remote, link);
    if (!fresh) return;
    const caller = this.#host.guard.identify(remote, offer.sessionId);
    this.#admission.decide(
      caller,
      offer,
      () => this.#admitted(remote, offer),
      (error) => this.#refuse(remote, offer, error),
    );
  }

  #admitted(remote: string, offer: SignalingMessage): void {
    let link = this.#host.links.get(remote);
    // Meanwhile this side may have called.
    if (!link?.lifeline.offered(offer)) {
      // The other side has started anew: it has lost or given up what was before.
      link?.fail(new AgentError('AGENT_UNREACHABLE', `${remote} has connected anew`, { retryable: true }));
      link = this.#host.makeLink(remote, offer.sessionId);
      link.incoming = true;
      this.#host.guard.began(link);
      link.lifeline.offered(offer);
    }
    this.#takeEarly(remote, link);
  }

  #takeEarly(remote: string, link: Link): void {
    for (const early of this.#early.take(remote)) if (link.lifeline.matches(early)) link.lifeline.handle(early);
  }

  #refuse(remote: string, { sessionId }: SignalingMessage, { code, message }: AgentError): void {
    this.#host.logger.warn('link refused', { remote, code });
    this.#early.take(remote);
    this.#host
      .transmit({ type: 'error', from: this.#host.agentId, to: remote, sessionId, error: { code, message } })
      // Whoever called will run out of patience.
      .catch(() => undefined);
  }
}
