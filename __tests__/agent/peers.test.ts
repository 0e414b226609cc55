// Two agents in one process: finding each other, talking, failing, ending.
import { AgentError, createPeer, MemorySignaling } from 'ossa-webrtc';
import type { AgentChannel, AgentMessage, AgentPeer, Link, SignalingAdapter, SignalingMessage } from 'ossa-webrtc';

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
    await expect(a.connect('agent://nobody')).rejects.toMatchObject({ code: 'AGENT_UNREACHABLE', retryable: true });
    expect(a.links.size).toBe(0);
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

describe('calls', () => {
  test('go both ways over one link', async () => {
    const { a, b, ab, ba } = await pair();
    a.handle('double', (value: number) => value * 2);
    b.handle('greet', async ({ name }: { name: string }, { from, capability }) => {
      await new Promise(setImmediate);
      return `${capability} ${name} from ${from}`;
    });
    expect(await ab.call('greet', { name: 'B' })).toBe('greet B from agent://a');
    expect(await ba.call('double', 21)).toBe(42);
    b.handle('nothing', () => undefined);
    expect(await ab.call('nothing')).toBeNull();
  });

  test.each([{ result: 1 }, { capability: 'x', result: null }, 'ä\ud83d', [], 0, { ['__proto__']: 1 }, 1e21])(
    'the result %j arrives as it was returned',
    async (value) => {
      const { b, ab } = await pair();
      b.handle('echo', (input) => input);
      expect(await ab.call('echo', value)).toEqual(value);
    },
  );

  test('a hundred at once are all answered, each with its own result', async () => {
    const { b, ab } = await pair();
    b.handle('echo', async (input: number) => {
      if (input % 2) await new Promise(setImmediate);
      return input;
    });
    const inputs = Array.from({ length: 100 }, (_, index) => index);
    expect(await Promise.all(inputs.map((input) => ab.call('echo', input)))).toEqual(inputs);
  });

  test('thousands at once, more than the buffers hold, are all answered', async () => {
    const { b, ab } = await pair();
    b.handle('echo', (input) => input);
    const inputs = Array.from({ length: 5000 }, (_, index) => `${index} ${'x'.repeat(300)}`);
    expect(await Promise.all(inputs.map((input) => ab.call('echo', input)))).toEqual(inputs);
  });

  test('an unknown capability, and one that was withdrawn, is not found', async () => {
    const { b, ab } = await pair();
    await expect(ab.call('nothing')).rejects.toMatchObject({ code: 'CAPABILITY_NOT_FOUND' });
    const withdraw = b.handle('short', () => 1);
    expect(() => b.handle('short', () => 2)).toThrow(TypeError);
    expect(await ab.call('short')).toBe(1);
    withdraw();
    await expect(ab.call('short')).rejects.toMatchObject({ code: 'CAPABILITY_NOT_FOUND' });
  });

  test('a handler that throws is a failed capability, unless it names its own code', async () => {
    const { b, ab } = await pair();
    b.handle('throws', () => {
      throw new Error('no disk');
    });
    b.handle('coded', () => {
      throw new AgentError('MY_CODE', 'wait', { retryable: true, details: { seconds: 5 } });
    });
    b.handle('circular', () => {
      const value: Record<string, unknown> = {};
      value.self = value;
      return value;
    });
    await expect(ab.call('throws')).rejects.toMatchObject({ code: 'CAPABILITY_FAILED', message: 'no disk' });
    await expect(ab.call('coded')).rejects.toMatchObject({
      name: 'AgentError',
      code: 'MY_CODE',
      message: 'wait',
      retryable: true,
      details: { seconds: 5 },
    });
    await expect(ab.call('circular')).rejects.toMatchObject({ code: 'INVALID_MESSAGE' });
  });

  test('time-out and cancellation leave nothing waiting', async () => {
    const { b, ab } = await pair();
    b.handle('never', () => new Promise(() => undefined));
    await expect(ab.call('never', null, { timeout: 20 })).rejects.toMatchObject({
      code: 'TASK_TIMEOUT',
      retryable: true,
    });
    const controller = new AbortController();
    const call = ab.call('never', null, { signal: controller.signal });
    controller.abort();
    await expect(call).rejects.toMatchObject({ code: 'TASK_CANCELLED' });
    await expect(ab.call('never', null, { signal: controller.signal })).rejects.toMatchObject({
      code: 'TASK_CANCELLED',
    });
  });

  test('closing the link rejects what waits and aborts what runs', async () => {
    const { b, ab } = await pair();
    const aborted = new Promise((resolve) => {
      b.handle('never', (_, { signal }) => new Promise(() => signal.addEventListener('abort', resolve)));
    });
    const call = ab.call('never');
    call.catch(() => undefined);
    await ab.send('so that the call has gone out before');
    await ab.close();
    await expect(call).rejects.toMatchObject({ code: 'AGENT_UNREACHABLE', retryable: true });
    await aborted;
    await expect(ab.call('never')).rejects.toMatchObject({ code: 'AGENT_UNREACHABLE' });
  });

  test('a result too large for the other side fails the call instead of leaving it open', async () => {
    const { b, ab } = await pair({ limits: { messageBytes: 100_000 } });
    b.handle('big', () => 'x'.repeat(100_000));
    b.handle('alive', () => true);
    await expect(ab.call('big')).rejects.toMatchObject({ code: 'MESSAGE_TOO_LARGE' });
    await expect(ab.call('big', 'x'.repeat(100_000))).rejects.toMatchObject({ code: 'MESSAGE_TOO_LARGE' });
    expect(await ab.call('alive')).toBe(true);
  });
});

