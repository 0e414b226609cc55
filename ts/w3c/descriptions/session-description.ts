import { dictionary, DOMString, enumeration, exposeInterface, requireArguments } from '../../webidl';
import { SDP_TYPES, type RTCSdpType } from '../enums';

/** A session description as plain data. */
export interface RTCSessionDescriptionInit {
  /** Kind of the description. */
  type: RTCSdpType;
  /** The description itself; ignored for a rollback. Default: `''`. */
  sdp?: string;
}

/** Argument of `setLocalDescription`: without a type, the one that the signaling state asks for is made. */
export interface RTCLocalSessionDescriptionInit {
  /** Kind of the description. */
  type?: RTCSdpType;
  /** `''` (the default) stands for the description that was created last. */
  sdp?: string;
}

export const convertSessionDescriptionInit = dictionary<RTCSessionDescriptionInit>('RTCSessionDescriptionInit', {
  type: { type: enumeration(SDP_TYPES), required: true },
  sdp: { type: DOMString, default: () => '' },
});

export const convertLocalSessionDescriptionInit = dictionary<RTCLocalSessionDescriptionInit>(
  'RTCLocalSessionDescriptionInit',
  { type: { type: enumeration(SDP_TYPES) }, sdp: { type: DOMString, default: () => '' } },
);

/** Puts candidates into a description that is in use; script sees `sdp` as read-only. */
export let updateSdp: (description: RTCSessionDescription, sdp: string) => void;

/** A session description (webrtc-pc 4.6.2). */
export class RTCSessionDescription {
  readonly #type: RTCSdpType;
  #sdp: string;

  /** @throws TypeError if the type is missing or unknown. */
  constructor(descriptionInitDict: RTCSessionDescriptionInit) {
    requireArguments(arguments.length, 1, 'new RTCSessionDescription');
    const init = convertSessionDescriptionInit(descriptionInitDict, 'RTCSessionDescriptionInit');
    this.#type = init.type;
    this.#sdp = init.sdp ?? '';
  }

  /** Kind of the description. */
  get type(): RTCSdpType {
    return this.#type;
  }
  /** The description (RFC 8866), with the candidates known so far. */
  get sdp(): string {
    return this.#sdp;
  }

  /** The description as plain data, ready for a signaling message. */
  toJSON(): { type: RTCSdpType; sdp: string } {
    return { type: this.#type, sdp: this.#sdp };
  }

  static {
    updateSdp = (description, sdp) => {
      description.#sdp = sdp;
    };
  }
}

exposeInterface(RTCSessionDescription, 'RTCSessionDescription');
