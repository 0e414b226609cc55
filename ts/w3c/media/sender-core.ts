import { randomUUID } from 'node:crypto';

import { DOMException, structuredClone } from '../../platform';
import { coreOf, type MediaStreamTrack } from '../../media';
import type { NativeSectionParameters } from '../../native';
import { nativeCall, queueTask } from '../events';
import type { RTCStats, RTCStatsReport } from '../stats';
import type { RTCDtlsTransport } from '../transports';
import { capabilities, isSameCodec, toCodecParameters, toNativeEncoding, type Kind } from './codecs';
import { DtmfCore } from './dtmf-core';
import { changedEncodings } from './encodings';
import type { MediaHost } from './host';
import {
  convertSendParameters,
  type RTCRtpCodec,
  type RTCRtpEncodingParameters,
  type RTCRtpSendParameters,
} from './parameters';

/** What a sender is made with. */
export interface SenderInit {
  track: MediaStreamTrack | null;
  /** Ids of its streams. */
  streams: string[];
  encodings: RTCRtpEncodingParameters[];
}

/** What a sender needs of its transceiver. */
export interface SendingTransceiver {
  readonly id: number;
  readonly kind: Kind;
  readonly mid: string | null;
  readonly transport: RTCDtlsTransport | null;
  readonly isStopping: boolean;
  /** It is negotiated that it sends. */
  readonly sends: boolean;
  /** Codecs in the order of preference; empty if there is none. */
  readonly preferences: readonly RTCRtpCodec[];
  /** Lets it send from now on, or not; receiving stays as it is. */
  setSending(sending: boolean): void;
  throwIfClosed(): void;
}

/** An encoding as the core knows it, and as script sees it: not any more once the peer has refused simulcast. */
interface SentEncoding {
  readonly rid: string | undefined;
  visible: RTCRtpEncodingParameters | null;
}

/** The algorithms of a sender (webrtc-pc 5.2); the class `RTCRtpSender` is their WebIDL face. */
export class SenderCore {
  readonly kind: Kind;
  track: MediaStreamTrack | null;
  /** Ids of the streams that the track belongs to. */
  streams: string[];
  readonly host: MediaHost;
  /** Tones in place of audio. */
  readonly dtmf: DtmfCore | null;
  readonly #transceiver: SendingTransceiver;
  readonly #cname: string;
  readonly #encodings: SentEncoding[];
  #section: NativeSectionParameters['send'] | null = null;
  #lastReturned: RTCRtpSendParameters | null = null;

  constructor(host: MediaHost, transceiver: SendingTransceiver, { track, streams, encodings }: SenderInit) {
    this.host = host;
    this.#transceiver = transceiver;
    this.#cname = nativeCall(() => host.native.media.cname());
    this.kind = transceiver.kind;
    this.dtmf = this.kind === 'audio' ? new DtmfCore(host, this) : null;
    this.track = track;
    this.streams = streams;
    this.#encodings = encodings.map((visible) => ({ rid: visible.rid, visible }));
  }

  get transceiver(): SendingTransceiver {
    return this.#transceiver;
  }

  /** What script sees. */
  get encodings(): RTCRtpEncodingParameters[] {
    return this.#encodings.map(({ visible }) => visible).filter((visible) => visible !== null);
  }

