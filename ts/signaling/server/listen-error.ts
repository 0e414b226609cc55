// Why a signaling server cannot listen: an error as `net.Server.listen` has them, which says what to do.
import { isIPv6 } from 'node:net';

import { refusalOf } from '../../base';

/** Of the commonest: why, and what to do. */
const WORDS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'something listens there already; end that, or take another port: 0 is any that is free',
  EACCES:
    'this user may not; take a port from 1024, or allow it (CAP_NET_BIND_SERVICE), or put a proxy in front of the server',
  EADDRNOTAVAIL:
    'this machine does not have that address; take one that it has, 127.0.0.1 for this machine only, or 0.0.0.0 or :: for all',
  EAFNOSUPPORT: 'this machine has no such addresses; take one of the other version of IP',
  ENOTFOUND: 'nobody knows that name; correct it, or give an IP address',
  EAI_AGAIN: 'the name servers do not answer; try again, or give an IP address',
};

/** Where a server was to listen; nothing if it is a part of another one. */
export interface Place {
  readonly host: string;
  readonly port: number;
}

/** What is thrown for `error`, which kept a server from listening: with Node's `code`, `errno`, `syscall`, `address` and `port`. */
export function listenError(error: unknown, place: Place | undefined): unknown {
  const refusal = refusalOf(error) ?? failedLookup(error);
  if (!refusal) return error;
  const { code, errno, text } = refusal;
  const syscall = 'syscall' in refusal ? refusal.syscall : 'listen';
  const why = `(${code}): ${WORDS[code] ?? text}`;
  if (!place) return Object.assign(new Error(`the signaling server cannot start ${why}`), { code, errno });
  const { host: address, port } = place;
  const where = `${isIPv6(address) ? `[${address}]` : address}:${port}`;
  const said = new Error(`the signaling server cannot listen on ${where} ${why}`);
  return Object.assign(said, { code, errno, syscall, address, port });
}

/** The error of `dns.lookup`, which has its names already. */
function failedLookup(error: unknown) {
  const { code, errno, syscall, message: text } = (error ?? {}) as NodeJS.ErrnoException;
  return syscall === 'getaddrinfo' && code !== undefined ? { code, errno, syscall, text } : undefined;
}
