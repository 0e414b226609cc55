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
  readonly isStopping: boolean;
}

/** One layer of simulcast. It falls silent by itself: its sender stops a layer that it can't afford. */
interface Layer {
  readonly source: TrackSource;
  /** The last one that was asked for. */
  track?: MediaStreamTrack;
}

/** Layers that are remembered: simulcast has three or four, and a peer that negotiates no names could send any number of them. */
const MOST_LAYERS = 16;

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
  /** Those of simulcast that were asked for, or that something has come of. */
  readonly #layers = new Map<string, Layer>();
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

  /** Packets come again, or no more: of one layer of simulcast, or of any. */
  setMuted(muted: boolean, rid: string | null = null): void {
    if (rid === null) {
      this.#source.setMuted(muted);
      if (muted) for (const { source } of this.#layers.values()) source.setMuted(true);
    } else if (this.#layers.has(rid) || this.#layers.size < MOST_LAYERS) {
      this.#layer(rid).source.setMuted(muted);
    }
  }

  /** Nothing is received any more: `ended`. */
  end(): void {
    this.#source.end();
    for (const { source } of this.#layers.values()) source.end();
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
    const layer = this.#layer(rid);
    if (layer.track?.readyState === 'live') return layer.track;
    const native = nativeCall(() => this.#host.native.media.receiveLayer(this.#transceiver.id, rid));
    return (layer.track = createMediaStreamTrack(layer.source, native));
  }

  #layer(rid: string): Layer {
    let layer = this.#layers.get(rid);
    if (!layer) {
      const { kind, label, ended } = this.#source;
      layer = { source: new TrackSource({ kind, label, muted: true }) };
      if (ended) layer.source.end();
      this.#layers.set(rid, layer);
    }
    return layer;
  }

  /** Who was heard in the last ten seconds. */
  sources(kind: 'contributing' | 'synchronization'): RTCRtpContributingSource[] {
    if (this.#host.isClosed) return [];
    const heard = this.#host.native.media.heardSources(this.#transceiver.id);
    // webrtc-pc 5.3 has it count from the epoch.
    const now = performance.timeOrigin + performance.now();
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
    const { mid, isStopping } = this.#transceiver;
    return ({ type, mid: of }) => type === 'inbound-rtp' && !isStopping && mid !== null && of === mid;
  }
}
