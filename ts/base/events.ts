// Typed events, and queues for what must not get lost before somebody listens.
import { isPromise } from 'node:util/types';

import { queueMicrotask } from '../platform';
import { reportError } from './errors';

type Listener<Args extends unknown[]> = (...args: Args) => unknown;

/** Events by name, each with the arguments of its listeners. */
export type EventArguments = Record<string, unknown[]>;

/** A listener that throws, or whose promise rejects, does not stop the others: the process reports it as uncaught. */
function run<Args extends unknown[]>(listener: Listener<Args>, args: Args): void {
  try {
    const result = listener(...args);
    if (isPromise(result)) result.catch(reportError);
  } catch (error) {
    reportError(error);
  }
}

/** What `once()` has wrapped, by the wrapper. */
const wrapped = new WeakMap<Listener<never>, Listener<never>>();

/** Takes a listener out of a set, and the wrappers that `once()` has put around it. */
function takeBack<L extends Listener<never>>(listeners: Set<L> | undefined, listener: Listener<never>): void {
  if (!listeners) return;
  for (const one of listeners) if (one === listener || wrapped.get(one) === listener) listeners.delete(one);
}

/** An object with typed events. */
export class Emitter<Events extends EventArguments> {
  readonly #listeners = new Map<keyof Events, Set<Listener<never>>>();
  readonly #inboxes = new Map<keyof Events, Inbox<unknown>>();

  /** Calls `listener` for every event of this name from now on, in the order of their arrival. */
  on<Name extends keyof Events>(name: Name, listener: Listener<Events[Name]>): this {
    if (typeof listener !== 'function') throw new TypeError('a listener must be a function');
    const inbox = this.#inboxes.get(name);
    if (inbox) {
      inbox.listen(listener as Listener<unknown[]>);
      return this;
    }
    let listeners = this.#listeners.get(name);
    if (!listeners) this.#listeners.set(name, (listeners = new Set()));
    listeners.add(listener);
    return this;
  }

  /** Like {@link on}, for the next event only. */
  once<Name extends keyof Events>(name: Name, listener: Listener<Events[Name]>): this {
    if (typeof listener !== 'function') throw new TypeError('a listener must be a function');
    const once: Listener<Events[Name]> = (...args) => {
      this.off(name, once);
      return listener(...args);
    };
    wrapped.set(once, listener);
    return this.on(name, once);
  }

