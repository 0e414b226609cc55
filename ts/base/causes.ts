// What stands in the way of a connection, as data.
/** What kind of thing stands in the way of a connection. Stable, for programs. */
export type ConnectCauseKind =
  /** A STUN or TURN server answers that it does not help: `code` says with what. */
  | 'server-refused'
  /** Nothing of use came from a server. */
  | 'server-unreachable'
  /** The name of a server has no address. */
  | 'server-name-not-found'
  /** The certificate of a server is not trusted, or is for another name. */
  | 'server-untrusted'
  /** This machine itself, or the configuration: no file descriptors, no addresses, a server without a password. */
  | 'local'
  /** Only relayed candidates may be used, and no TURN server is configured. */
  | 'no-relay'
  /** This side has no candidate. */
  | 'no-candidates'
  /** The other side has told of no candidate. */
  | 'no-remote-candidates'
  /** The candidates of the other side are names (`.local`) that were not found. */
  | 'names-not-found'
  /** One side has IPv4 only, the other IPv6 only. */
  | 'no-common-family'
  /** Connectivity checks were sent, and nothing came back. */
  | 'checks-unanswered'
  /** The other side's checks come in, but none of this side's is answered. */
  | 'checks-one-way'
  /** Checks are answered, but no pair was chosen. */
  | 'no-pair-chosen'
  /** There was a path, and the other side does not answer on it any more. */
  | 'path-lost'
  /** ICE has a path, but DTLS has failed. */
  | 'dtls-failed'
  /** ICE has a path, but DTLS is not ready. */
  | 'dtls-unfinished'
  /** DTLS is ready, but the association for the channels is not. */
  | 'sctp-unfinished'
  /** Audio or video was negotiated and can't flow; data is not concerned. */
  | 'media-refused'
  /** Agents only: this side has no signaling service at the moment. */
  | 'signaling'
  /** Agents only: nothing has come from the other agent. */
  | 'unanswered';

/** Number of candidates of one side, by type. */
export interface CandidateCounts {
  readonly host: number;
  readonly srflx: number;
  readonly relay: number;
  /** How many of them all are private, link-local or loopback: they lead nowhere from outside of their network. */
  readonly inner: number;
}

/** One thing that stands, or stood, in the way. */
export interface ConnectCause {
  readonly kind: ConnectCauseKind;
  /** What a STUN or TURN server answered (RFC 8489, RFC 8656: 300 to 699); 701: it was not reached, or this machine failed; else 0. */
  readonly code: number;
  /** In words. */
  readonly text: string;
  /** The server. */
  readonly url?: string;
  /** What to do about it, in words. */
  readonly todo?: string;
  /** The candidates of this side, where they matter. */
  readonly local?: CandidateCounts;
  /** Those that the other side has told of. */
  readonly remote?: CandidateCounts;
  /** Connectivity checks (RFC 8445) that were sent. */
  readonly checksSent?: number;
  /** Checks of the other side that came in. */
  readonly checksReceived?: number;
}
