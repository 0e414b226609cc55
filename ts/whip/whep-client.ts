import { MediaStream } from '../media';
import { Attempt, HttpSession, type Established, type WHIPSessionOptions } from './session';

/** Options of {@link WHEPClient.play}. */
export interface WHEPPlayOptions extends WHIPSessionOptions {
  /** Asks for audio. Default: `true`. */
  audio?: boolean;
  /** Asks for video. Default: `true`. */
  video?: boolean;
}

/** Plays from a media server: a session of WHEP (draft-ietf-wish-whep-04). */
export class WHEPClient extends HttpSession {
  /** What the server sends. Its tracks are muted until packets come. */
  readonly stream: MediaStream;

  private constructor(established: Established) {
    super(established);
    const receiving = established.connection
      .getTransceivers()
      .filter(({ currentDirection }) => currentDirection === 'recvonly' || currentDirection === 'sendrecv');
    this.stream = new MediaStream(receiving.map(({ receiver }) => receiver.track));
  }

  /**
   * Plays what is published there. Resolves when both sides have agreed on it; that media flows, `connection` and the tracks tell.
   *
   * @param endpoint the address that the server gives out for playing.
   * @returns rejects with a `WHIPError`: `REFUSED` with `status` 404 or 409 and perhaps `retryAfter` for what is not live; with the reason of
   * `signal`; a TypeError for an address that is none. Nothing stays behind.
   */
  static async play(endpoint: string | URL, options: WHEPPlayOptions = {}): Promise<WHEPClient> {
    const { audio = true, video = true } = options;
    if (!audio && !video) throw new TypeError('audio and video are both false: there is nothing to play');
    const attempt = new Attempt(endpoint, options, (connection) => {
      if (audio) connection.addTransceiver('audio', { direction: 'recvonly' });
      if (video) connection.addTransceiver('video', { direction: 'recvonly' });
    });
    const client = new WHEPClient(await attempt.run(true));
    attempt.tell = (fragment) => client.tell(fragment);
    client.begin(attempt.trickles);
    return client;
  }
}
