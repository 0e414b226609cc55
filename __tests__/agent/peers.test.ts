// Two agents in one process: finding each other, talking, failing, ending.
import { AgentError, createPeer, MemorySignaling } from 'ossa-webrtc';
import type { AgentMessage, AgentPeer, Link, SignalingAdapter, SignalingMessage } from 'ossa-webrtc';

const open: AgentPeer[] = [];
let signaling: MemorySignaling;

beforeEach(() => {
  signaling = new MemorySignaling();
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((peer) => peer.close()));
  expect(signaling.agents).toEqual([]);
});

function agent(name: string, options: Partial<Parameters<typeof createPeer>[0]> = {}): AgentPeer {
  const peer = createPeer({ agentId: `agent://${name}`, signaling, ...options });
  open.push(peer);
  return peer;
}

/** Two agents and the link between them, as each sees it. */
async function pair(
  options: Partial<Parameters<typeof createPeer>[0]> = {},
): Promise<{ a: AgentPeer; b: AgentPeer; ab: Link; ba: Link }> {
  const [a, b] = [agent('a', options), agent('b', options)];
  await b.ready;
  const [ab, ba] = await Promise.all([a.connect('agent://b'), next<Link>(b, 'link')]);
  return { a, b, ab, ba };
}

/** The first value of an event. */
function next<T>(emitter: { once(name: never, listener: (value: never) => void): unknown }, name: string): Promise<T> {
  return new Promise((resolve) => emitter.once(name as never, resolve));
}

