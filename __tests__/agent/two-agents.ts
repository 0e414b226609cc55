// Two agents in this process and the link between them, for tests.
import { createPeer, MemorySignaling } from 'ossa-webrtc';
import type { AgentPeer, Link, PeerOptions } from 'ossa-webrtc';

/** Makes agents that are closed after each test. Call it once, at the top of a test file. */
export function agents() {
  const open: AgentPeer[] = [];
  let signaling = new MemorySignaling();
  beforeEach(() => {
    signaling = new MemorySignaling();
  });
  afterEach(async () => {
    await Promise.all(open.splice(0).map((peer) => peer.close()));
    expect(signaling.agents).toEqual([]);
  });

  /** An agent that the others of the test can find. */
  function agent(name: string, options: Partial<PeerOptions> = {}): AgentPeer {
    const peer = createPeer({ agentId: `agent://${name}`, signaling, ...options });
    open.push(peer);
    return peer;
  }

  /** Agents `a` and `b` with a link, as each sees it. */
  async function pair(of: { a?: Partial<PeerOptions>; b?: Partial<PeerOptions> } = {}) {
    const [a, b] = [agent('a', of.a), agent('b', of.b)];
    await b.ready;
    const [ab, ba] = await Promise.all([a.connect('agent://b'), next<Link>(b, 'link')]);
    return { a, b, ab, ba };
  }

  return { agent, pair };
}

/** The first value of an event. */
export function next<T>(emitter: { once(name: never, listener: (value: never) => void): unknown }, name: string) {
  return new Promise<T>((resolve) => emitter.once(name as never, resolve));
}

/** Waits for something that happens by itself; a test that waits in vain ends at its time limit. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise(setImmediate);
}

/** What a promise was rejected with. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  return await promise.then(
    (value) => Promise.reject(new Error(`resolved with ${String(value)}`)),
    (error: unknown) => error,
  );
}

/**
 * Says to the other side what our own code would not say. It goes through a second message channel, which is listened
 * to as well.
 */
export async function rawSender(link: Link): Promise<(message: object | string) => void> {
  const channel = link.connection.createDataChannel('ossa-channel');
  await new Promise((resolve) => channel.addEventListener('open', resolve, { once: true }));
  return (message) => channel.send(typeof message === 'string' ? message : JSON.stringify(message));
}

let number = 0;

/** An envelope as `from` would write it. */
export function envelope(from: string, type: string, payload: unknown, metadata: object = {}): object {
  return {
    type,
    id: `forged-${++number}`,
    timestamp: new Date().toISOString(),
    payload,
    metadata: { agentId: from, ...metadata },
  };
}
