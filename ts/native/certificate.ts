import { binding } from './loader';
import type { Certificate } from './binding';
import { guard } from './error';
import type { NativeFingerprint } from './types';

/** W3C recommends 30 days for certificates that nobody has given a time. */
const DEFAULT_LIFETIME_MS = 30 * 24 * 60 * 60 * 1000;

/** A DTLS certificate with its private key, which stays in the core. */
export class NativeCertificate {
  /** @internal */
  readonly handle: Certificate;

  private constructor(handle: Certificate) {
    this.handle = handle;
  }

  /** Generates an ECDSA P-256 certificate. `expires`: milliseconds from now; default 30 days, at most 1 year. */
  static generate(options: { expires?: number } = {}): NativeCertificate {
    return new NativeCertificate(guard(() => binding.Certificate.generate(options.expires ?? DEFAULT_LIFETIME_MS)));
  }

  /** Takes a certificate and its private key (PKCS#8 or SEC1) in PEM; ECDSA with P-256 or P-384. */
  static fromPEM(certificate: string, privateKey: string): NativeCertificate {
    return new NativeCertificate(guard(() => binding.Certificate.fromPem(certificate, privateKey)));
  }

  /** SHA-256 of the certificate. */
  get fingerprints(): NativeFingerprint[] {
    return guard(() => this.handle.fingerprints());
  }

  /** Moment of expiry, in milliseconds since the Unix epoch. */
  get expires(): number {
    return guard(() => this.handle.expires());
  }

  /** The certificate in DER. */
  get der(): ArrayBuffer {
    const der = guard(() => this.handle.der());
    return der.buffer.slice(der.byteOffset, der.byteOffset + der.byteLength) as ArrayBuffer;
  }

  /** Certificate and private key in PEM. Keep the latter secret. */
  toPEM(): { certificate: string; privateKey: string } {
    return guard(() => this.handle.toPem());
  }
}
