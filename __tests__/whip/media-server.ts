// A media server that speaks WHIP and WHEP, as small as it can be: the other side of each session is a connection of this package.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import { RTCPeerConnection, type MediaStreamTrack } from 'ossa-webrtc';

import { once } from '../w3c/helper';

/** A request as it came in. */
export interface Seen {
  method: string;
  path: string;
  headers: IncomingMessage['headers'];
  body: string;
}

/** What the server answers instead of what it would. */
type Answer = (seen: Seen) => Reply | undefined;

interface Reply {
  status: number;
  headers?: Record<string, string>;
  body?: string;
}

const CREDENTIALS = /^a=ice-(ufrag|pwd):.*$/gm;

export class MediaServer {
  readonly seen: Seen[] = [];
  /** Connections of its sessions. */
  readonly sessions: RTCPeerConnection[] = [];
  /** What it plays. */
  track: MediaStreamTrack | undefined;
  /** Looked at first. */
  answer: Answer = () => undefined;
  /** Of its 201. */
  link: string | undefined;
  /** WHEP: it makes offers of its own. */
  counters = false;
  #restarts = 0;
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => void this.#serve(request, response));
  }

  static async start(): Promise<MediaServer> {
    const server = new MediaServer();
    server.#server.listen(0, '127.0.0.1');
    await new Promise((resolve) => server.#server.once('listening', resolve));
    return server;
  }

  url(path: string): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}${path}`;
  }

  requests(method: string): Seen[] {
    return this.seen.filter((one) => one.method === method);
  }

  close(): void {
    this.sessions.forEach((session) => session.close());
    this.#server.closeAllConnections();
    this.#server.close();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = '';
    for await (const part of request.setEncoding('utf8')) body += part;
    const { method = '', url: path = '', headers } = request;
    const seen = { method, path, headers, body };
    this.seen.push(seen);
    const failed = (error: unknown): Reply => ({ status: 500, body: String(error) });
    const answer: Reply = this.answer(seen) ?? (await this.#answer(seen).catch(failed));
    response.writeHead(answer.status, answer.headers).end(answer.body);
  }

  async #answer(seen: Seen): Promise<Reply> {
    if (seen.method === 'POST') return await this.#open(seen);
    const session = this.sessions[Number(/^\/session\/(\d+)$/.exec(seen.path)?.[1])];
    if (!session) return { status: 404 };
    if (seen.method === 'DELETE') {
      session.close();
      return { status: 200 };
    }
    if (seen.headers['content-type'] === 'application/sdp') {
      await session.setRemoteDescription({ type: 'answer', sdp: seen.body });
      return { status: 204, headers: { ETag: this.#etag } };
    }
    if (seen.headers['if-match'] === '*') return await this.#restart(session, seen);
    if (seen.headers['if-match'] !== this.#etag) return { status: 412 };
    for (const [, candidate] of seen.body.matchAll(/^a=(candidate:.*?)\r?$/gm)) {
      await session.addIceCandidate({ candidate, sdpMLineIndex: 0 });
    }
    return { status: 204 };
  }

  get #etag(): string {
    return `"ice-${this.#restarts}"`;
  }

  async #open({ body }: Seen) {
    const session = new RTCPeerConnection();
    const location = `/session/${this.sessions.push(session) - 1}`;
    if (this.counters) {
      session.addTransceiver(this.track ?? 'audio', { direction: 'sendonly' });
    } else {
      await session.setRemoteDescription({ type: 'offer', sdp: body });
      if (this.track) {
        await session.getTransceivers()[0]!.sender.replaceTrack(this.track);
        session.getTransceivers()[0]!.direction = 'sendonly';
      }
    }
    await session.setLocalDescription();
    await gathered(session);
    const headers = {
      ...{ 'Content-Type': 'application/sdp', Location: location, ETag: this.#etag },
      ...(this.link !== undefined && { Link: this.link }),
    };
    return { status: this.counters ? 406 : 201, headers, body: session.localDescription!.sdp };
  }

  async #restart(session: RTCPeerConnection, { body }: Seen) {
    this.#restarts++;
    const fresh = new Map([...body.matchAll(CREDENTIALS)].map(([line, name]) => [name!, line] as const));
    const before = session.remoteDescription!.sdp.replaceAll(/^a=setup:.*$/gm, 'a=setup:actpass');
    const sdp = before.replaceAll(CREDENTIALS, (_, name: string) => fresh.get(name) ?? '');
    await session.setRemoteDescription({ type: 'offer', sdp });
    await session.setLocalDescription();
    await gathered(session);
    const lines = session.localDescription!.sdp.split('\r\n');
    const own = lines.filter((line) => /^a=(ice-(ufrag|pwd)|candidate|end-of-candidates)\b/.test(line));
    const headers = { 'Content-Type': 'application/trickle-ice-sdpfrag', ETag: this.#etag };
    return { status: 200, headers, body: own.join('\r\n') };
  }
}

async function gathered(session: RTCPeerConnection): Promise<void> {
  while (session.iceGatheringState !== 'complete') await once(session, 'icegatheringstatechange');
}
