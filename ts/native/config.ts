import type { PeerOptions } from './binding';
import type { NativeCertificate } from './certificate';

export type {
  DtlsOptions as NativeDtlsConfig,
  IceOptions as NativeIceConfig,
  SctpOptions as NativeSctpConfig,
} from './binding';

/** Settings of a peer; everything may be left out. */
export interface NativePeerConfig extends PeerOptions {
  /** The first one is used. Without any, the peer generates its own. */
  certificates?: NativeCertificate[];
  /**
   * Most bytes that a channel may have waiting; `send` fails with an OperationError beyond it. 0: no limit.
   * Default 16 MiB.
   */
  sendBufferLimit?: number;
}

/** What `setConfiguration` can change. */
export type NativeMutableConfig = Pick<NativePeerConfig, 'iceServers' | 'iceTransportPolicy'>;
