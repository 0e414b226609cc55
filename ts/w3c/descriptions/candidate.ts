import { dictionary, DOMString, enumeration, exposeInterface, nullable, unsignedShort, USVString } from '../../webidl';
import {
  ICE_SERVER_TRANSPORT_PROTOCOLS,
  type RTCIceCandidateType,
  type RTCIceComponent,
  type RTCIceProtocol,
  type RTCIceServerTransportProtocol,
  type RTCIceTcpCandidateType,
} from '../enums';
import { parseCandidateAttribute, type CandidateFields } from './candidate-attribute';

/** An ICE candidate as plain data, as signaling carries it. */
export interface RTCIceCandidateInit {
  /** `candidate:...` (RFC 8839 section 5.1); `''` is the end of candidates. Default: `''`. */
  candidate?: string;
  /** Media stream identification of the section it belongs to. Default: `null`. */
  sdpMid?: string | null;
  /** Index of that section, from 0. Default: `null`. */
  sdpMLineIndex?: number | null;
  /** ICE username fragment of the generation it belongs to. Default: `null`, the current one. */
  usernameFragment?: string | null;
}

/** A local candidate also knows the server it came from, which is not signaled. */
export interface RTCLocalIceCandidateInit extends RTCIceCandidateInit {
  /** How the TURN server of a relayed candidate is reached. */
  relayProtocol?: RTCIceServerTransportProtocol | null;
  /** URL of the server it was obtained from. */
  url?: string | null;
}

const none = () => null;

export const convertIceCandidateInit = dictionary<RTCIceCandidateInit>('RTCIceCandidateInit', {
  candidate: { type: DOMString, default: () => '' },
  sdpMid: { type: nullable(DOMString), default: none },
  sdpMLineIndex: { type: nullable(unsignedShort), default: none },
  usernameFragment: { type: nullable(DOMString), default: none },
});

const convertLocalIceCandidateInit = dictionary<RTCLocalIceCandidateInit, RTCIceCandidateInit>(
  'RTCLocalIceCandidateInit',
  {
    relayProtocol: { type: nullable(enumeration(ICE_SERVER_TRANSPORT_PROTOCOLS)), default: none },
    url: { type: nullable(USVString), default: none },
  },
  convertIceCandidateInit,
);

/** Brand check of {@link RTCIceCandidate}. */
export let isIceCandidate: (value: unknown) => value is RTCIceCandidate;

/** An ICE candidate (webrtc-pc 4.8.1). */
export class RTCIceCandidate {
  readonly #init: RTCLocalIceCandidateInit;
  /** Parsed when first asked for: most candidates never are. */
  #fields: CandidateFields | null | undefined;

  /** @throws TypeError if both `sdpMid` and `sdpMLineIndex` are missing or null. */
  constructor(candidateInitDict: RTCLocalIceCandidateInit = {}) {
    const init = convertLocalIceCandidateInit(candidateInitDict, 'RTCLocalIceCandidateInit');
    if (init.sdpMid === null && init.sdpMLineIndex === null) {
      throw new TypeError('An ICE candidate needs sdpMid or sdpMLineIndex, but both are null');
    }
    this.#init = init;
  }

  /** `null` when the candidate is empty or cannot be parsed, which is no error here. */
  get #parsed(): CandidateFields | null {
    this.#fields ??= parseCandidateAttribute(this.#init.candidate as string);
    return this.#fields;
  }

  /** `candidate:...`; `''` is the end of candidates of a generation. */
  get candidate(): string {
    return this.#init.candidate as string;
  }
  /** Media stream identification of the section it belongs to. */
  get sdpMid(): string | null {
    return this.#init.sdpMid ?? null;
  }
  /** Index of that section, from 0. */
  get sdpMLineIndex(): number | null {
    return this.#init.sdpMLineIndex ?? null;
  }
  /** Equal for candidates of the same type, base and server. */
  get foundation(): string | null {
    return this.#parsed?.foundation ?? null;
  }
  /** `rtp` (1) or `rtcp` (2). */
  get component(): RTCIceComponent | null {
    return this.#parsed?.component ?? null;
  }
  /** Priority, 0 to 2^32 - 1; higher is preferred. */
  get priority(): number | null {
    return this.#parsed?.priority ?? null;
  }
  /** IP address or host name. */
  get address(): string | null {
    return this.#parsed?.address ?? null;
  }
  /** Transport protocol. */
  get protocol(): RTCIceProtocol | null {
    return this.#parsed?.protocol ?? null;
  }
  /** Port, 0 to 65,535. */
  get port(): number | null {
    return this.#parsed?.port ?? null;
  }
  /** Where the candidate comes from. */
  get type(): RTCIceCandidateType | null {
    return this.#parsed?.type ?? null;
  }
  /** Who opens the connection, for TCP. */
  get tcpType(): RTCIceTcpCandidateType | null {
    return this.#parsed?.tcpType ?? null;
  }
  /** Base address of a reflexive or relayed candidate. */
  get relatedAddress(): string | null {
    return this.#parsed?.relatedAddress ?? null;
  }
  /** Base port of a reflexive or relayed candidate. */
  get relatedPort(): number | null {
    return this.#parsed?.relatedPort ?? null;
  }
  /** ICE username fragment of the generation it belongs to. */
  get usernameFragment(): string | null {
    return this.#init.usernameFragment ?? null;
  }
  /** How the TURN server of a local relayed candidate is reached. */
  get relayProtocol(): RTCIceServerTransportProtocol | null {
    return this.#init.relayProtocol ?? null;
  }
  /** URL of the server that a local candidate was obtained from. */
  get url(): string | null {
    return this.#init.url ?? null;
  }

  /** The candidate as plain data, ready for a signaling message. */
  toJSON(): RTCIceCandidateInit {
    const { candidate, sdpMid, sdpMLineIndex, usernameFragment } = this.#init;
    return { candidate, sdpMid, sdpMLineIndex, usernameFragment };
  }

  static {
    isIceCandidate = (value): value is RTCIceCandidate => typeof value === 'object' && value !== null && #init in value;
  }
}

exposeInterface(RTCIceCandidate, 'RTCIceCandidate');
