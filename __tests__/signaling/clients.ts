// Clients of a signaling server that know nothing of this package.
import { once } from 'node:events';
import { createServer, request, type Server } from 'node:http';
import type { Server as HttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';

import WebSocket from 'ws';

export type Frame = Record<string, unknown> & { type: string; error?: { code: string; message: string } };

/** A plain WebSocket with a queue of what it has received. */
export class Plain {
  readonly #frames: Frame[] = [];
  #arrived: (() => void) | undefined;
  readonly closed: Promise<number>;

  private constructor(readonly socket: WebSocket) {
    socket.on('message', (data: Buffer) => {
      this.#frames.push(JSON.parse(data.toString()) as Frame);
      this.#arrived?.();
    });
    this.closed = once(socket, 'close').then(([code]) => code as number);
  }

  static async connect(url: string, options: WebSocket.ClientOptions = {}): Promise<Plain> {
    const socket = new WebSocket(url, options);
    const plain = new Plain(socket);
    await once(socket, 'open');
    return plain;
  }

  static async registered(url: string, agentId: string, options: WebSocket.ClientOptions = {}): Promise<Plain> {
    const plain = await Plain.connect(url, options);
    const answer = await plain.ask({ type: 'register', agentId });
    if (answer.type !== 'registered') throw new Error(JSON.stringify(answer));
    return plain;
  }

  send(frame: object): void {
    this.socket.send(JSON.stringify(frame));
  }

  async next(): Promise<Frame> {
    while (this.#frames.length === 0) await new Promise<void>((resolve) => (this.#arrived = resolve));
    return this.#frames.shift() as Frame;
  }

  async ask(frame: object): Promise<Frame> {
    this.send(frame);
    return await this.next();
  }
}

/** The HTTP status with which an upgrade is refused. */
export async function refusal(url: string, options: WebSocket.ClientOptions = {}): Promise<number> {
  const socket = new WebSocket(url, options);
  socket.on('error', () => undefined);
  const [, response] = (await once(socket, 'unexpected-response')) as [unknown, { statusCode: number }];
  socket.terminate();
  return response.statusCode;
}

export const offer = (from: string, to: string) => ({ type: 'offer', from, to, sessionId: 's', sdp: 'v=0' });

/** The address for plain requests that belongs to one for WebSockets. */
export const httpOf = (url: string): string => url.replace(/^ws/, 'http');

/** A client of the HTTP transport, with `fetch` alone. */
export class Session {
  #last = 0;

  private constructor(
    readonly base: string,
    readonly secret: string,
  ) {}

  static async start(base: string, headers: Record<string, string> = {}): Promise<Session> {
    const response = await fetch(`${base}/v1/sessions`, { method: 'POST', headers });
    if (response.status !== 201) throw new Error(`${response.status}`);
    return new Session(base, ((await response.json()) as { session: string }).session);
  }

  headers(more: Record<string, string> = {}): Record<string, string> {
    return { 'ossa-session': this.secret, ...more };
  }

  async post(frames: object): Promise<number> {
    const body = JSON.stringify(frames);
    return (await fetch(`${this.base}/v1/frames`, { method: 'POST', headers: this.headers(), body })).status;
  }

  /** Gives the session up. */
  async end(): Promise<number> {
    return (await fetch(`${this.base}/v1/sessions`, { method: 'DELETE', headers: this.headers() })).status;
  }

  /** Sends a frame and takes the answer. */
  async ask(frame: object): Promise<Frame> {
    const status = await this.post(frame);
    if (status !== 202) throw new Error(`${status}`);
    return (await this.next())[0]!;
  }

  /** The next frames, however many polls it takes. */
  async next(): Promise<Frame[]> {
    for (;;) {
      const response = await fetch(`${this.base}/v1/frames?after=${this.#last}`, { headers: this.headers() });
      const { frames, last } = (await response.json()) as { frames: Frame[]; last: number };
      this.#last = last;
      if (frames.length > 0) return frames;
    }
  }
}

/** Starts a Node server on a free port of this host; its port. */
export async function listen(server: Server | HttpsServer): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** Ends a Node server with all its connections. */
export async function end(server: Server | HttpsServer): Promise<void> {
  server.closeAllConnections();
  await new Promise((closed) => server.close(closed));
}

export { createServer, request };
