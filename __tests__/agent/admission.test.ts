// Who gets a link, and who does not.
import { AgentError, createPeer, MemorySignaling, RTCPeerConnection } from 'ossa-webrtc';
import type { AgentPeer, Caller, Link, PeerOptions, SignalingAdapter, SignalingMessage } from 'ossa-webrtc';

const open: AgentPeer[] = [];
let signaling: MemorySignaling;

beforeEach(() => {
  signaling = new MemorySignaling();
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((peer) => peer.close()));
});

function agent(name: string, options: Partial<PeerOptions> = {}): AgentPeer {
  const peer = createPeer({ agentId: `agent://${name}`, signaling, ...options });
  open.push(peer);
  return peer;
}

/** An agent that decides as given, and somebody who calls it. */
async function calling(accept: PeerOptions['accept']): Promise<{ guarded: AgentPeer; connecting: Promise<Link> }> {
  const guarded = agent('guarded', { accept });
  await guarded.ready;
  const connecting = agent('caller').connect('agent://guarded');
  connecting.catch(() => undefined);
  return { guarded, connecting };
}

describe('accept', () => {
  test('is told who calls and lets in whom it wants, in its own time', async () => {
    const callers: Caller[] = [];
    const { guarded, connecting } = await calling(async (caller) => {
      callers.push(caller);
      await new Promise(setImmediate);
      return true;
    });
    const link = await connecting;
    guarded.handle('who', () => 'guarded');
    expect(await link.call('who')).toBe('guarded');
    expect(callers).toEqual([{ agentId: 'agent://caller', authenticated: false, how: 'none' }]);
  });

  test('refuses with UNAUTHORIZED: no link, no connection, no event', async () => {
    const { guarded, connecting } = await calling(() => false);
    const linked = jest.fn();
    guarded.on('link', linked);
    await expect(connecting).rejects.toMatchObject({
      code: 'UNAUTHORIZED',
      message: 'agent://guarded: Peer not allowed',
    });
    expect(guarded.links.size).toBe(0);
    expect(linked).not.toHaveBeenCalled();
  });

  test('that forgets to say yes has said no', async () => {
    const { connecting } = await calling((() => undefined) as never);
    await expect(connecting).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
  });

  test('refuses with the code of an AgentError that it throws, and keeps other errors to itself', async () => {
    const { connecting } = await calling(() => {
      throw new AgentError('RATE_LIMIT_EXCEEDED', 'come back tomorrow');
    });
    await expect(connecting).rejects.toMatchObject({
      code: 'RATE_LIMIT_EXCEEDED',
      message: 'agent://guarded: come back tomorrow',
    });
    await Promise.all(open.splice(0).map((peer) => peer.close()));
    const { connecting: unlucky } = await calling(() => Promise.reject(new Error('the password is swordfish')));
    await expect(unlucky).rejects.toMatchObject({
      code: 'INTERNAL_ERROR',
      message: 'agent://guarded: the agent could not decide',
    });
  });

  test('is not asked about agents that are called, nor about a link that there is', async () => {
    const accept = jest.fn(() => true);
    const caller = agent('a', { accept });
    const callee = agent('b', { accept });
    await callee.ready;
    const link = await caller.connect('agent://b');
    link.connection.restartIce();
    expect(await link.call('nothing').catch((error: AgentError) => error.code)).toBe('CAPABILITY_NOT_FOUND');
    expect(accept.mock.calls).toEqual([[{ agentId: 'agent://a', authenticated: false, how: 'none' }]]);
  });

  test('decides about the latest offer of a caller only', async () => {
    const decide: ((yes: boolean) => void)[] = [];
    const guarded = agent('guarded', { accept: () => new Promise<boolean>((resolve) => decide.push(resolve)) });
    await guarded.ready;
    const seen: SignalingMessage[] = [];
    signaling.subscribe('agent://hasty', (message) => void seen.push(message));
    const connection = new RTCPeerConnection();
    connection.createDataChannel('ossa-channel');
    const { sdp } = await connection.createOffer();
    for (const sessionId of ['first', 'second']) {
      signaling.send({ type: 'offer', from: 'agent://hasty', to: 'agent://guarded', sessionId, sdp });
    }
    while (decide.length < 2) await new Promise(setImmediate);
    decide[0]?.(true);
    decide[1]?.(true);
    while (!seen.some(({ type }) => type === 'answer')) await new Promise(setImmediate);
    expect(seen.filter(({ type }) => type === 'answer').map(({ sessionId }) => sessionId)).toEqual(['second']);
    connection.close();
  });

  test('that never decides is asked about 1,024 callers; more are told to come back', async () => {
    const guarded = agent('guarded', { accept: () => new Promise<boolean>(() => undefined) });
    await guarded.ready;
    const refused: (string | undefined)[] = [];
    signaling.subscribe('agent://crowd', () => undefined);
    const answers = { send: signaling.send.bind(signaling) };
    jest.spyOn(signaling, 'send').mockImplementation((message) => {
      if (message.type === 'error') refused.push(`${message.to} ${message.error?.code}`);
      else answers.send(message);
    });
    for (let i = 0; i < 1026; i++) {
      signaling.send({ type: 'offer', from: `agent://crowd/${i}`, to: 'agent://guarded', sessionId: 's', sdp: 'v=0' });
    }
    while (refused.length < 2) await new Promise(setImmediate);
    expect(refused).toEqual(['agent://crowd/1024 RATE_LIMIT_EXCEEDED', 'agent://crowd/1025 RATE_LIMIT_EXCEEDED']);
  });
});

