import { access } from 'node:fs/promises';

import type { AgentKeyAlgorithm, AgentKeys } from '../../index';
import { keyLine } from '../options';
import { Failure } from '../output';
import { defineCommand } from '../parsing';

export const keygen = defineCommand({
  name: 'keygen',
  summary: 'Make keys that prove the name of an agent',
  description:
    'Makes a key pair for an agent and writes it to a file that only you can read. Prints the public key on one line: give ' +
    'it to the other agents, which name it with --trust. Keep the file secret: whoever has it can act as this agent.',
  positionals: [{ name: 'file' }],
  options: {
    algorithm: {
      type: 'text',
      short: 'a',
      choices: ['ES256', 'EdDSA', 'RS256'],
      default: 'ES256',
      help: 'ES256 is understood everywhere; EdDSA is Ed25519; RS256 is RSA with 3,072 bits.',
    },
    kid: { type: 'text', value: '<name>', help: 'Names the key in tokens. Without it: its thumbprint.' },
    force: { type: 'flag', short: 'f', help: 'Replace the file if it is there.' },
    show: { type: 'flag', help: 'Make nothing: print the public key of the keys in the file.' },
    pem: { type: 'flag', help: 'Print the public key as PEM.' },
    jwk: { type: 'flag', help: 'Print the public key as JWK, as it belongs into a published key set.' },
  },
  examples: [
    ['keygen billing.key', 'Keys for an agent'],
    ['keygen --show --pem billing.key > billing.pem', 'The public key as a file'],
  ],
  async run({ values, positionals, out }) {
    const path = positionals[0]!;
    const { generateAgentKeys, loadAgentKeys, saveAgentKeys } = await import('../../index.js');
    let keys: AgentKeys;
    if (values.show) {
      keys = await loadAgentKeys(path);
    } else {
      if (!values.force && (await exists(path))) {
        throw new Failure(`${path} is there already; --force replaces it, --show prints its public key`, 1, 'EEXIST');
      }
      keys = await generateAgentKeys({ algorithm: values.algorithm as AgentKeyAlgorithm, kid: values.kid });
      await saveAgentKeys(path, keys);
      out.info(`${path}: ${keys.algorithm}, kid ${keys.kid}`);
    }
    const { algorithm, kid, publicKey, publicJwk } = keys;
    const line = keyLine(publicKey);
    const text = values.jwk ? JSON.stringify(publicJwk) : values.pem ? publicKey.trimEnd() : line;
    out.result({ type: 'keys', path, algorithm, kid, publicKey: line, jwk: publicJwk }, text);
  },
});

async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch {
    return false;
  }
}
