// A client that sends exactly what a test wants, and proofs as an attacker would write them.
import { createPrivateKey, sign, type JsonWebKey } from 'node:crypto';

import type { AgentKeys } from 'ossa-webrtc';
import WebSocket from 'ws';

/** A frame of the signaling protocol. */
export type Frame = Record<string, unknown> & { type: string; error?: { code: string; message: string } };

/** A WebSocket to a signaling server. */
export class RawClient {
  readonly #socket: WebSocket;
  readonly #frames: Frame[] = [];
  #arrived: () => void = () => undefined;
  /** The close code. */
  readonly closed: Promise<number>;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (data: Buffer) => {
      this.#frames.push(JSON.parse(data.toString()) as Frame);
      this.#arrived();
    });
    this.closed = new Promise((resolve) => socket.on('close', resolve));
  }

  static async connect(url: string, headers: Record<string, string> = {}, localAddress?: string): Promise<RawClient> {
    const socket = new WebSocket(url, { headers, localAddress });
    const client = new RawClient(socket);
    await new Promise((resolve, reject) => socket.on('open', resolve).on('error', reject));
    return client;
  }

  send(frame: Frame): void {
    this.#socket.send(JSON.stringify(frame));
  }

  /** The next frame. */
  async next(): Promise<Frame> {
    while (this.#frames.length === 0) await new Promise<void>((resolve) => (this.#arrived = resolve));
    return this.#frames.shift()!;
  }

  async ask(frame: Frame): Promise<Frame> {
    this.send(frame);
    return await this.next();
  }

  /** Asks to be registered; the nonce of the challenge. */
  async challenged(agentId: string, more: Record<string, unknown> = {}): Promise<string> {
    const challenge = await this.ask({ type: 'register', agentId, ...more });
    if (challenge.type !== 'challenge') throw new Error(JSON.stringify(challenge));
    return challenge.nonce as string;
  }

  close(): Promise<number> {
    this.#socket.close();
    return this.closed;
  }
}

const encode = (part: unknown) => Buffer.from(JSON.stringify(part)).toString('base64url');

/** A JWT with these parts, signed as ES256 whatever the header says. */
export function jwt(header: object, claims: object, keys: AgentKeys): string {
  const signed = `${encode(header)}.${encode(claims)}`;
  const key = { key: createPrivateKey(keys.exportPrivateKey()), dsaEncoding: 'ieee-p1363' as const };
  return `${signed}.${sign('sha256', Buffer.from(signed), key).toString('base64url')}`;
}

/** What a proof is about. */
export interface Statement {
  agentId: string;
  nonce: string;
  audience: string;
}

/** Header and claims of an honest proof. */
export function proofParts({ agentId, nonce, audience }: Statement, keys: AgentKeys): [JsonWebKey, object] {
  const iat = Math.floor(Date.now() / 1000);
  const header = { alg: 'ES256', typ: 'ossa-signaling+jwt', kid: keys.kid };
  return [header, { iss: agentId, sub: agentId, aud: audience, nonce, iat, exp: iat + 60, jti: nonce.slice(0, 16) }];
}

/** The frame of an honest proof. */
export function prove(statement: Statement, keys: AgentKeys): Frame {
  const [header, claims] = proofParts(statement, keys);
  const proof = jwt(header, claims, keys);
  return { type: 'prove', agentId: statement.agentId, proof, publicKey: keys.publicKey };
}

/** The part of a URL that proofs name. */
export const audienceOf = (url: string): string => new URL(url).host;
