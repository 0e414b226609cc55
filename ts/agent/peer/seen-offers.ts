import { createHash } from 'node:crypto';

import { sdpOf, type SignalingMessage } from '../../signaling';

/** Offers that are recognised when they come again: more than are made while a message may be under way. */
const MAX_OFFERS = 4096;

/**
 * The offers that have come. An adapter that delivers something twice, perhaps much later, must not start anew what has
 * been overtaken since: a fresh offer always has ICE credentials of its own, so it never equals an earlier one.
 */
export class SeenOffers {
  readonly #digests = new Set<string>();

  /** Notes an offer. False: it has come before. */
  add(remote: string, offer: SignalingMessage): boolean {
    const digest = createHash('sha256')
      .update(JSON.stringify([remote, offer.sessionId, sdpOf(offer)]))
      .digest('base64');
    if (this.#digests.has(digest)) return false;
    if (this.#digests.size >= MAX_OFFERS) {
      const [oldest] = this.#digests;
      if (oldest !== undefined) this.#digests.delete(oldest);
    }
    this.#digests.add(digest);
    return true;
  }
}
