/** Name of the exception to raise in JavaScript: a `DOMException` name, or `TypeError`, `RangeError`. */
export type NativeErrorCode =
  | 'InvalidStateError'
  | 'InvalidModificationError'
  | 'InvalidAccessError'
  | 'OperationError'
  | 'SyntaxError'
  | 'TypeError'
  | 'RangeError'
  | 'NotSupportedError'
  | 'NetworkError'
  | 'EncodingError'
  | 'DataError'
  | 'SecurityError'
  | 'QuotaExceededError'
  /** A defect of ours: a panic was caught, or an argument had a type that no caller should give. */
  | 'InternalError';

/** An error of the native core. The classes above turn it into the standard exception. */
export class NativeError extends Error {
  /** `errorDetail` when the standard wants an `RTCError`, for example `sdp-syntax-error`. */
  readonly errorDetail: string | null;
  /** Line of the description that could not be parsed, from 1. */
  readonly sdpLineNumber: number | null;

  constructor(
    readonly code: NativeErrorCode,
    message: string,
    details: { errorDetail?: string | null; sdpLineNumber?: number | null; cause?: unknown } = {},
  ) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'NativeError';
    this.errorDetail = details.errorDetail ?? null;
    this.sdpLineNumber = details.sdpLineNumber ?? null;
  }
}
