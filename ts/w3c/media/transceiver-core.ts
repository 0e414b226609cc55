import { DOMException } from '../../platform';
import type { NativeDirection, NativeSectionParameters, NativeTransceiver } from '../../native';
import type { RTCRtpTransceiverDirection, RTCSdpType } from '../enums';
import { nativeCall } from '../events';
import type { RTCDtlsTransport } from '../transports';
import { checkPreferences, toNativePreferences, type Kind } from './codecs';
import type { MediaHost } from './host';
import type { RTCRtpCodec } from './parameters';
import { ReceiverCore, type ReceivingTransceiver } from './receiver-core';
import { SenderCore, type SenderInit, type SendingTransceiver } from './sender-core';

/** What a transceiver is made with, after the core has made it. */
export interface TransceiverCoreInit extends SenderInit {
  id: number;
  kind: Kind;
  direction: NativeDirection;
  /** Id of the track that it receives. */
  receiverTrack: string;
}

/** The algorithms of a transceiver (webrtc-pc 5.4); the class `RTCRtpTransceiver` is their WebIDL face. */
export class TransceiverCore implements SendingTransceiver, ReceivingTransceiver {
  /** The core's name for it. */
  readonly id: number;
  readonly kind: Kind;
  readonly sender: SenderCore;
  readonly receiver: ReceiverCore;
  mid: string | null = null;
  transport: RTCDtlsTransport | null = null;
  /** Codecs in the order of preference; empty if there is none. */
  preferences: RTCRtpCodec[] = [];
  /** `stop()` was called, or the peer has rejected it. */
  isStopping = false;
  /** That is known to both sides. */
  isStopped = false;
  /** It has been negotiated to send. */
  hasSent = false;
  readonly #host: MediaHost;
  #direction: NativeDirection;
  #currentDirection: NativeDirection | null = null;

  constructor(host: MediaHost, init: TransceiverCoreInit) {
    this.#host = host;
    this.id = init.id;
    this.kind = init.kind;
    this.#direction = init.direction;
    this.sender = new SenderCore(host, this, init);
    this.receiver = new ReceiverCore(host, this, init.receiverTrack);
  }

  get direction(): RTCRtpTransceiverDirection {
    return this.isStopping ? 'stopped' : this.#direction;
  }

  get currentDirection(): RTCRtpTransceiverDirection | null {
    return this.isStopped ? 'stopped' : this.#currentDirection;
  }

  /** What it sends now, or would. */
  get sends(): boolean {
    return !this.isStopping && (this.#currentDirection === 'sendrecv' || this.#currentDirection === 'sendonly');
  }

  setDirection(direction: RTCRtpTransceiverDirection): void {
    this.throwIfClosed();
    if (this.isStopping) throw new DOMException('The transceiver is stopped', 'InvalidStateError');
    if (direction === this.#direction) return;
    if (direction === 'stopped') throw new TypeError("direction can't be set to 'stopped': call stop()");
    this.changeDirection(direction);
    this.#host.updateNegotiationNeeded();
  }

  /** Lets it send from now on, or not; receiving stays as it is. */
  setSending(sending: boolean): void {
    const receiving = this.#direction === 'sendrecv' || this.#direction === 'recvonly';
    if (sending) this.changeDirection(receiving ? 'sendrecv' : 'sendonly');
    else this.changeDirection(receiving ? 'recvonly' : 'inactive');
  }

  /** Without checks and a negotiation. */
  changeDirection(direction: NativeDirection): void {
    if (direction === this.#direction) return;
    nativeCall(() => this.#host.native.media.setDirection(this.id, direction));
    this.#direction = direction;
  }

  setCodecPreferences(codecs: RTCRtpCodec[]): void {
    const preferences = checkPreferences(this.kind, codecs);
    if (!this.#host.isClosed && !this.isStopping) {
      nativeCall(() => this.#host.native.media.setCodecPreferences(this.id, toNativePreferences(preferences)));
    }
    this.preferences = preferences;
    this.#host.offerChanged();
  }

  stop(): void {
    this.throwIfClosed();
    if (this.isStopping) return;
    nativeCall(() => this.#host.native.media.stopTransceiver(this.id));
    this.#stopSendingAndReceiving();
    this.#host.updateNegotiationNeeded();
  }

  #stopSendingAndReceiving(): void {
    if (this.isStopping) return;
    this.isStopping = true;
    this.receiver.end();
  }

  /** "Stop the RTCRtpTransceiver": both sides know, or there is no other side. */
  stopped(): void {
    this.#stopSendingAndReceiving();
    this.isStopped = true;
  }

  /** What a description has made of it. */
  update({ mid, currentDirection, encodings }: NativeTransceiver, type: RTCSdpType): void {
    this.mid = mid;
    this.#currentDirection = currentDirection;
    this.sender.described(encodings, type);
    if (this.sends) this.hasSent = true;
  }

  /** What both sides have agreed on. */
  negotiated(section: NativeSectionParameters | null): void {
    this.sender.negotiated(section?.send ?? null);
    this.receiver.negotiated(section);
  }

  throwIfClosed(): void {
    if (this.#host.isClosed) throw new DOMException('The connection is closed', 'InvalidStateError');
  }
}
