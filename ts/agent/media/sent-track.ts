import { DOMException } from '../../platform';
import type { MediaStream, MediaStreamTrack } from '../../media';
import type { RTCPeerConnection, RTCRtpSender } from '../../w3c';

/** What a sent track asks of its link. */
export interface SendingLink {
  /** The connection of the moment. */
  readonly connection: RTCPeerConnection;
  /** The track is not to be sent any more. */
  removed(track: SentTrack): void;
}

/** A track that this side sends over a link, whatever becomes of the connection below. */
export class SentTrack {
  /** The streams that the other side finds it in, by their ids. */
  readonly streams: readonly MediaStream[];
  readonly #link: SendingLink;
  #track: MediaStreamTrack | null;
  #sender: RTCRtpSender | null = null;
  #removed = false;

  /** @internal */
  constructor(link: SendingLink, track: MediaStreamTrack, streams: readonly MediaStream[]) {
    this.#link = link;
    this.#track = track;
    this.streams = streams;
  }

  /** What is sent now; `null` for nothing. */
  get track(): MediaStreamTrack | null {
    return this.#track;
  }

  /** The W3C sender on the connection of the moment, for its parameters, statistics and tones; `null` when removed. */
  get sender(): RTCRtpSender | null {
    return this.#sender;
  }

  /**
   * Sends another track of the same kind in its place, or nothing, without asking the other side; on the connections to come as well.
   *
   * @returns rejects with a DOMException `InvalidModificationError` if it would need a negotiation, `InvalidStateError` if it was removed.
   * @throws TypeError for a track of the other kind.
   */
  async replaceTrack(track: MediaStreamTrack | null): Promise<void> {
    if (this.#removed) throw new DOMException('the track was removed from its link: add it again', 'InvalidStateError');
    await this.#sender?.replaceTrack(track);
    this.#track = track;
    // On a connection that was made while there was nothing to send.
    if (!this.#sender) this.attach(this.#link.connection);
  }

  /** Sends it no more: the other side's track falls silent and leaves its streams. Idempotent. */
  remove(): void {
    if (this.#removed) return;
    this.#removed = true;
    const { connection } = this.#link;
    if (this.#sender && connection.signalingState !== 'closed') connection.removeTrack(this.#sender);
    this.#sender = null;
    this.#link.removed(this);
  }

  /** Sends it over a new connection. @internal */
  attach(connection: RTCPeerConnection): void {
    if (this.#track) this.#sender = connection.addTrack(this.#track, ...this.streams);
  }
}
