import type { NativeDtlsConfig, NativeIceConfig, NativePeerConfig, NativeSctpConfig } from '../../native';
import { conversionFailed, isObject, type Converter } from '../../webidl';

/** Settings of the transport that W3C leaves to the user agent. Everything may be left out. */
export type RTCTransportOptions = Omit<
  NativePeerConfig,
  'iceServers' | 'iceTransportPolicy' | 'certificates' | 'media'
>;

/** The members of an options object: `true`, or those of the object that a member is. */
type Members<T> = { [K in keyof Required<T>]: true | Members<NonNullable<T[K]>> };

const ICE: Members<NativeIceConfig> = {
  checkInterval: true,
  initialRto: true,
  maxRto: true,
  disconnectedTimeout: true,
  failedTimeout: true,
  checkingTimeout: true,
  lite: true,
};

const DTLS: Members<NativeDtlsConfig> = {
  versions: true,
  handshakeTimeout: true,
  initialRto: true,
  mtu: true,
  inChecks: true,
};

const SCTP: Members<NativeSctpConfig> = {
  port: true,
  congestionControl: true,
  minReceiveWindow: true,
  maxReceiveWindow: true,
  handshakeTimeout: true,
  initialRto: true,
  minRto: true,
  maxRto: true,
  ackDelay: true,
  heartbeatInterval: true,
  initialMtu: true,
  maxMtu: true,
  pathMtuDiscovery: true,
  interleaving: true,
  zeroChecksum: true,
  initInDescriptions: true,
  streams: true,
};

const TRANSPORT: Members<RTCTransportOptions> = {
  portRange: { min: true, max: true },
  listen: { port: true, address: true, announce: true, announceLocal: true },
  tcp: true,
  tcpPortRange: { min: true, max: true },
  includeInterfaces: true,
  excludeInterfaces: true,
  includeLoopback: true,
  includeLinkLocal: true,
  bindAddress: true,
  tlsCaPem: true,
  maxMessageSize: true,
  sendBufferLimit: true,
  alwaysNegotiateDataChannels: true,
  ice: ICE,
  dtls: DTLS,
  sctp: SCTP,
};

/** Unlike the members of W3C's dictionaries, unknown ones are refused: a typo must not leave a limit without effect. */
function checkMembers(value: object, members: Record<string, unknown>, context: string): void {
  for (const [name, content] of Object.entries(value)) {
    const known = Object.hasOwn(members, name) ? members[name] : undefined;
    if (known === undefined) {
      throw new TypeError(`${context} has no member '${name}'; it has ${Object.keys(members).join(', ')}`);
    }
    if (isObject(known) && isObject(content)) {
      checkMembers(content, known as Record<string, unknown>, `${context}.${name}`);
    }
  }
}

/** Copies the options. The values are checked by the core. */
export const transportOptions: Converter<RTCTransportOptions> = (value, context) => {
  if (!isObject(value)) conversionFailed(context, 'is not an object');
  checkMembers(value, TRANSPORT, context);
  return { ...(value as RTCTransportOptions) };
};
