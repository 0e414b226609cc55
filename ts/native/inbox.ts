// Takes what the core has queued for this thread and calls the listeners, in bounded slices.
import { now, setImmediate } from '../platform';
import type { Hub } from './binding';
import { decodeEvent } from './json';
import type { LiftedText, NativeEvent } from './types';

/** What a record is. Known to `src/connection/inbox.rs`. */
const enum Kind {
  Binary = 0,
  Ascii = 1,
  Utf8 = 2,
  BigBinary = 3,
  BigText = 4,
  Event = 5,
  Released = 6,
  Forgotten = 7,
  Lifted = 8,
}

/** Words per record: peer, channel, kind, length. The first "record" is the header. */
const STRIDE = 4;
const MAX_RECORDS = 1024;
const SLAB_SIZE = 256 * 1024;

/** After this many milliseconds other work of the event loop gets its turn. */
const SLICE_MS = 2;

/** What the inbox needs of a peer. */
export interface Recipient {
  deliverMessage(channel: number, data: string | ArrayBuffer): void;
  deliverLifted(channel: number, text: LiftedText): void;
  deliverEvent(event: NativeEvent): void;
  deliverReleased(channel: number, bytes: number): void;
  forget(channel: number): void;
}

/**
 * Runs the promise jobs and `nextTick`s that a listener has caused, as the runtime does between timers, so that each
 * call of a listener is a task of its own: `await` between two messages works as in a browser.
 */
const runTicks = tickCallback();

/**
 * The runtime's own function, or nothing: with `--pending-deprecation` another one stands in front of it that warns (DEP0134),
 * and whoever looks for warnings wants none of ours.
 */
function tickCallback(): (() => void) | undefined {
  const { _tickCallback: found } = process as { _tickCallback?: () => void };
  return found?.name === 'runNextTicks' ? found : undefined;
}

/** The clock is looked at after this many records. A runtime without `runTicks` gets one task per record instead. */
const RECORDS_PER_LOOK = runTicks ? 16 : 1;

export class Inbox {
  readonly #hub: Hub;
  readonly #find: (peer: number) => Recipient | undefined;
  readonly #records = new Uint32Array((MAX_RECORDS + 1) * STRIDE);
  readonly #slab = Buffer.from(new ArrayBuffer(SLAB_SIZE));
  /** The same memory with the methods of a plain typed array. */
  readonly #bytes = new Uint8Array(this.#slab.buffer);
  #extras: Array<string | ArrayBuffer | string[]> | null = null;
  /** The slice at hand: how many records it has, and what of it was delivered. */
  #count = 0;
  #next = 0;
  #offset = 0;
  #nextExtra = 0;
  /** The core has more for this thread, or may have. */
  #more = false;
  #scheduled = false;
  #pumping = false;
  readonly #onImmediate = () => {
    this.#scheduled = false;
    // `deliver` may have come before.
    if (!this.#isEmpty()) this.#pump();
  };

  constructor(hub: Hub, find: (peer: number) => Recipient | undefined) {
    this.#hub = hub;
    this.#find = find;
  }

  /**
   * Delivers soon, as a task of its own: in the phase of the event loop that follows the one in which the core wakes
   * this thread. Not in the wake-up call itself, because Node swallows the exceptions of those.
   */
  readonly schedule = (): void => {
    this.#more = true;
    if (this.#scheduled || this.#pumping) return;
    this.#scheduled = true;
    setImmediate(this.#onImmediate);
  };

  /** Delivers now. To be called by the event loop itself, which takes what a listener throws for an uncaught exception. */
  readonly deliver = (): void => {
    this.#more = true;
    if (!this.#pumping) this.#pump();
  };

  /** Delivers for a while. What is left follows after other work of the event loop. */
  #pump(): void {
    this.#pumping = true;
    try {
      let end: number | undefined;
      do {
        if (this.#next === this.#count) this.#drain();
        this.#deliver();
        // One message at a time, which is when every microsecond counts, needs no clock.
      } while (!this.#isEmpty() && runTicks && now() < (end ??= now() + SLICE_MS));
    } finally {
      this.#pumping = false;
      // Also when a listener has thrown: that is an uncaught exception, but the others get theirs.
      if (!this.#isEmpty()) this.schedule();
    }
  }

  #isEmpty(): boolean {
    return this.#next === this.#count && !this.#more;
  }

  #drain(): void {
    // Before the core says so: what comes after that is told by `schedule`.
    this.#more = false;
    this.#extras = this.#hub.drain(this.#records, this.#slab);
    this.#count = this.#records[0]!;
    this.#more ||= this.#records[1] !== 0;
    this.#next = 0;
    this.#offset = 0;
    this.#nextExtra = 0;
  }

  #deliver(): void {
    const records = this.#records;
    let recipient: Recipient | undefined;
    let current = -1;
    const end = Math.min(this.#count, this.#next + RECORDS_PER_LOOK);
    while (this.#next < end) {
      const at = ++this.#next * STRIDE;
      const peer = records[at]!;
      if (peer !== current) {
        current = peer;
        recipient = this.#find(peer);
      }
      this.#deliverOne(recipient, records[at + 1]!, records[at + 2]!, records[at + 3]!);
    }
  }

  #deliverOne(to: Recipient | undefined, channel: number, kind: Kind, length: number): void {
    if (kind === Kind.Released) {
      to?.deliverReleased(channel, length);
    } else if (kind === Kind.Forgotten) {
      to?.forget(channel);
      return;
    } else if (kind >= Kind.BigBinary) {
      const extra = this.#extras![this.#nextExtra]!;
      // Let go of it at once: the next one may take a while.
      this.#extras![this.#nextExtra++] = '';
      if (kind === Kind.Event) to?.deliverEvent(decodeEvent(extra as string));
      else if (kind === Kind.Lifted) to?.deliverLifted(channel, liftedText(extra as string[], length));
      else to?.deliverMessage(channel, extra as string | ArrayBuffer);
    } else {
      const start = this.#offset;
      this.#offset = start + length;
      to?.deliverMessage(channel, this.#small(kind, start, start + length));
    }
    runTicks?.();
  }

  #small(kind: Kind, start: number, end: number): string | ArrayBuffer {
    // A third less work for the runtime than `ArrayBuffer.slice`, which looks for a species and clears memory first.
    if (kind === Kind.Binary) return this.#bytes.slice(start, end).buffer;
    return this.#slab.toString(kind === Kind.Ascii ? 'latin1' : 'utf8', start, end);
  }
}

function liftedText([skeleton, ...strings]: string[], bytes: number): LiftedText {
  return { skeleton: skeleton!, strings, bytes };
}
