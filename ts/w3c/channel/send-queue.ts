import { DOMException } from '../../platform';
import { NativeError } from '../../native';

/** Hands one message to the core. */
export type Transmit = (data: string | Uint8Array) => void;

interface Entry {
  /** `null` while a Blob is being read. */
  data: string | Uint8Array | null;
  blob: Blob | null;
  bytes: number;
}

/** What may wait behind a Blob as copies; beyond it `send()` refuses, as it does when the core's buffer is full. */
const MAX_COPIED_BYTES = 64 * 1024 * 1024;

/**
 * Messages that have to wait for a Blob to be read. One Blob is read at a time, so that only one is in memory; what was
 * sent later stays behind it. Empty nearly always: then sending does not come by here.
 */
export class SendQueue {
  readonly #entries: Entry[] = [];
  readonly #transmit: Transmit;
  readonly #failed: (error: unknown) => void;
  readonly #drained: () => void;
  readonly #full: () => void;
  #copiedBytes = 0;
  #stopped = false;

  constructor(transmit: Transmit, events: { failed: (error: unknown) => void; drained: () => void; full: () => void }) {
    this.#transmit = transmit;
    this.#failed = events.failed;
    this.#drained = events.drained;
    this.#full = events.full;
  }

  get isEmpty(): boolean {
    return this.#entries.length === 0;
  }

  pushBlob(blob: Blob): void {
    this.#push({ data: null, blob, bytes: 0 });
  }

  /** @throws DOMException `OperationError` when too much is waiting. */
  push(data: string | Uint8Array, bytes: number): void {
    if (this.#copiedBytes + bytes > MAX_COPIED_BYTES) throw queueFull(this.#copiedBytes, bytes);
    this.#copiedBytes += bytes;
    // The caller may change its bytes afterwards; strings cannot change.
    this.#push({ data: typeof data === 'string' ? data : data.slice(), blob: null, bytes });
  }

  #push(entry: Entry): void {
    this.#entries.push(entry);
    if (this.#entries.length === 1) this.#readHead();
  }

  #readHead(): void {
    const head = this.#entries[0];
    if (!head?.blob) return;
    const { blob } = head;
    head.blob = null;
    blob.arrayBuffer().then(
      (buffer) => {
        head.data = new Uint8Array(buffer);
        this.flush();
      },
      (error: unknown) => {
        if (!this.#stopped) this.#failed(error);
      },
    );
  }

  /** Sends what can be sent; called again when the core has room. */
  flush(): void {
    while (!this.#stopped) {
      const head = this.#entries[0];
      if (head?.data == null) break;
      try {
        this.#transmit(head.data);
      } catch (error) {
        // A full buffer is no failure: the next release of any channel tries again.
        if (error instanceof NativeError && error.code === 'OperationError') this.#full();
        else this.#failed(error);
        return;
      }
      this.#entries.shift();
      this.#copiedBytes -= head.bytes;
      this.#readHead();
      if (this.isEmpty) this.#drained();
    }
  }

  /** The channel is closed: what waits is dropped. */
  stop(): void {
    this.#stopped = true;
    this.#entries.length = 0;
  }
}

function queueFull(waiting: number, bytes: number): DOMException {
  return new DOMException(
    `The send queue is full: ${waiting} bytes wait for a Blob to be read, and ${bytes} more are too many; ` +
      `wait for 'bufferedamountlow'`,
    'OperationError',
  );
}
