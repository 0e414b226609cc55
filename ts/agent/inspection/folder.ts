// Where programs that may be inspected say so: a folder of the user's own, with a record for each.
import { chmodSync, lstatSync, mkdirSync, readFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';

/** How to reach a program. */
export interface InspectionRecord {
  readonly pid: number;
  /** What the program is called, for people. */
  readonly title: string;
  /** A Unix socket, or a named pipe of Windows. */
  readonly address: string;
  /** To be said first. The folder protects it; on Windows anybody may open a pipe. */
  readonly secret: string;
}

/** The largest record that is read, in bytes: a title and a path have a few hundred. */
const MAX_RECORD = 16_384;

/** The folder of this user: in `XDG_RUNTIME_DIR`, which goes with the session, or else below the temporary folder. */
export function inspectionFolder(env: NodeJS.ProcessEnv = process.env): string {
  if (process.platform === 'win32') return join(env['LOCALAPPDATA'] ?? homedir(), 'ossa-webrtc', 'inspect');
  const runtime = env['XDG_RUNTIME_DIR'];
  return runtime ? join(runtime, 'ossa-webrtc') : join(tmpdir(), `ossa-webrtc-${process.getuid!()}`);
}

/**
 * Makes the folder if it is not there.
 *
 * @throws Error - It cannot be made, or others could read what is in it or have put it there.
 */
export function makeFolder(folder: string): void {
  const made = mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (process.platform === 'win32') return;
  // A mask may have taken more away than it should.
  if (made !== undefined) chmodSync(folder, 0o700);
  checkFolder(folder);
}

/** @throws Error - There is no such folder, or not only this user can get into it. */
export function checkFolder(folder: string): void {
  if (process.platform === 'win32') return;
  const stats = lstatSync(folder);
  const mode = (stats.mode & 0o777).toString(8).padStart(3, '0');
  if (!stats.isDirectory()) throw new Error(`${folder} is not a folder; remove it`);
  if (stats.uid !== process.getuid!()) throw new Error(`${folder} belongs to another user (${stats.uid})`);
  if ((stats.mode & 0o077) !== 0) throw new Error(`${folder} is open to others (mode ${mode}); make it 700`);
}

/** @throws Error - It is not readable, or not a record. */
export function readRecord(path: string): InspectionRecord {
  const text = readFileSync(path, 'utf8');
  if (text.length > MAX_RECORD) throw new Error(`${path} is too long for a record`);
  const { pid, title, address, secret } = JSON.parse(text) as Record<string, unknown>;
  if (typeof pid !== 'number' || [title, address, secret].some((value) => typeof value !== 'string')) {
    throw new Error(`${path} is not a record of a program`);
  }
  return { pid, title: title as string, address: address as string, secret: secret as string };
}
