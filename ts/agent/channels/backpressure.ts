// Room in the send buffer of a data channel, awaited.
import { DOMException } from '../../platform';
import { AgentError, cancelled, messageOf, onAbort } from '../../base';
import type { RTCDataChannel } from '../../w3c';

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
  /** In the order of their calls. A set: with many waiting, taking one out of an array moves all the others. */
  readonly #waiting = new Set<Waiter>();

  constructor(channel: RTCDataChannel) {
    this.#channel = channel;
    channel.bufferedAmountLowThreshold = LOW_WATER;
    channel.addEventListener('bufferedamountlow', () => this.#release());
    channel.addEventListener('close', () => this.fail(notOpen(channel)));
  }

  /** Whether a message may be sent now. */
  get hasRoom(): boolean {
    return this.#waiting.size === 0 && this.#open;
  }

  get #open(): boolean {
    return this.#channel.readyState === 'open' && this.#channel.bufferedAmount < HIGH_WATER;
  }

  /** Calls `send` as soon as there is room and everybody before has had their turn: at once if possible. */
  async run<T>(send: () => T, signal?: AbortSignal): Promise<T> {
    if (signal?.aborted) throw cancelled(signal, 'sending');
    if (this.hasRoom) return send();
    if (this.#channel.readyState !== 'open') throw notOpen(this.#channel);
    if (this.#waiting.size >= MAX_WAITING) {
      const text = `${MAX_WAITING} messages wait for room in the channel "${this.#channel.label}"; await send()`;
      throw new AgentError('RATE_LIMIT_EXCEEDED', text, { retryable: true });
    }
    return await new Promise<T>((resolve, reject) => {
      const end = onAbort(signal, () => {
        this.#waiting.delete(waiter);
        reject(cancelled(signal!, 'sending'));
      });
      const waiter: Waiter = {
        proceed: () => {
          end();
          // A promise of its own, so that what send() throws becomes a rejection.
          resolve(new Promise((done) => done(send())));
        },
        fail: (error) => {
          end();
          reject(error);
        },
      };
      this.#waiting.add(waiter);
    });
  }

  /** Nothing will be sent any more. */
  fail(error: AgentError): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const waiter of waiting) waiter.fail(error);
  }

  #release(): void {
    for (const waiter of this.#waiting) {
      if (!this.#open) break;
      this.#waiting.delete(waiter);
      waiter.proceed();
    }
  }
}

function notOpen(channel: RTCDataChannel): AgentError {
  const text = `the channel "${channel.label}" is ${channel.readyState}`;
  return new AgentError('AGENT_UNREACHABLE', text, { retryable: true });
}

/** What a send() of W3C threw, as one of our errors. */
export function sendingFailed(error: unknown): unknown {
  const message = messageOf(error);
  if (error instanceof TypeError && /bytes/.test(message)) {
    return new AgentError('MESSAGE_TOO_LARGE', message, { cause: error });
  }
  if (!(error instanceof DOMException)) return error;
  if (error.name !== 'OperationError') {
    return new AgentError('AGENT_UNREACHABLE', message, { cause: error, retryable: true });
  }
  // Other channels have filled the send buffer of the connection.
  return new AgentError('RATE_LIMIT_EXCEEDED', message, { cause: error, retryable: true });
}
