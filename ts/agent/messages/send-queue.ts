// Messages on their way to the channels of a link. What finds room goes at once; the rest waits here, and the native
// schedule says whose turn it is. It outlives the channels: what waits when one is lost goes through the next.
import { clearTimeout, setTimeout } from '../../platform';
import { AgentError, cancelled, nativeAgentCall, onAbort } from '../../base';
import { binding } from '../../native';
import type { RTCDataChannel } from '../../w3c';
import { coreOf } from '../../w3c/channel';
import { sendingFailed } from '../channels';
import type { ResolvedLimits } from '../limits';
import { LargeText } from './large-text';
import { cut, goesInPieces, goesWhole, type Pieces, type Way } from './outgoing';

/** Above this many buffered bytes a channel has no room, as in the specification. */
const HIGH_WATER = 1024 * 1024;

/** It has room again when the buffer has fallen to this, as in the specification. */
const LOW_WATER = 64 * 1024;

/** When other channels have filled the buffer of the connection, nothing tells when there is room again. */
const RETRY = 20;

/** A channel for messages, or the place of one that was lost. */
interface Lane {
  readonly index: number;
  readonly label: string;
  channel: RTCDataChannel | undefined;
  /** Messages that wait for it. */
  waiting: number;
}

/** A message that can be sent at once: text, with long strings or without, or bytes. */
export type Sendable = string | LargeText | ArrayBuffer;

/** A message: as above, or text that is made when its turn has come. */
export type Outgoing = Sendable | (() => string);

/** What is said about a message that is sent. */
export interface Posting {
  /** Name of the message, for its parts and for reports. */
  id: string;
  /** From 0, low, to 3, critical. */
  urgency: number;
  /** Seconds that it may wait. */
  ttl?: number | undefined;
  signal?: AbortSignal | undefined;
  /** Label of the channel. Default: that of the first that was attached. */
  label?: string | undefined;
}

interface Waiting {
  readonly lane: Lane;
  data: Outgoing;
  readonly posting: Posting;
  /** Once it was begun. */
  pieces: Pieces | undefined;
  sentPieces: number;
  sentBytes: number;
  done(): void;
  failed(error: unknown): void;
}

/** What the queue needs of its link. */
export interface SendQueueHost {
  /** The labels of the channels, that of the main one first. */
  readonly labels: readonly string[];
  readonly limits: ResolvedLimits;
  readonly way: Way;
  /** A part of a large message has gone into its channel. */
  progress(id: string, parts: number, total: number, bytes: number): void;
}

/** See above. */
export class SendQueue {
  readonly #host: SendQueueHost;
  readonly #schedule: InstanceType<typeof binding.SendSchedule>;
  readonly #lanes: readonly Lane[];
  readonly #waiting = new Map<number, Waiting>();
  #listeners: (() => void)[] = [];
  #emptied: (() => void)[] = [];
  #timer: NodeJS.Timeout | undefined;
  #timerAt = Infinity;
  #retry: NodeJS.Timeout | undefined;

  constructor(host: SendQueueHost) {
    this.#host = host;
    this.#lanes = host.labels.map((label, index) => ({ index, label, channel: undefined, waiting: 0 }));
    this.#schedule = new binding.SendSchedule(host.limits.queuedMessages, host.limits.queuedBytes);
  }

  /** The label of the channel that messages take which name none. */
  get label(): string | undefined {
    return this.#lanes[0]?.label;
  }

  /** Whether messages go through a channel with this label. */
  has(label: string): boolean {
    return this.#find(label) !== undefined;
  }

  /** Messages with this label go through this channel from now on. */
  attach(channel: RTCDataChannel): void {
    const lane = this.#lanes.find(({ label }) => label === channel.label);
    if (!lane) return;
    lane.channel = channel;
    channel.bufferedAmountLowThreshold = LOW_WATER;
    const proceed = () => channel === lane.channel && this.#proceed();
    channel.addEventListener('bufferedamountlow', proceed);
    channel.addEventListener('open', proceed);
    if (channel.readyState === 'open') proceed();
  }

