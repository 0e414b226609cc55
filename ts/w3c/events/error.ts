import { DOMException } from '../../platform';
import {
  dictionary,
  DOMString,
  enumeration,
  exposeInterface,
  long,
  requireArguments,
  unsignedLong,
} from '../../webidl';
import { ERROR_DETAIL_TYPES, type RTCErrorDetailType } from '../enums';

/** Content of an {@link RTCError}. */
export interface RTCErrorInit {
  /** What failed. */
  errorDetail: RTCErrorDetailType;
  /** Line of the session description, from 1, where the syntax error was found. */
  sdpLineNumber?: number;
  /** Cause code of the SCTP ABORT. */
  sctpCauseCode?: number;
  /** Fatal TLS alert that was received. */
  receivedAlert?: number;
  /** Fatal TLS alert that was sent. */
  sentAlert?: number;
}

const convertErrorInit = dictionary<RTCErrorInit>('RTCErrorInit', {
  errorDetail: { type: enumeration(ERROR_DETAIL_TYPES), required: true },
  sdpLineNumber: { type: long },
  sctpCauseCode: { type: long },
  receivedAlert: { type: unsignedLong },
  sentAlert: { type: unsignedLong },
});

/** Brand check of {@link RTCError}. */
export let isRTCError: (value: unknown) => value is RTCError;

/** A `DOMException` named `OperationError` with details that only WebRTC has (webrtc-pc 11.1). */
export class RTCError extends DOMException {
  readonly #init: RTCErrorInit;

  /** @throws TypeError if `errorDetail` is missing or unknown. */
  constructor(init: RTCErrorInit, message = '') {
    requireArguments(arguments.length, 1, 'new RTCError');
    const converted = convertErrorInit(init, 'RTCErrorInit');
    super(DOMString(message, 'message'), 'OperationError');
    this.#init = converted;
  }

  /** What failed. */
  get errorDetail(): RTCErrorDetailType {
    return this.#init.errorDetail;
  }
  /** Line of the session description, from 1, where the syntax error was found. */
  get sdpLineNumber(): number | null {
    return this.#init.sdpLineNumber ?? null;
  }
  /** Cause code of the SCTP ABORT. */
  get sctpCauseCode(): number | null {
    return this.#init.sctpCauseCode ?? null;
  }
  /** Fatal TLS alert that was received. */
  get receivedAlert(): number | null {
    return this.#init.receivedAlert ?? null;
  }
  /** Fatal TLS alert that was sent. */
  get sentAlert(): number | null {
    return this.#init.sentAlert ?? null;
  }

  static {
    isRTCError = (value): value is RTCError => typeof value === 'object' && value !== null && #init in value;
  }
}

exposeInterface(RTCError, 'RTCError');
