// A full screen that is drawn again and again, and gives the terminal back as it was.

/** The part of a terminal that is needed. */
export interface Terminal {
  readonly input: NodeJS.ReadStream;
  readonly output: NodeJS.WriteStream;
}

const CSI = '\x1b[';
/** The other screen, so that what was there comes back, and no cursor. */
const ENTER = `${CSI}?1049h${CSI}?25l`;
const LEAVE = `${CSI}?25h${CSI}?1049l`;

const KEYS: Readonly<Record<string, 'up' | 'down' | 'pageUp' | 'pageDown' | 'quit'>> = {
  q: 'quit',
  Q: 'quit',
  '\x03': 'quit',
  '\x1b[A': 'up',
  k: 'up',
  '\x1b[B': 'down',
  j: 'down',
  '\x1b[5~': 'pageUp',
  '\x1b[6~': 'pageDown',
};

/** What a key means here. */
export type Key = (typeof KEYS)[string];

/** Takes the terminal. Whoever makes one calls {@link close}, whatever happens. */
export class Screen {
  readonly #resized: () => void;
  readonly #typed: (data: Buffer) => void;

  constructor(
    readonly terminal: Terminal,
    on: { key: (key: Key) => void; resized: () => void },
  ) {
    const { input, output } = terminal;
    this.#resized = on.resized;
    this.#typed = (data) => {
      // eslint-disable-next-line no-control-regex -- keys are sent like that
      for (const [code] of data.toString().matchAll(/\x1b\[[\d;]*[A-Z~]|[^]/g)) {
        const key = KEYS[code];
        if (key) on.key(key);
      }
    };
    output.write(ENTER);
    output.on('resize', this.#resized);
    if (input.isTTY) input.setRawMode(true);
    input.on('data', this.#typed).resume();
  }

  get columns(): number {
    return this.terminal.output.columns || 80;
  }

  get rows(): number {
    return this.terminal.output.rows || 24;
  }

  /** Draws from the top; each line replaces what was there, and nothing flickers. */
  draw(lines: readonly string[]): void {
    const shown = lines.slice(0, this.rows).map((line) => `${line}${CSI}K`);
    this.terminal.output.write(`${CSI}H${shown.join('\r\n')}${CSI}J`);
  }

  close(): void {
    const { input, output } = this.terminal;
    output.off('resize', this.#resized);
    input.off('data', this.#typed).pause();
    if (input.isTTY) input.setRawMode(false);
    output.write(LEAVE);
  }
}
