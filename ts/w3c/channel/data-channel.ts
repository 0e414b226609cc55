/* eslint-disable @typescript-eslint/no-unsafe-declaration-merging -- the merged interfaces only refine types of members that are there */
import { types } from 'node:util';

import { Blob, EventTarget } from '../../platform';
import {
  constructible,
  EventHandlers,
  exposeInterface,
  illegalConstructor,
  requireArguments,
  unsignedLongEnforceRange,
  USVString,
  type EventHandler,
} from '../../webidl';
import { BINARY_TYPES, type BinaryType, type RTCDataChannelState, type RTCPriorityType } from '../enums';
import type { AddEventListener, RemoveEventListener, RTCErrorEvent } from '../events';
import type { DataChannelCore, Sendable } from './core';

/** Events of {@link RTCDataChannel}. */
export interface RTCDataChannelEventMap {
  /** The channel can be used. */
  open: Event;
  /** A message has arrived. */
  message: MessageEvent;
  /** `bufferedAmount` has fallen to the threshold. */
  bufferedamountlow: Event;
  /** The channel has failed; `close` follows. */
  error: RTCErrorEvent;
  /** The peer is closing the channel. */
  closing: Event;
  /** The channel is closed; nothing follows. */
  close: Event;
}

/** Makes the object that script knows, and ties it to its core. */
export let createDataChannel: (core: DataChannelCore) => RTCDataChannel;
/** What is below that object, for our own agents. */
export let coreOf: (channel: RTCDataChannel) => DataChannelCore;
/** Brand check of {@link RTCDataChannel}. */
export let isDataChannel: (value: unknown) => value is RTCDataChannel;

/** A bidirectional channel for messages between two connections (webrtc-pc 6.2). */
export class RTCDataChannel extends EventTarget {
  readonly #core: DataChannelCore;
  readonly #handlers = new EventHandlers(this);

  private constructor(...args: unknown[]) {
    illegalConstructor(args[0], 'RTCDataChannel');
    super();
    this.#core = args[1] as DataChannelCore;
  }

  /** Name of the channel. */
  get label(): string {
    return this.#core.attributes.label;
  }
  /** Whether messages are delivered in the order of sending. */
  get ordered(): boolean {
    return this.#core.attributes.ordered;
  }
  /** Milliseconds after which a message is given up, or `null`. */
  get maxPacketLifeTime(): number | null {
    return this.#core.attributes.maxPacketLifeTime;
  }
  /** Retransmissions after which a message is given up, or `null`. */
  get maxRetransmits(): number | null {
    return this.#core.attributes.maxRetransmits;
  }
  /** Name of the subprotocol. */
  get protocol(): string {
    return this.#core.attributes.protocol;
  }
  /** Whether both sides created the channel with an agreed id. */
  get negotiated(): boolean {
    return this.#core.attributes.negotiated;
  }
  /** SCTP stream of the channel; `null` until the DTLS roles are known, unless negotiated. */
  get id(): number | null {
    return this.#core.id;
  }
  /** Weight among the channels of the connection (WebRTC Priority Control API). */
  get priority(): RTCPriorityType {
    return this.#core.attributes.priority;
  }
  /** State of the channel. */
  get readyState(): RTCDataChannelState {
    return this.#core.readyState;
  }
  /** Bytes given to `send()` that have not been sent to the network yet. Keeps its value when the channel closes. */
  get bufferedAmount(): number {
    return this.#core.bufferedAmount;
  }
  /** `bufferedamountlow` is fired when `bufferedAmount` falls to this many bytes. Default: 0. */
  get bufferedAmountLowThreshold(): number {
    return this.#core.bufferedAmountLowThreshold;
  }
  set bufferedAmountLowThreshold(value: number) {
    const core = this.#core;
    core.bufferedAmountLowThreshold = unsignedLongEnforceRange(value, 'bufferedAmountLowThreshold');
  }

