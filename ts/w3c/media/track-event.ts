import { Event } from '../../platform';
import { dictionary, DOMString, exposeInterface, instanceOf, requireArguments, sequence } from '../../webidl';
import { isMediaStream, isMediaStreamTrack, type MediaStream, type MediaStreamTrack } from '../../media';
import { convertEventInit, type RTCEventInit } from '../events';
import { isReceiver, type RTCRtpReceiver } from './receiver';
import { isTransceiver, type RTCRtpTransceiver } from './transceiver';

/** Options of {@link RTCTrackEvent}. */
export interface RTCTrackEventInit extends RTCEventInit {
  /** What receives the track. */
  receiver: RTCRtpReceiver;
  /** The track. */
  track: MediaStreamTrack;
  /** The peer's streams that it is in. Default: none. */
  streams?: MediaStream[];
  /** What the receiver belongs to. */
  transceiver: RTCRtpTransceiver;
}

const convertTrackEventInit = dictionary<RTCTrackEventInit, RTCEventInit>(
  'RTCTrackEventInit',
  {
    receiver: { type: instanceOf('RTCRtpReceiver', isReceiver), required: true },
    track: { type: instanceOf('MediaStreamTrack', isMediaStreamTrack), required: true },
    streams: { type: sequence(instanceOf('MediaStream', isMediaStream)), default: () => [] },
    transceiver: { type: instanceOf('RTCRtpTransceiver', isTransceiver), required: true },
  },
  convertEventInit,
);

/** `track`: the peer sends something (webrtc-pc 5.7). */
export class RTCTrackEvent extends Event {
  readonly #receiver: RTCRtpReceiver;
  readonly #track: MediaStreamTrack;
  readonly #streams: readonly MediaStream[];
  readonly #transceiver: RTCRtpTransceiver;

  /** @throws TypeError without a receiver, a track and a transceiver. */
  constructor(type: string, eventInitDict: RTCTrackEventInit) {
    requireArguments(arguments.length, 2, 'new RTCTrackEvent');
    const name = DOMString(type, 'type');
    const init = convertTrackEventInit(eventInitDict, 'RTCTrackEventInit');
    super(name, init);
    this.#receiver = init.receiver;
    this.#track = init.track;
    this.#streams = Object.freeze([...(init.streams ?? [])]);
    this.#transceiver = init.transceiver;
  }

  /** What receives the track. */
  get receiver(): RTCRtpReceiver {
    return this.#receiver;
  }
  /** The track; muted until packets come. */
  get track(): MediaStreamTrack {
    return this.#track;
  }
  /** The peer's streams that it is in. */
  get streams(): readonly MediaStream[] {
    return this.#streams;
  }
  /** What the receiver belongs to. */
  get transceiver(): RTCRtpTransceiver {
    return this.#transceiver;
  }
}

exposeInterface(RTCTrackEvent, 'RTCTrackEvent');
