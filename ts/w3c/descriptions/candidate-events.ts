import { Event } from '../../platform';
import {
  dictionary,
  DOMString,
  exposeInterface,
  instanceOf,
  nullable,
  requireArguments,
  unsignedShort,
  USVString,
} from '../../webidl';
import { convertEventInit, type RTCEventInit } from '../events';
import { isIceCandidate, type RTCIceCandidate } from './candidate';

/** Options of {@link RTCPeerConnectionIceEvent}. */
export interface RTCPeerConnectionIceEventInit extends RTCEventInit {
  /** The candidate. Default: `null`, all gathering is over. */
  candidate?: RTCIceCandidate | null;
  /** URL of the server that it was obtained from. Default: `null`. */
  url?: string | null;
}

const convertIceEventInit = dictionary<RTCPeerConnectionIceEventInit, RTCEventInit>(
  'RTCPeerConnectionIceEventInit',
  {
    candidate: { type: nullable(instanceOf('RTCIceCandidate', isIceCandidate)) },
    url: { type: nullable(USVString) },
  },
  convertEventInit,
);

/** `icecandidate`: a local candidate was gathered (webrtc-pc 4.8.2). */
export class RTCPeerConnectionIceEvent extends Event {
  readonly #candidate: RTCIceCandidate | null;
  readonly #url: string | null;

  /** @throws TypeError for members of a wrong type. */
  constructor(type: string, eventInitDict: RTCPeerConnectionIceEventInit = {}) {
    requireArguments(arguments.length, 1, 'new RTCPeerConnectionIceEvent');
    const name = DOMString(type, 'type');
    const init = convertIceEventInit(eventInitDict, 'RTCPeerConnectionIceEventInit');
    super(name, init);
    this.#candidate = init.candidate ?? null;
    this.#url = init.url ?? null;
  }

  /** The candidate to signal; empty at the end of a generation, `null` when all gathering is over. */
  get candidate(): RTCIceCandidate | null {
    return this.#candidate;
  }
  /** URL of the STUN or TURN server that it was obtained from. */
  get url(): string | null {
    return this.#url;
  }
}

exposeInterface(RTCPeerConnectionIceEvent, 'RTCPeerConnectionIceEvent');

/** Options of {@link RTCPeerConnectionIceErrorEvent}. */
export interface RTCPeerConnectionIceErrorEventInit extends RTCEventInit {
  /** Local address used to reach the server. Default: `null`. */
  address?: string | null;
  /** Local port used to reach the server. Default: `null`. */
  port?: number | null;
  /** URL of the server. Default: `''`. */
  url?: string;
  /** STUN error code, or 701 if the server could not be reached. */
  errorCode: number;
  /** Reason phrase. Default: `''`. */
  errorText?: string;
}

const convertIceErrorEventInit = dictionary<RTCPeerConnectionIceErrorEventInit, RTCEventInit>(
  'RTCPeerConnectionIceErrorEventInit',
  {
    address: { type: nullable(DOMString) },
    port: { type: nullable(unsignedShort) },
    url: { type: USVString },
    errorCode: { type: unsignedShort, required: true },
    errorText: { type: USVString },
  },
  convertEventInit,
);

/** `icecandidateerror`: a STUN or TURN server could not be used, or candidates were left out (webrtc-pc 4.8.3). */
export class RTCPeerConnectionIceErrorEvent extends Event {
  readonly #init: RTCPeerConnectionIceErrorEventInit;

  /** @throws TypeError without an `errorCode`. */
  constructor(type: string, eventInitDict: RTCPeerConnectionIceErrorEventInit) {
    requireArguments(arguments.length, 2, 'new RTCPeerConnectionIceErrorEvent');
    const name = DOMString(type, 'type');
    const init = convertIceErrorEventInit(eventInitDict, 'RTCPeerConnectionIceErrorEventInit');
    super(name, init);
    this.#init = init;
  }

  /** Local address used to reach the server, if it may be told. */
  get address(): string | null {
    return this.#init.address ?? null;
  }
  /** Local port used to reach the server. */
  get port(): number | null {
    return this.#init.port ?? null;
  }
  /** URL of the server; empty if no server is to blame: candidates were left out, or the options leave no address. */
  get url(): string {
    return this.#init.url ?? '';
  }
  /** STUN error code (300 to 699), or 701 if the server could not be reached or none is to blame. */
  get errorCode(): number {
    return this.#init.errorCode;
  }
  /** The server's reason phrase, or our own. */
  get errorText(): string {
    return this.#init.errorText ?? '';
  }
}

exposeInterface(RTCPeerConnectionIceErrorEvent, 'RTCPeerConnectionIceErrorEvent');