  /** Takes a listener back that was added by {@link on} or {@link once}. */
  off<Name extends keyof Events>(name: Name, listener: Listener<Events[Name]>): this {
    this.#inboxes.get(name)?.unlisten(listener as Listener<unknown[]>);
    takeBack(this.#listeners.get(name), listener);
    return this;
  }

  /** Events of this name go through `inbox`, which keeps them until somebody listens. @internal */
  protected buffer<Name extends keyof Events>(name: Name, inbox: Inbox<Events[Name][0]>): void {
    this.#inboxes.set(name, inbox);
  }

  /** @internal */
  protected emit<Name extends keyof Events>(name: Name, ...args: Events[Name]): void {
    // A copy: listeners may come and go meanwhile.
    for (const listener of [...(this.#listeners.get(name) ?? [])] as Listener<Events[Name]>[]) run(listener, args);
  }
}

/** Memory that several queues share. */
export class Budget {
  #left: number;

  constructor(readonly bytes: number) {
    this.#left = bytes;
  }

  /** False: there is not so much left, and nothing was taken. */
  take(bytes: number): boolean {
    if (bytes > this.#left) return false;
    this.#left -= bytes;
    return true;
  }

  /** Gives back what was taken. */
  give(bytes: number): void {
    this.#left += bytes;
  }
}

/** Gives back what a queue held that nobody can read any more. */
const forgotten = new FinalizationRegistry<{ budget: Budget; held: { bytes: number } }>(({ budget, held }) =>
  budget.give(held.bytes),
);

/** How much an {@link Inbox} keeps for nobody, or for a reader that is slow. */
export interface InboxLimits {
  items: number;
  bytes: number;
  /** Where the bytes come from that it shares with others. */
  budget?: Budget;
}

/**
 * Items on their way to listeners or to async iterators. Items that come before either exists are kept and handed to
 * the first, in order; so are items that iterators have not asked for yet.
 */
export class Inbox<T> {
  readonly #listeners = new Set<Listener<[T]>>();
  #items: { item: T; bytes: number }[] = [];
  /** Items before this place have been taken: shifting a long array is slow. */
  #head = 0;
  /** An object, so that it can be known when this queue is gone. */
  readonly #held = { bytes: 0 };
  #waiting: ((result: IteratorResult<T, undefined>) => void)[] = [];
  #iterators = 0;
  #ended = false;
  #flushing = false;

  constructor(
    private readonly limits: InboxLimits,
    private readonly sizeOf: (item: T) => number = () => 0,
  ) {
    const { budget } = limits;
    if (budget) forgotten.register(this, { budget, held: this.#held });
  }

  /** Items that are kept. */
  get length(): number {
    return this.#items.length - this.#head;
  }

  /** Whether anybody takes items. */
  get wanted(): boolean {
    return this.#listeners.size > 0 || this.#iterators > 0;
  }

  /** Adds an item, of `size` bytes if that is known. False: there is no room, nothing was added. */
  push(item: T, size?: number): boolean {
    if (this.#ended) return true;
    if (this.#listeners.size > 0 && this.#iterators === 0 && this.length === 0) {
      this.#tell(item);
      return true;
    }
    const waiting = this.#waiting.shift();
    if (waiting) {
      this.#tell(item);
      waiting({ done: false, value: item });
      return true;
    }
    const bytes = size ?? this.sizeOf(item);
    if (this.length >= this.limits.items || this.#held.bytes + bytes > this.limits.bytes) return false;
    if (this.limits.budget?.take(bytes) === false) return false;
    if (this.#iterators > 0) this.#tell(item);
    this.#items.push({ item, bytes });
    this.#held.bytes += bytes;
    return true;
  }

  listen(listener: Listener<[T]>): void {
    this.#listeners.add(listener);
    this.#flushLater();
  }

  unlisten(listener: Listener<[T]>): void {
    takeBack(this.#listeners, listener);
  }

  /** No more items will come; those that are kept can still be read. */
  end(): void {
    this.#ended = true;
    for (const waiting of this.#waiting.splice(0)) waiting({ done: true, value: undefined });
  }

  /** Takes items out of the queue; several iterators share them. */
  iterate(): AsyncIterableIterator<T> {
    this.#iterators++;
    let open = true;
    const finish = (): Promise<IteratorResult<T, undefined>> => {
      if (open) {
        open = false;
        this.#iterators--;
        this.#flushLater();
      }
      return Promise.resolve({ done: true, value: undefined });
    };
    return {
      next: () => {
        if (!open) return finish();
        if (this.length > 0) return Promise.resolve({ done: false, value: this.#shift() });
        if (this.#ended) return finish();
        return new Promise((resolve) => this.#waiting.push(resolve));
      },
      return: finish,
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  }

  #tell(item: T): void {
    for (const listener of [...this.#listeners]) run(listener, [item]);
  }

  /** Hands what was kept to the listeners, after the code that added the first one has run. */
  #flushLater(): void {
    if (this.#flushing || this.length === 0) return;
    this.#flushing = true;
    queueMicrotask(() => {
      this.#flushing = false;
      while (this.length > 0 && this.#listeners.size > 0 && this.#iterators === 0) this.#tell(this.#shift());
    });
  }

  #shift(): T {
    const { item, bytes } = this.#items[this.#head]!;
    this.#held.bytes -= bytes;
    this.limits.budget?.give(bytes);
    this.#head++;
    if (this.#head === this.#items.length) {
      this.#items = [];
      this.#head = 0;
    } else if (this.#head >= 1024) {
      this.#items.splice(0, this.#head);
      this.#head = 0;
    }
    return item;
  }
}