  /** Codecs that were negotiated for sending. */
  get codecs(): RTCRtpCodec[] {
    return toCodecParameters(this.#section?.payloads ?? []);
  }

  /** A description has changed what is sent; an answer settles which encodings there are. */
  negotiated(section: NativeSectionParameters['send'] | null, isAnswer: boolean): void {
    this.#section = section;
    if (section) this.#forgetCodecs();
    if (!section || !isAnswer || this.encodings.length < 2) return;
    const taken = section.encodings.map(({ rid }) => rid);
    const simulcast = taken.some((rid) => rid !== null);
    this.#encodings.forEach((encoding, index) => {
      if (simulcast ? !taken.includes(encoding.rid ?? null) : index > 0) encoding.visible = null;
    });
    const [first] = this.encodings;
    if (!simulcast && first) delete first.rid;
  }

  /** What is not negotiated any more can't be used. */
  #forgetCodecs(): void {
    for (const { codec, ...encoding } of this.encodings) {
      if (!codec || this.codecs.some((one) => isSameCodec(bare(one), bare(codec)))) continue;
      const kept = this.#encodings.find(({ visible }) => visible?.codec === codec);
      if (kept) kept.visible = encoding;
    }
  }

  getParameters(): RTCRtpSendParameters {
    if (!this.#lastReturned) {
      const { extensions = [], reducedSizeRtcp = false } = this.#section ?? {};
      this.#lastReturned = convertSendParameters(
        {
          transactionId: randomUUID(),
          encodings: this.encodings,
          headerExtensions: extensions,
          rtcp: { cname: this.#cname, reducedSize: reducedSizeRtcp },
          codecs: this.codecs,
        },
        'RTCRtpSendParameters',
      );
      queueTask(() => (this.#lastReturned = null));
    }
    return structuredClone(this.#lastReturned);
  }

  /** A description was set, so that what `getParameters()` gave is not what holds any more (webrtc-pc 4.4.1.5). */
  forgetParameters(): void {
    this.#lastReturned = null;
  }

  setParameters(parameters: RTCRtpSendParameters): Promise<void> {
    if (this.#transceiver.isStopping) {
      return Promise.reject(new DOMException('The transceiver is stopped', 'InvalidStateError'));
    }
    const last = this.#lastReturned;
    if (!last) {
      const message = 'getParameters() has to be called first, in the same turn of the event loop';
      return Promise.reject(new DOMException(message, 'InvalidStateError'));
    }
    const changed = changedEncodings(this.kind, parameters, last, this.#choosable());
    return this.host.task(() => {
      this.#lastReturned = null;
      const visible = this.#encodings.filter((encoding) => encoding.visible !== null);
      // A description that was set in the meantime may have taken some away.
      visible.forEach((encoding, index) => (encoding.visible = changed[index] ?? encoding.visible));
      this.host.native.media.setEncodings(
        this.#transceiver.id,
        this.#encodings.map((encoding) => toNativeEncoding(encoding.rid, encoding.visible)),
      );
    });
  }

  #choosable(): readonly RTCRtpCodec[] {
    if (this.codecs.length > 0) return this.codecs;
    const { preferences } = this.#transceiver;
    return preferences.length > 0 ? preferences : (capabilities(this.kind)?.codecs ?? []);
  }

  /** `replaceTrack()` without the check of its argument. */
  replaceTrack(track: MediaStreamTrack | null): Promise<void> {
    return this.host.chain(() => {
      if (this.#transceiver.isStopping) {
        return Promise.reject(new DOMException('The transceiver is stopped', 'InvalidStateError'));
      }
      return this.host.task(() => this.setTrack(track));
    });
  }

  /** From now on it sends this track: what is in it, if samples of it or encoded frames are at hand, and otherwise nothing. */
  setTrack(track: MediaStreamTrack | null): void {
    const { audio = null, encoded = null } = track ? coreOf(track) : {};
    nativeCall(() => {
      const { media } = this.host.native;
      if (this.kind === 'video' || encoded) media.sendEncoded(this.#transceiver.id, encoded);
      else media.sendAudio(this.#transceiver.id, audio);
    });
    this.track = track;
  }

  /** `setStreams()`; `byTrack` for `addTrack()`. */
  setStreams(streams: string[], byTrack: boolean): void {
    nativeCall(() => this.host.native.media.setSenderStreams(this.#transceiver.id, streams, byTrack));
    this.streams = streams;
    this.host.updateNegotiationNeeded();
  }

  getStats(): Promise<RTCStatsReport> {
    return this.host.getStats(this.statsFilter());
  }

  /** Which entries are about this sender. */
  statsFilter(): (entry: RTCStats) => boolean {
    const { mid, isStopping } = this.#transceiver;
    return ({ type, mid: of }) => type === 'outbound-rtp' && !isStopping && mid !== null && of === mid;
  }
}

/** Without what each side may say otherwise of the same codec. */
function bare({ sdpFmtpLine: _, ...codec }: RTCRtpCodec): RTCRtpCodec {
  return codec;
}