describe('messages', () => {
  test('arrive with their envelope, in order', async () => {
    const { ab, ba } = await pair();
    const messages: AgentMessage[] = [];
    const done = new Promise<void>((resolve) => {
      ba.on('message', (message) => void (messages.push(message) === 3 && resolve()));
    });
    const id = await ab.send({ text: 'ü' }, { type: 'status', priority: 'high', ttl: 60, correlationId: 'c' });
    await ab.send(null);
    await ab.send(new Uint8Array([0, 1, 2]).subarray(1));
    await done;
    expect(messages[0]).toEqual({
      type: 'status',
      id,
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as string,
      payload: { text: 'ü' },
      metadata: { agentId: 'agent://a', channelId: 'ossa-channel', priority: 'high', ttl: 60, correlationId: 'c' },
      from: 'agent://a',
    });
    expect(messages[1]).toMatchObject({ type: 'message', payload: null });
    expect(messages[2]).toMatchObject({ type: 'binary', id: '' });
    expect([...new Uint8Array(messages[2]!.payload as ArrayBuffer)]).toEqual([1, 2]);
  });

  test('wait for a listener that comes late, and for an iterator', async () => {
    const { b, ab, ba } = await pair();
    b.handle('sync', () => true);
    for (let number = 0; number < 10; number++) await ab.send(number);
    await ab.call('sync');
    const early: unknown[] = [];
    for await (const { payload } of ba) {
      early.push(payload);
      if (early.length === 5) break;
    }
    const late: unknown[] = [];
    ba.on('message', ({ payload }) => late.push(payload));
    await ab.call('sync');
    expect([early, late]).toEqual([
      [0, 1, 2, 3, 4],
      [5, 6, 7, 8, 9],
    ]);
  });

  test('end with the link', async () => {
    const { ab, ba } = await pair();
    const payloads = (async () => {
      const received: unknown[] = [];
      for await (const { payload } of ba) received.push(payload);
      return received;
    })();
    await ab.send('first');
    await ab.send('last');
    await ab.close();
    expect(await payloads).toEqual(['first', 'last']);
    await ba.closed;
    expect(ba.state).toBe('closed');
  });

  test('peer.send and peer.createChannel connect on demand', async () => {
    const [a, b] = [agent('a'), agent('b')];
    await b.ready;
    const link = next<Link>(b, 'link');
    await a.send('agent://b', 'hello');
    const channel = await a.createChannel('agent://b', 'extra');
    expect(channel.state).toBe('open');
    expect((await next<AgentMessage>(await link, 'message')).payload).toBe('hello');
  });

  test('what is larger than the other side takes is refused before it is sent', async () => {
    const { ab, ba } = await pair({ limits: { messageBytes: 100_000 }, transport: { maxMessageSize: 100_000 } });
    await expect(ab.send('x'.repeat(100_000))).rejects.toMatchObject({ code: 'MESSAGE_TOO_LARGE', retryable: false });
    await expect(ab.send(new Uint8Array(100_001))).rejects.toMatchObject({ code: 'MESSAGE_TOO_LARGE' });
    const channel = await ab.createChannel('x');
    await expect(channel.send(new Uint8Array(100_001))).rejects.toMatchObject({ code: 'MESSAGE_TOO_LARGE' });
    const message = next<AgentMessage>(ba, 'message');
    await ab.send('x'.repeat(99_500));
    expect((await message).payload).toHaveLength(99_500);
  });

  test('of many megabytes travel in one piece where both sides allow it', async () => {
    const { ab, ba } = await pair();
    const message = next<AgentMessage>(ba, 'message');
    const payload = Array.from({ length: 500_000 }, (_, index) => index);
    await ab.send(payload);
    expect((await message).payload).toEqual(payload);
  });

  test('awaiting send() keeps the buffer small however much is sent', async () => {
    const { b, ab, ba } = await pair();
    let received = 0;
    ba.on('channel', (channel) =>
      channel.on('message', (data) => {
        received += (data as ArrayBuffer).byteLength;
      }),
    );
    b.handle('received', () => received);
    const channel = await ab.createChannel('bulk');
    const chunk = new Uint8Array(100_000);
    let highest = 0;
    await Promise.all(
      Array.from({ length: 100 }, async () => {
        await channel.send(chunk);
        highest = Math.max(highest, channel.bufferedAmount);
      }),
    );
    await channel.close();
    expect(await ab.call('received')).toBe(10_000_000);
    expect(highest).toBeLessThan(2 ** 20 + 3 * chunk.length);
  });

  test('nobody reads are refused beyond the limit, the sender is told, and those before are kept', async () => {
    const { b, ab, ba } = await pair();
    b.handle('sync', () => true);
    const told = next<AgentError>(ab, 'problem');
    for (let number = 0; number < 4097; number++) await ab.send(number);
    expect(await told).toMatchObject({ code: 'RATE_LIMIT_EXCEEDED', retryable: true });
    await ab.call('sync');
    const received: unknown[] = [];
    ba.on('message', ({ payload }) => received.push(payload));
    await ab.call('sync');
    expect(received).toEqual(Array.from({ length: 4096 }, (_, index) => index));
  });

  test('garbage on the message channel is reported and the link goes on', async () => {
    const { b, ab, ba } = await pair();
    b.handle('sync', () => true);
    const problems: string[] = [];
    ba.on('problem', ({ code }) => problems.push(code));
    const raw = (text: string) => rawSend(ab, text);
    raw('not json');
    raw('{"type":"message","payload":1}');
    raw('{"type":"message","id":"1","timestamp":"","payload":1,"metadata":{"agentId":"agent://mallory"}}');
    raw('{"type":"heartbeat","timestamp":"now"}');
    await ab.call('sync');
    expect(problems).toEqual(['INVALID_MESSAGE', 'INVALID_MESSAGE', 'UNAUTHORIZED']);
  });

  /** Another channel of the same name is listened to as well: a way to say what a session would not. */
  function rawSend(link: Link, text: string): void {
    const channel = channels.get(link) ?? link.connection.createDataChannel('ossa-channel');
    channels.set(link, channel);
    if (channel.readyState === 'open') channel.send(text);
    else channel.addEventListener('open', () => channel.send(text));
  }
  const channels = new Map<Link, RTCDataChannelLike>();
  type RTCDataChannelLike = ReturnType<Link['connection']['createDataChannel']>;
});

