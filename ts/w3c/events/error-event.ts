import { Event } from '../../platform';
import { dictionary, DOMString, exposeInterface, instanceOf, requireArguments } from '../../webidl';
import { isRTCError, type RTCError } from './error';
import { convertEventInit, type RTCEventInit } from './init';

/** Options of {@link RTCErrorEvent}. */
export interface RTCErrorEventInit extends RTCEventInit {
  /** What went wrong. */
  error: RTCError;
}

const convertErrorEventInit = dictionary<RTCErrorEventInit, RTCEventInit>(
  'RTCErrorEventInit',
  { error: { type: instanceOf('RTCError', isRTCError), required: true } },
  convertEventInit,
);

/** `error` of a data channel or a DTLS transport (webrtc-pc 11.2). */
export class RTCErrorEvent extends Event {
  readonly #error: RTCError;

  /** @throws TypeError without an `error` that is an {@link RTCError}. */
  constructor(type: string, eventInitDict: RTCErrorEventInit) {
    requireArguments(arguments.length, 2, 'new RTCErrorEvent');
    const name = DOMString(type, 'type');
    const init = convertErrorEventInit(eventInitDict, 'RTCErrorEventInit');
    super(name, init);
    this.#error = init.error;
  }

  /** What went wrong. */
  get error(): RTCError {
    return this.#error;
  }
}

exposeInterface(RTCErrorEvent, 'RTCErrorEvent');
