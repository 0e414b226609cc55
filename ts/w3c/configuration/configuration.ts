import { DOMException } from '../../platform';
import type { NativeIceServer } from '../../native';
import {
  boolean,
  dictionary,
  DOMString,
  enumeration,
  instanceOf,
  isObject,
  octetEnforceRange,
  sequence,
  USVString,
  type Converter,
} from '../../webidl';
import {
  BUNDLE_POLICIES,
  ICE_TRANSPORT_POLICIES,
  RTCP_MUX_POLICIES,
  type RTCBundlePolicy,
  type RTCIceTransportPolicy,
  type RTCRtcpMuxPolicy,
} from '../enums';
import { isCertificate, type RTCCertificate } from './certificate';
import { parseIceServerUrl } from './server-url';
import { transportOptions, type RTCTransportOptions } from './transport-options';

/** A STUN or TURN server. */
export interface RTCIceServer {
  /** `stun:`, `stuns:`, `turn:` or `turns:` URLs (RFC 7064, RFC 7065). */
  urls: string | string[];
  /** User name for TURN, 1 to 509 bytes. */
  username?: string;
  /** Password for TURN, not empty. */
  credential?: string;
}

/** Configuration of a connection (webrtc-pc 4.2.1). */
export interface RTCConfiguration {
  /** Servers for reflexive and relayed candidates. Default: none. */
  iceServers?: RTCIceServer[];
  /** `'relay'` uses TURN only. Default: `'all'`. */
  iceTransportPolicy?: RTCIceTransportPolicy;
  /** Without effect: data has one transport. Default: `'balanced'`. */
  bundlePolicy?: RTCBundlePolicy;
  /** Always `'require'`. */
  rtcpMuxPolicy?: RTCRtcpMuxPolicy;
  /** Certificates to authenticate with; the first one is used. Default: one is generated, valid for 30 days. */
  certificates?: RTCCertificate[];
  /** Hint for gathering ahead, 0 to 255; candidates are gathered when needed. Default: 0. */
  iceCandidatePoolSize?: number;
  /** An offer has a section for data channels even without one (webrtc-extensions). Cannot be changed. Default: `false`. */
  alwaysNegotiateDataChannels?: boolean;
  /** Not part of W3C's dictionary: how to use the network. Read by the constructor only. */
  transport?: RTCTransportOptions;
}

const urls: Converter<string[]> = (value, context) =>
  isObject(value) && typeof (value as { [Symbol.iterator]?: unknown })[Symbol.iterator] === 'function'
    ? sequence(USVString)(value, context)
    : [USVString(value, context)];

const convertIceServer = dictionary<NativeIceServer>('RTCIceServer', {
  credential: { type: DOMString },
  urls: { type: urls, required: true },
  username: { type: DOMString },
});

/** The configuration with its defaults filled in. */
export interface Configuration {
  iceServers: NativeIceServer[];
  iceTransportPolicy: RTCIceTransportPolicy;
  bundlePolicy: RTCBundlePolicy;
  rtcpMuxPolicy: RTCRtcpMuxPolicy;
  certificates: RTCCertificate[];
  iceCandidatePoolSize: number;
  alwaysNegotiateDataChannels: boolean;
  transport?: RTCTransportOptions;
}

const convert = dictionary<Configuration>('RTCConfiguration', {
  iceServers: { type: sequence(convertIceServer), default: () => [] },
  iceTransportPolicy: { type: enumeration(ICE_TRANSPORT_POLICIES), default: () => 'all' as const },
  bundlePolicy: { type: enumeration(BUNDLE_POLICIES), default: () => 'balanced' as const },
  rtcpMuxPolicy: { type: enumeration(RTCP_MUX_POLICIES), default: () => 'require' as const },
  certificates: { type: sequence(instanceOf('RTCCertificate', isCertificate)), default: () => [] },
  iceCandidatePoolSize: { type: octetEnforceRange, default: () => 0 },
  alwaysNegotiateDataChannels: { type: boolean, default: () => false },
  transport: { type: transportOptions },
});

