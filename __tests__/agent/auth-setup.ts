// Agents for the tests of authentication, and an attacker between them.
import { createPeer, generateAgentKeys, MemorySignaling } from 'ossa-webrtc';
import type {
  AgentKeys,
  AgentPeer,
  AuthOptions,
  Link,
  PeerOptions,
  Refused,
  SignalingAdapter,
  SignalingMessage,
} from 'ossa-webrtc';

/** What the attacker makes of a message: another one, several, or none. */
export type Tamper = (message: SignalingMessage) => SignalingMessage | SignalingMessage[] | undefined;

/** A signaling service that somebody else controls. */
export class Scene {
  readonly memory = new MemorySignaling();
  /** Every message that was sent, before it was tampered with. */
  readonly sent: SignalingMessage[] = [];
  tamper: Tamper = (message) => message;
  readonly #peers: AgentPeer[] = [];

  readonly signaling: SignalingAdapter = {
    send: (message) => {
      const copy = structuredClone(message);
      this.sent.push(copy);
      for (const changed of [this.tamper(structuredClone(copy)) ?? []].flat()) this.memory.send(changed);
    },
    subscribe: (agentId, deliver) => this.memory.subscribe(agentId, deliver),
  };

  agent(name: string, options: Partial<PeerOptions> = {}): AgentPeer {
    const peer = createPeer({ agentId: `agent://${name}`, signaling: this.signaling, ...options });
    this.#peers.push(peer);
    return peer;
  }

  /** Messages of a type that were sent. */
  of(type: SignalingMessage['type']): SignalingMessage[] {
    return this.sent.filter((message) => message.type === type);
  }

  /** Ends what a test has begun. */
  async close(): Promise<void> {
    await Promise.all(this.#peers.splice(0).map((peer) => peer.close()));
    this.tamper = (message) => message;
    this.sent.length = 0;
  }
}

/** The first value of an event. */
export function next<T>(
  emitter: { once(name: never, listener: (value: never) => void): unknown },
  name: string,
): Promise<T> {
  return new Promise((resolve) => emitter.once(name as never, resolve));
}

/** The reason of the next refusal. */
export async function refusal(peer: AgentPeer): Promise<string> {
  return (await next<Refused>(peer, 'refused')).reason;
}

/** Connects a to b, and gives the link as each sees it. */
export async function linked(a: AgentPeer, b: AgentPeer): Promise<[Link, Link]> {
  await b.ready;
  return await Promise.all([a.connect(b.agentId), next<Link>(b, 'link')]);
}

/** The description in a message. */
export function sdpOf({ sdp }: SignalingMessage): string {
  return typeof sdp === 'string' ? sdp : (sdp?.sdp ?? '');
}

/** SDP with the fingerprint of another certificate. */
export function withOtherCertificate(message: SignalingMessage): SignalingMessage {
  const digits = Array.from({ length: 32 }, () => 'AB').join(':');
  return { ...message, sdp: sdpOf(message).replace(/^a=fingerprint:.*$/gm, `a=fingerprint:sha-256 ${digits}`) };
}

/** Header or claims of a token. */
export function partOf(message: SignalingMessage | undefined, part: 0 | 1): Record<string, unknown> {
  const text = Buffer.from(message!.auth!.token.split('.')[part]!, 'base64url').toString();
  return JSON.parse(text) as Record<string, unknown>;
}

/** Two honest agents with keys and a third one, and the service between them. Call it once, at the top of a test file. */
export function identities() {
  const scene = new Scene();
  const keys = {} as Record<'a' | 'b' | 'mallory', AgentKeys>;
  beforeAll(async () => {
    const [a, b, mallory] = await Promise.all([generateAgentKeys(), generateAgentKeys(), generateAgentKeys()]);
    Object.assign(keys, { a, b, mallory });
  });
  afterEach(async () => {
    jest.restoreAllMocks();
    await scene.close();
  });

  const pinned = () => ({ 'agent://a': keys.a.publicKey, 'agent://b': keys.b.publicKey });
  const auth = (name: keyof typeof keys, options: AuthOptions = {}): { auth: AuthOptions } => ({
    auth: { keys: keys[name], pinned: pinned(), ...options },
  });

  /** b refuses what a sends, and a learns nothing but that. */
  async function refusedBy(b: ReturnType<Scene['agent']>, a: ReturnType<Scene['agent']>): Promise<string> {
    await b.ready;
    const reason = refusal(b);
    await expect(a.connect('agent://b')).rejects.toMatchObject({
      code: 'UNAUTHORIZED',
      message: 'agent://b: not authorized',
    });
    expect(b.links.size).toBe(0);
    expect(scene.of('answer')).toEqual([]);
    return await reason;
  }

  return { scene, keys, pinned, auth, refusedBy };
}
