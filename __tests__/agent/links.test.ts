// What goes over the link between two agents in one process: calls, messages, channels.
import { AgentError } from 'ossa-webrtc';
import type { AgentChannel, AgentMessage, Link, PeerOptions } from 'ossa-webrtc';

import { agents, next } from './two-agents';

const { agent, pair } = agents();
const bothWith = (options: Partial<PeerOptions>) => pair({ a: options, b: options });

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
    const { b, ab } = await bothWith({ limits: { messageBytes: 100_000 } });
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
    const { ab, ba } = await bothWith({ limits: { messageBytes: 100_000 }, transport: { maxMessageSize: 100_000 } });
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
    // They go through a channel of their own, which nothing on the other one waits for.
    while (problems.length < 3) await new Promise(setImmediate);
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
