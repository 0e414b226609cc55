// The result of a call, item by item.
import type { AgentError } from '../../base';

/** What a {@link ResultStream} needs of the calls of its link. */
export interface StreamSource {
  /** An item has been read. */
  read(): void;
  /** Nobody reads any more. */
  cancel(): void;
}

/**
 * Items of a result as they arrive. The call is made when the first item is asked for. Leaving a `for await` loop
 * early cancels the call, which stops the handler at the other end.
 */
export class ResultStream<Item> implements AsyncIterableIterator<Item>, AsyncDisposable {
  readonly #start: (stream: ResultStream<Item>) => Promise<void>;
  #source: StreamSource | undefined;
  #started = false;
  #over = false;
  #error: unknown;
  #received = 0;
  #watcher: ((items: number, error: unknown) => void) | undefined;
  /** Items that have come before somebody asked. The sender stops at the bounds that the session checks. */
  #items: Item[] = [];
  #waiting: { resolve: (result: IteratorResult<Item, undefined>) => void; reject: (error: unknown) => void }[] = [];

  /** `start` makes the call, and attaches it. @internal */
  constructor(start: (stream: ResultStream<Item>) => Promise<void>) {
    this.#start = start;
  }

  /** The next item. Rejects once if the call fails, after the items that came before. */
  next(): Promise<IteratorResult<Item, undefined>> {
    if (this.#items.length > 0) {
      const value = this.#items.shift()!;
      this.#source?.read();
      return Promise.resolve({ done: false, value });
    }
    if (this.#over) return this.#end();
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      if (this.#started) return;
      this.#started = true;
      this.#start(this).catch((error: unknown) => this.fail(error as AgentError));
    });
  }

  /** Reads no further: the call is cancelled if it is not over. */
  return(): Promise<IteratorResult<Item, undefined>> {
    this.#items = [];
    this.#error = undefined;
    if (!this.#over) {
      this.#finish();
      this.#source?.cancel();
    }
    return Promise.resolve({ done: true, value: undefined });
  }

  /** Reads no further, as the end of an `await using` block does. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  /** Items are read once: every loop goes on where the last one ended. */
  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Nobody reads any more, or there is nothing more to read. @internal */
  get over(): boolean {
    return this.#over;
  }

  /** The call has been made. @internal */
  attach(source: StreamSource): void {
    this.#source = source;
  }

  /** Tells once how many items have come when it is over, and why it failed if it did. @internal */
  watch(watcher: (items: number, error: unknown) => void): void {
    if (this.#over) watcher(this.#received, this.#error);
    else this.#watcher = watcher;
  }

  /** @internal */
  item(value: Item): void {
    if (this.#over) return;
    this.#received++;
    const waiting = this.#waiting.shift();
    if (!waiting) {
      this.#items.push(value);
      return;
    }
    this.#source?.read();
    waiting.resolve({ done: false, value });
  }

  /** @internal */
  end(): void {
    if (!this.#over) this.#finish();
  }

  /** @internal */
  fail(error: AgentError): void {
    if (this.#over) return;
    this.#error = error;
    this.#finish();
  }

  #finish(): void {
    this.#over = true;
    this.#started = true;
    this.#watcher?.(this.#received, this.#error);
    const waiting = this.#waiting;
    this.#waiting = [];
    // Whoever waits first learns about the error; nobody waits while there are items.
    for (const { resolve, reject } of waiting) this.#end().then(resolve, reject);
  }

  #end(): Promise<IteratorResult<Item, undefined>> {
    const error = this.#error;
    this.#error = undefined;
    // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- what the call was rejected with
    if (error !== undefined) return Promise.reject(error);
    return Promise.resolve({ done: true, value: undefined });
  }
}
