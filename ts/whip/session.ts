import { Emitter } from '../base';
import { RTCPeerConnection, type RTCConfiguration, type RTCSessionDescriptionInit } from '../w3c';
import { WHIPError } from './error';
import { readFragment, restartedAnswer, writeFragment } from './fragment';
import { at, follow, Http, refusal, type Reply, type Request, type WHIPToken } from './http';
import { iceServersOf } from './links';
import { Trickle } from './trickle';

const SDP = 'application/sdp';
const FRAGMENT = 'application/trickle-ice-sdpfrag';

/** What publishing and playing have in common. */
export interface WHIPSessionOptions {
  /** A bearer token for all requests, or a function that gives one for an address. It goes where the endpoint redirects to, but never out of HTTPS. */
  token?: WHIPToken;
  /** More headers for all requests. */
  headers?: Record<string, string>;
  /** Of the connection. The servers for ICE that the endpoint names are added to its own. */
  configuration?: RTCConfiguration;
  /**
   * `true`: candidates follow the offer (`PATCH`), so that no time is lost. `false`: the offer waits for all of them, for a server that takes
   * none later and does not see where packets come from; servers for ICE that the endpoint names come too late then. Default: `true`.
   */
  trickle?: boolean;
  /** How long a request may take, in milliseconds. Default: 30,000. */
  timeout?: number;
  /** Gives up, until the session is there. */
  signal?: AbortSignal;
  /** Sees the connection before its offer is made: for preferences of codecs, encodings or a data channel. */
  prepare?: (connection: RTCPeerConnection) => void | Promise<void>;
  /** What requests are made with, for proxies for example. Default: Node's. */
  fetch?: typeof fetch;
}

/** Events of a session. */
export interface WHIPSessionEvents extends Record<string, unknown[]> {
  /** Candidates could not be told to the server. The connection may come about without them. */
  fault: [error: WHIPError];
}

/** What the two sides have said when a session is made. */
export interface Established {
  connection: RTCPeerConnection;
  trickle: Trickle;
  http: Http;
  /** Of the session, after redirects. */
  url: URL;
  etag: string | undefined;
}

/** A session with a media server, which goes by a URL of its own. */
export class HttpSession extends Emitter<WHIPSessionEvents> {
  /** What media flows over: its state, statistics, senders and receivers. {@link close} closes it. */
  readonly connection: RTCPeerConnection;
  /** The address of the session. */
  readonly url: string;
  readonly #http: Http;
  readonly #url: URL;
  readonly #trickle: Trickle;
  readonly #end = new AbortController();
  #etag: string | undefined;
  #closed: Promise<void> | undefined;

  protected constructor({ connection, trickle, http, url, etag }: Established) {
    super();
    this.connection = connection;
    this.#trickle = trickle;
    this.#http = http;
    this.#url = url;
    this.#etag = etag;
    this.url = url.href;
  }

  /** From now on candidates are told; those so far as well, unless the offer had them. */
  protected begin(trickle: boolean): void {
    if (!trickle) this.#trickle.restart();
    this.#trickle.start();
  }

