// Lists of texts among the options of a server.
import { isIP } from 'node:net';

import { describe } from '../../base';

/** An array of texts that `check` accepts. */
export function checkTexts(value: unknown, what: string, check: (text: string) => boolean, wanted: string): string[] {
  if (!Array.isArray(value)) throw new TypeError(`${what} must be an array, not ${describe(value)}`);
  for (const text of value as unknown[]) {
    if (typeof text !== 'string' || !check(text))
      throw new TypeError(`${what} must hold ${wanted}, not ${describe(text)}`);
  }
  return [...(value as string[])];
}

/** An array of IP addresses and ranges. */
export function checkNetworks(value: unknown, what: string): string[] {
  return checkTexts(value, what, isNetwork, 'IP addresses and ranges such as "10.0.0.0/8"');
}

function isNetwork(text: string): boolean {
  const [address = '', prefix, ...rest] = text.split('/');
  const longest = { 0: -1, 4: 32, 6: 128 }[isIP(address)] ?? -1;
  return rest.length === 0 && longest > 0 && (prefix === undefined || (/^\d{1,3}$/.test(prefix) && +prefix <= longest));
}
