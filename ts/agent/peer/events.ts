// What agents tell their users.
import type { AgentError } from '../../base';
import type { Refused } from '../auth';
import type { IncomingFile } from '../files';
import type { Link } from '../link';
import type { AgentStatus } from '../messages';

/** Events of an {@link AgentPeer}. */
export type PeerEvents = {
  /** Another agent has connected. Links are kept for the first listener or iterator. */
  link: [link: Link];
  /** Another agent offers a file, and nobody takes it from its link. */
  file: [file: IncomingFile];
  /** Another agent has said how it is. */
  status: [status: AgentStatus, link: Link];
  /** The signaling service is lost for good: open links go on, but nobody new is found. */
  error: [error: AgentError];
  /** An offer or answer was refused; see docs/security.md. */
  refused: [refused: Refused];
};
