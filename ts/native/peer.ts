import type { NativeMutableConfig, NativePeerConfig } from './config';
import type {
  NativeCandidateInit,
  NativeDataChannelInit,
  NativeSdpType,
  NativeStats,
  PeerListener,
  PeerSnapshot,
} from './types';

export * from './types';
export * from './config';
export * from './error';
export * from './certificate';

/**
 * One connection of the native core. All methods are synchronous and throw `NativeError`.
 *
 * Whoever makes one has to hold it: a peer that is garbage is closed. From the first description on it keeps the
 * process alive, until it is closed or has failed; `unref()` takes that back.
 */
export declare class NativePeer {
  constructor(config: NativePeerConfig, listener: PeerListener);
  createOffer(iceRestart: boolean): string;
  createAnswer(): string;
  /** An empty `sdp` stands for the description that was created last. */
  setLocalDescription(type: NativeSdpType, sdp: string): PeerSnapshot;
  setRemoteDescription(type: NativeSdpType, sdp: string): PeerSnapshot;
  /** `null` is the end of candidates of all generations. */
  addIceCandidate(init: NativeCandidateInit | null): PeerSnapshot;
  restartIce(): void;
  negotiationNeeded(): boolean;
  snapshot(): PeerSnapshot;
  getStats(): NativeStats[];
  setConfiguration(config: NativeMutableConfig): void;
  /** Idempotent. The peer is told, sockets are gone afterwards, the listener is not called any more. */
  close(): void;
  /** Returns our handle of the channel, which is not its stream id. */
  createDataChannel(init: NativeDataChannelInit): number;
  /** SCTP stream id of a channel; `null` until it has one. */
  channelId(channel: number): number | null;
  /** Closes after what was sent before has gone out. */
  closeDataChannel(channel: number): void;
  /**
   * Queues one message and returns its size in bytes, which counts as buffered until `onReleased`. The data is copied
   * before this returns. Sizes above the negotiated maximum are the caller's to refuse (`sctp.maxMessageSize`).
   */
  send(channel: number, data: string | Uint8Array): number;
  /** A report comes when the bytes buffered fall to this value or below it (`bufferedAmountLowThreshold`). */
  setLowThreshold(channel: number, bytes: number): void;
  /** Lets an open peer keep the process alive (the default), or not. */
  ref(): void;
  unref(): void;
}
