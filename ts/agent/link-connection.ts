// The connection below a link, and the negotiation that makes it.
import type { RTCPeerConnection } from '../w3c';
import { AgentError } from './errors';
import { Negotiator } from './negotiator';
import type { SignalingMessage } from './signaling';

/** What a connection needs of its link. */
export interface LinkConnectionHost {
  readonly local: string;
  readonly remote: string;
  /** The set-up is not done yet: what goes wrong now ends the link. */
  readonly connecting: boolean;
  /** Names the set-up; learnt from the other side's offer. */
  readonly sessionId: string | undefined;
  transmit(message: SignalingMessage): Promise<void>;
  /** This side's offer gave way to the other's, which brings its own message channel. */
  yielded(): void;
  stateChanged(state: RTCPeerConnection['connectionState']): void;
  problem(error: AgentError): void;
  fail(error: AgentError): void;
}

/** One `RTCPeerConnection` of a link with its {@link Negotiator}. */
export class LinkConnection {
  readonly connection: RTCPeerConnection;
  readonly negotiator: Negotiator;

  constructor(host: LinkConnectionHost, connection: RTCPeerConnection) {
    this.connection = connection;
    this.negotiator = negotiate(host, connection);
    connection.addEventListener('connectionstatechange', () => host.stateChanged(connection.connectionState));
  }

  /** The largest message that the other side takes, in bytes; `Infinity` for any. */
  get maxMessageSize(): number {
    // 64 KiB where the other side names no limit (RFC 8841, 6.1).
    return this.connection.sctp?.maxMessageSize ?? 65_536;
  }

  close(): void {
    this.negotiator.stop();
    this.connection.close();
  }
}

function negotiate(host: LinkConnectionHost, connection: RTCPeerConnection): Negotiator {
  const { local: from, remote: to } = host;
  return new Negotiator({
    connection,
    // Any order will do as long as both sides see the same one.
    polite: from < to,
    transmit: (message) => host.transmit({ ...message, from, to, sessionId: host.sessionId }),
    yielded: () => host.yielded(),
    problem: (text, cause) => host.problem(new AgentError('PROTOCOL_ERROR', text, { cause })),
    fail: (text, cause) => {
      if (host.connecting)
        host.fail(cause instanceof AgentError ? cause : new AgentError('PROTOCOL_ERROR', text, { cause }));
      else host.problem(new AgentError('PROTOCOL_ERROR', text, { cause }));
    },
  });
}
