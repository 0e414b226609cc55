import { reportError } from '../../base';

/** How far a transfer is. */
export interface FileProgress {
  /** Bytes of the file that the receiver has written, those of an earlier attempt included. */
  readonly bytes: number;
  /** Size of the file; `undefined` for a stream of unknown length. */
  readonly total: number | undefined;
  /** Bytes per second, on average since bytes began to flow in this attempt; 0 before. */
  readonly rate: number;
}

/** Counts the bytes of one transfer. */
export class Meter {
  #bytes = 0;
  #from = 0;
  #started: number | undefined;

  constructor(
    readonly total: number | undefined,
    private readonly onProgress: ((progress: FileProgress) => void) | undefined,
  ) {}

  get progress(): FileProgress {
    const seconds = this.#started === undefined ? 0 : (performance.now() - this.#started) / 1000;
    const rate = seconds > 0 ? (this.#bytes - this.#from) / seconds : 0;
    return { bytes: this.#bytes, total: this.total, rate };
  }

  /** Bytes flow from now on, from this offset. */
  start(offset: number): void {
    this.#bytes = this.#from = offset;
    this.#started = performance.now();
  }

  update(bytes: number): void {
    this.#bytes = bytes;
    try {
      this.onProgress?.(this.progress);
    } catch (error) {
      // A defect of whoever watches is none of the transfer.
      reportError(error);
    }
  }
}
