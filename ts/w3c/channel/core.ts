import { Blob, DOMException, MessageEvent } from '../../platform';
import type { LiftedText, NativePeer, NativeRtcError } from '../../native';
import type { BinaryType, RTCDataChannelState, RTCPriorityType } from '../enums';
import { fire, RTCError, RTCErrorEvent, toRTCError, toStandardError } from '../events';
import { SendQueue } from './send-queue';

/** What a channel needs of its connection. */
export interface ChannelHost {
  readonly native: NativePeer;
  /** Largest message, in bytes; may be `Infinity`. */
  maxMessageSize(): number;
  /** The queue of a channel waits for room in the send buffer, which all channels share. */
  waitForRoom(channel: DataChannelCore): void;
  /** The channel is gone. */
  forget(handle: number): void;
}

/** The attributes of a channel that never change. */
export interface ChannelAttributes {
  label: string;
  protocol: string;
  ordered: boolean;
  maxPacketLifeTime: number | null;
  maxRetransmits: number | null;
  negotiated: boolean;
  priority: RTCPriorityType;
}

/** Data that a channel can send, after WebIDL conversion. */
export type Sendable = string | ArrayBuffer | ArrayBufferView | Blob;

/** A UTF-16 code unit takes at most three bytes of UTF-8. */
const MAX_BYTES_PER_CODE_UNIT = 3;

/** The algorithms of a data channel (webrtc-pc 6.2 and 6.3); the class `RTCDataChannel` is their WebIDL face. */
export class DataChannelCore {
  /** The object that script knows, where events are fired. */
  target!: EventTarget;
  id: number | null;
  readyState: RTCDataChannelState = 'connecting';
  bufferedAmount = 0;
  binaryType: BinaryType = 'arraybuffer';
  #lowThreshold = 0;
  #openFired = false;
  #queue: SendQueue | null = null;
  #take: ((data: string | ArrayBuffer) => void) | undefined;
  #takeLifted: ((text: LiftedText) => void) | undefined;

  constructor(
    readonly host: ChannelHost,
    /** The core's handle. */
    readonly handle: number,
    readonly attributes: ChannelAttributes,
    id: number | null,
  ) {
    this.id = id;
  }

  get bufferedAmountLowThreshold(): number {
    return this.#lowThreshold;
  }
  set bufferedAmountLowThreshold(bytes: number) {
    this.#lowThreshold = bytes;
    if (this.readyState !== 'closed') this.host.native.setLowThreshold(this.handle, bytes);
  }

  /** The send() algorithm. */
  send(data: Sendable): void {
    if (this.readyState !== 'open') {
      throw new DOMException(`The data channel is not open but ${this.readyState}`, 'InvalidStateError');
    }
    if (typeof data !== 'string' && !ArrayBuffer.isView(data) && data instanceof Blob) {
      this.#checkSize(data.size);
      this.#pending().pushBlob(data);
      this.bufferedAmount += data.size;
    } else if (this.#queue && !this.#queue.isEmpty) {
      const bytes = typeof data === 'string' ? Buffer.byteLength(data) : data.byteLength;
      this.#checkSize(bytes);
      this.#queue.push(toMessage(data), bytes);
      this.bufferedAmount += bytes;
    } else {
      this.#checkMessageSize(data);
      this.bufferedAmount += this.#transmit(toMessage(data));
    }
  }

  /**
   * Sends a text whose pieces {@link NativePeer.sendPieces} joins. Its size must have been checked, and the channel be one
   * that carries no Blobs: those that wait would be overtaken.
   */
  sendPieces(pieces: readonly string[]): void {
    if (this.readyState !== 'open') {
      throw new DOMException(`The data channel is not open but ${this.readyState}`, 'InvalidStateError');
    }
    try {
      this.bufferedAmount += this.host.native.sendPieces(this.handle, pieces);
    } catch (error) {
      throw toStandardError(error);
    }
  }

  /** From now on `take` gets the messages instead of the listeners of `message`: an event costs a tenth of a small message. */
  takeMessages(take: (data: string | ArrayBuffer) => void): void {
    this.#take = take;
  }

  /** From now on `take` gets the large messages that have long strings, instead of the listeners of `message`. */
  liftStrings(take: (text: LiftedText) => void): void {
    this.#takeLifted = take;
    this.host.native.liftStrings(this.handle);
  }