  /** The channels are lost. What waits for them waits for the next; what was begun begins anew. */
  detach(): void {
    for (const lane of this.#lanes) lane.channel = undefined;
    for (const [ticket, waiting] of this.#waiting) {
      if (!waiting.pieces) continue;
      waiting.pieces = undefined;
      this.#schedule.restart(ticket);
    }
  }

  /** Whether a message can be sent at once. */
  hasRoom(label?: string): boolean {
    const lane = this.#find(label);
    return lane !== undefined && lane.waiting === 0 && hasRoom(lane);
  }

  /** Sends at once if there is room and nothing to cut. False: it did not. */
  sendNow(data: Sendable, label?: string): boolean {
    const lane = this.#find(label);
    if (lane === undefined || lane.waiting > 0 || !hasRoom(lane)) return false;
    if (!this.#isWhole(data)) return false;
    send(lane.channel!, data);
    return true;
  }

  /**
   * Queues a message; `done` or `failed` is called once.
   *
   * @throws AgentError - `RATE_LIMIT_EXCEEDED` if too much waits already; `MESSAGE_TOO_LARGE` if it cannot go.
   */
  push(data: Outgoing, posting: Posting, done: () => void, failed: (error: unknown) => void): void {
    const { signal, urgency, ttl } = posting;
    if (signal?.aborted) throw cancelled(signal, 'sending');
    const lane = this.#find(posting.label);
    if (!lane) throw new AgentError('AGENT_UNREACHABLE', 'there is no channel for messages yet', { retryable: true });
    // What is not made yet takes no memory; the count bounds it.
    const bytes = typeof data === 'function' ? 0 : sizeOf(data);
    this.#checkLossy(lane, data);
    const limit = ttl === undefined ? undefined : ttl * 1000;
    const ticket = nativeAgentCall(() => this.#schedule.push(lane.index, urgency, bytes, limit));
    const end = onAbort(signal, () => this.#settle(ticket)?.failed(cancelled(signal!, 'sending')));
    lane.waiting++;
    this.#waiting.set(ticket, {
      lane,
      data,
      posting,
      pieces: undefined,
      sentPieces: 0,
      sentBytes: 0,
      done: () => (end(), done()),
      failed: (error) => (end(), failed(error)),
    });
    this.#pump();
    if (ttl !== undefined) this.#arm();
  }

  /** Calls `listener` once when a message can be sent at once, or when the queue is closed. */
  whenRoom(listener: () => void): void {
    if (this.hasRoom()) listener();
    else this.#listeners.push(listener);
  }

  /** Calls `listener` once when nothing waits any more. */
  whenEmpty(listener: () => void): void {
    if (this.#waiting.size === 0) listener();
    else this.#emptied.push(listener);
  }

  /** What waits is not sent. */
  close(error: AgentError): void {
    clearTimeout(this.#timer);
    clearTimeout(this.#retry);
    this.#timer = this.#retry = undefined;
    for (const ticket of [...this.#waiting.keys()]) this.#settle(ticket)?.failed(error);
    for (const lane of this.#lanes) lane.channel = undefined;
    for (const listener of this.#listeners.splice(0)) listener();
  }

  #find(label: string | undefined): Lane | undefined {
    return label === undefined ? this.#lanes[0] : this.#lanes.find((lane) => lane.label === label);
  }

  /** One lost part loses the message: such a channel takes only what goes whole. */
  #checkLossy({ channel }: Lane, data: Outgoing): void {
    if (!channel || (channel.maxRetransmits === null && channel.maxPacketLifeTime === null)) return;
    if (typeof data !== 'string' && !(data instanceof LargeText)) return;
    if (this.#isWhole(data)) return;
    const length = typeof data === 'string' ? data.length : data.units;
    const text = `the message has ${length} characters and would go in parts, of which the channel "${channel.label}" may lose some`;
    throw new AgentError('MESSAGE_TOO_LARGE', text);
  }

  #isWhole(data: Sendable): boolean {
    if (typeof data === 'string') return goesWhole(data, this.#host.way);
    return !(data instanceof LargeText) || goesInPieces(data, this.#host.way);
  }

  #proceed(): void {
    this.#pump();
    if (this.#listeners.length > 0 && this.hasRoom()) for (const listener of this.#listeners.splice(0)) listener();
  }

  /** Sends as long as something waits for a channel with room. */
  #pump(): void {
    while (this.#waiting.size > 0 && this.#retry === undefined) {
      let ready = 0;
      for (const lane of this.#lanes) if (lane.waiting > 0 && hasRoom(lane)) ready |= 1 << lane.index;
      if (ready === 0) return;
      const ticket = this.#schedule.next(ready);
      const waiting = this.#waiting.get(ticket);
      if (!waiting) return;
      try {
        this.#sendPiece(ticket, waiting);
      } catch (error) {
        const failure = sendingFailed(error);
        if (failure instanceof AgentError && failure.code === 'RATE_LIMIT_EXCEEDED') this.#retryLater();
        else this.#settle(ticket)?.failed(failure);
      }
    }
  }

  #sendPiece(ticket: number, waiting: Waiting): void {
    const { lane, posting } = waiting;
    let data = typeof waiting.data === 'function' ? (waiting.data = waiting.data()) : waiting.data;
    const channel = lane.channel!;
    if (!waiting.pieces) {
      if (data instanceof LargeText && !this.#isWhole(data)) data = waiting.data = data.toString();
      if (typeof data !== 'string' || this.#isWhole(data)) {
        send(channel, data);
        this.#schedule.sent(ticket, typeof data === 'string' ? data.length : sizeOf(data), false);
        this.#settle(ticket)?.done();
        return;
      }
      this.#checkLossy(lane, data);
      waiting.pieces = cut(data, posting.id, this.#host.way);
      waiting.sentPieces = waiting.sentBytes = 0;
    }
    const { pieces } = waiting;
    const piece = pieces.next();
    channel.send(piece);
    waiting.sentPieces++;
    waiting.sentBytes += piece.length;
    this.#schedule.sent(ticket, piece.length, false);
    const last = waiting.sentPieces === pieces.total;
    this.#host.progress(posting.id, waiting.sentPieces, pieces.total, waiting.sentBytes);
    if (last) {
      waiting.pieces = undefined;
      this.#settle(ticket)?.done();
    }
  }

  /** Takes a message out of the queue: the caller says how it ended. */
  #settle(ticket: number): Waiting | undefined {
    const waiting = this.#waiting.get(ticket);
    if (!waiting) return undefined;
    this.#waiting.delete(ticket);
    this.#schedule.remove(ticket);
    waiting.lane.waiting--;
    if (this.#waiting.size === 0) for (const listener of this.#emptied.splice(0)) listener();
    const { channel } = waiting.lane;
    // Begun and given up: the other side need not keep what it has.
    if (waiting.pieces?.abandon !== undefined && channel?.readyState === 'open') channel.send(waiting.pieces.abandon);
    return waiting;
  }

  #retryLater(): void {
    this.#retry = setTimeout(() => {
      this.#retry = undefined;
      this.#proceed();
    }, RETRY);
  }

  /** One timer for the nearest end of a ttl. */
  #arm(): void {
    const wait = this.#schedule.nextTimeout();
    if (wait == null) return;
    const at = performance.now() + wait;
    if (this.#timer && at >= this.#timerAt) return;
    clearTimeout(this.#timer);
    this.#timerAt = at;
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined;
        for (const ticket of this.#schedule.expire()) this.#expired(ticket);
        this.#arm();
      },
      Math.min(Math.ceil(wait), 2 ** 31 - 1),
    );
  }

  #expired(ticket: number): void {
    const ttl = this.#waiting.get(ticket)?.posting.ttl;
    const text = `the message could not be sent within its ttl of ${ttl} s`;
    this.#settle(ticket)?.failed(new AgentError('MESSAGE_EXPIRED', text));
  }
}

function hasRoom({ channel }: Lane): boolean {
  return channel?.readyState === 'open' && channel.bufferedAmount < HIGH_WATER;
}

function send(channel: RTCDataChannel, data: Sendable): void {
  if (data instanceof LargeText) coreOf(channel).sendPieces(data.pieces);
  else channel.send(data);
}

/** Bytes that it has, or some fewer if it needs escapes. */
function sizeOf(data: Sendable): number {
  if (typeof data === 'string') return Buffer.byteLength(data);
  if (!(data instanceof LargeText)) return data.byteLength;
  return data.pieces.reduce((sum, piece) => sum + Buffer.byteLength(piece), 0);
}