describe('channels', () => {
  test('carry text and bytes both ways, with the parameters asked for', async () => {
    const { ab, ba } = await pair();
    const announced = next<AgentChannel>(ba, 'channel');
    const init = { ordered: false, maxRetransmits: 3, protocol: 'p', priority: 'critical' } as const;
    const channel = await ab.createChannel('telemetry', init);
    const other = await announced;
    expect([other.label, other.protocol, other.dataChannel.ordered, other.dataChannel.maxRetransmits]).toEqual([
      'telemetry',
      'p',
      false,
      3,
    ]);
    const text = next(other, 'message');
    await channel.send('ü');
    expect(await text).toBe('ü');
    const bytes = next<ArrayBuffer>(channel, 'message');
    expect(other.trySend(new Uint8Array([1, 2, 3]).subarray(2))).toBe(true);
    expect([...new Uint8Array(await bytes)]).toEqual([3]);
    await channel.close();
    await other.closed;
    await expect(channel.send('x')).rejects.toMatchObject({ code: 'AGENT_UNREACHABLE' });
    expect(channel.trySend('x')).toBe(false);
    expect(ab.state).toBe('open');
  });

  test('can be negotiated by both sides with the same id', async () => {
    const { ab, ba } = await pair();
    const [one, two] = await Promise.all(
      [ab, ba].map((link) => link.createChannel('events', { negotiated: true, id: 20 })),
    );
    const message = next(two!, 'message');
    await one!.send('hi');
    expect(await message).toBe('hi');
  });

  test('keep their messages for whoever comes late, and end when they are closed', async () => {
    const { ab, ba } = await pair();
    const channel = await ab.createChannel('log');
    for (let number = 0; number < 5; number++) await channel.send(String(number));
    await channel.close();
    const received: unknown[] = [];
    for await (const data of await next<AgentChannel>(ba, 'channel')) received.push(data);
    expect(received).toEqual(['0', '1', '2', '3', '4']);
  });

  test('are cancelled while they open', async () => {
    const { ab } = await pair();
    await expect(ab.createChannel('x', {}, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'TASK_CANCELLED',
    });
  });
});

describe('bad input is refused by name', () => {
  test.each([
    [{ agentId: 'http://a' }, /agent:\/\//],
    [{ agentId: 7 }, /string/],
    [{ signaling: undefined }, /signaling/],
    [{ signaling: 'http://x' }, /ws:\/\//],
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
