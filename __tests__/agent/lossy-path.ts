// A network path between two agents that a test can spoil, cut and mend: a UDP relay between them, and a signaling adapter that
// puts the relay's addresses in the place of the agents' own.
import { createSocket, type Socket } from 'node:dgram';

import type { SignalingAdapter, SignalingMessage } from 'ossa-webrtc';

/** `candidate:<foundation> 1 udp <priority> <address> <port> typ host ...` */
const HOST_CANDIDATE = /(candidate:\S+ 1 udp \d+) (\d+\.\d+\.\d+\.\d+) (\d+) (typ host)/i;

/** The same numbers from 0 to 1 in each run, for each seed others (mulberry32). */
export function seeded(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Relays UDP between whoever sends to one of its ports and the address that the port stands for. */
export class LossyPath {
  /** What is sent while this is set is lost. */
  cut = false;
  /** What does not pass is lost. */
  passes: (datagram: Buffer) => boolean = () => true;
  /** Of what is sent this share is lost, from 0 to 1. */
  loss = 0;
  /** Decides what is lost: numbers from 0 to 1. */
  random = seeded(1);
  /** How long each datagram takes, in milliseconds. */
  delay = 0;
  /** Datagrams that were lost. */
  lost = 0;
  readonly #sockets: Socket[] = [];
  /** The set-ups that an offer was sent for, and those of them that are refused when they are to be changed. */
  readonly #known = new Set<string>();
  #forgotten = new Set<string>();
  /** Relay port for each agent's own address. */
  readonly #ports = new Map<string, Promise<number>>();

  /** Wraps an adapter: agents that use it see each other through this path only. */
  over(adapter: SignalingAdapter): SignalingAdapter {
    return {
      send: async (message) => {
        const { type, from, to, sessionId } = message;
        if (type === 'offer' && from !== undefined && to !== undefined && sessionId !== undefined) {
          if (this.#forgotten.has(sessionId)) {
            const error = { code: 'INTERNAL_ERROR', message: 'there is no such connection any more' };
            return await adapter.send({ type: 'error', from: to, to: from, sessionId, error });
          }
          this.#known.add(sessionId);
        }
        const rewritten = await this.#rewrite(message);
        if (rewritten) await adapter.send(rewritten);
      },
      subscribe: (agentId, deliver, failed) => adapter.subscribe(agentId, deliver, failed),
      ...(adapter.join && { join: (room, agentId, onMembers) => adapter.join!(room, agentId, onMembers) }),
    };
  }

  /** Cuts it, and whoever wants to restart ICE on a connection of now is told that the other side does not have it any more. */
  lose(): void {
    this.cut = true;
    this.#forgotten = new Set(this.#known);
  }

  close(): void {
    for (const socket of this.#sockets.splice(0)) socket.close();
  }

  /** Carries a datagram to where `send` brings it, or loses it. */
  #carry(datagram: Buffer, send: () => void): void {
    if (this.cut || !this.passes(datagram) || this.random() < this.loss) this.lost++;
    else if (this.delay > 0) setTimeout(() => this.#sockets.length > 0 && send(), this.delay);
    else send();
  }

  async #rewrite(message: SignalingMessage): Promise<SignalingMessage | undefined> {
    const { candidate, sdp } = message;
    if (candidate?.candidate) {
      const through = await this.through(candidate.candidate);
      return through === undefined ? undefined : { ...message, candidate: { ...candidate, candidate: through } };
    }
    if (typeof sdp !== 'string') return message;
    const lines = [];
    for (const line of sdp.split('\r\n')) {
      const through = line.startsWith('a=candidate:') ? await this.through(line) : line;
      if (through !== undefined) lines.push(through);
    }
    return { ...message, sdp: lines.join('\r\n') };
  }

  /** The same candidate at the relay; none for what cannot be relayed. */
  async through(candidate: string): Promise<string | undefined> {
    const found = HOST_CANDIDATE.exec(candidate);
    if (!found) return undefined;
    const [whole, head, address, port, tail] = found;
    const key = `${address}:${port}`;
    let relay = this.#ports.get(key);
    if (!relay) this.#ports.set(key, (relay = this.#listen(address!, Number(port))));
    return candidate.replace(whole, `${head} ${address} ${await relay} ${tail}`);
  }

  /** A port that stands for `address`: each sender gets a socket of its own towards it, as behind a NAT. */
  async #listen(address: string, port: number): Promise<number> {
    const front = await this.#bind();
    const flows = new Map<number, Promise<Socket>>();
    front.on('message', (data, from) => {
      let flow = flows.get(from.port);
      if (!flow) {
        flow = this.#bind().then((socket) => {
          socket.on('message', (back) => {
            this.#carry(back, () => front.send(back, from.port, from.address, () => undefined));
          });
          return socket;
        });
        flows.set(from.port, flow);
      }
      this.#carry(data, () => void flow.then((socket) => socket.send(data, port, address, () => undefined)));
    });
    return front.address().port;
  }

  #bind(): Promise<Socket> {
    const socket = createSocket('udp4');
    this.#sockets.push(socket);
    // An unreachable port is an agent that has gone.
    socket.on('error', () => undefined);
    return new Promise((resolve) => socket.bind(0, () => resolve(socket)));
  }
}
