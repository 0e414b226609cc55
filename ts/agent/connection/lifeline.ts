// The connections of a link, one after the other: the first set-up, what is done when one is lost, and the next.
import { randomUUID } from 'node:crypto';

import { AgentError, type ConnectCause } from '../../base';
import type { SignalingMessage } from '../../signaling';
import type { RTCPeerConnection } from '../../w3c';
import { givenUp, unanswered, unmade, unreachable } from './causes';
import { LinkConnection, type LinkConnectionHost } from './connection';
import type { LifelineHost, LinkState } from './lifeline-host';
import { Reconnection, type Reconnected, type ReconnectReason, type ReconnectStep } from './reconnection';
import { parseSessionId, relationOf, renewedSessionId } from './session-id';

/** Codes with which the other side refuses for good: trying again would be an imposition. */
const FINAL = ['UNAUTHORIZED', 'AUTH_FAILED', 'AUTH_EXPIRED', 'UNSUPPORTED_VERSION'];

/** The code with which a side that cannot be reached any more says that it has closed the link. */
const GOODBYE = 'TASK_CANCELLED';

/** Keeps a link connected. */
export class Lifeline {
  /** Something has come from the other agent, over signaling. */
  heard = false;
  /** It has ended because this side has no address to be reached at. */
  stranded = false;
  readonly #host: LifelineHost;
  #state: LinkState = 'connecting';
  #current: LinkConnection;
  /** The last connection that was open, while another is being made: closing it earlier would end the link over there. */
  #retired: LinkConnection | undefined;
  #watch: Reconnection | undefined;
  /** Of the set-ups of this link that either side has named. */
  #highest = 0;

  constructor(host: LifelineHost, sessionId: string | undefined) {
    this.#host = host;
    this.#current = this.#connect(sessionId);
  }

  get state(): LinkState {
    return this.#state;
  }

  /** The W3C connection of the moment. */
  get connection(): RTCPeerConnection {
    return this.#current.connection;
  }

