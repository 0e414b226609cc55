import { binding } from './loader';
import type { AddedTransceiver, AudioTrack, EncodedTrack, Peer, TransceiverOptions } from './binding';
import { guard } from './error';
import type { NativeDirection, NativeHeardSource, NativeMediaCapabilities, NativeSectionParameters } from './media';

export type {
  CodecOptions as NativeCodec,
  EncodingOptions as NativeEncodingInit,
  TransceiverOptions as NativeTransceiverInit,
} from './binding';

/** The codecs and header extensions that there are for a kind. */
export function mediaCapabilities(kind: 'audio' | 'video'): NativeMediaCapabilities {
  return JSON.parse(guard(() => binding.Peer.mediaCapabilities(kind))) as NativeMediaCapabilities;
}

/** Audio and video of one connection. All methods are synchronous and throw `NativeError`; transceivers go by their number. */
export class NativePeerMedia {
  readonly #peer: Peer;

  constructor(peer: Peer) {
    this.#peer = peer;
  }

  /** Returns the number of the new transceiver, and the id of the track that it receives. */
  addTransceiver(kind: 'audio' | 'video', init: TransceiverOptions): AddedTransceiver {
    return guard(() => this.#peer.addTransceiver(kind, init));
  }

  /** Takes full effect with the next negotiation; what is sent less, at once. */
  setDirection(transceiver: number, direction: NativeDirection): void {
    guard(() => this.#peer.setDirection(transceiver, direction));
  }

  /** With `byTrack`, `addTrack()` on a transceiver that is there. */
  setSenderStreams(transceiver: number, streams: string[], byTrack: boolean): void {
    guard(() => this.#peer.setSenderStreams(transceiver, streams, byTrack));
  }

  /** As many encodings as there are, under the same names. */
  setEncodings(...[transceiver, encodings]: Parameters<Peer['setEncodings']>): void {
    guard(() => this.#peer.setEncodings(transceiver, encodings));
  }

  /** An empty list stands for all that there are. */
  setCodecPreferences(...[transceiver, codecs]: Parameters<Peer['setCodecPreferences']>): void {
    guard(() => this.#peer.setCodecPreferences(transceiver, codecs));
  }

  /** From now on the sender sends this track, encoded as was negotiated; `null`: nothing. Needs no negotiation. */
  sendAudio(transceiver: number, track: AudioTrack | null): void {
    guard(() => this.#peer.sendAudio(transceiver, track));
  }

  /** From now on the sender sends this track as it is; `null`: nothing. What the other side does not take is left out. */
  sendEncoded(transceiver: number, track: EncodedTrack | null): void {
    guard(() => this.#peer.sendEncoded(transceiver, track));
  }

  /** A tone of a telephone's keys, 40 to 6,000 ms, in place of the track: 0 to 9 are digits, 10 is `*`, 11 is `#`, 12 to 15 are A to D. */
  insertDtmf(transceiver: number, event: number, duration: number): void {
    guard(() => this.#peer.insertDtmf(transceiver, event, duration));
  }

  /** A track of what the receiver gets, as it came: for other connections. Nothing has to be negotiated before. */
  receiveEncoded(transceiver: number, kind: 'audio' | 'video'): EncodedTrack {
    return guard(() => this.#peer.receiveEncoded(transceiver, kind));
  }

  /** A track of one layer of simulcast that the receiver gets, as it came. */
  receiveLayer(transceiver: number, rid: string): EncodedTrack {
    return guard(() => this.#peer.receiveLayer(transceiver, rid));
  }

  /** A track of what the receiver gets: decoded, and played out as long as packets come. Nothing has to be negotiated before. */
  receiveAudio(transceiver: number): AudioTrack {
    return guard(() => this.#peer.receiveAudio(transceiver));
  }

  stopTransceiver(transceiver: number): void {
    guard(() => this.#peer.stopTransceiver(transceiver));
  }

  /** `RTCRtcpParameters.cname` of what is sent. */
  cname(): string {
    return guard(() => this.#peer.cname());
  }

  /** What was negotiated for each section. */
  parameters(): NativeSectionParameters[] {
    return JSON.parse(guard(() => this.#peer.mediaParameters())) as NativeSectionParameters[];
  }

  /** In milliseconds, up to 4,000; `null` leaves it to the path. */
  setJitterTarget(transceiver: number, target: number | null): void {
    guard(() => this.#peer.setJitterTarget(transceiver, target));
  }

  /** Who was heard in the last ten seconds, the latest first. */
  heardSources(transceiver: number): NativeHeardSource[] {
    return JSON.parse(guard(() => this.#peer.heardSources(transceiver))) as NativeHeardSource[];
  }

  /** Of one of the streams that are received, or of all of a transceiver. */
  requestKeyFrame(transceiver: number, ssrc?: number): void {
    guard(() => this.#peer.requestKeyFrame(transceiver, ssrc));
  }
}
