import { binding } from './loader';
import type { Peer } from './binding';
import type { NativeMutableConfig, NativePeerConfig } from './config';
import { NativeError, guard } from './error';
import { attach, detach, hold, hub, inbox, outbox } from './hub';
import type { Recipient } from './inbox';
import { decodeDiagnosis, decodeSnapshot, decodeStats } from './json';
import { DIRECT_SIZE } from './outbox';
import { NativePeerMedia } from './peer-media';
import type {
  LiftedText,
  NativeCandidateInit,
  NativeDataChannelInit,
  NativeDiagnosis,
  NativeEvent,
  NativeSdpType,
  NativeStats,
  PeerListener,
  PeerSnapshot,
} from './types';

/** What all channels of a peer together may have waiting: a second of a fast link, and no danger to memory. */
const DEFAULT_SEND_BUFFER_LIMIT = 16 * 1024 * 1024;

/** Three bytes per UTF-16 unit are the most that UTF-8 takes. */
const DIRECT_TEXT = Math.floor(DIRECT_SIZE / 3);

/**
 * One connection of the native core. All methods are synchronous and throw `NativeError`.
 *
 * Whoever makes one has to hold it: a peer that is garbage is closed. From the first description on it keeps the
 * process alive, until it is closed by either side or has failed; `unref()` takes that back.
 */
export class NativePeer implements Recipient {
  readonly #peer: Peer;
  readonly #id: number;
  readonly #sendBufferLimit: number;
  #media: NativePeerMedia | null = null;
  #listener: PeerListener | null;
  /**
   * Bytes waiting in the core, by channel: each has the whole limit, as its own `bufferedamountlow` is what a sender waits for. Made for the
   * first message.
   */
  #buffered: Map<number, number> | undefined;
  #started = false;
  #failed = false;
  /** The peer has ended the connection (DTLS close_notify): nothing can happen any more unless it is negotiated anew. */
  #ended = false;
  #refed = true;
  /** As of the last description. */
  #iceGeneration = 0;
  #descriptions = 0;