describe('connecting', () => {
  test('an agent is found by its URI, in whatever case it is written', async () => {
    const [a, b] = [agent('a'), agent('Host.Example/B')];
    await b.ready;
    const link = await a.connect('AGENT://HOST.example/B');
    expect(link.remote).toMatchObject({ agentId: 'agent://host.example/B', authenticated: false, how: 'none' });
    expect(link.state).toBe('open');
    expect(await a.connect('agent://host.example/B')).toBe(link);
    expect([...a.links.keys()]).toEqual(['agent://host.example/B']);
  });

  test('both sides calling each other at the same moment get one link', async () => {
    const [a, b] = [agent('a'), agent('b')];
    await Promise.all([a.ready, b.ready]);
    const [ab, ba] = await Promise.all([a.connect('agent://b'), b.connect('agent://a')]);
    a.handle('who', () => 'a');
    b.handle('who', () => 'b');
    expect(await Promise.all([ab.call('who'), ba.call('who')])).toEqual(['b', 'a']);
    expect([a.links.size, b.links.size]).toEqual([1, 1]);
    expect([ab.state, ba.state]).toEqual(['open', 'open']);
  });

  test('many agents calling one another at once all meet', async () => {
    const names = ['p', 'q', 'r', 's'];
    const peers = names.map((name) => agent(name));
    await Promise.all(peers.map((peer) => peer.ready));
    for (const peer of peers) peer.handle('who', () => peer.agentId);
    const answers = await Promise.all(
      peers.flatMap((peer) =>
        names
          .filter((name) => peer.agentId !== `agent://${name}`)
          .map(async (name) => (await peer.connect(`agent://${name}`)).call('who')),
      ),
    );
    expect(answers).toHaveLength(12);
    for (const peer of peers) expect(peer.links.size).toBe(3);
  });

  test('an agent that is not there is unreachable', async () => {
    const a = agent('a');
    const failure = { code: 'AGENT_UNREACHABLE', message: 'agent://nobody is not registered', retryable: true };
    await expect(a.connect('agent://nobody')).rejects.toMatchObject(failure);
    await expect(a.connect('agent://nobody', { waitForPeer: 0 })).rejects.toMatchObject(failure);
    expect(a.links.size).toBe(0);
    await expect(a.connect('agent://nobody', { waitForPeer: -1 })).rejects.toThrow(TypeError);
  });

  test('an agent that gives up calling frees the other side at once, which may call itself', async () => {
    let answers = false;
    const adapter: SignalingAdapter = {
      send: (message) => {
        if (answers || message.type !== 'answer') signaling.send(message);
      },
      subscribe: (agentId, deliver) => signaling.subscribe(agentId, deliver),
    };
    const [a, b] = [agent('a', { signaling: adapter }), agent('b', { signaling: adapter })];
    await b.ready;
    const controller = new AbortController();
    const calling = a.connect('agent://b', { signal: controller.signal });
    while (b.links.size === 0) await new Promise(setImmediate);
    const [half] = b.links.values();
    const waiting = b.connect('agent://a');
    answers = true;
    controller.abort();
    await expect(calling).rejects.toMatchObject({ code: 'TASK_CANCELLED' });
    await half!.closed;
    expect(half!.error?.message).toBe('agent://a has given up connecting');
    expect((await waiting).state).toBe('open');
  });

  test('an agent that starts anew while it is waited for is connected to all the same', async () => {
    // A service where the last one to register has the name; the first one never gets an answer.
    const agents = new Map<string, (message: SignalingMessage) => void>();
    const adapter: SignalingAdapter = {
      send: (message) => void setImmediate(() => agents.get(message.to)?.(message)),
      subscribe: (agentId, deliver) => {
        agents.set(agentId, agents.has(agentId) || agentId !== 'agent://b' ? deliver : () => undefined);
        return () => undefined;
      },
    };
    const [a, first] = [agent('a', { signaling: adapter }), agent('b', { signaling: adapter })];
    await Promise.all([a.ready, first.ready]);
    first.connect('agent://a').catch(() => undefined);
    while (a.links.size === 0) await new Promise(setImmediate);
    const [old] = a.links.values();
    const waiting = a.connect('agent://b');
    const second = agent('b', { signaling: adapter });
    await second.ready;
    const [link, theirs] = await Promise.all([waiting, second.connect('agent://a')]);
    expect(link).not.toBe(old);
    expect([link.state, theirs.state, old!.state]).toEqual(['open', 'open', 'closed']);
    expect(a.links.size).toBe(1);
  });

  describe('an agent that is just starting', () => {
    /** Resolves when the service has said once that it does not know the agent. */
    async function asked({ links }: AgentPeer): Promise<void> {
      while (links.size === 0) await new Promise(setImmediate);
      await [...links.values()][0]!.closed;
    }

    test('is reached as soon as it is there, by everybody who waits, over one link', async () => {
      const a = agent('a');
      const waiting = [1, 2].map(() => a.connect('agent://b', { waitForPeer: Infinity }));
      await asked(a);
      const b = agent('b');
      const [one, other] = await Promise.all(waiting);
      expect(one).toBe(other);
      expect(one!.state).toBe('open');
      expect(b.links.size).toBe(1);
    });

    test('is called with messages, calls and channels all the same', async () => {
      const a = agent('a');
      const sent = a.send('agent://b', 'hello', { waitForPeer: Infinity });
      await asked(a);
      const b = agent('b');
      await sent;
      expect((await next<AgentMessage>(await next<Link>(b, 'link'), 'message')).payload).toBe('hello');
    });

    test('may call first, which ends the waiting', async () => {
      const a = agent('a');
      const waiting = a.connect('agent://c', { waitForPeer: Infinity });
      await asked(a);
      const c = agent('c');
      const [link] = await Promise.all([waiting, c.connect('agent://a')]);
      expect(link.remote.agentId).toBe('agent://c');
      expect(a.links.size).toBe(1);
    });

    test('is not waited for after the time limit, after cancellation, or after the end', async () => {
      const a = agent('a');
      const late = a.connect('agent://b', { waitForPeer: Infinity, timeout: 200 });
      await expect(late).rejects.toMatchObject({ code: 'AGENT_UNREACHABLE', retryable: true });
      const controller = new AbortController();
      const cancelled = a.connect('agent://b', { waitForPeer: Infinity, signal: controller.signal });
      const closed = a.connect('agent://b', { waitForPeer: Infinity });
      await asked(a);
      controller.abort();
      await expect(cancelled).rejects.toMatchObject({ code: 'TASK_CANCELLED' });
      await a.close();
      await expect(closed).rejects.toBeInstanceOf(AgentError);
    });

    test('that refuses is not called again', async () => {
      const a = agent('a');
      const offers: SignalingMessage[] = [];
      const unsubscribe = signaling.subscribe('agent://guard', (message) => {
        if (message.type !== 'offer') return;
        offers.push(message);
        const error = { code: 'AGENT_UNREACHABLE', message: 'out for lunch' };
        const { from, sessionId } = message;
        signaling.send({ type: 'error', from: 'agent://guard', to: from!, sessionId, error });
      });
      const failure = { code: 'AGENT_UNREACHABLE', message: 'agent://guard: out for lunch' };
      await expect(a.connect('agent://guard')).rejects.toMatchObject(failure);
      expect(offers).toHaveLength(1);
      await unsubscribe();
    });
  });

  test('an agent that does not answer is given up in time, and so is one that is cancelled', async () => {
    const a = agent('a');
    signaling.subscribe('agent://mute', () => undefined);
    await expect(a.connect('agent://mute', { timeout: 20 })).rejects.toMatchObject({ code: 'AGENT_UNREACHABLE' });
    const controller = new AbortController();
    const connecting = a.connect('agent://mute', { signal: controller.signal });
    controller.abort(new Error('enough'));
    await expect(connecting).rejects.toMatchObject({ code: 'TASK_CANCELLED', cause: new Error('enough') });
    await expect(a.connect('agent://mute', { signal: controller.signal })).rejects.toMatchObject({
      code: 'TASK_CANCELLED',
    });
    expect(a.links.size).toBe(0);
    await a.close();
    signaling.subscribe('agent://mute2', () => undefined);
    signaling = new MemorySignaling();
  });

  test('one of two callers giving up leaves the attempt to the other', async () => {
    const [a, b] = [agent('a'), agent('b')];
    await b.ready;
    const controller = new AbortController();
    const impatient = a.connect('agent://b', { signal: controller.signal });
    const patient = a.connect('agent://b');
    controller.abort();
    await expect(impatient).rejects.toMatchObject({ code: 'TASK_CANCELLED' });
    expect((await patient).state).toBe('open');
  });

  test('a refusal of the other agent ends the attempt with its code', async () => {
    const a = agent('a');
    const unsubscribe = signaling.subscribe('agent://guard', ({ from, sessionId, type }) => {
      if (type !== 'offer') return;
      const error = { code: 'UNAUTHORIZED', message: 'Peer not allowed' };
      signaling.send({ type: 'error', from: 'agent://guard', to: from!, sessionId, error });
    });
    await expect(a.connect('agent://guard')).rejects.toMatchObject({
      code: 'UNAUTHORIZED',
      message: 'agent://guard: Peer not allowed',
    });
    await unsubscribe();
  });

  test('an agent that has started anew replaces its old link', async () => {
    // A service where the last one to register has the name, as after the death of the first.
    const agents = new Map<string, (message: SignalingMessage) => void>();
    const adapter: SignalingAdapter = {
      send: (message) => void setImmediate(() => agents.get(message.to)?.(message)),
      subscribe: (agentId, deliver) => {
        agents.set(agentId, deliver);
        return () => undefined;
      },
    };
    const [first, b] = [agent('a', { signaling: adapter }), agent('b', { signaling: adapter })];
    await b.ready;
    const [old] = await Promise.all([next<Link>(b, 'link'), first.connect('agent://b')]);
    const replaced = next<AgentError>(old, 'close');
    const second = agent('a', { signaling: adapter });
    const [heir, link] = await Promise.all([next<Link>(b, 'link'), second.connect('agent://b')]);
    expect((await replaced).message).toBe('agent://a has connected anew');
    b.handle('alive', () => true);
    expect(await link.call('alive')).toBe(true);
    expect([...b.links.values()]).toEqual([heir]);
  });

  test('an adapter of two functions is enough, also one that takes its time', async () => {
    const agents = new Map<string, (message: SignalingMessage) => void>();
    const slow: SignalingAdapter = {
      send: async (message) => {
        await new Promise(setImmediate);
        agents.get(message.to)?.(JSON.parse(JSON.stringify(message)) as SignalingMessage);
      },
      subscribe: async (agentId, deliver) => {
        await new Promise(setImmediate);
        agents.set(agentId, deliver);
        return () => void agents.delete(agentId);
      },
    };
    const [a, b] = [agent('a', { signaling: slow }), agent('b', { signaling: slow })];
    await b.ready;
    expect((await a.connect('agent://b')).state).toBe('open');
  });

  test('an adapter that fails says why', async () => {
    const broken: SignalingAdapter = {
      send: () => Promise.reject(new Error('post office closed')),
      subscribe: () => () => undefined,
    };
    const a = agent('a', { signaling: broken });
    await expect(a.connect('agent://b')).rejects.toThrow(/post office closed/);
    const closed = agent('c', { signaling: { ...broken, subscribe: () => Promise.reject(new Error('no entry')) } });
    await expect(closed.ready).rejects.toMatchObject({
      code: 'AGENT_UNREACHABLE',
      message: 'signaling failed: no entry',
    });
    await expect(closed.connect('agent://b')).rejects.toThrow(/no entry/);
  });
});

