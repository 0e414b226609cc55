import { boolean, dictionary, enumeration, unsignedShortEnforceRange, USVString } from '../../webidl';
import { PRIORITY_TYPES, type RTCPriorityType } from '../enums';

/** How a channel delivers (webrtc-pc 6.2, `RTCDataChannelInit`). */
export interface RTCDataChannelInit {
  /** Deliver in the order of sending. Default: `true`. */
  ordered?: boolean;
  /** Give a message up after this many milliseconds, 0 to 65,535. Excludes `maxRetransmits`. */
  maxPacketLifeTime?: number;
  /** Give a message up after this many retransmissions, 0 to 65,535. Excludes `maxPacketLifeTime`. */
  maxRetransmits?: number;
  /** Name of the subprotocol. Default: `''`. */
  protocol?: string;
  /** Both sides create the channel, with the same `id`; nothing is announced. Default: `false`. */
  negotiated?: boolean;
  /** The agreed SCTP stream of a negotiated channel, 0 to 65,534. */
  id?: number;
  /** Weight among the channels of the connection. Default: `'low'`. */
  priority?: RTCPriorityType;
}

/** The dictionary after conversion: members with a default are there. */
export type DataChannelSettings = RTCDataChannelInit &
  Required<Pick<RTCDataChannelInit, 'ordered' | 'protocol' | 'negotiated' | 'priority'>>;

const convert = dictionary<RTCDataChannelInit>('RTCDataChannelInit', {
  ordered: { type: boolean, default: () => true },
  maxPacketLifeTime: { type: unsignedShortEnforceRange },
  maxRetransmits: { type: unsignedShortEnforceRange },
  protocol: { type: USVString, default: () => '' },
  negotiated: { type: boolean, default: () => false },
  id: { type: unsignedShortEnforceRange },
  priority: { type: enumeration(PRIORITY_TYPES), default: () => 'low' as const },
});

/** Converts the dictionary; the rules between its members are checked by {@link checkDataChannelInit}. */
export function convertDataChannelInit(value: unknown): DataChannelSettings {
  return convert(value, 'RTCDataChannelInit') as DataChannelSettings;
}

/** DCEP has 16 bits for either length (RFC 8832 section 5.1). */
const MAX_NAME_BYTES = 65_535;

/** webrtc-pc 6.2, createDataChannel, steps 3 to 16. */
export function checkDataChannelInit(label: string, init: DataChannelSettings): void {
  checkLength('label', label);
  checkLength('protocol', init.protocol);
  if (init.negotiated && init.id === undefined) throw new TypeError('A negotiated data channel needs an id');
  if (init.maxPacketLifeTime !== undefined && init.maxRetransmits !== undefined) {
    throw new TypeError('maxPacketLifeTime and maxRetransmits cannot both be set');
  }
  if (init.negotiated && init.id === 65_535) throw new TypeError('The data channel id 65535 is reserved');
}

function checkLength(what: string, text: string): void {
  const bytes = Buffer.byteLength(text);
  if (bytes > MAX_NAME_BYTES)
    throw new TypeError(`The ${what} has ${bytes} bytes; at most ${MAX_NAME_BYTES} are allowed`);
}
