import { isIPv6 } from 'node:net';
import { URL } from 'node:url';

/** Schemes of RFC 7064 and RFC 7065. */
export type IceServerScheme = 'stun' | 'stuns' | 'turn' | 'turns';

const SYNTAX = /^(stuns?|turns?):(\[[^\]]*\]|[^\]:/?#@[]*)(?::(\d*))?(?:\?transport=([^?#]*))?$/i;
/** What the URL parser takes away: white space and control characters around, tabs and line ends anywhere. */
const NOISE = /^[\0- ]+|[\0- ]+$|[\t\n\r]/g;

/** A server URL that is in order. */
interface IceServerUrl {
  scheme: IceServerScheme;
  /** Without what the URL parser takes away, with the host in ASCII. */
  normalized: string;
}

/**
 * Checks a server URL against its grammar, and reads it as the URL parser does ("validate an ICE server URL", webrtc-pc 4.4.1.6):
 * it may come from a line of a file, and its host may be an international name.
 * @throws DOMException `SyntaxError`, with the reason.
 */
export function parseIceServerUrl(url: string): IceServerUrl {
  const match = SYNTAX.exec(url.replace(NOISE, ''));
  if (!match)
    return invalid(url, 'it is not of the form scheme:host[:port][?transport=udp|tcp] with stun, stuns, turn or turns');
  const [, scheme, host, port, transport] = match as unknown as [string, string, string, string?, string?];
  const ascii = toAscii(host);
  if (ascii === undefined) invalid(url, `'${host}' is not a host name or an IP address (IPv6 goes in brackets)`);
  if (port !== undefined && !(port !== '' && Number(port) <= 65_535)) invalid(url, `'${port}' is not a port`);
  const lower = { scheme: scheme.toLowerCase() as IceServerScheme, transport: transport?.toLowerCase() };
  // RFC 7064 knows no transport, but browsers took it until 2023, and libraries of that time have it in their defaults. This one says what is so anyway.
  const redundant = lower.scheme === 'stun' && lower.transport === 'udp';
  if (transport !== undefined && !redundant) {
    if (lower.scheme.startsWith('stun')) invalid(url, 'a STUN URL has no transport parameter');
    if (!['udp', 'tcp'].includes(lower.transport!)) invalid(url, `the transport '${transport}' is unknown`);
  }
  const normalized = [
    `${lower.scheme}:${ascii}`,
    port === undefined ? '' : `:${port}`,
    transport === undefined || redundant ? '' : `?transport=${lower.transport}`,
  ].join('');
  return { scheme: lower.scheme, normalized };
}

/** The host as the URL parser understands it: names in Punycode, escapes resolved, what ends in a number is an IPv4 address. */
function toAscii(host: string): string | undefined {
  if (host.startsWith('[')) return isIPv6(host.slice(1, -1)) ? host : undefined;
  const url = `https://${host}/`;
  // A character that ends the host would begin something else.
  if (host === '' || !URL.canParse(url)) return undefined;
  const { hostname, pathname, username } = new URL(url);
  return pathname === '/' && username === '' ? hostname : undefined;
}

function invalid(url: string, reason: string): never {
  throw new DOMException(`'${url}' is not a valid ICE server URL: ${reason}`, 'SyntaxError');
}
