import type { NativeChannelInfo, NativePeer } from '../../native';
import {
  checkDataChannelInit,
  createDataChannel,
  DataChannelCore,
  type ChannelHost,
  type DataChannelSettings,
  type RTCDataChannel,
} from '../channel';
import { nativeCall } from '../events';

/** What the channels need of their connection. */
export interface ChannelsHost {
  readonly native: NativePeer;
  /** Most bytes that one message can have; `null` before that is negotiated. */
  readonly maxMessageSize: number | null;
  /** The first channel is there: a data section has to be negotiated. */
  firstChannel(): void;
}

/** The data channels of a connection (webrtc-pc 6.1 and 6.2). */
export class Channels implements ChannelHost {
  /** By the core's handle. */
  readonly byHandle = new Map<number, DataChannelCore>();
  /** Those whose queue waits for room in the send buffer; made for the first one. */
  #waiting: Set<DataChannelCore> | undefined;
  readonly #host: ChannelsHost;
  #hadOne = false;

  constructor(host: ChannelsHost) {
    this.#host = host;
  }

  get native(): NativePeer {
    return this.#host.native;
  }

  /** `createDataChannel()` of an open connection. */
  create(label: string, init: DataChannelSettings): RTCDataChannel {
    checkDataChannelInit(label, init);
    const { ordered, protocol, negotiated, priority, maxPacketLifeTime, maxRetransmits } = init;
    const id = negotiated ? (init.id ?? null) : null;
    const handle = nativeCall(() =>
      this.native.createDataChannel({
        label,
        protocol,
        ordered,
        priority,
        ...(maxPacketLifeTime !== undefined && { maxPacketLifeTime }),
        ...(maxRetransmits !== undefined && { maxRetransmits }),
        ...(id !== null && { negotiated: id }),
      }),
    );
    const channel = this.#add(handle, {
      ...{ label, protocol, ordered, negotiated, priority },
      maxPacketLifeTime: maxPacketLifeTime ?? null,
      maxRetransmits: maxRetransmits ?? null,
      id: id ?? this.native.channelId(handle),
    });
    if (!this.#hadOne) {
      this.#hadOne = true;
      this.#host.firstChannel();
    }
    return channel;
  }

  /** The peer has created a channel. */
  announced(handle: number, info: NativeChannelInfo): RTCDataChannel {
    this.#hadOne = true;
    return this.#add(handle, info);
  }

  #add(handle: number, info: NativeChannelInfo): RTCDataChannel {
    const { id, ...attributes } = info;
    const core = new DataChannelCore(this, handle, attributes, id);
    this.byHandle.set(handle, core);
    return createDataChannel(core);
  }

  /** Ids that the handshake has given in the meantime. */
  updateIds(): void {
    for (const channel of this.byHandle.values()) channel.id ??= this.native.channelId(channel.handle);
  }

  maxMessageSize(): number {
    return this.#host.maxMessageSize ?? Infinity; // a channel is not open before an answer
  }

  waitForRoom(channel: DataChannelCore): void {
    (this.#waiting ??= new Set<DataChannelCore>()).add(channel);
  }

  /** There may be room in the send buffer again. */
  retryWaiting(): void {
    if (!this.#waiting?.size) return;
    const retrying = [...this.#waiting];
    this.#waiting.clear();
    for (const one of retrying) one.retry();
  }

  forget(handle: number): void {
    const channel = this.byHandle.get(handle);
    if (channel) this.#waiting?.delete(channel);
    this.byHandle.delete(handle);
  }

  /** The connection was closed. */
  close(): void {
    for (const channel of this.byHandle.values()) channel.abandon();
    this.byHandle.clear();
    this.#waiting?.clear();
  }
}
