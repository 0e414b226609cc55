// Streams over data channels that belong to no link.
import type { Duplex } from 'node:stream';

import { Budget, describe } from '../../base';
import type { RTCDataChannel } from '../../w3c';
import { resolveLimits } from '../limits';
import { AgentChannel } from './channel';
import type { ChannelDuplexOptions, ChannelStreams } from './streams/streams';

/**
 * A plain data channel as WHATWG streams, see `AgentChannel.readable` and `writable`. Call it before messages arrive:
 * in the `datachannel` event, or right after `createDataChannel()`. It takes `binaryType` and
 * `bufferedAmountLowThreshold` for itself.
 */
export function toWebStreams(dataChannel: RTCDataChannel): ChannelStreams {
  const { readable, writable } = alone(dataChannel);
  return { readable, writable };
}

/** A plain data channel as a Node stream, see `AgentChannel.duplex`. Call it when {@link toWebStreams} would have to be. */
export function toDuplex(dataChannel: RTCDataChannel, options?: ChannelDuplexOptions): Duplex {
  return alone(dataChannel).duplex(options);
}

/** A channel of no link may keep as much as all channels of a link. */
function alone(dataChannel: RTCDataChannel): AgentChannel {
  if (typeof (dataChannel as Partial<RTCDataChannel> | undefined)?.addEventListener !== 'function') {
    throw new TypeError(`streams are made of an RTCDataChannel, not of ${describe(dataChannel)}`);
  }
  return new AgentChannel(dataChannel, new Budget(resolveLimits().unreadChannelBytes));
}
