// Two processes of one stack and connections between them.
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const { startStack } = createRequire(import.meta.url)('../interop/process.cjs');
const child = join(dirname(fileURLToPath(import.meta.url)), 'child.cjs');

/** A stack that hangs ends its cell, not the benchmark. */
const CALL_LIMIT_MS = 30_000;

/** Loopback as it is: what comes between the two otherwise has these functions as well. `a` is the side that offers and sends. */
const DIRECT = {
  prefix: () => [],
  description: async (_side, sdp) => sdp,
  candidate: async (_side, candidate) => candidate,
};

export class Pair {
  #serial = 0;
  #path;

  constructor(stack, { nodeArgs = [], path = DIRECT } = {}) {
    this.stack = stack;
    this.#path = path;
    const start = (side) => startStack(stack, { child, nodeArgs, prefix: path.prefix(side) });
    this.sender = start('a');
    this.receiver = start('b');
  }

  /** A call that fails instead of waiting for ever. */
  async call(process, method, params = {}, limit = CALL_LIMIT_MS) {
    let timer;
    const late = new Promise((_, reject) => {
      timer = setTimeout(() => reject(new Error(`${method} took more than ${limit / 1000} s`)), limit);
    });
    const answer = process.call(method, params);
    answer.catch(() => {}); // after `late` has won
    try {
      return await Promise.race([answer, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Connects two new peers with one reliable, ordered channel; resolves when it is open on both sides. */
  async connect() {
    const { sender, receiver } = this;
    const pc = `c${this.#serial++}`;
    const channel = { pc, label: 'bench' };
    await Promise.all([this.call(sender, 'open', { pc }), this.call(receiver, 'open', { pc })]);
    await this.call(sender, 'createChannel', channel);
    const start = performance.now();
    const offer = await this.call(sender, 'createOffer', { pc });
    const answer = await this.call(receiver, 'acceptOffer', { pc, sdp: await this.#path.description('a', offer.sdp) });
    this.#trickle(sender, receiver, pc, 'a');
    await this.call(sender, 'acceptAnswer', { pc, sdp: await this.#path.description('b', answer.sdp) });
    this.#trickle(receiver, sender, pc, 'b');
    await Promise.all([this.call(sender, 'waitOpen', channel), this.call(receiver, 'waitOpen', channel)]);
    return { ...channel, setupMs: performance.now() - start, maxMessageSize: maxMessageSize(answer.sdp) };
  }

  /** Closes both ends of a connection. */
  async disconnect({ pc }) {
    await Promise.all([this.call(this.sender, 'closePeer', { pc }), this.call(this.receiver, 'closePeer', { pc })]);
  }

  async stop() {
    await Promise.all([this.sender.stop(1000), this.receiver.stop(1000)]);
  }

  async #trickle(from, to, pc, side) {
    try {
      for (;;) {
        const { closed, candidate: own } = await from.call('nextCandidate', { pc });
        if (closed) return;
        const candidate = await this.#path.candidate(side, own);
        // No way leads over the path to what it has no address for.
        if (candidate !== undefined) await to.call('addCandidate', { pc, candidate });
      }
    } catch {
      // The peer was closed meanwhile, or its process has ended: the call that waits for the connection reports it.
    }
  }
}

/** What a description says that its side takes; `ws` has none and no limit that matters here. */
function maxMessageSize(sdp) {
  if (!sdp.startsWith('v=')) return Infinity;
  const size = Number(/^a=max-message-size:(\d+)/m.exec(sdp)?.[1] ?? 65_536);
  return size === 0 ? Infinity : size;
}
