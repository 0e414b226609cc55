import { systemErrorInWords } from '../base';

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
  /** A defect of ours: the core has panicked, and the panic was caught at the boundary. */
  | 'InternalError';

/** What the core puts into the message of the errors that it throws; see `src/base/error.rs`. */
interface EncodedError {
  code: NativeErrorCode;
  message: string;
  errorDetail: string | null;
  sdpLineNumber: number | null;
}

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

  /** Makes one of whatever a call of the core has thrown. */
  static from(thrown: unknown): NativeError {
    if (thrown instanceof NativeError) return thrown;
    const { code, message, name } = thrown as { code?: unknown; message?: unknown; name?: unknown };
    const text = typeof message === 'string' ? message : String(thrown);
    if (text.startsWith('{"code":')) {
      const error = JSON.parse(text) as EncodedError;
      return new NativeError(error.code, systemErrorInWords(error.message), error);
    }
    // Node-API itself has refused an argument: its codes are InvalidArg, StringExpected, NumberExpected and so on.
    // By name and not by class, because the error may come from another realm.
    const refused =
      name === 'TypeError' || (typeof code === 'string' && (code === 'InvalidArg' || code.endsWith('Expected')));
    return new NativeError(refused ? 'TypeError' : 'InternalError', text, { cause: thrown });
  }
}

/** Runs a call of the core; what it throws becomes a `NativeError`. */
export function guard<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw NativeError.from(error);
  }
}
