// What is known about each connection set-up: who signed what for which certificate.
import { createHash } from 'node:crypto';

import type { AuthHow } from '../../identity';
import type { RTCPeerConnection } from '../../w3c';

/**
 * Set-ups that are remembered. One is needed from the offer until DTLS is done, so this is far more than can be under way;
 * at the bound the oldest goes, and a connection whose set-up is gone is refused where authentication is required.
 */
const MAX_SET_UPS = 16_384;

/** What a message has shown about its sender. */
export interface Shown {
  readonly authenticated: boolean;
  readonly how: AuthHow;
  /** Name of the token. */
  readonly jti: string | undefined;
  /** Certificates that were signed, `sha-256 AB:...`; none where nothing was. */
  readonly fingerprints: readonly string[] | undefined;
  /** A key to remember when the connection stands: trust on first use. */
  readonly remember: string | undefined;
}

/** One connection set-up. */
export interface SetUp {
  /** `jti` of our last offer: the answer has to name it. */
  ours?: string;
  /** `jti` of their last offer: our answer names it. */
  theirs?: string;
  /** What their last message has shown. */
  shown?: Shown;
}

/** Set-ups by remote agent and session. */
export class SetUps {
  readonly #byName = new Map<string, SetUp>();
  /** The last set-up that each agent was offered, for answers that do not name theirs. */
  readonly #offered = new Map<string, SetUp>();

  /** The set-up of this name, a new one if there is none. An agent URI has no space, so names do not collide. */
  at(remote: string, sessionId: string | undefined): SetUp {
    const name = `${remote} ${sessionId ?? ''}`;
    const setUp = this.#byName.get(name) ?? {};
    put(this.#byName, name, setUp);
    return setUp;
  }

  /** The set-up that an answer belongs to, if there is one. */
  answered(remote: string, sessionId: string | undefined): SetUp | undefined {
    return sessionId === undefined ? this.#offered.get(remote) : this.get(remote, sessionId);
  }

  /** An own offer went out. */
  offered(remote: string, setUp: SetUp): void {
    put(this.#offered, remote, setUp);
  }

  /** The set-up of this name, if there is one. */
  get(remote: string, sessionId: string | undefined): SetUp | undefined {
    return this.#byName.get(`${remote} ${sessionId ?? ''}`);
  }
}

/** Puts an entry at the end, and drops the oldest where there are too many. */
function put(map: Map<string, SetUp>, name: string, setUp: SetUp): void {
  map.delete(name);
  map.set(name, setUp);
  if (map.size <= MAX_SET_UPS) return;
  const [oldest] = map.keys();
  if (oldest !== undefined) map.delete(oldest);
}

/** The certificate that the other side has proven to hold in the DTLS handshake, DER. */
export function remoteCertificate(connection: RTCPeerConnection): Uint8Array | undefined {
  const [certificate] = connection.sctp?.transport.getRemoteCertificates() ?? [];
  return certificate && new Uint8Array(certificate);
}

/** A fingerprint as in SDP, `sha-256 AB:CD:...`. */
export function fingerprintOf(certificate: Uint8Array, algorithm = 'sha-256'): string {
  const digits = createHash(algorithm.replace('-', '')).update(certificate).digest('hex').toUpperCase();
  return `${algorithm} ${digits.match(/../g)!.join(':')}`;
}

/** Whether a certificate is one of those that were signed (RFC 8122, 5: one match is enough). */
export function matches(certificate: Uint8Array, fingerprints: readonly string[]): boolean {
  return fingerprints.some((fingerprint) => {
    const [algorithm = ''] = fingerprint.split(' ');
    return fingerprintOf(certificate, algorithm) === fingerprint;
  });
}