describe('bad input is refused by name', () => {
  test.each([
    [{ agentId: 'http://a' }, /agent:\/\//],
    [{ agentId: 7 }, /string/],
    [{ signaling: undefined }, /signaling/],
    [{ signaling: 'ftp://x' }, /ws:\/\//],
    [{ signaling: { send: () => undefined } }, /subscribe/],
    [{ iceServer: [] }, /iceServer/],
    [{ iceServers: [{ urls: 'http://x' }] }, /http:\/\/x/],
    [{ iceTransportPolicy: 'some' }, /some/],
  ])('createPeer(%j)', (options, text) => {
    expect(() => createPeer({ agentId: 'agent://a', signaling, ...(options as object) })).toThrow(text);
  });

  test('connect, send, call, createChannel, handle, on', async () => {
    const { a, ab } = await pair();
    const never = <T>(value: T) => value as never;
    await expect(a.connect('b')).rejects.toThrow(TypeError);
    await expect(a.connect('agent://a')).rejects.toThrow(/itself/);
    await expect(a.connect('agent://b', never({ timeOut: 1 }))).rejects.toThrow(/timeOut/);
    await expect(a.connect('agent://b', { timeout: -1 })).rejects.toThrow(/timeout/);
    await expect(a.connect('agent://b', never({ signal: {} }))).rejects.toThrow(/AbortSignal/);
    await expect(ab.send(1, { type: 'capability_call' })).rejects.toThrow(/capability_call/);
    await expect(ab.send(1, { ttl: 0 })).rejects.toThrow(/ttl/);
    await expect(ab.send(1, never({ priority: 'urgent' }))).rejects.toThrow(/urgent/);
    await expect(ab.send(1, never({ prio: 'low' }))).rejects.toThrow(/prio/);
    await expect(ab.send(new ArrayBuffer(1), { ttl: 1 })).rejects.toThrow(/binary/);
    await expect(ab.send(1n)).rejects.toMatchObject({ code: 'INVALID_MESSAGE' });
    await expect(ab.call('')).rejects.toThrow(/capability/);
    await expect(ab.call('x', 1, { timeout: Infinity })).rejects.toThrow(/timeout/);
    await expect(ab.createChannel('ossa-channel')).rejects.toThrow(/belongs/);
    await expect(ab.createChannel(never(7))).rejects.toThrow(/label/);
    await expect(ab.createChannel('x', { maxRetransmits: 1, maxPacketLifeTime: 1 })).rejects.toThrow(TypeError);
    await expect(ab.createChannel('x', never({ reliable: true }))).rejects.toThrow(/reliable/);
    await expect(ab.createChannel('x', never({ priority: 'urgent' }))).rejects.toThrow(/urgent/);
    expect(() => a.handle('', () => 1)).toThrow(/capability/);
    expect(() => a.handle('x', never(1))).toThrow(/function/);
    expect(() => a.on('link', never(1))).toThrow(/function/);
    expect(ab.state).toBe('open');
  });

  test.each([
    { type: 'offer', from: 'agent://b', to: 'agent://a', sdp: 'garbage' },
    { type: 'offer', from: 'agent://b', to: 'agent://a' },
    { type: 'answer', from: 'agent://b', to: 'agent://a', sdp: 'v=0' },
    { type: 'ice-candidate', from: 'agent://b', to: 'agent://a', candidate: { candidate: 'nonsense' } },
    { type: 'nonsense', from: 'agent://b', to: 'agent://a' },
    { type: 'error', to: 'agent://a' },
    { type: 'offer', from: 'nobody', to: 'agent://a', sdp: '' },
    { type: 'offer', from: 'agent://a', to: 'agent://a', sdp: '' },
  ])('the signaling message %j does no harm', async (message) => {
    const a = agent('a');
    await a.ready;
    signaling.send(message as SignalingMessage);
    await new Promise(setImmediate);
    const b = agent('b');
    await b.ready;
    expect((await b.connect('agent://a')).state).toBe('open');
  });
});

describe('closing', () => {
  test('is idempotent, ends links on both sides and everything that waits', async () => {
    const { a, b, ab, ba } = await pair();
    const links = (async () => {
      for await (const link of a) void link;
    })();
    await Promise.all([a.close(), a.close(), ab.close()]);
    await links;
    await ba.closed;
    expect([ab.state, ba.state, b.links.size]).toEqual(['closed', 'closed', 0]);
    await expect(a.connect('agent://b')).rejects.toMatchObject({ code: 'TASK_CANCELLED' });
    await expect(ab.send(1)).rejects.toMatchObject({ code: 'AGENT_UNREACHABLE' });
  });

  test('works with await using, and while connecting', async () => {
    signaling.subscribe('agent://mute', () => undefined);
    let connecting: Promise<unknown>;
    {
      await using a = createPeer({ agentId: 'agent://a', signaling });
      connecting = a.connect('agent://mute');
      connecting.catch(() => undefined);
    }
    await expect(connecting).rejects.toMatchObject({ code: 'AGENT_UNREACHABLE' });
    signaling = new MemorySignaling();
  });

  test('sends out what was sent before', async () => {
    const { ab, ba } = await pair();
    const received: unknown[] = [];
    ba.on('message', ({ payload }) => received.push(payload));
    for (let number = 0; number < 500; number++) await ab.send(number);
    await ab.close();
    await ba.closed;
    expect(received).toHaveLength(500);
  });
});
