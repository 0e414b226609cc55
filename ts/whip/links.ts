// `Link` headers with the relation `ice-server` (RFC 9725 4.6, RFC 8288).
import type { RTCIceServer } from '../w3c';

/** More than a few slow gathering down. */
const MAX_SERVERS = 16;

const SCHEMES = /^(stuns?|turns?):/i;

/** The servers for ICE that an answer names; others that it links to are left out. */
export function iceServersOf(header: string | null): RTCIceServer[] {
  const servers: RTCIceServer[] = [];
  for (const [, url, rest] of (header ?? '').matchAll(
    /<([^>]*)>((?:\s*;\s*[^\s=;,]+\s*(?:=\s*(?:"(?:\\.|[^"\\])*"|[^\s",;]*))?)*)/g,
  )) {
    const parameters = parametersOf(rest!);
    const relations = (parameters.get('rel') ?? '').toLowerCase().split(/\s+/);
    if (!relations.includes('ice-server') || !SCHEMES.test(url!) || servers.length === MAX_SERVERS) continue;
    const [username, credential] = [parameters.get('username'), parameters.get('credential')];
    servers.push({
      urls: url!,
      ...(username !== undefined && { username }),
      ...(credential !== undefined && { credential }),
    });
  }
  return servers;
}

function parametersOf(text: string): Map<string, string> {
  const parameters = new Map<string, string>();
  for (const [, name, quoted, plain] of text.matchAll(
    /;\s*([^\s=;,]+)\s*(?:=\s*(?:"((?:\\.|[^"\\])*)"|([^\s",;]*)))?/g,
  )) {
    const key = name!.toLowerCase();
    // The first counts (RFC 8288 3.3).
    if (!parameters.has(key)) parameters.set(key, quoted?.replaceAll(/\\(.)/g, '$1') ?? plain ?? '');
  }
  return parameters;
}