describe('closing', () => {
  test('does not wait for an adapter that never subscribes, and ends the subscription if it comes after all', async () => {
    let subscribed!: (unsubscribe: () => void) => void;
    const adapter = { send: () => undefined, subscribe: () => new Promise<() => void>((done) => (subscribed = done)) };
    const peer = createPeer({ agentId: 'agent://patient', signaling: adapter });
    await new Promise(setImmediate);
    await peer.close();
    const ended = new Promise<void>((resolve) => subscribed(resolve));
    await ended;
  });

  test('may be asked for twice, also by `await using`', async () => {
    const peer = agent('a');
    {
      await using same = peer;
      await same.ready;
    }
    await peer.close();
    expect(signaling.agents).toEqual([]);
    await expect(peer.connect('agent://b')).rejects.toMatchObject({ code: 'TASK_CANCELLED' });
  });
});

describe('an adapter that is careless', () => {
  /** Hands every message on twice, the second time later, and candidates before everything else. */
  function careless(): SignalingAdapter {
    const later = (message: SignalingMessage, turns: number): void => {
      if (turns === 0) void signaling.send(message);
      else setImmediate(() => later(message, turns - 1));
    };
    return {
      send: (message) => {
        if (message.type === 'ice-candidate') {
          later(message, 0);
          later(message, 40);
        } else {
          later(message, 20);
          later(message, 60);
        }
      },
      subscribe: (agentId, deliver) => signaling.subscribe(agentId, deliver),
    };
  }

  test('delivers twice and out of order: one link comes of it, and it works', async () => {
    const [a, b] = [agent('a', { signaling: careless() }), agent('b', { signaling: careless() })];
    for (const peer of [a, b]) peer.handle('who', () => peer.agentId);
    await Promise.all([a.ready, b.ready]);
    const links = await Promise.all([a.connect('agent://b'), b.connect('agent://a')]);
    expect(await Promise.all(links.map((link) => link.call('who')))).toEqual(['agent://b', 'agent://a']);
    // Everything that was still under way has come by now.
    for (let turn = 0; turn < 200; turn++) await new Promise(setImmediate);
    expect(links.map(({ state }) => state)).toEqual(['open', 'open']);
    expect(await Promise.all(links.map((link) => link.call('who')))).toEqual(['agent://b', 'agent://a']);
    expect([[...a.links.values()], [...b.links.values()]]).toEqual([[links[0]], [links[1]]]);
  });

  test('delivers nonsense: nothing comes of it', async () => {
    const deliver: ((message: never) => void)[] = [];
    const adapter = { send: () => undefined, subscribe: (_: string, to: never) => void deliver.push(to) };
    const peer = createPeer({ agentId: 'agent://calm', signaling: adapter as never });
    await peer.ready;
    const from = 'agent://mad';
    const nonsense = [
      null,
      7,
      'offer',
      [],
      {},
      { type: 'offer' },
      { type: 'offer', from: 7 },
      { type: 'offer', from, sdp: null },
      { type: 'offer', from, sdp: 'v=0', sessionId: 7 },
      { type: 'offer', from, sdp: { sdp: { sdp: '' } } },
      { type: 'answer', from, sdp: 'v=0' },
      { type: 'ice-candidate', from, candidate: { candidate: 7 } },
      { type: 'error', from, error: 'no' },
      { type: 'error', error: { code: 7 } },
      { type: 'error', sessionId: 's', error: null },
      { type: 'surprise', from },
    ];
    for (const message of nonsense) deliver[0]!(message as never);
    for (let turn = 0; turn < 100; turn++) await new Promise(setImmediate);
    expect([...peer.links.values()].filter(({ state }) => state === 'open')).toEqual([]);
    await peer.close();
  });
});

describe('connecting on demand', () => {
  test('send() and createChannel() make the link that they need, within the time given', async () => {
    const [a, b] = [agent('a'), agent('b')];
    await b.ready;
    const arrived = new Promise<Link>((resolve) => b.once('link', resolve));
    await a.send('agent://b', 'hi', { timeout: 60_000 });
    const channel = await a.createChannel('agent://b', 'bulk', { ordered: false }, { timeout: 60_000 });
    expect(channel.state).toBe('open');
    const link = await arrived;
    for await (const { payload } of link) {
      expect(payload).toBe('hi');
      break;
    }
    expect(a.links.size).toBe(1);
    signaling.subscribe('agent://mute', () => undefined);
    const mute = a.send('agent://mute', 'hi', { timeout: 20 });
    await expect(mute).rejects.toMatchObject({ code: 'AGENT_UNREACHABLE' });
    const aborted = a.createChannel('agent://mute', 'bulk', {}, { signal: AbortSignal.abort() });
    await expect(aborted).rejects.toMatchObject({ code: 'TASK_CANCELLED' });
  });

  test('options out of range are refused when the peer is made', () => {
    const make = (options: object) => () => createPeer({ agentId: 'agent://x', signaling, ...options });
    for (const options of [
      { accept: true },
      { heartbeat: 1 },
      { heartbeat: true },
      { heartbeat: 0.5 },
      { reconnect: true },
      { reconnect: { attempts: -1 } },
      { reconnect: { attempts: 1.5 } },
      { reconnect: { forever: 1 } },
      { reconnect: { delay: 0 } },
      { reconnect: { jitter: 2 } },
      { reconnect: { tries: 3 } },
      { reconnect: { networkInterval: -1 } },
    ]) {
      expect(make(options)).toThrow(TypeError);
    }
  });
});
