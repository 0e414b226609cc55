// The dictionaries of the operations of RTCPeerConnection.
import { boolean, dictionary } from '../../webidl';

/** Options of `createOffer`. */
export interface RTCOfferOptions {
  /** New ICE credentials, hence new candidates. Default: `false`. */
  iceRestart?: boolean;
  /** Receive audio, with a transceiver if there is none, or do not. Transceivers are the better way (webrtc-pc 4.4.3.2). */
  offerToReceiveAudio?: boolean;
  /** The same for video. */
  offerToReceiveVideo?: boolean;
}

/** Options of `createAnswer`: none. */
export type RTCAnswerOptions = Record<never, never>;

export const convertOfferOptions = dictionary<RTCOfferOptions>('RTCOfferOptions', {
  iceRestart: { type: boolean, default: () => false },
  offerToReceiveAudio: { type: boolean },
  offerToReceiveVideo: { type: boolean },
});
export const convertAnswerOptions = dictionary<RTCAnswerOptions>('RTCAnswerOptions', {});
