// Names of connection set-ups. A link's first one is a UUID; each new connection of the same link appends a higher
// number: `<uuid>~1`. Peers that echo the name, as the specification wants it, need not understand it.
import { sdpOf, type SignalingMessage } from '../../signaling';

const RENEWED = /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})~([1-9]\d{0,8})$/i;

/** What an offer is to a link that there is. */
export type Relation =
  /** It changes the link's present connection. */
  | 'renegotiation'
  /** It brings a new connection for the same link. */
  | 'redial'
  /** It is older than what the link has. */
  | 'stale'
  /** It begins another link: the other program has started anew, or has given the link up. */
  | 'anew';

/** The name of the link in the name of a set-up, and the number of the set-up. */
export function parseSessionId(id: string): { link: string; number: number } {
  const [, link, number] = RENEWED.exec(id) ?? [];
  return link === undefined ? { link: id, number: 0 } : { link, number: Number(number) };
}

/** The name of a further set-up of the same link. */
export function renewedSessionId(id: string, number: number): string {
  return `${parseSessionId(id).link}~${number}`;
}

/**
 * Whether two descriptions of one side belong to the same connection: the certificate is the same, and so is the session
 * in the `o=` line (RFC 9429, 5.2.2), or at least the ICE user name. A program that was started anew has others.
 */
export function sameConnection(before: string | undefined, after: string): boolean {
  if (!before) return false;
  const same = (pattern: RegExp) => {
    const [one, other] = [before, after].map((sdp) => pattern.exec(sdp)?.[1]?.trim());
    return one !== undefined && one.toLowerCase() === other?.toLowerCase();
  };
  return same(/^a=fingerprint:(.*)$/im) && (same(/^o=(\S+ \S+)/m) || same(/^a=ice-ufrag:(.*)$/im));
}

/** What `offer` is to the link whose set-up is called `id` and whose remote description is `remote`. */
export function relationOf(id: string | undefined, remote: string | undefined, offer: SignalingMessage): Relation {
  const same = sameConnection(remote, sdpOf(offer));
  if (id === undefined || offer.sessionId === undefined) {
    // The first offer of all, or another one of the same connection.
    if (same || (remote === undefined && id === offer.sessionId)) return 'renegotiation';
    // Nameless offers come from peers that know no sessions: any other connection is a new beginning.
    return 'anew';
  }
  const [ours, theirs] = [parseSessionId(id), parseSessionId(offer.sessionId)];
  if (ours.link !== theirs.link) return 'anew';
  if (theirs.number !== ours.number) return theirs.number > ours.number ? 'redial' : 'stale';
  return same || remote === undefined ? 'renegotiation' : 'redial';
}
