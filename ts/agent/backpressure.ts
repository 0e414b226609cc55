// Room in the send buffer of a data channel, awaited.
import type { RTCDataChannel } from '../w3c';
import { AgentError } from './errors';
import { cancelled } from './options';

/** Above this many buffered bytes senders wait, as in the specification. */
const HIGH_WATER = 1024 * 1024;

/** They go on when the buffer has fallen to this, as in the specification. */
const LOW_WATER = 64 * 1024;

/** Senders that may wait for one channel. Somebody who does not await `send()` would fill the memory otherwise. */
const MAX_WAITING = 65_536;

interface Waiter {
  proceed: () => void;
  fail: (error: AgentError) => void;
}

/** Lets senders of one channel through while there is room, first come, first served. */
export class Backpressure {
  readonly #channel: RTCDataChannel;
  #waiting: Waiter[] = [];

  constructor(channel: RTCDataChannel) {
    this.#channel = channel;
    channel.bufferedAmountLowThreshold = LOW_WATER;
    channel.addEventListener('bufferedamountlow', () => this.#release());
    channel.addEventListener('close', () => this.#fail());
  }

  /** Whether a message may be sent now. */
  get hasRoom(): boolean {
    return (
      this.#channel.readyState === 'open' && this.#waiting.length === 0 && this.#channel.bufferedAmount < HIGH_WATER
    );
  }

  /** Resolves when it is the caller's turn: it must send at once, without awaiting anything before. */
  async room(signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) throw cancelled(signal, 'sending');
    if (this.hasRoom) return;
    if (this.#channel.readyState !== 'open') throw notOpen(this.#channel);
    if (this.#waiting.length >= MAX_WAITING) {
      const text = `${MAX_WAITING} messages wait for room in the channel "${this.#channel.label}"; await send()`;
      throw new AgentError('RATE_LIMIT_EXCEEDED', text, { retryable: true });
    }
    await new Promise<void>((resolve, reject) => {
      const settle = (done: () => void) => {
        signal?.removeEventListener('abort', abort);
        done();
      };
      const waiter: Waiter = {
        proceed: () => settle(resolve),
        fail: (error) => settle(() => reject(error)),
      };
      const abort = () => {
        this.#waiting = this.#waiting.filter((other) => other !== waiter);
        waiter.fail(cancelled(signal!, 'sending'));
        this.#release();
      };
      signal?.addEventListener('abort', abort, { once: true });
      this.#waiting.push(waiter);
    });
    // The channel may have closed between the wake-up and this line.
    if (this.#channel.readyState !== 'open') throw notOpen(this.#channel);
    // What this caller sends counts before the next one is let through.
    queueMicrotask(() => this.#release());
  }

  #release(): void {
    if (this.#channel.readyState === 'open' && this.#channel.bufferedAmount < HIGH_WATER)
      this.#waiting.shift()?.proceed();
  }

  #fail(): void {
    for (const waiter of this.#waiting.splice(0)) waiter.fail(notOpen(this.#channel));
  }
}

function notOpen(channel: RTCDataChannel): AgentError {
  const text = `the channel "${channel.label}" is ${channel.readyState}`;
  return new AgentError('AGENT_UNREACHABLE', text, { retryable: true });
}
