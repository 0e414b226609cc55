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
    message,
  );
}
