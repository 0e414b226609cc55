import { Event } from '../../platform';
import { dictionary, DOMString, exposeInterface, instanceOf, requireArguments } from '../../webidl';
import { convertEventInit, type RTCEventInit } from '../events';
import { isDataChannel, type RTCDataChannel } from './data-channel';

/** Options of {@link RTCDataChannelEvent}. */
export interface RTCDataChannelEventInit extends RTCEventInit {
  /** The channel that the peer has created. */
  channel: RTCDataChannel;
}

const convertDataChannelEventInit = dictionary<RTCDataChannelEventInit, RTCEventInit>(
  'RTCDataChannelEventInit',
  { channel: { type: instanceOf('RTCDataChannel', isDataChannel), required: true } },
  convertEventInit,
);

/** `datachannel`: the peer has created a channel (webrtc-pc 6.4). */
export class RTCDataChannelEvent extends Event {
  readonly #channel: RTCDataChannel;

  /** @throws TypeError without a `channel` that is an {@link RTCDataChannel}. */
  constructor(type: string, eventInitDict: RTCDataChannelEventInit) {
    requireArguments(arguments.length, 2, 'new RTCDataChannelEvent');
    const name = DOMString(type, 'type');
    const init = convertDataChannelEventInit(eventInitDict, 'RTCDataChannelEventInit');
    super(name, init);
    this.#channel = init.channel;
  }

  /** The channel; it is open, and its messages start to arrive after this event. */
  get channel(): RTCDataChannel {
    return this.#channel;
  }
}

exposeInterface(RTCDataChannelEvent, 'RTCDataChannelEvent');