  /** Sends candidates. @internal */
  protected async tell(fragment: string): Promise<boolean> {
    const request = this.#patch(fragment, this.#etag);
    try {
      const reply = await this.#http.send(request);
      if (reply.status < 300) return true;
      // RFC 9725 4.3: it takes no candidates, which is its right. It sees where our checks come from.
      if (reply.status === 405 || reply.status === 422 || reply.status === 501) return false;
      throw refusal(request, reply);
    } catch (error) {
      if (this.#end.signal.aborted) return false;
      if (!(error instanceof WHIPError)) throw error;
      this.emit('fault', error);
      return error.status !== 404 && error.status !== 410;
    }
  }

  #patch(body: string, ifMatch: string | undefined): Request {
    return { method: 'PATCH', url: this.#url, type: FRAGMENT, body, ifMatch, signal: this.#end.signal };
  }

  /**
   * Restarts ICE (RFC 9725 4.3.3): after a change of the network. Media goes on over the old path until there is a new one.
   *
   * @returns rejects with a {@link WHIPError}: `NOT_SUPPORTED` if the server can't, `REFUSED`, `UNREACHABLE`, `CLOSED`. The session goes on as it was.
   */
  restartIce(): Promise<void> {
    return this.#trickle.inTurn(async () => {
      this.#throwIfClosed();
      const offer = await this.connection.createOffer({ iceRestart: true });
      this.#trickle.restart();
      await this.connection.setLocalDescription(offer);
      try {
        await this.#restarted(await this.#askToRestart(offer.sdp!));
      } catch (error) {
        if (this.connection.signalingState === 'have-local-offer') {
          await this.connection.setLocalDescription({ type: 'rollback' });
        }
        this.#throwIfClosed();
        throw error;
      }
    });
  }

  async #askToRestart(offer: string): Promise<Reply> {
    // Whatever the server has now, it is to be replaced.
    const request = this.#patch(writeFragment(offer, [], false), '*');
    const reply = await this.#http.send(request);
    if (reply.status === 405 || reply.status === 422 || reply.status === 501) {
      const { status } = reply;
      throw new WHIPError(
        'NOT_SUPPORTED',
        `the server of ${at(request)} does not restart ICE (status ${status}); open a new session`,
        {
          status,
        },
      );
    }
    if (reply.status > 299) throw refusal(request, reply);
    return reply;
  }

  async #restarted({ status, headers, body }: Reply): Promise<void> {
    const fragment = readFragment(body);
    if (!fragment) {
      const what = 'was answered without the credentials of the other side (RFC 9725 4.3.3)';
      throw new WHIPError('PROTOCOL_ERROR', `the ICE restart of ${this.#url.origin}${this.#url.pathname} ${what}`, {
        status,
      });
    }
    this.#etag = headers.get('ETag') ?? this.#etag;
    const { currentRemoteDescription, currentLocalDescription } = this.connection;
    const sdp = restartedAnswer(currentRemoteDescription!.sdp, currentLocalDescription!.sdp, fragment);
    await this.connection.setRemoteDescription({ type: 'answer', sdp });
  }

  /**
   * Ends the session on the server (`DELETE`) and closes the connection. Once: later calls get the same promise.
   *
   * @returns rejects with a {@link WHIPError} if the server could not be told; the connection is closed all the same, and the server notices.
   */
  close(): Promise<void> {
    return (this.#closed ??= this.#close());
  }

  async #close(): Promise<void> {
    this.#trickle.stop();
    this.#end.abort();
    const request = { method: 'DELETE', url: this.#url } as const;
    try {
      const reply = await this.#http.send(request);
      // The server was faster.
      if (reply.status > 299 && reply.status !== 404 && reply.status !== 410) throw refusal(request, reply);
    } finally {
      this.connection.close();
    }
  }

  #throwIfClosed(): void {
    if (this.#closed) throw new WHIPError('CLOSED', `the session ${this.#url.origin}${this.#url.pathname} is closed`);
  }
}

/** An attempt to make a session; gives up all that it has begun when it fails. */
export class Attempt {
  readonly #endpoint: URL;
  readonly #options: WHIPSessionOptions;
  readonly #http: Http;
  readonly #addMedia: (connection: RTCPeerConnection) => void;
  /** Set when there is a session to tell candidates to. */
  tell: (fragment: string) => Promise<boolean> = () => Promise.resolve(false);
  #connection!: RTCPeerConnection;
  #trickle!: Trickle;
  #session: URL | undefined;

  constructor(endpoint: string | URL, options: WHIPSessionOptions, addMedia: (connection: RTCPeerConnection) => void) {
    this.#endpoint = new URL(endpoint);
    if (this.#endpoint.protocol !== 'https:' && this.#endpoint.protocol !== 'http:') {
      throw new TypeError(`endpoint is ${this.#endpoint.href}: it has to be an address of HTTP`);
    }
    this.#options = options;
    this.#http = new Http(options);
    this.#addMedia = addMedia;
  }

  get trickles(): boolean {
    return this.#options.trickle ?? true;
  }

  /** `counter`: the server may answer with an offer of its own (WHEP). */
  async run(counter: boolean): Promise<Established> {
    try {
      const { signal } = this.#options;
      signal?.throwIfAborted();
      this.#connect();
      this.#addMedia(this.#connection);
      await this.#options.prepare?.(this.#connection);
      return await this.#negotiate(counter);
    } catch (error) {
      this.#connection?.close();
      // It would stay until the server notices that nobody is there.
      if (this.#session) void this.#http.send({ method: 'DELETE', url: this.#session }).catch(() => undefined);
      throw error;
    }
  }

  #connect(): void {
    this.#connection?.close();
    this.#connection = new RTCPeerConnection({ bundlePolicy: 'max-bundle', ...this.#options.configuration });
    this.#trickle = new Trickle(this.#connection, (fragment) => this.tell(fragment));
  }

