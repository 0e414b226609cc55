import type { NativeCertificate } from './certificate';
import type { NativeIceServer } from './types';

/** ICE timing, in milliseconds; what is left out has the default of the core. */
export interface NativeIceConfig {
  checkInterval?: number;
  initialRto?: number;
  maxRto?: number;
  disconnectedTimeout?: number;
  /** 0: never fail, keep checking. */
  failedTimeout?: number;
  checkingTimeout?: number;
}

/** DTLS settings, in milliseconds and bytes. */
export interface NativeDtlsConfig {
  versions?: 'auto' | '1.2' | '1.3';
  handshakeTimeout?: number;
  initialRto?: number;
  mtu?: number;
}

/** Tuning of the SCTP association, in milliseconds and bytes. */
export interface NativeSctpConfig {
  /** 1 to 65535; 5000 unless set. */
  port?: number;
  congestionControl?: 'newreno' | 'cubic';
  minReceiveWindow?: number;
  maxReceiveWindow?: number;
  initialRto?: number;
  minRto?: number;
  maxRto?: number;
  initialMtu?: number;
  maxMtu?: number;
  pathMtuDiscovery?: boolean;
  interleaving?: boolean;
  zeroChecksum?: boolean;
  streams?: number;
}

/** Settings of a peer; everything may be left out. */
export interface NativePeerConfig {
  iceServers?: NativeIceServer[];
  iceTransportPolicy?: 'all' | 'relay';
  /** The first one is used. Without any, the peer generates its own. */
  certificates?: NativeCertificate[];
  /** First and last UDP port for host candidates. */
  portRange?: { min: number; max: number };
  /** Interfaces to gather from, by name; `*` at the end stands for anything. Empty or left out: all. */
  includeInterfaces?: string[];
  /** Interfaces not to gather from; wins over `includeInterfaces`. */
  excludeInterfaces?: string[];
  includeLoopback?: boolean;
  includeLinkLocal?: boolean;
  /** Use this local address only. */
  bindAddress?: string;
  /** PEM of extra certificate authorities for `turns:` servers. */
  tlsCaPem?: string;
  /** Largest message we are willing to receive; 0: no limit. */
  maxMessageSize?: number;
  /** Most bytes that all channels together may have waiting; `send` fails with an OperationError beyond it. 0: no limit. */
  sendBufferLimit?: number;
  alwaysNegotiateDataChannels?: boolean;
  ice?: NativeIceConfig;
  dtls?: NativeDtlsConfig;
  sctp?: NativeSctpConfig;
}

/** What `setConfiguration` can change. */
export type NativeMutableConfig = Pick<NativePeerConfig, 'iceServers' | 'iceTransportPolicy'>;
