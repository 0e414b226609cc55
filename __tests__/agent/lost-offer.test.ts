// An offer that went away with the connection to the signaling service.
import { createPeer, MemorySignaling } from 'ossa-webrtc';
import type { AgentError, Link, SignalingAdapter, SignalingMessage, SubscriptionContext } from 'ossa-webrtc';

import { next, until } from './two-agents';

/** A service whose connection keeps what is sent while it is dead, for ever or until it returns, of which it tells. */
class Dying implements SignalingAdapter {
  readonly sent: SignalingMessage[] = [];
  #kept: SignalingMessage[] | undefined;
  #context: SubscriptionContext | undefined;

  constructor(readonly service: MemorySignaling) {}

  send(message: SignalingMessage): void {
    this.sent.push(message);
    if (this.#kept) this.#kept.push(message);
    else this.service.send(message);
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
    this.#kept = [];
  }

  /** `late`: what was kept arrives after all. */
  return(late = false): void {
    const kept = this.#kept ?? [];
    this.#kept = undefined;
    if (late) for (const message of kept) this.service.send(message);
    this.#context?.registered?.();
  }

  offers(): string[] {
    return this.sent.filter(({ type }) => type === 'offer').map(({ sdp }) => sdp as string);
  }
}

const ufrag = (sdp: string | undefined) => /^a=ice-ufrag:(.*)$/m.exec(sdp ?? '')?.[1];

async function connected() {
  const service = new MemorySignaling();
  const signaling = new Dying(service);
  const a = createPeer({ agentId: 'agent://a', signaling });
  const b = createPeer({ agentId: 'agent://b', signaling: service });
  await b.ready;
  const [link, there] = await Promise.all([a.connect('agent://b'), next<Link>(b, 'link')]);
  // By then the link knows that the other side is one of ours: to others an offer is not told again.
  await Promise.all([next(link, 'message'), there.send('here I am')]);
  const problems: string[] = [];
  for (const end of [link, there]) end.on('problem', ({ message }) => problems.push(message));
  const close = async () => {
    await Promise.all([a.close(), b.close()]);
  };
  return { signaling, link, there, problems, [Symbol.asyncDispose]: close };
}

/** Both ends have the ICE credentials of this offer. */
function agreed({ link, there }: { link: Link; there: Link }, offer: string | undefined): boolean {
  const [here, known] = [link.connection.currentLocalDescription, there.connection.currentRemoteDescription];
  return [here, known].every((description) => ufrag(description?.sdp) === ufrag(offer));
}

test('an ICE restart whose offer was lost with the signaling connection comes about when that is back', async () => {
  await using pair = await connected();
  const { signaling, link } = pair;
  expect(signaling.offers()).toHaveLength(1);
  signaling.die();
  link.connection.restartIce();
  await until(() => signaling.offers().length === 2);
  signaling.return();
  await until(() => agreed(pair, signaling.offers()[1]));
  expect(signaling.offers()[2]).toBe(signaling.offers()[1]);
  // An answered one is not told again.
  signaling.return();
  await new Promise(setImmediate);
  expect(signaling.offers()).toHaveLength(3);
});

test('an offer that arrives after all, and once more, is one to both sides, and so is the next', async () => {
  await using pair = await connected();
  const { signaling, link, problems } = pair;
  for (const round of [1, 2, 3]) {
    signaling.die();
    link.connection.restartIce();
    await until(() => signaling.offers().length === 3 * round - 1);
    signaling.return(true);
    // Before the answers are there.
    link.connection.restartIce();
    await until(() => signaling.offers().length === 3 * round + 1 && agreed(pair, signaling.offers().at(-1)));
  }
  expect(problems).toEqual([]);
});

test('an offer that was lost is told again when the other side offers too: neither waits for the other', async () => {
  const service = new MemorySignaling();
  let offers = 0;
  const losing: SignalingAdapter = {
    send: (message) => {
      if (message.type !== 'offer' || ++offers > 1) service.send(message);
    },
    subscribe: (agentId, deliver) => service.subscribe(agentId, deliver),
  };
  const a = createPeer({ agentId: 'agent://a', signaling: service });
  // The greater name: it does not give way.
  const b = createPeer({ agentId: 'agent://b', signaling: losing });
  await b.ready;
  const [link, there] = await Promise.all([a.connect('agent://b'), next<Link>(b, 'link')]);
  const greeted = next(there, 'message');
  await link.send('hello');
  await greeted;
  const before = ufrag(there.connection.currentLocalDescription?.sdp);
  there.connection.restartIce();
  await until(() => offers === 1 && there.connection.signalingState === 'have-local-offer');
  link.connection.restartIce();
  await until(() => {
    const [local, known] = [there.connection.currentLocalDescription, link.connection.currentRemoteDescription];
    return ufrag(local?.sdp) !== before && ufrag(local?.sdp) === ufrag(known?.sdp);
  });
  await Promise.all([a.close(), b.close()]);
});