  async #negotiate(counter: boolean): Promise<Established> {
    const offer = await this.#connection.createOffer();
    if (!this.trickles) await this.#gather(offer);
    const sdp = this.trickles ? offer.sdp! : this.#connection.localDescription!.sdp;
    const request = {
      method: 'POST',
      url: this.#endpoint,
      type: SDP,
      body: sdp,
      signal: this.#options.signal,
    } as const;
    const reply = await this.#http.send(request);
    const countered = counter && reply.status === 406 && isDescription(reply);
    if (!countered && reply.status !== 201) {
      if (reply.status > 299) throw refusal(request, reply);
      throw new WHIPError('PROTOCOL_ERROR', `${at(request)} was answered with ${reply.status} instead of 201`, {
        status: reply.status,
      });
    }
    this.#session = sessionOf(request, reply);
    if (!isDescription(reply)) {
      throw new WHIPError('PROTOCOL_ERROR', `${at(request)} was answered without a description (${SDP})`, {
        status: reply.status,
      });
    }
    const etag = countered ? await this.#answer(reply) : await this.#accept(offer, reply);
    const [connection, trickle, http] = [this.#connection, this.#trickle, this.#http];
    return { connection, trickle, http, url: this.#session, etag: etag ?? reply.headers.get('ETag') ?? undefined };
  }

  async #gather(offer: RTCSessionDescriptionInit): Promise<void> {
    const connection = this.#connection;
    const complete = new Promise<void>((resolve) => {
      connection.addEventListener('icecandidate', ({ candidate }) => {
        if (candidate === null) resolve();
      });
    });
    await connection.setLocalDescription(offer);
    const { signal } = this.#options;
    await (signal ? Promise.race([complete, aborted(signal)]) : complete);
  }

  #useServers({ headers }: Reply): void {
    const { configuration } = this.#options;
    const named = iceServersOf(headers.get('Link'));
    if (named.length === 0) return;
    const iceServers = [...(configuration?.iceServers ?? []), ...named];
    this.#connection.setConfiguration({ ...this.#connection.getConfiguration(), iceServers });
  }

  async #accept(offer: RTCSessionDescriptionInit, reply: Reply): Promise<undefined> {
    if (this.trickles) {
      // Gathering begins only now, so that it asks the servers that were named.
      this.#useServers(reply);
      await this.#connection.setLocalDescription(offer);
    }
    await this.#apply('answer', reply);
  }

  /** The server has made an offer of its own (draft-ietf-wish-whep-04 4.2.2). */
  async #answer(reply: Reply): Promise<string | undefined> {
    this.#connect();
    this.#useServers(reply);
    await this.#options.prepare?.(this.#connection);
    await this.#apply('offer', reply);
    const answer = await this.#connection.createAnswer();
    if (!this.trickles) await this.#gather(answer);
    const body = this.trickles ? answer.sdp! : this.#connection.localDescription!.sdp;
    const request = { method: 'PATCH', url: this.#session!, type: SDP, body, signal: this.#options.signal } as const;
    const taken = await this.#http.send(request);
    if (taken.status > 299) throw refusal(request, taken);
    if (this.trickles) await this.#connection.setLocalDescription(answer);
    return taken.headers.get('ETag') ?? undefined;
  }

  async #apply(type: 'offer' | 'answer', { body, status }: Reply): Promise<void> {
    try {
      await this.#connection.setRemoteDescription({ type, sdp: body });
    } catch (error) {
      const message = `the description of ${this.#endpoint.origin}${this.#endpoint.pathname} is not acceptable: ${(error as Error).message}`;
      throw new WHIPError('PROTOCOL_ERROR', message, { status, cause: error });
    }
  }
}

function isDescription({ headers, body }: Reply): boolean {
  return /^application\/sdp\b/i.test(headers.get('Content-Type') ?? '') && body !== '';
}

function sessionOf(request: Request, { url, headers, status }: Reply): URL {
  const location = headers.get('Location');
  if (location === null) {
    const message = `${at(request)} was answered with ${status} and without the address of the session (Location)`;
    throw new WHIPError('PROTOCOL_ERROR', message, { status });
  }
  return follow(url, location, `the session of ${at(request)}`);
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
}
