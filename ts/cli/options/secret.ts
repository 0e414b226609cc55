import { readFile } from 'node:fs/promises';

import { UsageError } from '../output';

/**
 * A secret from a file, or from an environment variable; the command line is no place for one. Nothing if neither is there.
 *
 * @throws UsageError - Both are given, or the file is empty.
 */
export async function secretOf(
  variable: string,
  file: string | undefined,
  env: NodeJS.ProcessEnv = process.env,
): Promise<string | undefined> {
  // An empty variable is how many tools say that there is none.
  const direct = env[variable] === '' ? undefined : env[variable];
  if (file === undefined) return direct;
  if (direct !== undefined) throw new UsageError(`${variable} and ${variable}_FILE (or its option) exclude each other`);
  const text = (await readFile(file, 'utf8')).trim();
  if (text === '') throw new UsageError(`${file} is empty`);
  return text;
}
