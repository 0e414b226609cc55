// The own keys of an agent, and public keys of others in whatever form they come.
import { createPrivateKey, createPublicKey, generateKeyPair, KeyObject, type JsonWebKey } from 'node:crypto';
import { promisify } from 'node:util';

import { AgentError, checkMembers, checkName, nativeAgentCall } from '../base';
import { binding } from '../native';
import type { PublicJwk, PublicKeyInput } from './public-key';
import { readSecret, writeSecret } from './secret-file';

/** Algorithms of tokens. */
export type AgentKeyAlgorithm = 'ES256' | 'EdDSA' | 'RS256';

/** Options of {@link generateAgentKeys}. */
export interface GenerateAgentKeysOptions {
  /**
   * Default: `'ES256'` (ECDSA on P-256), which every JWT library and every browser verifies. `'EdDSA'` is Ed25519,
   * `'RS256'` is RSA with 3,072 bits, whose tokens are larger.
   */
  algorithm?: AgentKeyAlgorithm;
  /** Names the key in tokens. Default: its thumbprint (RFC 7638). */
  kid?: string;
}

/** How each algorithm's key pair is made. RSA: 3,072 bits are what NIST asks for beyond 2030. */
const GENERATE: Record<AgentKeyAlgorithm, () => Promise<{ privateKey: KeyObject }>> = {
  ES256: () => promisify(generateKeyPair)('ec', { namedCurve: 'P-256' }),
  EdDSA: () => promisify(generateKeyPair)('ed25519'),
  RS256: () => promisify(generateKeyPair)('rsa', { modulusLength: 3072 }),
};

/** The key pair of an agent. Printing or serializing it shows the public part only. */
export class AgentKeys {
  /** How tokens are signed with it. */
  readonly algorithm: AgentKeyAlgorithm;
  /** Names the key in tokens. */
  readonly kid: string;
  /** The public key, PEM: what the other agents pin. */
  readonly publicKey: string;
  readonly #private: KeyObject;

  /**
   * From a private key of your own: a `KeyObject`, PEM or JWK. {@link generateAgentKeys} makes a new one.
   *
   * @throws TypeError - It is not a private key of a kind that is supported.
   */
  constructor(privateKey: KeyObject | string | JsonWebKey, options: { kid?: string } = {}) {
    checkMembers(options, 'the options of AgentKeys', ['kid']);
    this.#private = privateKeyOf(privateKey);
    const { algorithm, pem, thumbprint } = native(() => binding.agentPrivateKey(this.exportPrivateKey()));
    this.algorithm = algorithm as AgentKeyAlgorithm;
    this.kid = options.kid === undefined ? thumbprint : checkName(options.kid, 'kid');
    if (this.kid.length > 512) throw new TypeError('a kid has at most 512 characters');
    this.publicKey = pem;
  }

  /** The public key as JWK, with its `kid`, `alg` and `use`: what belongs into a published key set. */
  get publicJwk(): PublicJwk {
    const jwk = JSON.parse(native(() => binding.agentPublicKey(this.publicKey)).jwk) as PublicJwk;
    return { ...jwk, kid: this.kid, alg: this.algorithm, use: 'sig' };
  }

  /** The private key, PEM (PKCS#8). Whoever has it can act as this agent. */
  exportPrivateKey(): string {
    return this.#private.export({ type: 'pkcs8', format: 'pem' }) as string;
  }
}

/** Makes a key pair for an agent. */
export async function generateAgentKeys(options: GenerateAgentKeysOptions = {}): Promise<AgentKeys> {
  checkMembers(options, 'the options of generateAgentKeys', ['algorithm', 'kid']);
  const { algorithm = 'ES256', kid } = options;
  if (!Object.hasOwn(GENERATE, algorithm)) {
    throw new TypeError(`algorithm must be 'ES256', 'EdDSA' or 'RS256', not ${JSON.stringify(algorithm)}`);
  }
  return new AgentKeys((await GENERATE[algorithm]()).privateKey, { kid });
}

/**
 * Writes keys to a file that only its owner can read (mode 0600), at once as a whole: PEM, with the `kid` in a line above.
 *
 * @throws Error - of `node:fs`, if the file cannot be written.
 */
export async function saveAgentKeys(path: string, keys: AgentKeys): Promise<void> {
  if (!(keys instanceof AgentKeys)) throw new TypeError('saveAgentKeys takes the keys that generateAgentKeys makes');
  await writeSecret(path, `kid: ${JSON.stringify(keys.kid)}\n${keys.exportPrivateKey()}`);
}

/**
 * Reads keys that {@link saveAgentKeys} has written, or any private key in PEM without a passphrase.
 *
 * @throws AgentError - `UNAUTHORIZED` if others than the owner can read the file.
 * @throws TypeError - It holds no private key that is supported.
 * @throws Error - of `node:fs`, for example with the code `ENOENT`.
 */
export async function loadAgentKeys(path: string): Promise<AgentKeys> {
  const text = await readSecret(path);
  const begin = text.indexOf('-----BEGIN ');
  const kid = /^kid: (".*")$/m.exec(text.slice(0, Math.max(begin, 0)))?.[1];
  try {
    return new AgentKeys(text.slice(Math.max(begin, 0)), kid === undefined ? {} : { kid: JSON.parse(kid) as string });
  } catch (error) {
    if (error instanceof TypeError) throw new TypeError(`${path}: ${error.message}`, { cause: error });
    // eslint-disable-next-line preserve-caught-error -- errors of JSON.parse quote the text
    throw new TypeError(`${path} cannot be read as the keys of an agent`);
  }
}

function privateKeyOf(key: unknown): KeyObject {
  let object: KeyObject;
  try {
    if (key instanceof KeyObject) object = key;
    else if (typeof key === 'string') object = createPrivateKey(key);
    else object = createPrivateKey({ key: key as JsonWebKey, format: 'jwk' });
  } catch {
    // The error of OpenSSL may say more about the key than a log should hold.
    throw new TypeError('this is not a private key: give a KeyObject, PEM without a passphrase, or a JWK');
  }
  if (object.type !== 'private')
    throw new TypeError(`the keys of an agent need a private key, not a ${object.type} one`);
  return object;
}

/**
 * The text of a public key for the core: PEM.
 *
 * @throws TypeError - It is not a public key that is supported.
 */
export function publicKeyText(key: PublicKeyInput): string {
  return native(() => binding.agentPublicKey(textOf(key))).pem;
}

function textOf(key: unknown): string {
  if (typeof key === 'string') return key;
  if (key instanceof KeyObject) {
    if (key.type === 'secret') throw new TypeError('a shared secret is not a public key');
    const object = key.type === 'private' ? createPublicKey(key) : key;
    return object.export({ type: 'spki', format: 'pem' }) as string;
  }
  if (typeof key === 'object' && key !== null) return JSON.stringify(key);
  throw new TypeError('a public key is a JWK, PEM or a KeyObject');
}

/** Wrong keys are wrong arguments. The core's errors never quote the key. */
function native<T>(call: () => T): T {
  try {
    return nativeAgentCall(call);
  } catch (error) {
    if (error instanceof AgentError) throw new TypeError(error.message, { cause: error });
    throw error;
  }
}
