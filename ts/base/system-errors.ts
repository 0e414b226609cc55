// What the operating system refuses, in words for people and by the names that Node has for it.
import { getSystemErrorMap } from 'node:util';

/** What people can do about some, by Node's names. */
const ADVICE: Readonly<Record<string, string>> = {
  EMFILE: 'close some files and sockets of this process, or let it have more: ulimit -n',
  ENFILE: 'close some files and sockets of this machine, or let it have more: sysctl fs.file-max',
};

/** Node's name of an error with this number; the kinds that Rust knows on every system need no number. */
function nameOf(number: number): string | undefined {
  // Windows has numbers of its own, of which Rust leaves this one without a kind.
  if (process.platform === 'win32') return number === 10024 ? 'EMFILE' : undefined;
  return getSystemErrorMap().get(-number)?.[0];
}

/**
 * What Rust writes about an error of the system, without its number: that is another one on each system, and its text is there.
 * Instead it says what to do, where that is known.
 */
export function systemErrorInWords(text: string): string {
  return text.replace(/ \(os error (\d+)\)/g, (_, number: string) => {
    const advice = ADVICE[nameOf(Number(number)) ?? ''];
    return advice === undefined ? '' : ` (${advice})`;
  });
}

/** A refusal of the system by Node's names. */
export interface Refusal {
  /** `EADDRINUSE` for example. */
  readonly code: string;
  /** Node's number of it, if this system has one. */
  readonly errno: number | undefined;
  /** What the system says, and what to do about it if that is known. */
  readonly text: string;
}

/** What the core has been refused, if `error` says so; see `refused_by_system` in `src/base/agent_error.rs`. */
export function refusalOf(error: unknown): Refusal | undefined {
  const { code, message, details } = (error ?? {}) as { code: string; message: string; details?: unknown };
  if (typeof details !== 'object' || details === null || !('systemNumber' in details)) return undefined;
  const { systemNumber } = details as { systemNumber: number | null };
  const name = code === 'SYSTEM' ? (nameOf(systemNumber ?? 0) ?? 'UNKNOWN') : code;
  const errno = [...getSystemErrorMap()].find(([, [known]]) => known === name)?.[0];
  return { code: name, errno, text: systemErrorInWords(message) };
}
