// Public keys of other agents from the command line.
import { readFile } from 'node:fs/promises';

import { UsageError } from '../output';

/** The one-line form of a public key: the base64 text of its PEM. */
export function keyLine(pem: string): string {
  return pem.replace(/-----[^-]+-----|\s/g, '');
}

/**
 * Keys by agent URI, from `agent://host/path=<key>`. The key is JWK, PEM, the line that `keygen` prints, or a file with one
 * of these.
 *
 * @throws UsageError - It has another form.
 */
export async function trustedKeys(list: readonly string[]): Promise<Map<string, string[]>> {
  const keys = new Map<string, string[]>();
  for (const text of list) {
    const at = text.indexOf('=');
    if (at <= 0 || at === text.length - 1) {
      throw new UsageError(`--trust takes agent://name=KEY or agent://name=FILE, not "${text}"`);
    }
    const uri = text.slice(0, at);
    keys.set(uri, [...(keys.get(uri) ?? []), await publicKey(text.slice(at + 1))]);
  }
  return keys;
}

async function publicKey(text: string): Promise<string> {
  const direct = inline(text);
  if (direct !== undefined) return direct;
  let content: string;
  try {
    content = (await readFile(text, 'utf8')).trim();
  } catch (error) {
    throw new UsageError(
      `--trust: "${text}" is neither a public key nor a file that can be read (${(error as Error).message})`,
    );
  }
  if (/PRIVATE KEY/.test(content)) throw new UsageError(`--trust: ${text} holds a private key; give the public one`);
  return inline(content) ?? content;
}

/** All public keys in DER begin with the tag of a sequence, which is an M in base64. */
function inline(text: string): string | undefined {
  if (text.startsWith('{') || text.includes('-----BEGIN ')) return text;
  if (!/^M[A-Za-z0-9+/]{50,}={0,2}$/.test(text)) return undefined;
  return `-----BEGIN PUBLIC KEY-----\n${text.match(/.{1,64}/g)!.join('\n')}\n-----END PUBLIC KEY-----\n`;
}
