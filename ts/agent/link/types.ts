// What links tell their users, and what they ask of their peer.
import type { AgentError, Logger } from '../../base';
import type { SignalingMessage } from '../../signaling';
import type { Guard } from '../auth';
import type { CallingLink, Capability, FailAs } from '../calls';
import type { AgentChannel } from '../channels';
import type {
  LinkConfiguration,
  LinkState,
  Reconnected,
  ReconnectReason,
  ReconnectStep,
  ResolvedReconnect,
} from '../connection';
import type { IncomingFile } from '../files';
import type { ResolvedLimits } from '../limits';
import type { ReceivedTrack } from '../media';
import type { AgentTracing } from '../tracing';
import type { AgentMessage, AgentStatus, ChannelPreset, MessageProgress, MessageSink } from '../messages';

/** Events of a {@link Link}. */
export type LinkEvents = {
  /** A message has arrived. Messages are kept for the first listener or iterator. */
  message: [message: AgentMessage];
  /** The other side has opened a channel. Channels are kept for the first listener. */
  channel: [channel: AgentChannel];
  /**
   * The other side offers a file. If nobody listens here, the event `file` of the peer is next; if nobody listens
   * there either, the file is refused with `CAPABILITY_NOT_FOUND`.
   */
  file: [file: IncomingFile];
  /** The other side sends a track of audio or video. Tracks are kept for the first listener. */
  track: [received: ReceivedTrack];
  /** The other agent has said how it is. Statuses that are not as specified arrive as messages. */
  status: [status: AgentStatus];
  /** A part of a message has been sent or received that is too large to travel whole. */
  progress: [progress: MessageProgress];
  /** The state has changed. */
  state: [state: LinkState];
  /** Something went wrong that the link survives: an error message from the other side, or an invalid one. */
  problem: [error: AgentError];
  /** The connection is lost, and this is being done about it; once for every step. */
  reconnecting: [step: ReconnectStep];
  /** The link works again. */
  reconnected: [how: Reconnected];
  /** The connection works and looks for a better path, because this machine has other addresses or has slept. */
  refresh: [reason: ReconnectReason];
  /** The link is closed: by either side, or because of the error. */
  close: [error?: AgentError];
};

/** What a link needs of its peer. */
export interface LinkHost<Link extends CallingLink> {
  readonly agentId: string;
  readonly limits: ResolvedLimits;
  readonly logger: Logger;
  /** Watches what the agent does. */
  readonly tracing: AgentTracing | undefined;
  readonly guard: Guard;
  readonly configuration: LinkConfiguration;
  readonly channels: ChannelPreset;
  readonly heartbeat: number;
  readonly reconnect: ResolvedReconnect;
  transmit(message: SignalingMessage): Promise<void>;
  /** What failures of calls travel as. */
  readonly failAs: FailAs;
  capability(name: string): Capability<Link> | undefined;
  status(status: AgentStatus, link: Link): void;
  opened(link: Link): void;
  /** A file that nobody takes from its link. False: nobody takes it from the peer either. */
  fileOffered(file: IncomingFile): boolean;
  closed(link: Link): void;
  /** Where a message goes that is not for `otherwise`, the listeners of the link, but for a room. */
  inbox(link: Link, message: Pick<AgentMessage, 'metadata'>, otherwise: MessageSink): MessageSink | undefined;
}
