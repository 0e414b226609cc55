// What a peer learns of the agents that turn up.
import type { AuthHow } from '../../identity';

/** Who is at the other end of a link. */
export interface RemoteAgent {
  /** Its URI. */
  readonly agentId: string;
  /**
   * Whether a key that is known as that agent's has signed the certificate of this connection. With `'tofu'` it is false
   * at the first contact: there was nothing to compare with.
   */
  readonly authenticated: boolean;
  /** How that was established; `'none'` also while a link is being made. */
  readonly how: AuthHow;
  /** Fingerprint of the certificate in use, `sha-256 AB:CD:...`; there once the link is open. */
  readonly fingerprint?: string;
}

/** An offer or answer that was refused. */
export interface Refused {
  /** The sender that the message names; it may be another in truth. */
  readonly agentId: string;
  /** What was refused. */
  readonly type: 'offer' | 'answer';
  /** Stable name of the reason, for example `'signature-invalid'`; see docs/security.md. */
  readonly reason: string;
  /** The reason in words. */
  readonly message: string;
}
