// Outgoing messages of one turn. They are written into one slab, and one native call hands them all over in a
// microtask: a call per message would cost more than the message.
import type { Hub } from './binding';

/** Bytes for a turn's messages: some thousand small ones, and still within the processor's cache. */
const SLAB_SIZE = 256 * 1024;

/**
 * Room for one large text. Made when the first one is sent, and kept: fresh memory for each costs ten times as much as
 * writing into it.
 */
export const LARGE_TEXT = 4 * 1024 * 1024;

/** Longer messages are not worth a second copy: they go to the core directly, after everything before them. */
export const DIRECT_SIZE = 8 * 1024;

/** Each record starts with three words: peer, channel, `length << 1 | text`. Known to `src/connection/outbox.rs`. */
const HEADER = 12;

/** Up to this length a loop in JavaScript is quicker than a call that crosses into the runtime. */
const LOOP_LENGTH = 24;

const settled = Promise.resolve();

export class Outbox {
  readonly #hub: Hub;
  readonly #onPending: () => void;
  readonly #slab: Buffer;
  readonly #words: Uint32Array;
  #large: Buffer | undefined;
  #used = 0;
  #scheduled = false;
  readonly #onMicrotask = () => {
    this.#scheduled = false;
    this.flush();
  };

  /** `onPending` is called when something has come in while messages were handed over. */
  constructor(hub: Hub, onPending: () => void) {
    this.#hub = hub;
    this.#onPending = onPending;
    const memory = new ArrayBuffer(SLAB_SIZE);
    this.#slab = Buffer.from(memory);
    this.#words = new Uint32Array(memory);
  }

  /** Adds a binary message shorter than `DIRECT_SIZE`. */
  binary(peer: number, channel: number, data: Uint8Array): void {
    const length = data.byteLength;
    const start = this.#reserve(HEADER + length) + HEADER;
    const slab = this.#slab;
    if (length <= LOOP_LENGTH) for (let i = 0; i < length; i++) slab[start + i] = data[i]!;
    else slab.set(data, start);
    this.#commit(peer, channel, length, 0);
  }

  /** Adds a text message of at most `DIRECT_SIZE / 3` UTF-16 units. Returns its size in UTF-8. */
  text(peer: number, channel: number, data: string): number {
    // Three bytes per UTF-16 unit are the most that UTF-8 takes.
    const start = this.#reserve(HEADER + data.length * 3) + HEADER;
    const length = this.#writeText(data, start);
    this.#commit(peer, channel, length, 1);
    return length;
  }

  /** Hands over what has been added. To be called before anything that must come after it. */
  flush(): void {
    if (this.#used === 0) return;
    const used = this.#used;
    this.#used = 0;
    if (this.#hub.flush(this.#slab, used)) this.#onPending();
  }

  /**
   * A text in UTF-8; good until the next call of any method. Everything added must have been flushed. The runtime's own
   * encoder is several times as quick as that of Node-API.
   */
  encode(data: string): Uint8Array {
    const most = data.length * 3;
    if (most > LARGE_TEXT) return Buffer.from(data, 'utf8');
    const slab = most > SLAB_SIZE ? this.#largeSlab() : this.#slab;
    return slab.subarray(0, slab.write(data, 0, 'utf8'));
  }

  /** The same for texts of `LARGE_TEXT / 3` UTF-16 units together, and where each of them ends. */
  encodeAll(pieces: readonly string[]): { utf8: Uint8Array; ends: number[] } {
    const slab = this.#largeSlab();
    let end = 0;
    const ends = pieces.map((piece) => (end += slab.write(piece, end, 'utf8')));
    return { utf8: slab.subarray(0, end), ends };
  }

  #largeSlab(): Buffer {
    return (this.#large ??= Buffer.from(new ArrayBuffer(LARGE_TEXT)));
  }

  #writeText(data: string, start: number): number {
    const slab = this.#slab;
    if (data.length <= LOOP_LENGTH) {
      let i = 0;
      for (; i < data.length; i++) {
        const unit = data.charCodeAt(i);
        if (unit > 127) break;
        slab[start + i] = unit;
      }
      if (i === data.length) return i;
    }
    // A lone surrogate becomes U+FFFD, as with a USVString.
    return slab.write(data, start, 'utf8');
  }

  #reserve(bytes: number): number {
    if (this.#used + bytes > SLAB_SIZE) this.flush();
    return this.#used;
  }

  #commit(peer: number, channel: number, length: number, text: 0 | 1): void {
    const word = this.#used >> 2;
    this.#words[word] = peer;
    this.#words[word + 1] = channel;
    this.#words[word + 2] = (length << 1) | text;
    this.#used = (this.#used + HEADER + length + 3) & ~3;
    if (this.#scheduled) return;
    this.#scheduled = true;
    void settled.then(this.#onMicrotask);
  }
}
