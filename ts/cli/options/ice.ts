// STUN and TURN servers from the command line.
import { readFile } from 'node:fs/promises';

import type { RTCIceServer } from '../../index';
import { UsageError } from '../output';

/**
 * A server from `stun:host`, `turn:user:password@host:port?transport=tcp` or the same with `turns:`. The user name and
 * password are what `encodeURIComponent` makes of them where they hold `:`, `@`, `/` or `%`.
 *
 * @throws UsageError - It is none of these.
 */
export function iceServer(text: string): RTCIceServer {
  const [, scheme, user, password, rest] = /^(stuns?|turns?):(?:([^:@]*):([^@]*)@)?([^@]+)$/i.exec(text) ?? [];
  // The text is not repeated: it may hold a password.
  if (scheme === undefined || rest === undefined) {
    throw new UsageError('--ice takes stun:host[:port] or turn:user:password@host[:port][?transport=tcp]');
  }
  const urls = `${scheme}:${rest}`;
  if (/^turn/i.test(scheme) && user === undefined) {
    throw new UsageError(`--ice ${urls} needs a user name and a password: ${scheme}:user:password@${rest}`);
  }
  if (user === undefined) return { urls };
  try {
    return { urls, username: decodeURIComponent(user), credential: decodeURIComponent(password!) };
  } catch {
    throw new UsageError(`--ice ${urls}: a % in the user name or password must be written %25`);
  }
}

/**
 * All servers: those of options and those of a file with JSON.
 *
 * @throws UsageError - One of them is not a server.
 */
export async function iceServersOf(list: readonly string[], file: string | undefined): Promise<RTCIceServer[]> {
  const servers = list.map(iceServer);
  if (file === undefined) return servers;
  let parsed: unknown;
  try {
    parsed = JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    // The error of JSON.parse may quote a password.
    if (error instanceof SyntaxError) throw new UsageError(`${file} is not JSON`);
    throw error;
  }
  const found = Array.isArray(parsed) ? parsed : (parsed as { iceServers?: unknown } | null)?.iceServers;
  if (!Array.isArray(found)) throw new UsageError(`${file} must hold a list of servers, [{"urls": "turn:...", ...}]`);
  return [...servers, ...(found as RTCIceServer[])];
}
