import { randomUUID } from 'node:crypto';

import { DOMException, structuredClone } from '../../platform';
import { coreOf, type MediaStreamTrack } from '../../media';
import type { NativeSectionParameters } from '../../native';
import type { RTCSdpType } from '../enums';
import { nativeCall, queueTask } from '../events';
import type { RTCStats, RTCStatsReport } from '../stats';
import type { RTCDtlsTransport } from '../transports';
import { capabilities, isSameCodec, toCodecParameters, toNativeEncoding, type Kind } from './codecs';
import { DtmfCore } from './dtmf-core';
import { changedEncodings, proposedEncodings } from './encodings';
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
  /** "[[SendEncodings]]": the same as the core has, under the same names. */
  #encodings: RTCRtpEncodingParameters[];
  /** "[[LastStableRidlessSendEncodings]]": what comes back if the peer's offer for simulcast is withdrawn. */
  #replaced: RTCRtpEncodingParameters[] | null = null;
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
    this.#encodings = encodings;
  }

  get transceiver(): SendingTransceiver {
    return this.#transceiver;
  }

  /** What script sees. */
  get encodings(): readonly RTCRtpEncodingParameters[] {
    return this.#encodings;
  }

  /** Codecs that were negotiated for sending. */
  get codecs(): RTCRtpCodec[] {
    return toCodecParameters(this.#section?.payloads ?? []);
  }

  /** A description was set, after which the core has encodings of these names: the peer's offer asks for them, its answer leaves some, a rollback brings back the one without a name. */
  described(rids: readonly (string | null)[], type: RTCSdpType): void {
    if (this.#replaced && (type === 'offer' || rids.includes(null))) {
      this.#encodings = this.#replaced;
      this.#replaced = null;
    }
    const kept = this.#encodings.filter(({ rid }) => rids.includes(rid ?? null));
    if (kept.length > 0) {
      this.#encodings = kept;
    } else {
      this.#replaced = this.#encodings;
      this.#encodings = proposedEncodings(rids.filter((rid) => rid !== null));
    }
    if (type === 'answer') this.#replaced = null;
  }

  /** A description has changed what is sent. */
  negotiated(section: NativeSectionParameters['send'] | null): void {
    this.#section = section;
    if (section) this.#encodings = this.#encodings.map((encoding) => this.#withoutLostCodec(encoding));
  }

  /** What is not negotiated any more can't be used. */
  #withoutLostCodec({ codec, ...encoding }: RTCRtpEncodingParameters): RTCRtpEncodingParameters {
    const isThere = codec && this.codecs.some((one) => isSameCodec(bare(one), bare(codec)));
    return isThere ? { ...encoding, codec } : encoding;
  }

  getParameters(): RTCRtpSendParameters {
    if (!this.#lastReturned) {
      const { extensions = [], reducedSizeRtcp = false } = this.#section ?? {};
      this.#lastReturned = convertSendParameters(
        {
          transactionId: randomUUID(),
          encodings: this.#encodings,
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
      // A description that was set in the meantime may have taken some away, or put others in their place.
      this.#encodings = this.#encodings.map((known) => changed.find(({ rid }) => rid === known.rid) ?? known);
      this.host.native.media.setEncodings(this.#transceiver.id, this.#encodings.map(toNativeEncoding));
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