  constructor(config: NativePeerConfig, listener: PeerListener) {
    const { certificates, sendBufferLimit = DEFAULT_SEND_BUFFER_LIMIT, ...options } = config;
    if (!Number.isSafeInteger(sendBufferLimit) || sendBufferLimit < 0) {
      throw new NativeError(
        'RangeError',
        `sendBufferLimit is ${String(sendBufferLimit)}: it has to be 0 or more bytes`,
      );
    }
    this.#sendBufferLimit = sendBufferLimit === 0 ? Infinity : sendBufferLimit;
    this.#listener = listener;
    this.#peer = guard(() => new binding.Peer(hub, inbox.schedule, inbox.deliver, options, certificates?.[0]?.handle));
    this.#id = this.#peer.id();
    attach(this.#id, this);
  }

  /** Audio and video. */
  get media(): NativePeerMedia {
    return (this.#media ??= new NativePeerMedia(this.#peer));
  }

  createOffer(iceRestart: boolean): string {
    return guard(() => this.#peer.createOffer(iceRestart));
  }

  createAnswer(): string {
    return guard(() => this.#peer.createAnswer());
  }

  /** An empty `sdp` stands for the description that was created last. */
  setLocalDescription(type: NativeSdpType, sdp: string): PeerSnapshot {
    return this.#described(guard(() => this.#peer.setLocalDescription(type, sdp)));
  }

  setRemoteDescription(type: NativeSdpType, sdp: string): PeerSnapshot {
    return this.#described(guard(() => this.#peer.setRemoteDescription(type, sdp)));
  }

  /** `null` is the end of candidates of all generations. */
  addIceCandidate(init: NativeCandidateInit | null): PeerSnapshot {
    const { candidate, sdpMid, sdpMLineIndex, usernameFragment } = init ?? END_OF_CANDIDATES;
    const options = {
      candidate,
      sdpMid: sdpMid ?? undefined,
      sdpMLineIndex: sdpMLineIndex ?? undefined,
      usernameFragment: usernameFragment ?? undefined,
    };
    return decodeSnapshot(guard(() => this.#peer.addIceCandidate(options)));
  }

  restartIce(): void {
    guard(() => this.#peer.restartIce());
  }

  negotiationNeeded(): boolean {
    return guard(() => this.#peer.negotiationNeeded());
  }

  snapshot(): PeerSnapshot {
    return decodeSnapshot(guard(() => this.#peer.snapshot()));
  }

  getStats(): NativeStats[] {
    return decodeStats(guard(() => this.#peer.stats()));
  }

  /** What is known about why the connection does not come about; `null` after `close()`. */
  diagnosis(): NativeDiagnosis | null {
    return decodeDiagnosis(guard(() => this.#peer.diagnosis()));
  }

  setConfiguration(config: NativeMutableConfig): void {
    guard(() => this.#peer.setConfiguration(config.iceServers ?? [], config.iceTransportPolicy ?? 'all'));
  }

  /** Idempotent. The peer is told, sockets are closed, the listener is not called any more. */
  close(): void {
    if (this.#listener === null) return;
    outbox.flush();
    this.#listener = null;
    detach(this.#id, this);
    guard(() => this.#peer.close());
  }

  /** Returns our handle of the channel, which is not its stream id. */
  createDataChannel(init: NativeDataChannelInit): number {
    return guard(() => this.#peer.createDataChannel(init));
  }

  /** SCTP stream id of a channel; `null` until it has one. */
  channelId(channel: number): number | null {
    return guard(() => this.#peer.channelId(channel));
  }

  /** Closes after what was sent before has gone out. */
  closeDataChannel(channel: number): void {
    outbox.flush();
    guard(() => this.#peer.closeDataChannel(channel));
  }

  /**
   * Queues one message and returns its size in bytes, which counts as buffered until `onReleased`. The data is copied
   * before this returns. Sizes above the negotiated maximum are the caller's to refuse (`sctp.maxMessageSize`).
   */
  send(channel: number, data: string | Uint8Array): number {
    if (typeof data === 'string') {
      if (data.length > DIRECT_TEXT) return this.#sendBigText(channel, data);
      // The bytes are counted once they are known: at most 8 KiB above the limit.
      this.#admit(channel, data.length);
      const length = outbox.text(this.#id, channel, data);
      this.#count(channel, length);
      return length;
    }
    const length = byteLength(data);
    this.#admit(channel, length);
    if (length > DIRECT_SIZE) this.#sendBig(channel, length, () => this.#peer.sendBinary(channel, data));
    else {
      outbox.binary(this.#id, channel, data);
      this.#count(channel, length);
    }
    return length;
  }

  /**
   * The same for one text made of pieces, JSON and the content of a string literal by turns: what JSON wants escaped in
   * these is escaped. They have no lone surrogates, and at most `LARGE_TEXT / 3` UTF-16 units together.
   */
  sendPieces(channel: number, pieces: readonly string[]): number {
    outbox.flush();
    const { utf8, ends } = outbox.encodeAll(pieces);
    // Escapes are counted once they are known: one message may go above the limit by them.
    this.#admit(channel, utf8.length);
    const length = guard(() => this.#peer.sendPieces(channel, utf8, ends));
    inbox.schedule();
    this.#count(channel, length);
    return length;
  }

  /** From now on large messages of this channel come as `onLifted`, if they have long strings and are no calls or errors. */
  liftStrings(channel: number): void {
    guard(() => this.#peer.liftStrings(channel));
  }

  /** A report comes when the bytes buffered fall to this value or below it (`bufferedAmountLowThreshold`). */
  setLowThreshold(channel: number, bytes: number): void {
    guard(() => this.#peer.setLowThreshold(channel, bytes));
  }

  /** Lets an open peer keep the process alive (the default). */
  ref(): void {
    this.#refed = true;
    this.#updateHold();
  }

  /** Lets the process end although this peer is open. */
  unref(): void {
    this.#refed = false;
    this.#updateHold();
  }

  /** @internal */
  deliverMessage(channel: number, data: string | ArrayBuffer): void {
    this.#listener?.onMessage(channel, data);
  }

  /** @internal */
  deliverLifted(channel: number, text: LiftedText): void {
    this.#listener?.onLifted?.(channel, text);
  }

  /** @internal */
  deliverEvent(event: NativeEvent): void {
    // It has waited in a queue while a description was set: an ICE restart, or the rollback of one.
    if ('generation' in event && event.generation !== this.#iceGeneration) return;
    if ('descriptions' in event && event.descriptions !== this.#descriptions) event.sdp = null;
    if (event.type === 'connectionState') {
      this.#failed = event.state === 'failed';
      this.#updateHold();
    } else if (event.type === 'dtlsState') {
      this.#ended = event.state === 'closed';
      this.#updateHold();
    } else if (event.type === 'channelClosed') {
      this.#buffered?.delete(event.channel);
    }
    this.#listener?.onEvent(event);
  }

  /** @internal */
  deliverReleased(channel: number, bytes: number): void {
    this.#count(channel, -bytes);
    this.#listener?.onReleased(channel, bytes);
  }

  /** @internal Bytes of a channel that is gone. */
  forget(channel: number): void {
    this.#buffered?.delete(channel);
  }

  #sendBigText(channel: number, data: string): number {
    outbox.flush();
    const utf8 = outbox.encode(data);
    this.#admit(channel, utf8.length);
    this.#sendBig(channel, utf8.length, () => this.#peer.sendText(channel, utf8));
    return utf8.length;
  }

  #sendBig(channel: number, length: number, send: () => boolean): void {
    outbox.flush();
    if (guard(send)) inbox.schedule();
    this.#count(channel, length);
  }

  #count(channel: number, bytes: number): void {
    const buffered = (this.#buffered ??= new Map<number, number>());
    buffered.set(channel, (buffered.get(channel) ?? 0) + bytes);
  }

  /** Refuses what would not fit; native code takes everything. */
  #admit(channel: number, length: number): void {
    // A message larger than the whole limit still goes if nothing else waits: `maxMessageSize` decides about those.
    const buffered = this.#buffered?.get(channel) ?? 0;
    const fits = buffered === 0 || buffered + length <= this.#sendBufferLimit;
    if (fits && channel >>> 0 === channel && this.#listener !== null) return;
    if (this.#listener === null) throw new NativeError('InvalidStateError', 'the connection is closed');
    if (channel >>> 0 !== channel) throw new NativeError('TypeError', `${String(channel)} is not a channel`);
    throw new NativeError(
      'OperationError',
      `a message of ${length} bytes does not fit into the send buffer: ${buffered} of ${this.#sendBufferLimit} ` +
        `bytes are waiting; wait for 'bufferedamountlow'`,
    );
  }

  #described(json: string): PeerSnapshot {
    const snapshot = decodeSnapshot(json);
    this.#iceGeneration = snapshot.iceGeneration;
    this.#descriptions = snapshot.descriptions;
    this.#started = true;
    this.#updateHold();
    return snapshot;
  }

  #updateHold(): void {
    hold(this.#id, this.#started && this.#refed && !this.#failed && !this.#ended && this.#listener !== null);
  }
}

const END_OF_CANDIDATES: NativeCandidateInit = {
  candidate: '',
  sdpMid: null,
  sdpMLineIndex: null,
  usernameFragment: null,
};

function byteLength(data: Uint8Array): number {
  // By its tag, since a typed array of another realm is as good.
  if (ArrayBuffer.isView(data) && data[Symbol.toStringTag] === 'Uint8Array') return data.byteLength;
  throw new NativeError('TypeError', 'a message has to be a string or a Uint8Array');
}