  /** What stands in the way of the present connection, as far as this side knows. */
  get causes(): ConnectCause[] {
    const { causes } = this.#current;
    const offered = this.#state === 'connecting' && this.#current.offerer && this.connection.localDescription !== null;
    if (this.heard || !offered) return causes;
    return [...causes, unanswered(this.#host.remote)];
  }

  /** See {@link LinkConnection.maxMessageSize}. */
  get maxMessageSize(): number {
    return this.#current.maxMessageSize;
  }

  /** The name of the present set-up. */
  get sessionId(): string | undefined {
    return this.#current.sessionId;
  }

  /** Dials, the first time. */
  start(): void {
    this.#current.offerer = true;
    this.#prepare(true);
  }

  /** Makes the message channels of the present connection and adds the tracks, once. */
  #prepare(offerer: boolean): void {
    if (this.#current.prepared) return;
    this.#current.prepared = true;
    this.#host.prepare(offerer);
  }

  /** Whether a message that is no offer belongs to this link; peers that know no session ids correlate by agent. */
  matches({ sessionId }: SignalingMessage): boolean {
    const own = this.#current.sessionId;
    return sessionId === undefined || own === undefined || parseSessionId(sessionId).link === parseSessionId(own).link;
  }

  /** Whether this is the name of a set-up of this link, which nobody knows but the two agents and their service. */
  #named(sessionId: string | undefined): boolean {
    const own = this.#current.sessionId;
    if (sessionId === undefined || own === undefined) return sessionId === own;
    return parseSessionId(sessionId).link === parseSessionId(own).link;
  }

  /** Takes an answer or a candidate. */
  handle(message: SignalingMessage): void {
    this.heard = true;
    const { sessionId } = message;
    const own = this.#current.sessionId;
    // Of an attempt that has been given up.
    if (sessionId !== undefined && own !== undefined && sessionId !== own) return;
    if (message.type === 'answer' && this.#current.isForeign(message)) {
      // An ICE restart that another program has answered: the one that we were connected to is gone.
      this.#watch?.failed();
      return;
    }
    if (message.type === 'answer') this.#watch?.answered();
    this.#current.negotiator.handle(message);
  }

  /** Takes an offer. False: it does not belong to this link but begins another one. */
  offered(offer: SignalingMessage): boolean {
    this.heard = true;
    const current = this.#current;
    const polite = this.#host.local < this.#host.remote;
    const { sessionId } = offer;
    const making = this.#state === 'connecting' || (this.#state === 'reconnecting' && current !== this.#retired);
    const glare = making && current.negotiator.offering && current.connection.remoteDescription === null;
    const relation = relationOf(current.sessionId, current.connection.remoteDescription?.sdp, offer);
    if (relation !== 'anew' && sessionId !== undefined) {
      this.#highest = Math.max(this.#highest, parseSessionId(sessionId).number);
    }
    if (glare && relation !== 'redial' && relation !== 'stale') {
      // Both sides have called: the one with the greater name has its way.
      if (!polite) return true;
      if (this.#state === 'connecting') {
        current.sessionId = sessionId;
        current.offerer = false;
        current.negotiator.handle(offer);
        return true;
      }
      if (relation === 'anew') return false;
      this.#redialled(offer);
    } else if (relation === 'renegotiation' && current === this.#retired) {
      this.#watch?.asked();
    } else if (relation === 'renegotiation') {
      this.#watch?.answered();
      this.#prepare(false);
      current.negotiator.handle(offer);
    } else if (relation === 'redial') {
      this.#redialled(offer);
    }
    return relation !== 'anew';
  }

  /** The message channel is open. */
  opened(): void {
    if (this.#state === 'closed') return;
    this.#retired?.close();
    this.#retired = undefined;
    if (this.#watch) {
      this.#watch.rebuilt();
      return;
    }
    const { heartbeat, reconnect } = this.#host;
    this.#watch = new Reconnection(this.#reconnectionHost(), heartbeat, reconnect, this.#current.offerer);
    this.#setState('open');
  }

  /** The message channel is closed: by the other side, or because the connection has failed. */
  channelLost(): void {
    const { connectionState, sctp } = this.#current.connection;
    const failed = connectionState === 'failed' || sctp?.transport.state === 'failed';
    if (failed && this.#watch) this.#watch.failed();
    else this.#host.end(undefined);
  }

  /** An error of the other agent or of the signaling service. */
  signalingError(error: AgentError, sessionId: string | undefined): void {
    if (this.#state === 'connecting') {
      const text = `${this.#host.remote} has given up connecting`;
      const gaveUp = error.code === GOODBYE && new AgentError('AGENT_UNREACHABLE', text, { retryable: true });
      this.#host.end(gaveUp || error);
    } else if (this.#state === 'open') {
      // A link that is up does not need the service.
      this.#host.problem(error);
    } else if (!this.#named(sessionId)) {
      // Errors are not signed: from somebody who does not know the name of the link they mean nothing.
      this.#host.problem(error);
    } else if (error.code === GOODBYE) {
      this.#host.end(undefined);
    } else if (this.#state === 'reconnecting' && this.#current !== this.#retired) {
      if (FINAL.includes(error.code)) this.#host.end(error);
      else if (sessionId === this.#current.sessionId) {
        if (error.code === 'AGENT_UNREACHABLE') this.#watch?.absent();
        else this.#watch?.failed();
      }
    } else if (this.#state === 'disconnected' && error.code === 'AGENT_UNREACHABLE') {
      // Of a restart that was begun while the connection still worked.
      this.#watch?.absent();
    } else {
      this.#host.problem(error);
    }
  }

  /** The signaling service was lost and is there again. */
  signalingReturned(): void {
    this.#repeat();
    this.#watch?.signalingReturned();
  }

  /** Tells the offer that waits for its answer once more. A peer that knows the specification only would answer twice, and differently. */
  #repeat(): void {
    if (this.#host.greeted) this.#current.negotiator.repeat();
  }

  /** See {@link LinkConnection.serversChanged}. */
  serversChanged(): void {
    this.#current.serversChanged();
  }

  /** See {@link Reconnection}. */
  get watch(): Reconnection | undefined {
    return this.#watch;
  }

  /** Tells the other side that the link is closed, where the connection cannot. */
  sayGoodbye(): void {
    // A set-up that was begun and is given up would wait over there until its time is over.
    const begun = this.#state === 'connecting' && this.#current.offerer && this.connection.localDescription !== null;
    if (!begun && this.#state !== 'disconnected' && this.#state !== 'reconnecting') return;
    this.tell({ code: GOODBYE, message: 'the link was closed' });
  }

  /** Tells the other side of an error through the signaling service. */
  tell({ code, message }: { code: string; message: string }): void {
    const { local: from, remote: to } = this.#host;
    this.#host
      .transmit({ type: 'error', from, to, sessionId: this.#current.sessionId, error: { code, message } })
      // It will find out by itself.
      .catch(() => undefined);
  }

  close(): void {
    this.#state = 'closed';
    this.#watch?.close();
    this.#current.close();
    this.#retired?.close();
  }

  #connect(sessionId: string | undefined): LinkConnection {
    if (sessionId !== undefined) this.#highest = Math.max(this.#highest, parseSessionId(sessionId).number);
    try {
      return new LinkConnection(this.#connectionHost(), this.#host.configuration, sessionId);
    } catch (error) {
      throw unmade(this.#host.remote, error);
    }
  }

  #connectionHost(): LinkConnectionHost {
    const host = this.#host;
    return {
      local: host.local,
      remote: host.remote,
      transmit: (message) => host.transmit(message),
      yielded: () => {
        if (this.#state === 'connecting') host.yielded();
      },
      ignored: (connection) => {
        if (connection === this.#current) this.#repeat();
      },
      stateChanged: (connection, state) => {
        if (connection === this.#current) this.#connectionChanged(state);
      },
      stranded: (connection) => {
        if (connection === this.#current && this.#state !== 'closed') this.#stranded();
      },
      pathLost: (connection) => {
        if (connection === this.#current && !this.#making) this.#watch?.pathLost();
      },
      channel: (connection, channel) => {
        if (connection === this.#current) host.announced(channel);
      },
      track: (connection, event) => {
        if (connection === this.#current) host.announcedTrack(event);
      },
      problem: (error) => host.problem(error),
      failed: (connection, error) => {
        if (connection !== this.#current) return;
        if (this.#state === 'connecting') return host.end(error);
        host.problem(error);
        // What an open connection negotiates may fail; one that is being made will not come about.
        if (this.#making) this.#watch?.failed();
      },
    };
  }

  /** A further connection is being made. */
  get #making(): boolean {
    return this.#state === 'reconnecting' && this.#retired !== undefined && this.#current !== this.#retired;
  }

  #connectionChanged(state: RTCPeerConnection['connectionState']): void {
    if (state === 'closed') return this.#host.end(undefined);
    // Before anything is delivered that comes over it.
    if (state === 'connected' && !this.#host.connected()) return;
    if (state === 'failed') return this.#connectionFailed();
    if (!this.#watch || this.#making) return;
    if (state === 'disconnected') {
      if (this.#state === 'open') this.#setState('disconnected');
      if (this.#host.reconnect.enabled) this.#watch.disconnected();
    } else if (state === 'connected') {
      this.#watch.connected();
      if (this.#state === 'disconnected') this.#setState('open');
    }
  }

  #connectionFailed(): void {
    const current = this.#current;
    if (!this.#watch) {
      return this.#host.end(unreachable(this.#host.remote, 'failed: no path between the agents works', current.causes));
    }
    // Another connection would find no path either.
    const keeps = this.#host.reconnect.enabled && !this.#making && current !== this.#retired && current.lacksPath;
    if (!keeps) return this.#watch.failed();
    if (this.#state === 'open') this.#setState('disconnected');
    this.#watch.pathFailed();
  }

  #reconnectionHost() {
    const host = this.#host;
    return {
      beat: () => host.beat(),
      restartIce: () => {
        this.#current.connection.restartIce();
        // It waits for what is being negotiated.
        this.#repeat();
      },
      repeat: () => this.#repeat(),
      suspend: () => this.#suspend(),
      rebuild: () => this.#rebuild(),
      step: (step: ReconnectStep, lost: boolean) => {
        if (lost) this.#setState('reconnecting');
        host.step(step, lost);
      },
      recovered: (how: Reconnected) => {
        this.#setState('open');
        host.reconnected(how);
      },
      giveUp: (attempts: number, reason: ReconnectReason) => {
        host.end(unreachable(this.#host.remote, givenUp(attempts, reason), this.causes));
      },
    };
  }

  /** Nothing can come of it, whatever the other side does: it is told so, and nobody waits. */
  #stranded(): void {
    if (this.#watch) {
      // While there is no network an ICE restart finds nothing, which is no reason to give up what may come back.
      if (this.#making) this.#watch.failed();
      return;
    }
    this.stranded = true;
    const { causes } = this.#current;
    if (this.#current.offerer) this.sayGoodbye();
    else this.tell({ code: 'AGENT_UNREACHABLE', message: `${this.#host.local} has no address to be reached at` });
    this.#host.end(unreachable(this.#host.remote, 'cannot be made: this side has no address to be reached at', causes));
  }

  /** What went over the open connection will not be answered any more. An attempt that failed is forgotten. */
  #suspend(): void {
    if (this.#making) {
      const { causes } = this;
      if (causes.length > 0) this.#host.problem(unreachable(this.#host.remote, 'could not be made anew', causes));
      this.#drop();
    } else if (!this.#retired) this.#retire();
  }

  /** Forgets an attempt, and the message channels that were to come with it. */
  #drop(): void {
    this.#current.close();
    this.#host.yielded();
  }

  #retire(): void {
    this.#retired = this.#current;
    const text = `the connection to ${this.#host.remote} was lost`;
    this.#host.suspended(new AgentError('AGENT_UNREACHABLE', text, { retryable: true }));
  }

  #rebuild(): void {
    if (this.#making) this.#drop();
    const { sessionId } = this.#current;
    this.#current = this.#connect(
      sessionId === undefined ? randomUUID() : renewedSessionId(sessionId, this.#highest + 1),
    );
    this.start();
  }

  /** The other side makes a new connection for the same link. */
  #redialled(offer: SignalingMessage): void {
    if (this.#making) this.#drop();
    else if (!this.#watch || !this.#retired) this.#retire();
    // Over there it is retired as well: nobody misunderstands its end.
    this.#retired?.close();
    this.#watch?.redialled();
    this.#current = this.#connect(offer.sessionId);
    if (this.#watch) {
      this.#setState('reconnecting');
      this.#host.step({ how: 'wait', reason: 'redialled', attempt: 0, delay: 0 }, true);
    }
    this.#prepare(false);
    this.#current.negotiator.handle(offer);
  }

  #setState(state: LinkState): void {
    if (this.#state === state || this.#state === 'closed') return;
    this.#state = state;
    this.#host.stateChanged(state);
  }
}