export function convertConfiguration(value: unknown): Configuration {
  return convert(value, 'RTCConfiguration');
}

/** What setConfiguration may not change, besides certificates (webrtc-pc 4.4.1.6, "set the configuration"). */
export function checkModification(before: Configuration, after: Configuration, localDescriptionApplied: boolean): void {
  const { certificates } = after;
  if (certificates.length > 0) {
    const same =
      certificates.length === before.certificates.length &&
      certificates.every((certificate, index) => certificate === before.certificates[index]);
    if (!same) throw notModifiable('certificates');
  }
  if (after.bundlePolicy !== before.bundlePolicy) throw notModifiable('bundlePolicy');
  if (after.rtcpMuxPolicy !== before.rtcpMuxPolicy) throw notModifiable('rtcpMuxPolicy');
  if (after.alwaysNegotiateDataChannels !== before.alwaysNegotiateDataChannels) {
    throw notModifiable('alwaysNegotiateDataChannels');
  }
  if (localDescriptionApplied && after.iceCandidatePoolSize !== before.iceCandidatePoolSize) {
    throw notModifiable('iceCandidatePoolSize');
  }
}

function notModifiable(member: string): DOMException {
  return new DOMException(`${member} cannot be changed any more`, 'InvalidModificationError');
}

/** RFC 8489 section 14.3. */
const MAX_USERNAME_BYTES = 509;

/**
 * webrtc-pc 4.4.1.6: every server is checked before anything is applied.
 * @returns the servers with their URLs as the core reads them.
 */
export function checkIceServers(servers: readonly NativeIceServer[]): NativeIceServer[] {
  return servers.map((server) => {
    if (server.urls.length === 0) throw new DOMException('An ICE server needs at least one URL', 'SyntaxError');
    const urls = server.urls.map((url) => {
      const { scheme, normalized } = parseIceServerUrl(url);
      if (scheme === 'turn' || scheme === 'turns') checkCredentials(url, server);
      return normalized;
    });
    return { ...server, urls };
  });
}

function checkCredentials(url: string, { username, credential }: NativeIceServer): void {
  if (username === undefined || credential === undefined) {
    throw new DOMException(`The server ${url} needs a username and a credential`, 'InvalidAccessError');
  }
  // RFC 8265 section 4.1: an OpaqueString has at least one character. Often it is a variable that nobody has set.
  const empty = username === '' ? 'username' : credential === '' ? 'credential' : undefined;
  if (empty) throw new DOMException(`The ${empty} for ${url} is empty`, 'InvalidAccessError');
  const bytes = Buffer.byteLength(username);
  if (bytes > MAX_USERNAME_BYTES) {
    throw new DOMException(
      `The username for ${url} has ${bytes} bytes; at most ${MAX_USERNAME_BYTES} are allowed`,
      'InvalidAccessError',
    );
  }
}

/** webrtc-pc 4.4.1.1, step 3 of the constructor. */
export function checkCertificates(certificates: readonly RTCCertificate[]): void {
  for (const { expires } of certificates) {
    if (expires <= Date.now()) {
      throw new DOMException(`A certificate expired at ${new Date(expires).toISOString()}`, 'InvalidAccessError');
    }
  }
}

/** A copy for script, which may change it as it likes. */
export function copyConfiguration(configuration: Configuration): RTCConfiguration {
  const { iceServers, iceTransportPolicy, bundlePolicy, rtcpMuxPolicy, certificates, iceCandidatePoolSize } =
    configuration;
  const { alwaysNegotiateDataChannels } = configuration;
  return {
    alwaysNegotiateDataChannels,
    bundlePolicy,
    certificates: [...certificates],
    iceCandidatePoolSize,
    iceServers: iceServers.map((server) => ({ ...server, urls: [...server.urls] })),
    iceTransportPolicy,
    rtcpMuxPolicy,
  };
}
