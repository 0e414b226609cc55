import { Event } from '../platform';
import { convertEventInit, type RTCEventInit } from '../w3c/events';
import { dictionary, DOMString, exposeInterface, instanceOf, requireArguments } from '../webidl';
import { isMediaStreamTrack, type MediaStreamTrack } from './track';

/** Options of {@link MediaStreamTrackEvent}. */
export interface MediaStreamTrackEventInit extends RTCEventInit {
  /** The track that was added or removed. */
  track: MediaStreamTrack;
}

const convertTrackEventInit = dictionary<MediaStreamTrackEventInit, RTCEventInit>(
  'MediaStreamTrackEventInit',
  { track: { type: instanceOf('MediaStreamTrack', isMediaStreamTrack), required: true } },
  convertEventInit,
);

/** `addtrack` and `removetrack` of a {@link MediaStream} (mediacapture-streams 4.4). */
export class MediaStreamTrackEvent extends Event {
  readonly #track: MediaStreamTrack;

  /** @throws TypeError without a `track` that is a {@link MediaStreamTrack}. */
  constructor(type: string, eventInitDict: MediaStreamTrackEventInit) {
    requireArguments(arguments.length, 2, 'new MediaStreamTrackEvent');
    const name = DOMString(type, 'type');
    const init = convertTrackEventInit(eventInitDict, 'MediaStreamTrackEventInit');
    super(name, init);
    this.#track = init.track;
  }

  /** The track that was added or removed. */
  get track(): MediaStreamTrack {
    return this.#track;
  }
}

exposeInterface(MediaStreamTrackEvent, 'MediaStreamTrackEvent');
