import {
  constructible,
  DOMString,
  exposeInterface,
  illegalConstructor,
  isObject,
  requireArguments,
  sequence,
} from '../../webidl';
import { TRANSCEIVER_DIRECTIONS, type RTCRtpTransceiverDirection } from '../enums';
import { convertCodec, type RTCRtpCodec } from './parameters';
import { createReceiver, type RTCRtpReceiver } from './receiver';
import { createSender, type RTCRtpSender } from './sender';
import type { TransceiverCore } from './transceiver-core';

/** What script sees of the algorithms, the same each time. */
export function transceiverOf(core: TransceiverCore): RTCRtpTransceiver {
  const known = faces.get(core) ?? createTransceiver(core);
  faces.set(core, known);
  return known;
}

const faces = new WeakMap<TransceiverCore, RTCRtpTransceiver>();
let createTransceiver: (core: TransceiverCore) => RTCRtpTransceiver;

/** Brand check of {@link RTCRtpTransceiver}. */
export let isTransceiver: (value: unknown) => value is RTCRtpTransceiver;

const convertCodecs = sequence(convertCodec);

/** A sender and a receiver that share a section of the descriptions (webrtc-pc 5.4). */
export class RTCRtpTransceiver {
  readonly #core: TransceiverCore;
  readonly #sender: RTCRtpSender;
  readonly #receiver: RTCRtpReceiver;

  private constructor(...args: unknown[]) {
    illegalConstructor(args[0], 'RTCRtpTransceiver');
    this.#core = args[1] as TransceiverCore;
    this.#sender = createSender(this.#core.sender);
    this.#receiver = createReceiver(this.#core.receiver);
  }

  /** Name of its section; `null` without one. */
  get mid(): string | null {
    return this.#core.mid;
  }
  /** What it sends with. */
  get sender(): RTCRtpSender {
    return this.#sender;
  }
  /** What it receives with. */
  get receiver(): RTCRtpReceiver {
    return this.#receiver;
  }

  /**
   * Which way it is to send. Takes full effect with the next negotiation, which is due; what is sent less, at once.
   *
   * @throws DOMException `InvalidStateError` when closed or stopped; TypeError for `stopped`.
   */
  get direction(): RTCRtpTransceiverDirection {
    return this.#core.direction;
  }
  set direction(value: RTCRtpTransceiverDirection) {
    const core = this.#core;
    // WebIDL: an attribute ignores what is not in its enumeration.
    const direction = TRANSCEIVER_DIRECTIONS.find((known) => known === DOMString(value, 'direction'));
    if (direction !== undefined) core.setDirection(direction);
  }
  /** What was negotiated; `null` before. */
  get currentDirection(): RTCRtpTransceiverDirection | null {
    return this.#core.currentDirection;
  }

  /**
   * Ends it, for good. The peer hears of it with the next negotiation, which is due.
   *
   * @throws DOMException `InvalidStateError` when closed.
   */
  stop(): void {
    this.#core.stop();
  }

  /**
   * Sets the codecs to negotiate, the preferred one first; an empty list stands for all that there are.
   *
   * @throws DOMException `InvalidModificationError` for a codec that there is not, and for a list without one to send media with.
   */
  setCodecPreferences(codecs: RTCRtpCodec[]): void {
    const core = this.#core;
    requireArguments(arguments.length, 1, 'RTCRtpTransceiver.setCodecPreferences');
    core.setCodecPreferences(convertCodecs(codecs, 'codecs'));
  }

  static {
    createTransceiver = (core) => new RTCRtpTransceiver(constructible, core);
    isTransceiver = (value): value is RTCRtpTransceiver => isObject(value) && #core in value;
  }
}

exposeInterface(RTCRtpTransceiver, 'RTCRtpTransceiver');
