import type { RTCIceCandidateInit } from '../../w3c';

/** Candidates kept until their description comes. Browsers gather a few dozen at most. */
export const MAX_EARLY_CANDIDATES = 256;

/** ICE user name fragments remembered of descriptions that are over. What is still on its way belongs to the last few. */
const MAX_OVER = 32;

const fragments = (sdp: string) => [...sdp.matchAll(/^a=ice-ufrag:(\S+)/gm)].map(([, fragment]) => fragment as string);

/**
 * Brings each candidate of the other side to the description that it belongs to (its user name fragment says which, RFC 8839
 * 5.4). One that has overtaken its description waits for it. One from before an ICE restart that comes late is no path lost.
 */
export class RemoteCandidates {
  /** Those of the description applied last. */
  #current: string[] = [];
  #over: string[] = [];
  #early: RTCIceCandidateInit[] = [];

  /** What is to be applied now, if anything. `full`: there is no room for one that came early. */
  take(candidate: RTCIceCandidateInit, described: boolean): 'now' | 'later' | 'never' | 'full' {
    const fragment = candidate.usernameFragment;
    if (fragment && this.#over.includes(fragment)) return 'never';
    if (described && (!fragment || this.#current.includes(fragment))) return 'now';
    if (this.#early.length >= MAX_EARLY_CANDIDATES) return 'full';
    this.#early.push(candidate);
    return 'later';
  }

  /** A description was applied. Returns the candidates that were early for it. */
  applied(sdp: string): RTCIceCandidateInit[] {
    const current = fragments(sdp);
    this.#over = [...this.#over, ...this.#current].filter((fragment) => !current.includes(fragment)).slice(-MAX_OVER);
    this.#current = current;
    // The others belong to an offer that was ignored, or lost on its way.
    return this.#early
      .splice(0)
      .filter(({ usernameFragment }) => !usernameFragment || current.includes(usernameFragment));
  }

  clear(): void {
    this.#early = [];
  }
}
