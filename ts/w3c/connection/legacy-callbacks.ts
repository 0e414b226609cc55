// The deprecated forms of the operations of RTCPeerConnection, with callbacks (webrtc-pc 4.4.3).
import { callback, invokeCallback } from '../../webidl';
import type { RTCSessionDescriptionInit } from '../descriptions';

/** Gets the description that was created. */
export type RTCSessionDescriptionCallback = (description: RTCSessionDescriptionInit) => void;
/** Gets the reason why an operation failed. */
export type RTCPeerConnectionErrorCallback = (error: DOMException) => void;

/** What script has passed. */
export type LegacyCallbacks = [success: ReturnType<typeof callback>, failure: ReturnType<typeof callback>];

/** @throws TypeError - One of them is no function. */
export function toCallbacks(success: unknown, failure: unknown): LegacyCallbacks {
  return [callback(success, 'successCallback'), callback(failure, 'failureCallback')];
}

/** Overloads take one argument or three (WebIDL, overload resolution). */
export function refuseTwoArguments(args: readonly unknown[], operation: string): void {
  if (args.length === 2)
    throw new TypeError(`RTCPeerConnection.${operation} takes 1 argument, or 3 with callbacks, not 2`);
}

/** webrtc-pc 4.4.3: the callbacks get the outcome, the promise resolves at once. */
export function legacy(outcome: Promise<unknown>, ...[success, failure]: LegacyCallbacks): Promise<void> {
  outcome.then(
    (value) => invokeCallback(success, ...(value === undefined ? [] : [value])),
    (error: unknown) => invokeCallback(failure, error),
  );
  return Promise.resolve();
}
