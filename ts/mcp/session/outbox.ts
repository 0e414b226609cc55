// What one side of a session has to say: numbered, within the window, and kept until the other side has dealt with it.
import { AgentError } from '../../index';
import { costOf, QUEUED_BYTES, QUEUED_MESSAGES, WINDOW } from './limits';

interface Entry {
  readonly text: string;
  readonly cost: number;
  /** Settles the promise of `push`; a second time it does nothing. */
  readonly sent: () => void;
  readonly failed: (error: AgentError) => void;
}

/** Messages by number. */
export class Outbox {
  readonly #entries = new Map<number, Entry>();
  /** The number of the last message that the other side has dealt with. */
  #acknowledged = 0;
  /** The number of the last message that was given to the present channel. */
  #sent = 0;
  #last = 0;
  /** Of everything that is kept. */
  #bytes = 0;
  /** Of what was given to the present channel and is not acknowledged. */
  #flying = 0;

  /** Messages that are kept. */
  get size(): number {
    return this.#entries.size;
  }

  /** Adds a message; resolves when it has been given to a channel. @throws AgentError - `RATE_LIMIT_EXCEEDED`. */
  push(text: string): Promise<void> {
    const cost = costOf(text);
    const full = this.#entries.size >= QUEUED_MESSAGES || (this.#bytes > 0 && this.#bytes + cost > QUEUED_BYTES);
    if (full) {
      const reason = `${this.#entries.size} messages of ${this.#bytes} bytes wait in the session; await send()`;
      return Promise.reject(new AgentError('RATE_LIMIT_EXCEEDED', reason, { retryable: true }));
    }
    return new Promise((sent, failed) => {
      this.#entries.set(++this.#last, { text, cost, sent, failed });
      this.#bytes += cost;
    });
  }

  /** The next message for the channel, if there is one and it fits into the window. */
  get next(): string | undefined {
    return this.#flying < WINDOW ? this.#entries.get(this.#sent + 1)?.text : undefined;
  }

  /** {@link next} is on its way: counts before it is known to have gone, as it may have. */
  began(): void {
    this.#flying += this.#entries.get(++this.#sent)!.cost;
  }

  /** The channel has taken the message that began last. */
  gone(): void {
    this.#entries.get(this.#sent)?.sent();
  }

  /** The other side has dealt with so many messages. False: that cannot be. */
  acknowledge(count: number): boolean {
    if (!Number.isSafeInteger(count) || count < this.#acknowledged || count > this.#sent) return false;
    while (this.#acknowledged < count) {
      const number = ++this.#acknowledged;
      const { cost, sent } = this.#entries.get(number)!;
      this.#entries.delete(number);
      this.#bytes -= cost;
      this.#flying -= cost;
      // It may have arrived before the channel could say that it had taken it.
      sent();
    }
    return true;
  }

  /**
   * The next channel begins behind so many messages, which have arrived. Those of them that are not dealt with yet count towards the window
   * as before. False: that cannot be.
   */
  rewind(received: number): boolean {
    if (!Number.isSafeInteger(received) || received < this.#acknowledged || received > this.#sent) return false;
    for (let number = this.#acknowledged + 1; number <= received; number++) this.#entries.get(number)!.sent();
    while (this.#sent > received) this.#flying -= this.#entries.get(this.#sent--)!.cost;
    return true;
  }

  /** Nothing will be sent any more. */
  fail(error: AgentError): void {
    for (const entry of this.#entries.values()) entry.failed(error);
    this.#entries.clear();
    this.#bytes = 0;
  }
}