  /** The channel can be used. */
  get onopen(): EventHandler {
    return this.#handlers.get('open');
  }
  set onopen(value: EventHandler) {
    this.#handlers.set('open', value);
  }
  /** `bufferedAmount` has fallen to the threshold: there is room to send more. */
  get onbufferedamountlow(): EventHandler {
    return this.#handlers.get('bufferedamountlow');
  }
  set onbufferedamountlow(value: EventHandler) {
    this.#handlers.set('bufferedamountlow', value);
  }
  /** The channel has failed; `close` follows. */
  get onerror(): EventHandler<RTCErrorEvent> {
    return this.#handlers.get('error');
  }
  set onerror(value: EventHandler<RTCErrorEvent>) {
    this.#handlers.set('error', value);
  }
  /** The peer is closing the channel. */
  get onclosing(): EventHandler {
    return this.#handlers.get('closing');
  }
  set onclosing(value: EventHandler) {
    this.#handlers.set('closing', value);
  }
  /** The channel is closed. */
  get onclose(): EventHandler {
    return this.#handlers.get('close');
  }
  set onclose(value: EventHandler) {
    this.#handlers.set('close', value);
  }

  /** Closes the channel after what was sent has gone out. Closing again does nothing. */
  close(): void {
    this.#core.close();
  }

  /** A message has arrived: `data` is a string, or an ArrayBuffer or Blob as `binaryType` says. */
  get onmessage(): EventHandler<MessageEvent> {
    return this.#handlers.get('message');
  }
  set onmessage(value: EventHandler<MessageEvent>) {
    this.#handlers.set('message', value);
  }

  /** Type in which binary messages arrive. Default: `'arraybuffer'`; unknown values are ignored. */
  get binaryType(): BinaryType {
    return this.#core.binaryType;
  }
  set binaryType(value: BinaryType) {
    const core = this.#core;
    const type: string = `${value}`;
    const known = BINARY_TYPES.find((name) => name === type);
    if (known) core.binaryType = known;
  }

  /**
   * Sends one message. The bytes are copied before this returns; a Blob is read later, and what is sent after it waits.
   * @throws DOMException `InvalidStateError` unless the channel is open; `OperationError` if the send buffer is full.
   * @throws TypeError if the message is larger than `sctp.maxMessageSize`, or the data is shared or resizable memory.
   */
  send(data: string | Blob | ArrayBuffer | ArrayBufferView): void {
    const core = this.#core;
    if (typeof data !== 'string') requireArguments(arguments.length, 1, 'RTCDataChannel.send');
    core.send(toSendable(data));
  }

  static {
    createDataChannel = (core) => (core.target = new RTCDataChannel(constructible, core));
    coreOf = (channel) => channel.#core;
    isDataChannel = (value): value is RTCDataChannel => typeof value === 'object' && value !== null && #core in value;
  }
}

export interface RTCDataChannel {
  addEventListener: AddEventListener<RTCDataChannelEventMap>;
  removeEventListener: RemoveEventListener<RTCDataChannelEventMap>;
}

exposeInterface(RTCDataChannel, 'RTCDataChannel');

/** Overload resolution of send(): Blob, ArrayBuffer, view, and all else as a string. */
function toSendable(data: unknown): Sendable {
  if (typeof data === 'string') return data;
  if (ArrayBuffer.isView(data)) {
    checkBuffer(data.buffer);
    return data;
  }
  if (data instanceof Blob) return data;
  if (types.isAnyArrayBuffer(data)) {
    checkBuffer(data);
    return data as ArrayBuffer;
  }
  return USVString(data, 'data');
}

/** Neither [AllowShared] nor [AllowResizable]: such memory could change under the copy. */
function checkBuffer(buffer: ArrayBufferLike & { resizable?: boolean }): void {
  // Nearly always; asking Node costs a call into C++ for every message.
  if (Object.getPrototypeOf(buffer) === ArrayBuffer.prototype && buffer.resizable !== true) return;
  if (types.isSharedArrayBuffer(buffer)) throw new TypeError('A SharedArrayBuffer cannot be sent; copy it first');
  if (buffer.resizable) throw new TypeError('A resizable ArrayBuffer cannot be sent; copy it first');
}
