// The programs that may be looked at, as they come and go, and what each has told last.
import { readdirSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';

import {
  checkFolder,
  inspectionFolder,
  readRecord,
  type InspectionRecord,
  type ProgramSnapshot,
} from '../../agent/inspection';

/** The longest line of a program, in characters: a thousand links of an agent have 500,000. */
const MAX_LINE = 64 * 1024 * 1024;

/** What is between two looks at which programs there are, in milliseconds. */
const LOOK = 1000;

/** Follows all programs of this user, or one of them. */
export class Programs {
  /** By record; a program has one for each of its threads that has agents. */
  readonly snapshots = new Map<string, ProgramSnapshot>();
  readonly #sockets = new Map<string, Socket>();
  /** Records of which the first snapshot has not come yet. */
  readonly #awaited = new Set<string>();
  /** Rejects when what there is cannot be looked for any more. */
  readonly failed: Promise<never>;
  readonly #timer: NodeJS.Timeout;
  #arrived: (() => void) | undefined;

  /**
   * `changed` is called when a program has told something, or has gone.
   *
   * @throws Error - The folder of records is not this user's alone.
   */
  constructor(
    readonly pid: number | undefined,
    readonly changed: (snapshot?: ProgramSnapshot) => void,
    readonly folder = inspectionFolder(),
  ) {
    this.#look();
    let fail!: (error: unknown) => void;
    this.failed = new Promise((_, reject) => (fail = reject));
    this.failed.catch(() => undefined);
    this.#timer = setInterval(() => {
      try {
        this.#look();
      } catch (error) {
        this.close();
        fail(error);
      }
    }, LOOK);
  }

  /** Resolves when every program that was there at the beginning has told something or is gone. */
  async complete(): Promise<void> {
    while (this.#awaited.size > 0) await new Promise<void>((resolve) => (this.#arrived = resolve));
  }

  close(): void {
    clearInterval(this.#timer);
    for (const socket of this.#sockets.values()) socket.destroy();
  }

  #look(): void {
    let names: string[];
    try {
      names = readdirSync(this.folder);
    } catch (error) {
      // No program of this user has ever asked to be looked at.
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
      throw error;
    }
    // Whoever else could write there would be shown as one of the user's programs.
    checkFolder(this.folder);
    for (const name of names.filter((each) => each.endsWith('.json') && !this.#sockets.has(each))) {
      let record: InspectionRecord;
      try {
        record = readRecord(join(this.folder, name));
      } catch {
        // Being written, or gone already.
        continue;
      }
      if (this.pid === undefined || record.pid === this.pid) this.#follow(name, record);
    }
  }

  #follow(name: string, { address, secret }: InspectionRecord): void {
    const socket = connect(address);
    this.#sockets.set(name, socket);
    this.#awaited.add(name);
    socket.on('connect', () => socket.write(`${secret}\n`));
    let text = '';
    socket.setEncoding('utf8').on('data', (part: string) => {
      const lines = (text + part).split('\n');
      text = lines.pop()!;
      if (text.length > MAX_LINE) socket.destroy();
      const last = lines.at(-1);
      if (last === undefined) return;
      const snapshot = JSON.parse(last) as ProgramSnapshot;
      this.snapshots.set(name, snapshot);
      this.#seen(name, snapshot);
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      // It has ended without tidying up.
      const stale = error.code === 'ECONNREFUSED' || error.code === 'ENOENT';
      if (stale)
        for (const file of [name, name.replace(/json$/, 'sock')]) rmSync(join(this.folder, file), { force: true });
    });
    socket.on('close', () => {
      this.#sockets.delete(name);
      this.snapshots.delete(name);
      this.#seen(name);
    });
  }

  #seen(name: string, snapshot?: ProgramSnapshot): void {
    this.#awaited.delete(name);
    if (this.#awaited.size === 0) this.#arrived?.();
    this.changed(snapshot);
  }
}
