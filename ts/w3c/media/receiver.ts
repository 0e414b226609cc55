import {
  constructible,
  DOMString,
  double,
  exposeInterface,
  illegalConstructor,
  isObject,
  nullable,
  promiseOperation,
  requireArguments,
} from '../../webidl';
import type { MediaStreamTrack } from '../../media';
import type { RTCStatsReport } from '../stats';
import type { RTCDtlsTransport } from '../transports';
import { capabilities } from './codecs';
import type {
  RTCRtpCapabilities,
  RTCRtpContributingSource,
  RTCRtpReceiveParameters,
  RTCRtpSynchronizationSource,
} from './parameters';
import type { ReceiverCore } from './receiver-core';

export let createReceiver: (core: ReceiverCore) => RTCRtpReceiver;

/** Brand check of {@link RTCRtpReceiver}. */
export let isReceiver: (value: unknown) => value is RTCRtpReceiver;

const convertTarget = nullable(double);

/** Receives a track of the peer (webrtc-pc 5.3). */
export class RTCRtpReceiver {
  readonly #core: ReceiverCore;

  private constructor(...args: unknown[]) {
    illegalConstructor(args[0], 'RTCRtpReceiver');
    this.#core = args[1] as ReceiverCore;
  }

  /** What is received; it is there from the start, and muted until packets come. */
  get track(): MediaStreamTrack {
    return this.#core.track;
  }
  /** What its packets come over; `null` before a local description. */
  get transport(): RTCDtlsTransport | null {
    return this.#core.transceiver.transport;
  }

  /** What can be received of a kind; `null` for a kind that there is not. */
  static getCapabilities(kind: string): RTCRtpCapabilities | null {
    requireArguments(arguments.length, 1, 'RTCRtpReceiver.getCapabilities');
    return capabilities(DOMString(kind, 'kind'));
  }

  /** What was negotiated, as a copy. */
  getParameters(): RTCRtpReceiveParameters {
    return this.#core.getParameters();
  }
  /**
   * A track of one layer of simulcast (RFC 8853) alone, for `addTrack()`, `replaceTrack()` and sinks, the same one as long as it is not stopped;
   * {@link track} gives one layer as well, whichever comes first. Not of the W3C's interface: its receivers have no simulcast.
   *
   * @param rid one of `getParameters().encodings`.
   * @throws DOMException `InvalidAccessError` for a layer that was not negotiated.
   */
  getLayer(rid: string): MediaStreamTrack {
    requireArguments(arguments.length, 1, 'RTCRtpReceiver.getLayer');
    return this.#core.getLayer(DOMString(rid, 'rid'));
  }
  /** Whose voices a mixer has put together in the last ten seconds, the latest first. */
  getContributingSources(): RTCRtpContributingSource[] {
    return this.#core.sources('contributing');
  }
  /** Who has sent packets in the last ten seconds, the latest first. */
  getSynchronizationSources(): RTCRtpSynchronizationSource[] {
    return this.#core.sources('synchronization');
  }
  /** Statistics of what is received. */
  getStats(): Promise<RTCStatsReport> {
    return promiseOperation(() => this.#core.getStats());
  }

  /** How many milliseconds packets should be kept back for late ones, 0 to 4,000; `null` leaves it to the network. */
  get jitterBufferTarget(): number | null {
    return this.#core.jitterBufferTarget;
  }
  set jitterBufferTarget(value: number | null) {
    const core = this.#core;
    const target = convertTarget(value, 'jitterBufferTarget');
    if (target !== null && !(target >= 0 && target <= 4000)) {
      throw new RangeError(`jitterBufferTarget is ${target}, not between 0 and 4000 ms`);
    }
    core.setJitterBufferTarget(target);
  }

  static {
    createReceiver = (core) => new RTCRtpReceiver(constructible, core);
    isReceiver = (value): value is RTCRtpReceiver => isObject(value) && #core in value;
  }
}

exposeInterface(RTCRtpReceiver, 'RTCRtpReceiver');
