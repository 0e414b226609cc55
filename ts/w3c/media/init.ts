import { isMediaStream, isMediaStreamTrack, type MediaStream, type MediaStreamTrack } from '../../media';
import { dictionary, DOMString, enumeration, instanceOf, sequence } from '../../webidl';
import { TRANSCEIVER_DIRECTIONS, type RTCRtpTransceiverDirection } from '../enums';
import { isKind, type Kind } from './codecs';
import { convertEncoding, type RTCRtpEncodingParameters } from './parameters';

/** What a transceiver is made with (webrtc-pc 5.1). */
export interface RTCRtpTransceiverInit {
  /** Which way it is to send. Default: `'sendrecv'`. */
  direction?: RTCRtpTransceiverDirection;
  /** Streams that the sent track belongs to. Default: none. */
  streams?: MediaStream[];
  /** Encodings of what is sent; several, for simulcast, need a `rid` each. Default: one. */
  sendEncodings?: RTCRtpEncodingParameters[];
}

const convert = dictionary<RTCRtpTransceiverInit>('RTCRtpTransceiverInit', {
  direction: { type: enumeration(TRANSCEIVER_DIRECTIONS), default: () => 'sendrecv' as const },
  streams: { type: sequence(instanceOf('MediaStream', isMediaStream)), default: () => [] },
  sendEncodings: { type: sequence(convertEncoding), default: () => [] },
});

/** @throws TypeError for values of a wrong type, and for the direction `stopped`. */
export function convertTransceiverInit(value: unknown) {
  const { direction = 'sendrecv', streams = [], sendEncodings: encodings = [] } = convert(value, 'init');
  if (direction === 'stopped') throw new TypeError("a transceiver can't begin with the direction 'stopped'");
  return { direction, streams, encodings };
}

/**
 * The first argument of `addTransceiver()`: a track, or a kind.
 *
 * @throws TypeError for a kind that there is not.
 */
export function kindOf(trackOrKind: unknown): { kind: Kind; track: MediaStreamTrack | null } {
  if (isMediaStreamTrack(trackOrKind)) return { kind: trackOrKind.kind as Kind, track: trackOrKind };
  const kind = DOMString(trackOrKind, 'trackOrKind');
  if (!isKind(kind)) throw new TypeError(`trackOrKind is '${kind}', neither a MediaStreamTrack nor 'audio' or 'video'`);
  return { kind, track: null };
}
