// One connection of a link, and the negotiation that makes it.
import { AgentError, type ConnectCause } from '../../base';
import { sdpOf, type SignalingMessage } from '../../signaling';
import { connectionCauses, RTCPeerConnection, type RTCConfiguration, type RTCTrackEvent } from '../../w3c';
import type { LinkConfiguration } from './configuration';
import { Negotiator } from './negotiator';
import { sameConnection } from './session-id';

/** What a connection needs of its link. */
export interface LinkConnectionHost {
  readonly local: string;
  readonly remote: string;
  transmit(message: SignalingMessage): Promise<void>;
  /** This side's offer gave way to the other's. */
  yielded(connection: LinkConnection): void;
  /** The other's offer gave way to this side's, which it may not have got. */
  ignored(connection: LinkConnection): void;
  /** `closed`: somebody has called `close()` of the W3C object. */
  stateChanged(connection: LinkConnection, state: RTCPeerConnection['connectionState']): void;
  /** This side has gathered all that it can, and has nothing to be reached at. */
  stranded(connection: LinkConnection): void;
  /** The path in use is gone, and only an ICE restart helps. */
  pathLost(connection: LinkConnection): void;
  channel(
    connection: LinkConnection,
    channel: Parameters<NonNullable<RTCPeerConnection['ondatachannel']>>[0]['channel'],
  ): void;
  /** The other side's description has announced a track. */
  track(connection: LinkConnection, event: RTCTrackEvent): void;
  problem(error: AgentError): void;
  /** The negotiation cannot go on. */
  failed(connection: LinkConnection, error: AgentError): void;
}

/** Says when script closes it: W3C fires no event for that. */
class ObservedConnection extends RTCPeerConnection {
  closed: () => void = () => undefined;

  override close(): void {
    super.close();
    this.closed();
  }
}

/** One `RTCPeerConnection` of a link with its {@link Negotiator}. */
export class LinkConnection {
  readonly connection: RTCPeerConnection;
  readonly negotiator: Negotiator;
  /** This side's offer made it. */
  offerer = false;
  /** Its message channels have been made. */
  prepared = false;
  readonly #observed: ObservedConnection;
  readonly #configuration: LinkConfiguration;
  #applied: RTCConfiguration;

  constructor(
    host: LinkConnectionHost,
    configuration: LinkConfiguration,
    /** Names the set-up; learnt from the other side's offer. */
    public sessionId: string | undefined,
  ) {
    this.#configuration = configuration;
    this.#applied = configuration.current;
    const connection = (this.#observed = new ObservedConnection(this.#applied));
    this.connection = connection;
    const changed = () => host.stateChanged(this, connection.connectionState);
    connection.closed = changed;
    this.negotiator = this.#negotiate(host);
    connection.addEventListener('connectionstatechange', changed);
    connection.addEventListener('icegatheringstatechange', () => {
      if (connection.iceGatheringState === 'complete' && this.#isBare) host.stranded(this);
    });
    connection.addEventListener('pathlost', () => host.pathLost(this));
    connection.addEventListener('datachannel', ({ channel }) => host.channel(this, channel));
    connection.addEventListener('track', (event) => host.track(this, event));
  }

  /** The largest message that the other side takes, in bytes; `Infinity` for any. */
  get maxMessageSize(): number {
    // 64 KiB where the other side names no limit (RFC 8841, 6.1).
    return this.connection.sctp?.maxMessageSize ?? 65_536;
  }

  /** What stands in its way, as far as that is known. */
  get causes(): ConnectCause[] {
    return connectionCauses(this.connection);
  }

  /** This side has nothing to be reached at. */
  get #isBare(): boolean {
    const { localDescription, sctp } = this.connection;
    return localDescription !== null && sctp?.transport.iceTransport.getLocalCandidates().length === 0;
  }

  /** ICE has failed and DTLS has not: a restart of ICE brings it back. */
  get lacksPath(): boolean {
    const { iceConnectionState, sctp } = this.connection;
    return iceConnectionState === 'failed' && sctp?.transport.state === 'connected';
  }

  /** Whether a description comes from another connection than the one at the other end. */
  isForeign(message: SignalingMessage): boolean {
    const known = this.connection.currentRemoteDescription?.sdp;
    return known !== undefined && !sameConnection(known, sdpOf(message));
  }

  close(): void {
    this.#observed.closed = () => undefined;
    this.negotiator.stop();
    this.connection.close();
  }

  /** The ICE servers have changed: those of before may be gone before anything is negotiated again. */
  serversChanged(): void {
    if (this.#configuration.settling === undefined) void this.#refresh();
  }

  /** Before candidates are gathered: with the ICE servers of now, not those of the last time. */
  #refresh(): Promise<void> | undefined {
    const { current, settling } = this.#configuration;
    if (settling) return settling.then(() => this.#refresh());
    if (current === this.#applied || this.connection.signalingState === 'closed') return undefined;
    this.#applied = current;
    this.connection.setConfiguration(current);
    return undefined;
  }

  #negotiate(host: LinkConnectionHost): Negotiator {
    const { local: from, remote: to } = host;
    return new Negotiator({
      connection: this.connection,
      refresh: () => this.#refresh(),
      // Any order will do as long as both sides see the same one.
      polite: from < to,
      transmit: (message) => host.transmit({ ...message, from, to, sessionId: this.sessionId }),
      yielded: () => host.yielded(this),
      ignored: () => host.ignored(this),
      problem: (text, cause) => host.problem(new AgentError('PROTOCOL_ERROR', text, { cause })),
      fail: (text, cause) =>
        host.failed(this, cause instanceof AgentError ? cause : new AgentError('PROTOCOL_ERROR', text, { cause })),
    });
  }
}
