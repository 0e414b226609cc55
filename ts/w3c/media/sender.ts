import {
  constructible,
  conversionFailed,
  DOMString,
  exposeInterface,
  illegalConstructor,
  instanceOf,
  isObject,
  nullable,
  promiseOperation,
  requireArguments,
} from '../../webidl';
import { isMediaStream, isMediaStreamTrack, type MediaStream, type MediaStreamTrack } from '../../media';
import type { RTCDtlsTransport } from '../transports';
import type { RTCStatsReport } from '../stats';
import { capabilities } from './codecs';
import { createDtmfSender, type RTCDTMFSender } from './dtmf';
import {
  convertSendParameters,
  convertSetParameterOptions,
  type RTCRtpCapabilities,
  type RTCRtpSendParameters,
  type RTCSetParameterOptions,
} from './parameters';
import type { SenderCore } from './sender-core';

export let createSender: (core: SenderCore) => RTCRtpSender;

/** Brand check of {@link RTCRtpSender}. */
export let isSender: (value: unknown) => value is RTCRtpSender;

export let senderCoreOf: (sender: RTCRtpSender) => SenderCore;

const convertTrack = nullable(instanceOf('MediaStreamTrack', isMediaStreamTrack));
const convertStream = instanceOf('MediaStream', isMediaStream);

/** Sends a track to the peer (webrtc-pc 5.2). */
export class RTCRtpSender {
  readonly #core: SenderCore;
  readonly #dtmf: RTCDTMFSender | null;

  private constructor(...args: unknown[]) {
    illegalConstructor(args[0], 'RTCRtpSender');
    this.#core = args[1] as SenderCore;
    this.#dtmf = this.#core.dtmf && createDtmfSender(this.#core.dtmf);
  }

  /** What is sent; `null` for nothing. */
  get track(): MediaStreamTrack | null {
    return this.#core.track;
  }
  /** What its packets go over; `null` before a local description. */
  get transport(): RTCDtlsTransport | null {
    return this.#core.transceiver.transport;
  }

  /** What can be sent of a kind; `null` for a kind that there is not. */
  static getCapabilities(kind: string): RTCRtpCapabilities | null {
    requireArguments(arguments.length, 1, 'RTCRtpSender.getCapabilities');
    return capabilities(DOMString(kind, 'kind'));
  }

  /**
   * Changes what is sent, without a negotiation. `parameters` are those of {@link getParameters}, called in the same turn of the event
   * loop, with other `encodings`.
   *
   * @returns rejects with `InvalidStateError` for a transceiver that is stopped, or without `getParameters()`; `InvalidModificationError`
   * for a change that is not possible; a RangeError for numbers that are out of range.
   */
  setParameters(parameters: RTCRtpSendParameters, setParameterOptions: RTCSetParameterOptions = {}): Promise<void> {
    const given = arguments.length;
    return promiseOperation(() => {
      const core = this.#core;
      requireArguments(given, 1, 'RTCRtpSender.setParameters');
      const converted = convertSendParameters(parameters, 'parameters');
      convertSetParameterOptions(setParameterOptions, 'setParameterOptions');
      return core.setParameters(converted);
    });
  }

  /** What is sent, as a copy. */
  getParameters(): RTCRtpSendParameters {
    return this.#core.getParameters();
  }

  /**
   * Sends another track, or nothing, without a negotiation.
   *
   * @returns rejects with a TypeError for a track of another kind; `InvalidStateError` for a transceiver that is stopped.
   */
  replaceTrack(withTrack: MediaStreamTrack | null): Promise<void> {
    const given = arguments.length;
    return promiseOperation(() => {
      const core = this.#core;
      requireArguments(given, 1, 'RTCRtpSender.replaceTrack');
      const track = convertTrack(withTrack, 'withTrack');
      if (track && track.kind !== core.kind) conversionFailed('withTrack', `is ${track.kind}, not ${core.kind}`);
      return core.replaceTrack(track);
    });
  }

  /**
   * Tells the peer that the track belongs to these streams. A negotiation is due.
   *
   * @throws DOMException `InvalidStateError` when closed.
   */
  setStreams(...streams: MediaStream[]): void {
    const core = this.#core;
    const ids = streams.map((stream, index) => convertStream(stream, `streams[${index}]`).id);
    core.transceiver.throwIfClosed();
    core.setStreams([...new Set(ids)], false);
  }

  /** Statistics of what is sent. */
  getStats(): Promise<RTCStatsReport> {
    return promiseOperation(() => this.#core.getStats());
  }

  /** Sends tones of a telephone's keys; `null` for video. */
  get dtmf(): RTCDTMFSender | null {
    return this.#dtmf;
  }

  static {
    createSender = (core) => new RTCRtpSender(constructible, core);
    isSender = (value): value is RTCRtpSender => isObject(value) && #core in value;
    senderCoreOf = (sender) => sender.#core;
  }
}

exposeInterface(RTCRtpSender, 'RTCRtpSender');
