import { DOMException } from '../../platform';
import { NativeError, type NativeRtcError } from '../../native';
import type { RTCErrorDetailType } from '../enums';
import { RTCError } from './error';

/** Calls the core and throws the standard's exceptions in place of its own. */
export function nativeCall<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw toStandardError(error);
  }
}

/** The standard exception for an error of the core: `TypeError`, `RangeError`, `RTCError` or a `DOMException`. */
export function toStandardError(error: unknown): unknown {
  if (!(error instanceof NativeError)) return error;
  const { code, message, errorDetail, sdpLineNumber } = error;
  if (errorDetail !== null) {
    return new RTCError(
      { errorDetail: errorDetail as RTCErrorDetailType, sdpLineNumber: sdpLineNumber ?? undefined },
      message,
    );
  }
  if (code === 'TypeError') return new TypeError(message);
  if (code === 'RangeError') return new RangeError(message);
  return new DOMException(message, code === 'InternalError' ? 'OperationError' : code);
}

/** What an alert of the peer means for whoever looks at it (RFC 8446 section 6.2, RFC 5246 section 7.2). */
const ALERTS: Readonly<Record<number, string>> = {
  40: 'handshake_failure: the two ends have nothing in common; an RSA certificate is the usual reason, as ours takes and shows ECDSA only',
  42: 'bad_certificate: ours is not the one that its description names',
  43: 'unsupported_certificate: ours is ECDSA with P-256',
  46: 'certificate_unknown: it does not take ours',
  51: 'decrypt_error: a signature was wrong',
  70: 'protocol_version: ours speaks DTLS 1.2 and 1.3',
  71: 'insufficient_security: our ciphers are too weak for it',
};

/** The `RTCError` of a transport or a channel that has failed. */
export function toRTCError({
  message,
  errorDetail,
  sctpCauseCode,
  receivedAlert,
  sentAlert,
}: NativeRtcError): RTCError {
  return new RTCError(
    {
      errorDetail: errorDetail as RTCErrorDetailType,
      sctpCauseCode: sctpCauseCode ?? undefined,
      receivedAlert: receivedAlert ?? undefined,
      sentAlert: sentAlert ?? undefined,
    },
    receivedAlert !== null && ALERTS[receivedAlert] ? `${message}, ${ALERTS[receivedAlert]}` : message,
  );
}
