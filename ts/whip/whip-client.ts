import { isMediaStream, isMediaStreamTrack, MediaStream, type MediaStreamTrack } from '../media';
import type { RTCRtpEncodingParameters } from '../w3c';
import { Attempt, HttpSession, type Established, type WHIPSessionOptions } from './session';

/** Options of {@link WHIPClient.publish}. */
export interface WHIPPublishOptions extends WHIPSessionOptions {
  /** What is sent of each track of video: several for simulcast. */
  videoEncodings?: RTCRtpEncodingParameters[];
}

/** Publishes to a media server: a session of WHIP (RFC 9725). */
export class WHIPClient extends HttpSession {
  private constructor(established: Established) {
    super(established);
  }

  /**
   * Publishes tracks. Resolves when the server has answered; that media flows, `connection` tells.
   *
   * @param endpoint the address that the server gives out for publishing.
   * @param media a stream, or tracks, which become one.
   * @returns rejects with a `WHIPError`; with the reason of `signal`; a TypeError for an address or media that are none. Nothing stays behind.
   */
  static async publish(
    endpoint: string | URL,
    media: MediaStream | Iterable<MediaStreamTrack>,
    options: WHIPPublishOptions = {},
  ): Promise<WHIPClient> {
    const stream = isMediaStream(media) ? media : new MediaStream(media);
    const tracks = stream.getTracks();
    if (tracks.length === 0) throw new TypeError('media has no track: there is nothing to publish');
    const attempt = new Attempt(endpoint, options, (connection) => {
      for (const track of tracks.filter(isMediaStreamTrack)) {
        const sendEncodings = track.kind === 'video' ? options.videoEncodings : undefined;
        connection.addTransceiver(track, { direction: 'sendonly', streams: [stream], sendEncodings });
      }
    });
    const client = new WHIPClient(await attempt.run(false));
    attempt.tell = (fragment) => client.tell(fragment);
    client.begin(attempt.trickles);
    return client;
  }
}
