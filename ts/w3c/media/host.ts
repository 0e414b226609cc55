import type { NativePeer } from '../../native';
import type { RTCPeerConnectionState } from '../enums';
import type { RTCStats, RTCStatsReport } from '../stats';

/** What senders, receivers and transceivers need of their connection. */
export interface MediaHost {
  /** The object that script knows, where events are fired. */
  readonly target: EventTarget;
  readonly native: NativePeer;
  readonly isClosed: boolean;
  readonly connectionState: RTCPeerConnectionState;
  /** Is told when media does not flow where it should. */
  readonly media: { fault(text: string, transceiver: number | null): void };
  /** "Chain an operation" (webrtc-pc 4.4.1.2). */
  chain<T>(operation: () => Promise<T>): Promise<T>;
  /** Runs steps as a task of their own and settles with their outcome; after close() never. */
  task<T>(steps: () => T): Promise<T>;
  /** An offer would now say something else than the last one. */
  offerChanged(): void;
  /** "Update the negotiation-needed flag", after such a change. */
  updateNegotiationNeeded(): void;
  /** A report of these entries, and of those that they refer to. */
  getStats(chosen: (entry: RTCStats) => boolean): Promise<RTCStatsReport>;
}
