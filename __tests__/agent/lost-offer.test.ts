// An offer that went away with the connection to the signaling service.
import { createPeer, MemorySignaling } from 'ossa-webrtc';
import type { AgentError, Link, SignalingAdapter, SignalingMessage, SubscriptionContext } from 'ossa-webrtc';

import { next, until } from './two-agents';

/** A service whose connection swallows what is sent while it is dead, and which tells of its return. */
class Dying implements SignalingAdapter {
  readonly sent: SignalingMessage[] = [];
  #dead = false;
  #context: SubscriptionContext | undefined;

  constructor(readonly service: MemorySignaling) {}

  send(message: SignalingMessage): void {
    this.sent.push(message);
    if (!this.#dead) this.service.send(message);
  }

  subscribe(
    agentId: string,
    deliver: (message: SignalingMessage) => void,
    _failed: (error: AgentError) => void,
    context: SubscriptionContext,
  ) {
    this.#context = context;
    const unsubscribe = this.service.subscribe(agentId, deliver);
    context.registered?.();
    return unsubscribe;
  }

  die(): void {
    this.#dead = true;
  }

  return(): void {
    this.#dead = false;
    this.#context?.registered?.();
  }

  offers(): string[] {
    return this.sent.filter(({ type }) => type === 'offer').map(({ sdp }) => sdp as string);
  }
}

const ufrag = (sdp: string | undefined) => /^a=ice-ufrag:(.*)$/m.exec(sdp ?? '')?.[1];

test('an ICE restart whose offer was lost with the signaling connection comes about when that is back', async () => {
  const service = new MemorySignaling();
  const signaling = new Dying(service);
  await using a = createPeer({ agentId: 'agent://a', signaling });
  await using b = createPeer({ agentId: 'agent://b', signaling: service });
  await b.ready;
  const [link, there] = await Promise.all([a.connect('agent://b'), next<Link>(b, 'link')]);
  expect(signaling.offers()).toHaveLength(1);
  signaling.die();
  link.connection.restartIce();
  await until(() => signaling.offers().length === 2);
  signaling.return();
  await until(() => link.connection.signalingState === 'stable');
  const [, lost, repeated] = signaling.offers();
  expect(ufrag(repeated)).toBe(ufrag(lost));
  expect(ufrag(there.connection.currentRemoteDescription?.sdp)).toBe(ufrag(lost));
  // An answered one is not told again.
  signaling.return();
  await new Promise(setImmediate);
  expect(signaling.offers()).toHaveLength(3);
});
