// Files that only their owner may read.
import { open } from 'node:fs/promises';

import { AgentError, replaceFile } from '../base';

/** Larger than anything that is kept in such a file. */
const LARGEST = 16 * 1024 * 1024;

/** Permissions of group and others, read and write. */
const OTHERS = 0o077;

/** Replaces a file that nobody but its owner can read. */
export function writeSecret(path: string, text: string): Promise<void> {
  return replaceFile(path, text, { mode: 0o600, sync: true });
}

/**
 * Reads a file that nobody but its owner can read.
 *
 * @throws AgentError - `UNAUTHORIZED`: others can.
 */
export async function readSecret(path: string): Promise<string> {
  const file = await open(path, 'r');
  try {
    // Of the file that is open, not of its name, which may mean another one by now.
    const { mode, size } = await file.stat();
    // Windows has access control lists instead; its mode says nothing.
    if (process.platform !== 'win32' && (mode & OTHERS) !== 0) {
      const octal = (mode & 0o777).toString(8).padStart(4, '0');
      const text = `${path} can be read or changed by others than its owner (mode ${octal}); run: chmod 600 ${path}`;
      throw new AgentError('UNAUTHORIZED', text);
    }
    if (size > LARGEST) throw new TypeError(`${path} has ${size} bytes; more than ${LARGEST} are not read`);
    return await file.readFile('utf8');
  } finally {
    await file.close();
  }
}
