// Files that are replaced as a whole.
import { randomUUID } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';

/** How a file is written. */
export interface ReplaceOptions {
  /** Permissions, as far as the process' mask allows them. Default: 0o666. */
  mode?: number;
  /** Waits until the content is on the disk. Default: false. */
  sync?: boolean;
}

/** Replaces a file: whoever reads it meanwhile, or after a crash of this process, finds the old content or the new. */
export async function replaceFile(path: string, text: string, options: ReplaceOptions = {}): Promise<void> {
  const temporary = `${path}.${randomUUID()}.tmp`;
  // `wx`: never through a link that somebody has put there.
  const file = await open(temporary, 'wx', options.mode);
  try {
    try {
      await file.writeFile(text);
      if (options.sync) await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}