  #checkMessageSize(data: string | ArrayBuffer | ArrayBufferView): void {
    if (typeof data !== 'string') this.#checkSize(data.byteLength);
    else if (data.length * MAX_BYTES_PER_CODE_UNIT > this.host.maxMessageSize())
      this.#checkSize(Buffer.byteLength(data));
  }

  #checkSize(bytes: number): void {
    const limit = this.host.maxMessageSize();
    if (bytes > limit) {
      throw new TypeError(
        `The message has ${bytes} bytes, more than the ${limit} that the peer accepts (sctp.maxMessageSize)`,
      );
    }
  }

  #transmit(data: string | Uint8Array): number {
    try {
      return this.host.native.send(this.handle, data);
    } catch (error) {
      throw toStandardError(error);
    }
  }

  #pending(): SendQueue {
    this.#queue ??= new SendQueue((data) => void this.host.native.send(this.handle, data), {
      failed: (error) => this.#sendFailed(error),
      full: () => this.host.waitForRoom(this),
      drained: () => {
        if (this.readyState === 'closing') this.host.native.closeDataChannel(this.handle);
      },
    });
    return this.#queue;
  }

  /** A Blob could not be read, so the order of messages cannot be kept: the channel fails. */
  #sendFailed(error: unknown): void {
    const message = `A Blob could not be sent: ${error instanceof Error ? error.message : String(error)}`;
    this.host.native.closeDataChannel(this.handle);
    this.finish(new RTCError({ errorDetail: 'data-channel-failure' }, message));
  }

  /** The close() algorithm: what was sent before still goes out. */
  close(): void {
    if (this.readyState === 'closing' || this.readyState === 'closed') return;
    this.readyState = 'closing';
    if (!this.#queue || this.#queue.isEmpty) this.host.native.closeDataChannel(this.handle);
  }

  /** The connection was closed: no event is fired (webrtc-pc 4.4.1.10). */
  abandon(): void {
    this.readyState = 'closed';
    this.#queue?.stop();
  }

  /** A channel that the peer has created can send already while `datachannel` is fired. */
  markOpen(): void {
    this.readyState = 'open';
  }

  /** "Announce the data channel as open". */
  opened(id: number | null): void {
    if (id !== null) this.id = id;
    if (this.#openFired || this.readyState === 'closing' || this.readyState === 'closed') return;
    this.#openFired = true;
    this.readyState = 'open';
    fire(this.target, 'open');
  }

  /** The peer closes the channel. */
  closing(): void {
    if (this.readyState === 'closing' || this.readyState === 'closed') return;
    this.readyState = 'closing';
    fire(this.target, 'closing');
  }

  /** The channel is gone, after its closing procedure or with an error. */
  closed(error: NativeRtcError | null): void {
    this.finish(error && toRTCError(error));
  }

  /** "Announce the data channel as closed". */
  finish(error: RTCError | null): void {
    if (this.readyState === 'closed') return;
    this.abandon();
    this.host.forget(this.handle);
    if (error) this.target.dispatchEvent(new RTCErrorEvent('error', { error }));
    fire(this.target, 'close');
  }

  /** A message has arrived; it is discarded unless the channel is open. */
  message(data: string | ArrayBuffer): void {
    if (this.readyState !== 'open') return;
    if (this.#take) return this.#take(data);
    const value = typeof data !== 'string' && this.binaryType === 'blob' ? new Blob([data]) : data;
    this.target.dispatchEvent(new MessageEvent('message', { data: value }));
  }

  /** See {@link liftStrings}; as for {@link message}. */
  lifted(text: LiftedText): void {
    if (this.readyState === 'open') this.#takeLifted?.(text);
  }

  /** There may be room in the send buffer again. */
  retry(): void {
    this.#queue?.flush();
  }

  /** Bytes have left the core's send buffer. */
  released(bytes: number): void {
    const before = this.bufferedAmount;
    this.bufferedAmount = Math.max(0, before - bytes);
    if (before > this.#lowThreshold && this.bufferedAmount <= this.#lowThreshold && this.readyState !== 'closed') {
      fire(this.target, 'bufferedamountlow');
    }
  }
}

/** The bytes of a message without a copy; a detached buffer has none. */
function toMessage(data: string | ArrayBuffer | ArrayBufferView): string | Uint8Array {
  if (typeof data === 'string' || data instanceof Uint8Array) return data;
  if (data.byteLength === 0) return new Uint8Array(0);
  return ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : new Uint8Array(data);
}
