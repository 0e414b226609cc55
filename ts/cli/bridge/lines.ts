// Text that comes in pieces, line by line, as MCP has it on standard input and output.
import { StringDecoder } from 'node:string_decoder';

/** Takes pieces and gives lines; what is longer than `most` bytes is not kept. */
export class Lines {
  readonly #decoder = new StringDecoder('utf8');
  readonly #most: number;
  #pieces: string[] = [];
  #bytes = 0;

  constructor(most: number) {
    this.#most = most;
  }

  /** The lines that end in this piece. @throws RangeError - One is too long. */
  push(piece: Buffer): string[] {
    const parts = this.#decoder.write(piece).split('\n');
    const rest = parts.pop()!;
    const lines: string[] = [];
    for (const part of parts) {
      this.#keep(part);
      lines.push(this.#pieces.join('').replace(/\r$/, ''));
      this.#pieces = [];
      this.#bytes = 0;
    }
    this.#keep(rest);
    return lines;
  }

  #keep(text: string): void {
    this.#bytes += Buffer.byteLength(text);
    if (this.#bytes > this.#most) throw new RangeError(`a line has more than ${this.#most} bytes`);
    if (text !== '') this.#pieces.push(text);
  }
}
