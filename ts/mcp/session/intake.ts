// What the other side of a session says: put together from parts, and delivered one after the other.
import { AgentError } from '../../index';
import { costOf, WINDOW } from './limits';

/** What is done with a message; the next one waits for it, and so, at the window, does the sender. */
export type Deliver = (text: string) => void | Promise<void>;

/** Acknowledged at the latest after a share of the window, or so many messages: little traffic, and little kept for nothing. */
const ACKNOWLEDGE_COST = WINDOW / 4;
const ACKNOWLEDGE_MESSAGES = 64;

/** Shorter parts, the last one excepted, would take more memory than they have bytes. */
const LEAST_PART = 1024;

/** Messages of one session on their way in. */
export class Intake {
  /** Messages that have arrived whole. */
  received = 0;
  /** Messages that have been dealt with. */
  dealtWith = 0;
  readonly #most: number;
  readonly #deliver: Deliver;
  readonly #acknowledge: (count: number) => void;
  #parts: string[] = [];
  #partBytes = 0;
  #waiting: { text: string; cost: number }[] = [];
  /** Of what has arrived and is not dealt with. */
  #pending = 0;
  #unacknowledged = { cost: 0, messages: 0 };
  #busy = false;
  #over = false;

  /** `most`: bytes of one message. */
  constructor(most: number, deliver: Deliver, acknowledge: (count: number) => void) {
    this.#most = most;
    this.#deliver = deliver;
    this.#acknowledge = acknowledge;
  }

  /** Takes a part. @throws AgentError - The message is too large, or the sender does not wait for acknowledgements. */
  part(text: string, last: boolean): void {
    if (!last && text.length < LEAST_PART) {
      throw new AgentError('PROTOCOL_ERROR', `a part of a message has ${text.length} characters only`);
    }
    this.#partBytes += Buffer.byteLength(text);
    if (this.#partBytes > this.#most) {
      const reason = `a message has more than the ${this.#most} bytes that are taken here (maxMessageBytes)`;
      throw new AgentError('MESSAGE_TOO_LARGE', reason);
    }
    if (this.#parts.length === 0 && this.#pending > WINDOW) {
      throw new AgentError('PROTOCOL_ERROR', `more than the window of ${WINDOW} bytes was sent unacknowledged`);
    }
    this.#parts.push(text);
    if (!last) return;
    const whole = this.#parts.length === 1 ? text : this.#parts.join('');
    this.interrupted();
    this.received++;
    this.#take(whole);
  }

  /** Says how much has been dealt with, whether it is much or not: what was said through the last channel may be lost. */
  acknowledge(): void {
    this.#unacknowledged = { cost: 0, messages: 0 };
    this.#acknowledge(this.dealtWith);
  }

  /** The channel is gone: what had begun comes again, from its start. */
  interrupted(): void {
    this.#parts = [];
    this.#partBytes = 0;
  }

  /** Nothing is delivered any more. */
  end(): void {
    this.#over = true;
    this.#waiting = [];
    this.interrupted();
  }

  #take(text: string): void {
    const cost = costOf(text);
    this.#pending += cost;
    if (this.#busy) this.#waiting.push({ text, cost });
    else this.#run(text, cost);
  }

  #run(text: string, cost: number): void {
    const done = this.#deliver(text);
    if (done === undefined) return this.#dealt(cost);
    this.#busy = true;
    void done.then(() => {
      this.#busy = false;
      if (this.#over) return;
      this.#dealt(cost);
      // A loop: messages that are dealt with at once must not nest.
      while (!this.#busy && this.#waiting.length > 0) {
        const next = this.#waiting.shift()!;
        this.#run(next.text, next.cost);
      }
    });
  }

  #dealt(cost: number): void {
    this.dealtWith++;
    this.#pending -= cost;
    const { cost: sum, messages } = this.#unacknowledged;
    if (sum + cost < ACKNOWLEDGE_COST && messages + 1 < ACKNOWLEDGE_MESSAGES) {
      this.#unacknowledged = { cost: sum + cost, messages: messages + 1 };
      return;
    }
    this.acknowledge();
  }
}
