import type { ConnectCause } from '../../base';
import { Event } from '../../platform';
import type { RTCRtpTransceiver } from './transceiver';

/** `mediafault`, which is not in the standard: audio or video does not flow where both descriptions say that it does. */
export interface MediaFaultEvent extends Event {
  /** Why, as in what `connectionCauses()` gives: of the kind `media-refused`, its `text` in words, its `code` 0. */
  readonly cause: ConnectCause;
  /** Which transceiver it is about; `null` if it is about all of the connection. */
  readonly transceiver: RTCRtpTransceiver | null;
}

/** {@link MediaFaultEvent} as it is fired; programs make none. */
export class FaultEvent extends Event implements MediaFaultEvent {
  readonly cause: ConnectCause;
  readonly transceiver: RTCRtpTransceiver | null;

  constructor(cause: ConnectCause, transceiver: RTCRtpTransceiver | null) {
    super('mediafault');
    this.cause = cause;
    this.transceiver = transceiver;
  }
}
