import type { NativeFingerprint } from './types';

/** A DTLS certificate with its private key, which stays in the core. */
export declare class NativeCertificate {
  /** Generates an ECDSA P-256 certificate. `expires`: milliseconds from now; default 30 days, at most 1 year. */
  static generate(options?: { expires?: number }): NativeCertificate;
  /** Takes a certificate and its private key (PKCS#8) in PEM. */
  static fromPEM(certificate: string, privateKey: string): NativeCertificate;
  /** Of the certificate: `sha-256`, and what else the core computes. */
  readonly fingerprints: NativeFingerprint[];
  /** Moment of expiry, in milliseconds since the Unix epoch. */
  readonly expires: number;
  /** The certificate in DER. */
  readonly der: ArrayBuffer;
  /** Certificate and private key in PEM. Keep the latter secret. */
  toPEM(): { certificate: string; privateKey: string };
}
