// Public keys as applications have them.
import type { KeyObject } from 'node:crypto';

/** A public key as JWK (RFC 7517). */
export interface PublicJwk {
  /** `'OKP'` (Ed25519), `'EC'` (P-256) or `'RSA'`. */
  kty: string;
  [member: string]: unknown;
}

/** A public key: JWK as object or JSON text, PEM (`PUBLIC KEY`), or a public `KeyObject` of `node:crypto`. */
export type PublicKeyInput = string | PublicJwk | KeyObject;
