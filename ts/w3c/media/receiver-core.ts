import { DOMException } from '../../platform';
import { createMediaStreamTrack, TrackSource, type MediaStream, type MediaStreamTrack } from '../../media';
import type { NativeSectionParameters } from '../../native';
import { nativeCall } from '../events';
import type { RTCStats, RTCStatsReport } from '../stats';
import type { RTCDtlsTransport } from '../transports';
import { toCodecParameters, type Kind } from './codecs';
import type { MediaHost } from './host';
import type { RTCRtpContributingSource, RTCRtpReceiveParameters } from './parameters';

/** What a receiver needs of its transceiver. */
export interface ReceivingTransceiver {
  readonly id: number;
  readonly kind: Kind;
  readonly mid: string | null;
  readonly transport: RTCDtlsTransport | null;
}

/** The algorithms of a receiver (webrtc-pc 5.3); the class `RTCRtpReceiver` is their WebIDL face. */
export class ReceiverCore {
  readonly track: MediaStreamTrack;
  /** Streams of the peer that the track is in. */
  streams: MediaStream[] = [];
  /** The peer has said that it sends, and `track` was fired. */
  receives = false;
  jitterBufferTarget: number | null = null;
  readonly #host: MediaHost;
  readonly #transceiver: ReceivingTransceiver;
  readonly #source: TrackSource;
  /** Those of simulcast that were asked for. */
  readonly #layers = new Map<string, MediaStreamTrack>();
  #section: NativeSectionParameters | null = null;

  constructor(host: MediaHost, transceiver: ReceivingTransceiver, trackId: string) {
    this.#host = host;
    this.#transceiver = transceiver;
    const { kind } = transceiver;
    this.#source = new TrackSource({ kind, label: `remote ${kind}`, muted: true });
    const native = nativeCall(() => {
      const { media } = host.native;
      return kind === 'audio' ? media.receiveAudio(transceiver.id) : media.receiveEncoded(transceiver.id, kind);
    });
    this.track = createMediaStreamTrack(this.#source, native, trackId);
  }

  get transceiver(): ReceivingTransceiver {
    return this.#transceiver;
  }

  /** A description has changed what is received. */
  negotiated(section: NativeSectionParameters | null): void {
    this.#section = section;
  }

  /** Packets come again, or no more. */
  setMuted(muted: boolean): void {
    this.#source.setMuted(muted);
  }

  /** Nothing is received any more: `ended`. */
  end(): void {
    this.#source.end();
  }

  getParameters(): RTCRtpReceiveParameters {
    const { payloads = [], extensions = [], rids = [] } = this.#section?.receive ?? {};
    return {
      headerExtensions: extensions.map((extension) => ({ ...extension, encrypted: false })),
      rtcp: { reducedSize: this.#section?.send.reducedSizeRtcp ?? false },
      codecs: toCodecParameters(payloads),
      encodings: rids.map((rid) => ({ rid })),
    };
  }

  /** A track of one layer of simulcast alone: the same one, as long as it is live. */
  getLayer(rid: string): MediaStreamTrack {
    const { rids = [] } = this.#section?.receive ?? {};
    if (!rids.includes(rid)) {
      const there = rids.length > 0 ? `there are ${rids.join(', ')}` : 'the peer has not negotiated simulcast';
      throw new DOMException(`No layer has the rid ${JSON.stringify(rid)}: ${there}`, 'InvalidAccessError');
    }
    const known = this.#layers.get(rid);
    if (known?.readyState === 'live') return known;
    const native = nativeCall(() => this.#host.native.media.receiveLayer(this.#transceiver.id, rid));
    const track = createMediaStreamTrack(this.#source, native);
    this.#layers.set(rid, track);
    return track;
  }

  /** Who was heard in the last ten seconds. */
  sources(kind: 'contributing' | 'synchronization'): RTCRtpContributingSource[] {
    if (this.#host.isClosed) return [];
    const heard = this.#host.native.media.heardSources(this.#transceiver.id);
    const now = performance.now();
    return heard
      .filter(({ contributing }) => contributing === (kind === 'contributing'))
      .map(({ source, ago, rtpTimestamp, audioLevel }) => ({
        ...{ timestamp: now - ago, source, rtpTimestamp },
        ...(audioLevel !== null && { audioLevel }),
      }));
  }

  /** In milliseconds; `null` leaves it to the path. */
  setJitterBufferTarget(target: number | null): void {
    if (!this.#host.isClosed) {
      nativeCall(() => this.#host.native.media.setJitterTarget(this.#transceiver.id, target));
    }
    this.jitterBufferTarget = target;
  }

  getStats(): Promise<RTCStatsReport> {
    return this.#host.getStats(this.statsFilter());
  }

  /** Which entries are about this receiver. */
  statsFilter(): (entry: RTCStats) => boolean {
    const { mid } = this.#transceiver;
    return ({ type, mid: of }) => type === 'inbound-rtp' && mid !== null && of === mid;
  }
}
