import { isIPv4, isIPv6 } from 'node:net';

/** Schemes of RFC 7064 and RFC 7065. */
export type IceServerScheme = 'stun' | 'stuns' | 'turn' | 'turns';

const SYNTAX = /^(stuns?|turns?):(\[[^\]]*\]|[^\]:/?#@[]*)(?::(\d*))?(?:\?transport=([^?#]*))?$/i;
/** reg-name of RFC 3986. */
const REG_NAME = /^(?:[A-Za-z0-9\-._~!$&'()*+,;=]|%[0-9A-Fa-f]{2})+$/;

/**
 * Checks a server URL against its grammar and returns the scheme.
 * @throws DOMException `SyntaxError`, with the reason.
 */
export function checkIceServerUrl(url: string): IceServerScheme {
  const match = SYNTAX.exec(url);
  if (!match)
    return invalid(url, 'it is not of the form scheme:host[:port][?transport=udp|tcp] with stun, stuns, turn or turns');
  const [, scheme, host, port, transport] = match as unknown as [string, string, string, string?, string?];
  if (!isHost(host)) invalid(url, `'${host}' is not a host name or an IP address (IPv6 goes in brackets)`);
  if (port !== undefined && !(port !== '' && Number(port) <= 65_535)) invalid(url, `'${port}' is not a port`);
  if (transport !== undefined) {
    if (scheme.toLowerCase().startsWith('stun')) invalid(url, 'a STUN URL has no transport parameter');
    if (!['udp', 'tcp'].includes(transport.toLowerCase())) invalid(url, `the transport '${transport}' is unknown`);
  }
  return scheme.toLowerCase() as IceServerScheme;
}

function isHost(host: string): boolean {
  if (host.startsWith('[')) return isIPv6(host.slice(1, -1));
  return isIPv4(host) || REG_NAME.test(host);
}

function invalid(url: string, reason: string): never {
  throw new DOMException(`'${url}' is not a valid ICE server URL: ${reason}`, 'SyntaxError');
}
