// What a link and its connections know of each other.
import type { AgentError } from '../../base';
import type { SignalingMessage } from '../../signaling';
import type { RTCDataChannel, RTCTrackEvent } from '../../w3c';
import type { LinkConfiguration } from './configuration';
import type { ResolvedReconnect } from './reconnect-options';
import type { Reconnected, ReconnectStep } from './reconnection';

/**
 * `'connecting'`, then `'open'`; `'disconnected'` when nothing comes over the network, `'reconnecting'` when something is
 * done about that, `'open'` again; `'closed'` in the end.
 */
export type LinkState = 'connecting' | 'open' | 'disconnected' | 'reconnecting' | 'closed';

/** What the connections need of their link. */
export interface LifelineHost {
  readonly local: string;
  readonly remote: string;
  readonly configuration: LinkConfiguration;
  readonly heartbeat: number;
  readonly reconnect: ResolvedReconnect;
  /** The other side has said that it is one of ours. */
  readonly greeted: boolean;
  transmit(message: SignalingMessage): Promise<void>;
  /** Make the message channels on the present connection, as the side that offers or as the one that answers, and add what is sent. */
  prepare(offerer: boolean): void;
  /** This side's offer gave way to the other's, which brings its own message channels, or came to nothing. */
  yielded(): void;
  /** DTLS is done. False: the other side is not who it has to be, and the link was closed. */
  connected(): boolean;
  announced(channel: RTCDataChannel): void;
  announcedTrack(event: RTCTrackEvent): void;
  /** The present connection is given up: nothing goes over it any more. */
  suspended(error: AgentError): void;
  beat(): void;
  stateChanged(state: LinkState): void;
  step(step: ReconnectStep, lost: boolean): void;
  reconnected(how: Reconnected): void;
  end(error: AgentError | undefined): void;
  problem(error: AgentError): void;
}
