import { DOMException } from '../../platform';
import { NativeCertificate } from '../../native';
import {
  constructible,
  dictionary,
  DOMString,
  exposeInterface,
  illegalConstructor,
  isObject,
  unsignedLongLongEnforceRange,
} from '../../webidl';
import { nativeCall } from '../events';

/** A certificate's fingerprint, as in the `a=fingerprint` line (RFC 8122). */
export interface RTCDtlsFingerprint {
  /** Hash function, for example `sha-256`. */
  algorithm: string;
  /** Lower-case hex, separated by colons. */
  value: string;
}

/** How long a new certificate is valid. */
export interface RTCCertificateExpiration {
  /** Milliseconds from now. Default: 30 days; at most 365 days. */
  expires?: number;
}

/** Which key to generate: an algorithm name, or an object with its parameters (Web Cryptography API). */
export type RTCCertificateAlgorithm = string | ({ name: string; namedCurve?: string } & RTCCertificateExpiration);

const convertExpiration = dictionary<RTCCertificateExpiration>('RTCCertificateExpiration', {
  expires: { type: unsignedLongLongEnforceRange },
});
const convertAlgorithm = dictionary<{ name: string }>('Algorithm', { name: { type: DOMString, required: true } });
const convertEcKeyGenParams = dictionary<{ namedCurve: string }>('EcKeyGenParams', {
  namedCurve: { type: DOMString, required: true },
});

const DEFAULT_LIFETIME_MS = 30 * 24 * 60 * 60 * 1000;
/** webrtc-pc 4.9: user agents may cap the lifetime; a year is its recommendation. */
const MAX_LIFETIME_MS = 365 * 24 * 60 * 60 * 1000;

let createCertificate: (native: NativeCertificate) => RTCCertificate;
/** The core's certificate behind the object that script has. */
export let nativeCertificateOf: (certificate: RTCCertificate) => NativeCertificate;
/** Brand check of {@link RTCCertificate}. */
export let isCertificate: (value: unknown) => value is RTCCertificate;

/** A certificate that a connection authenticates itself with (webrtc-pc 4.9.2). */
export class RTCCertificate {
  readonly #native: NativeCertificate;

  private constructor(...args: unknown[]) {
    illegalConstructor(args[0], 'RTCCertificate');
    this.#native = args[1] as NativeCertificate;
  }

  /** Moment of expiry, in milliseconds since the Unix epoch; a connection does not take it afterwards. */
  get expires(): number {
    return this.#native.expires;
  }
  /** The fingerprints, one of them by the hash function of its signature. */
  getFingerprints(): RTCDtlsFingerprint[] {
    return this.#native.fingerprints.map(({ algorithm, value }) => ({ algorithm, value: value.toLowerCase() }));
  }

  static {
    createCertificate = (native) => new RTCCertificate(constructible, native);
    nativeCertificateOf = (certificate) => certificate.#native;
    isCertificate = (value): value is RTCCertificate => typeof value === 'object' && value !== null && #native in value;
  }
}

exposeInterface(RTCCertificate, 'RTCCertificate');

/**
 * Checks an algorithm and returns the lifetime of the certificate, in milliseconds (webrtc-pc 4.9, generateCertificate).
 * @throws TypeError for a malformed algorithm.
 * @throws DOMException `NotSupportedError` for one that we cannot generate.
 */
export function checkKeygenAlgorithm(algorithm: unknown): number {
  let lifetime = DEFAULT_LIFETIME_MS;
  if (isObject(algorithm)) {
    const { expires } = convertExpiration(algorithm, 'keygenAlgorithm');
    lifetime = Math.min(expires ?? DEFAULT_LIFETIME_MS, MAX_LIFETIME_MS);
  }
  const parameters = isObject(algorithm) ? algorithm : { name: DOMString(algorithm, 'keygenAlgorithm') };
  const { name } = convertAlgorithm(parameters, 'keygenAlgorithm');
  if (name.toUpperCase() !== 'ECDSA') {
    throw notSupported(`certificates with ${name} keys are not supported; use { name: 'ECDSA', namedCurve: 'P-256' }`);
  }
  const { namedCurve } = convertEcKeyGenParams(parameters, 'keygenAlgorithm');
  if (namedCurve !== 'P-256') throw notSupported(`the curve '${namedCurve}' is not supported; use 'P-256'`);
  return lifetime;
}

function notSupported(message: string): DOMException {
  return new DOMException(message, 'NotSupportedError');
}

/** Generates an ECDSA P-256 certificate that is valid for `lifetime` milliseconds. */
export function generateCertificate(lifetime: number): RTCCertificate {
  return createCertificate(nativeCall(() => NativeCertificate.generate({ expires: lifetime })));
}

/**
 * Makes a certificate out of PEM, to keep an identity across runs. Not part of W3C's API.
 * @param certificate the certificate, PEM.
 * @param privateKey its ECDSA key on P-256 or P-384, PEM (PKCS#8 or SEC1).
 * @throws DOMException `DataError` if something is missing, malformed or does not belong together; `NotSupportedError` for
 * other kinds of keys, RSA among them, and for encrypted ones.
 */
export function certificateFromPEM(certificate: string, privateKey: string): RTCCertificate {
  return createCertificate(nativeCall(() => NativeCertificate.fromPEM(certificate, privateKey)));
}

/** Certificate and private key as PEM; keep the latter secret. Not part of W3C's API. */
export function certificateToPEM(certificate: RTCCertificate): { certificate: string; privateKey: string } {
  return nativeCertificateOf(certificate).toPEM();
}
