// The side that is looked at. One socket for all agents of this copy of the package; it is there while one of them asks for it.
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { basename, join } from 'node:path';

import { inspectionFolder, makeFolder, type InspectionRecord } from './folder';
import { snapshotOf, type Inspectable } from './snapshot';

/** Between two snapshots, in milliseconds. */
const INTERVAL = 1000;

/** Programs that look at the same time: each costs the statistics of all links, every second. */
const MAX_VIEWERS = 8;

/** For a viewer to say the secret, in milliseconds, and how long that is with its line end, in bytes. */
const PATIENCE = 5000;
const SECRET = 32;

/** The variable that asks for inspection of all agents of a program. */
const VARIABLE = 'OSSA_WEBRTC_INSPECT';

/**
 * Whether an agent with this option may be looked at.
 *
 * @throws TypeError - The option is not a boolean, or the variable neither `1` nor `0`.
 */
export function inspectionWanted(option: boolean | undefined, env: NodeJS.ProcessEnv = process.env): boolean {
  if (option !== undefined && typeof option !== 'boolean') throw new TypeError('inspect must be true or false');
  if (option !== undefined) return option;
  const value = env[VARIABLE] ?? '';
  if (!['', '0', '1'].includes(value)) throw new TypeError(`${VARIABLE} must be 1 or 0, not ${JSON.stringify(value)}`);
  return value === '1';
}

let inspector: Inspector | undefined;

/** Lets the user look at `agent`, until the returned function is called. What prevents it is a warning of the process. */
export function offerInspection(agent: Inspectable): () => void {
  inspector ??= new Inspector();
  const mine = inspector;
  mine.agents.add(agent);
  return () => {
    mine.agents.delete(agent);
    if (mine.agents.size > 0) return;
    mine.close();
    if (inspector === mine) inspector = undefined;
  };
}

class Inspector {
  readonly agents = new Set<Inspectable>();
  readonly #title = basename(process.argv[1] ?? process.title);
  readonly #secret = randomBytes(SECRET / 2).toString('hex');
  readonly #viewers = new Set<Socket>();
  readonly #files: string[] = [];
  readonly #server: Server;
  readonly #leave = () => this.#files.forEach((path) => rmSync(path, { force: true }));

  constructor() {
    this.#server = createServer((socket) => this.#admit(socket));
    this.#server.on('error', (error) => this.#unavailable(error));
    // Being looked at keeps no program alive.
    this.#server.unref();
    try {
      this.#listen();
    } catch (error) {
      this.#unavailable(error as Error);
    }
  }

  #listen(): void {
    const folder = inspectionFolder();
    makeFolder(folder);
    const name = `${process.pid}-${randomBytes(4).toString('hex')}`;
    const address = process.platform === 'win32' ? `\\\\.\\pipe\\ossa-webrtc-${name}` : join(folder, `${name}.sock`);
    this.#server.listen(address, () => {
      const record: InspectionRecord = { pid: process.pid, title: this.#title, address, secret: this.#secret };
      const path = join(folder, `${name}.json`);
      this.#files.push(path);
      try {
        writeFileSync(path, JSON.stringify(record), { mode: 0o600, flag: 'wx' });
      } catch (error) {
        this.#unavailable(error as Error);
      }
    });
    if (process.platform !== 'win32') this.#files.push(address);
    process.once('exit', this.#leave);
  }

  #unavailable(error: Error): void {
    const text = `the links of this program cannot be shown to "ossa-webrtc top": ${error.message}`;
    process.emitWarning(text, { code: VARIABLE });
  }

  close(): void {
    process.removeListener('exit', this.#leave);
    this.#server.close();
    for (const socket of this.#viewers) socket.destroy();
    this.#leave();
  }

  #admit(socket: Socket): void {
    socket.unref();
    // A viewer that goes away is no error of this program.
    socket.on('error', () => socket.destroy());
    if (this.#viewers.size >= MAX_VIEWERS) return void socket.destroy();
    this.#viewers.add(socket);
    const impatience = setTimeout(() => socket.destroy(), PATIENCE).unref();
    let told: NodeJS.Timeout | undefined;
    socket.on('close', () => {
      this.#viewers.delete(socket);
      clearTimeout(impatience);
      clearInterval(told);
    });
    let heard = Buffer.alloc(0);
    const hear = (data: Buffer) => {
      heard = Buffer.concat([heard, data.subarray(0, SECRET + 2)]);
      const end = heard.indexOf(0x0a);
      if (end < 0 && heard.length <= SECRET) return;
      socket.removeListener('data', hear);
      clearTimeout(impatience);
      const said = heard.subarray(0, Math.max(end, 0));
      if (said.length !== SECRET || !timingSafeEqual(said, Buffer.from(this.#secret))) return void socket.destroy();
      // Whatever else comes is of no interest, and not kept.
      socket.resume();
      void this.#tell(socket);
      told = setInterval(() => void this.#tell(socket), INTERVAL).unref();
    };
    socket.on('data', hear);
  }

  async #tell(socket: Socket): Promise<void> {
    // One snapshot waits for a viewer that does not read, and no more.
    if (socket.writableNeedDrain) return;
    const snapshot = await snapshotOf(this.agents, this.#title);
    if (!socket.destroyed) socket.write(`${JSON.stringify(snapshot)}\n`);
  }
}
