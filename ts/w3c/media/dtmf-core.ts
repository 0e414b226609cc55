import { DOMException, setTimeout } from '../../platform';
import { queueTask } from '../events';
import type { MediaHost } from './host';
import type { RTCRtpCodec, RTCRtpEncodingParameters } from './parameters';

/** A comma. */
const PAUSE_MS = 2000;

/** At the place of their events (RFC 4733, table 3). */
const TONES = '0123456789*#ABCD';

/** What tones need of their sender. */
interface ToneSender {
  readonly transceiver: { readonly id: number; readonly sends: boolean };
  readonly encodings: readonly RTCRtpEncodingParameters[];
  /** That were negotiated. */
  readonly codecs: readonly RTCRtpCodec[];
}

/** The algorithms of an `RTCDTMFSender` (webrtc-pc 7.2). */
export class DtmfCore {
  toneBuffer = '';
  /** Told of each tone that begins, and of the end with `''`. */
  ontone: (tone: string) => void = () => {};
  readonly #host: MediaHost;
  readonly #sender: ToneSender;
  #duration = 0;
  #gap = 0;
  /** A playout task is scheduled. */
  #playing = false;

  constructor(host: MediaHost, sender: ToneSender) {
    this.#host = host;
    this.#sender = sender;
  }

  /** "Determine if DTMF can be sent". */
  get canInsert(): boolean {
    const { transceiver, encodings, codecs } = this.#sender;
    return (
      this.#host.connectionState === 'connected' &&
      transceiver.sends &&
      encodings[0]?.active === true &&
      codecs.some(({ mimeType }) => /^audio\/telephone-event$/i.test(mimeType))
    );
  }

  insert(tones: string, duration: number, gap: number): void {
    if (!this.canInsert) {
      throw new DOMException(
        'Tones can be sent while the connection stands, audio is sent, and the peer takes telephone-event',
        'InvalidStateError',
      );
    }
    const unknown = /[^0-9A-D#*,]/i.exec(tones)?.[0];
    if (unknown !== undefined) {
      throw new DOMException(`'${unknown}' is not one of 0 to 9, A to D, #, * and comma`, 'InvalidCharacterError');
    }
    this.toneBuffer = tones.toUpperCase();
    this.#duration = Math.min(Math.max(duration, 40), 6000);
    this.#gap = Math.min(Math.max(gap, 30), 6000);
    if (this.toneBuffer === '' || this.#playing) return;
    this.#playing = true;
    queueTask(() => this.#playout());
  }

  /** "Playout task". */
  #playout(): void {
    this.#playing = false;
    if (!this.canInsert) return;
    const tone = this.toneBuffer.slice(0, 1);
    if (tone === '') return this.ontone('');
    this.toneBuffer = this.toneBuffer.slice(1);
    if (tone !== ',') this.#send(TONES.indexOf(tone));
    this.#playing = true;
    // A connection that is open keeps the process alive, and tones of one that is not are nothing to wait for.
    setTimeout(() => this.#playout(), tone === ',' ? PAUSE_MS : this.#duration + this.#gap).unref();
    this.ontone(tone);
  }

  /** Whoever has called `insertDTMF()` is long gone, so an error goes to the connection. */
  #send(event: number): void {
    const { media } = this.#host;
    try {
      this.#host.native.media.insertDtmf(this.#sender.transceiver.id, event, this.#duration);
    } catch (error) {
      media.fault(`a tone was not sent: ${(error as Error).message}`, this.#sender.transceiver.id);
    }
  }
}
