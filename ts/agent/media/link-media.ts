// The audio and video of a link: what this side sends, on each of its connections anew, and what the other side sends.
import { AgentError, Inbox } from '../../base';
import type { MediaStream, MediaStreamTrack } from '../../media';
import type { RTCPeerConnection, RTCRtpReceiver, RTCRtpTransceiver, RTCTrackEvent } from '../../w3c';
import type { ResolvedLimits } from '../limits';
import { SentTrack, type SendingLink } from './sent-track';

/** A track that the other side sends. After a reconnect by a new connection it comes again, with the same ids of streams. */
export interface ReceivedTrack {
  /** Muted until something comes; `ended` when its connection is over. */
  readonly track: MediaStreamTrack;
  /** Those that the other side has put it in, by its ids. */
  readonly streams: readonly MediaStream[];
  /** For its parameters, statistics and encoded frames. */
  readonly receiver: RTCRtpReceiver;
  /** To send something back in the same section. */
  readonly transceiver: RTCRtpTransceiver;
}

/** What the media needs of its link. */
export interface LinkMediaHost {
  readonly remote: string;
  readonly limits: ResolvedLimits;
  /** The connection of the moment. */
  readonly connection: RTCPeerConnection;
  /** The other side is known to be who it says. */
  readonly trusted: boolean;
  /** Why nothing can be sent; nothing while something can. */
  readonly gone: AgentError | undefined;
  problem(error: AgentError): void;
}

/** All tracks of a link. */
export class LinkMedia implements SendingLink {
  /** Tracks of the other side. */
  readonly incoming: Inbox<ReceivedTrack>;
  readonly #host: LinkMediaHost;
  readonly #sent = new Set<SentTrack>();
  /** Come with a description, before it was proven whose it is. */
  #early: ReceivedTrack[] = [];

  constructor(host: LinkMediaHost) {
    this.#host = host;
    this.incoming = new Inbox<ReceivedTrack>({ items: host.limits.unreadTracks, bytes: Infinity });
  }

  /** See `Link.addTrack`. */
  add(track: MediaStreamTrack, streams: readonly MediaStream[]): SentTrack {
    const { gone, connection } = this.#host;
    if (gone) throw gone;
    const sent = new SentTrack(this, track, streams);
    sent.attach(connection);
    this.#sent.add(sent);
    return sent;
  }

  /** The connection of the moment. */
  get connection(): RTCPeerConnection {
    return this.#host.connection;
  }

  /** A track is not to be sent any more. */
  removed(track: SentTrack): void {
    this.#sent.delete(track);
  }

  /** The connection is a new one, of which nothing has been negotiated. */
  attach(): void {
    this.#early = [];
    for (const sent of this.#sent) sent.attach(this.connection);
  }

  /** A description of the other side has announced a track. */
  announced({ track, streams, receiver, transceiver }: RTCTrackEvent): void {
    const received = { track, streams, receiver, transceiver };
    if (this.#host.trusted) this.#take(received);
    else this.#early.push(received);
  }

  /** The other side is who it has to be. */
  confirmed(): void {
    for (const received of this.#early.splice(0)) this.#take(received);
  }

  #take(received: ReceivedTrack): void {
    if (this.incoming.push(received)) return;
    const { limits, remote } = this.#host;
    const text = `${limits.unreadTracks} tracks of ${remote} wait for a listener; one more was refused`;
    // Nothing of it is taken any more, and the other side learns that with the next negotiation.
    received.transceiver.stop();
    this.#host.problem(new AgentError('RATE_LIMIT_EXCEEDED', text));
  }

  /** The link is closed. */
  close(): void {
    this.#early = [];
    this.incoming.end();
  }
}
