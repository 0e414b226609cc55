// Programs written for the public OSSA reference find here what they expect of `ossa-webrtc/ossa`.
import { EventEmitter, once } from 'node:events';

import { InMemorySignalingServer, WebRTCTransport } from 'ossa-webrtc/ossa';
import type { SignalingMessage, WebRTCMessage } from 'ossa-webrtc/ossa';

import { channelsOpen, connected, newServer, next, ONE, pair, transport, TWO } from './support';

type Call = WebRTCMessage<{ capability: string; input: unknown }>;

/** What a program of the reference does to offer capabilities. */
function answerCalls(of: WebRTCTransport): void {
  of.on('capability_call', (call: Call) => {
    const { capability, input } = call.payload;
    const { correlationId } = call.metadata;
    if (capability === 'fail')
      void of.send('control', 'error', { code: 'SOLD_OUT', message: 'none left' }, { correlationId });
    else if (capability !== 'silent')
      void of.send('control', 'capability_response', { echo: input }, { correlationId });
  });
}

describe('connecting', () => {
  test('opens the channels control and data on both sides, and says so', async () => {
    const { one, two } = pair();
    const states: string[] = [];
    one.on('connectionstatechange', (state: string) => states.push(state));
    const open = Promise.all([channelsOpen(one), channelsOpen(two)]);
    const announced = Promise.all([once(one, 'connected'), once(two, 'connected')]);
    expect([one.isConnected(), one.getConnectionState()]).toEqual([false, 'closed']);
    await one.createOffer();
    await Promise.all([open, announced]);
    expect(states).toEqual(['connecting', 'connected']);
    for (const side of [one, two]) expect([side.isConnected(), side.getConnectionState()]).toEqual([true, 'connected']);
  });

  test('lets a listener of "connected" send at once', async () => {
    const { one, two } = pair();
    const answers = Promise.all([next(one), next(two)]);
    for (const side of [one, two]) side.on('connected', () => void side.send('control', 'message', 'at once'));
    await one.createOffer();
    expect((await answers).map(({ payload }) => payload)).toEqual(['at once', 'at once']);
  });

  test('opens the channels that are asked for, negotiated ones on both sides', async () => {
    const channels = [
      { label: 'control', ordered: true, protocol: 'v1' },
      { label: 'agreed', negotiated: true, id: 7 },
    ];
    const { one, two } = await connected({ channels }, ['control', 'agreed']);
    for (const [from, to] of [
      [one, two],
      [two, one],
    ] as const) {
      const received = next(to);
      await from.send('agreed', 'message', 'hello');
      expect(await received).toMatchObject({ payload: 'hello', metadata: { channelId: 'agreed' } });
    }
  });

  test('gives one connection when both sides offer at the same time', async () => {
    const { one, two } = pair();
    const problems: unknown[] = [];
    for (const side of [one, two]) side.on('error', (error) => problems.push(error));
    const open = Promise.all([channelsOpen(one), channelsOpen(two)]);
    await Promise.all([one.createOffer(), two.createOffer()]);
    await open;
    answerCalls(two);
    expect(await one.invokeCapability('any', 1)).toEqual({ echo: 1 });
    expect(problems).toEqual([]);
  });

  test('begins anew at any time, from either side', async () => {
    const { one, two } = await connected();
    answerCalls(one);
    for (const side of [two, one, two]) {
      const open = Promise.all([channelsOpen(one), channelsOpen(two)]);
      await side.createOffer();
      await open;
      expect(await two.invokeCapability('any', 'again')).toEqual({ echo: 'again' });
    }
  });

  test('takes candidates that come before their description, and descriptions as objects', async () => {
    const signaling = [new EventEmitter(), new EventEmitter()] as const;
    const one = transport({ agentId: ONE, remoteAgentId: TWO, signaling: signaling[0] });
    const two = transport({ agentId: TWO, remoteAgentId: ONE, signaling: signaling[1] });
    const held: SignalingMessage[] = [];
    signaling[0].on('message', (message: SignalingMessage) => {
      if (message.to !== TWO) return;
      const sdp = message.sdp && { type: message.type, sdp: message.sdp };
      if (sdp) held.push({ ...message, sdp: sdp as never });
      else signaling[1].emit('message', message);
    });
    signaling[1].on('message', (message: SignalingMessage) => {
      // Everything of this side stays away but its answer: only the early candidates can connect.
      if (message.type === 'answer') signaling[0].emit('message', message);
    });
    const open = Promise.all([channelsOpen(one), channelsOpen(two)]);
    const candidate = new Promise((resolve) =>
      signaling[1].on('message', ({ type }: SignalingMessage) => type === 'ice-candidate' && resolve(undefined)),
    );
    await one.createOffer();
    // Now the candidate is at the other side, and the offer is not.
    const first = new Promise<void>((resolve) =>
      signaling[0].on(
        'message',
        ({ type, to }: SignalingMessage) => type === 'ice-candidate' && to === TWO && resolve(),
      ),
    );
    await first;
    for (const message of held) signaling[1].emit('message', message);
    await Promise.all([open, candidate]);
    expect(two.isConnected()).toBe(true);
  });

  test('serves several peers over one emitter', async () => {
    const server = newServer();
    const hub = server.registerAgent('agent://example.com/hub');
    const names = ['agent://example.com/a', 'agent://example.com/b', 'agent://example.com/c'];
    const remotes = names.map((agentId) =>
      transport({ agentId, remoteAgentId: 'agent://example.com/hub', signaling: server.registerAgent(agentId) }),
    );
    const locals = names.map((remoteAgentId) =>
      transport({ agentId: 'agent://example.com/hub', remoteAgentId, signaling: hub }),
    );
    for (const [index, local] of locals.entries()) {
      local.on('capability_call', ({ metadata }: Call) => {
        void local.send('control', 'capability_response', index, { correlationId: metadata.correlationId });
      });
    }
    const open = Promise.all([...remotes, ...locals].map((side) => channelsOpen(side)));
    await Promise.all(remotes.map((remote) => remote.createOffer()));
    await open;
    expect(await Promise.all(remotes.map((remote) => remote.invokeCapability('which', null)))).toEqual([0, 1, 2]);
  });
});

describe('messages', () => {
  test('arrive with everything around them, by their type and as "*"', async () => {
    const { one, two } = await connected();
    const [message, any] = [next(two, 'status'), next(two, '*')];
    await one.send('data', 'status', { load: 0.5 }, { correlationId: 'c', priority: 'high', ttl: 60 });
    const received = await message;
    expect(received).toEqual({
      type: 'status',
      id: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
      timestamp: new Date(received.timestamp).toISOString(),
      payload: { load: 0.5 },
      metadata: { agentId: ONE, channelId: 'data', correlationId: 'c', priority: 'high', ttl: 60 },
    });
    expect(await any).toBe(received);
  });

  test('keep their order, large ones among small ones, however many are sent at once', async () => {
    const { one, two } = await connected();
    const payloads = Array.from({ length: 60 }, (_, i) => (i % 3 ? `small ${i}` : `${i} `.padEnd(200_000, '"\\😀')));
    const received: unknown[] = [];
    const all = new Promise<void>((resolve) =>
      two.on('message', ({ payload }: WebRTCMessage) => received.push(payload) === payloads.length && resolve()),
    );
    await Promise.all(payloads.map((payload) => one.send('control', 'message', payload)));
    await all;
    expect(received).toEqual(payloads);
  });

  test('are refused on a channel that is not there or not open', async () => {
    const { one } = await connected();
    await expect(one.send('other', 'message', 1)).rejects.toThrow("Data channel 'other' not found");
    const unconnected = pair().one;
    await expect(unconnected.send('control', 'message', 1)).rejects.toThrow("Data channel 'control' not found");
  });

  test('past their time to live are not delivered', async () => {
    const { one, two } = await connected();
    const wallClock = jest.spyOn(Date, 'now').mockReturnValue(Date.now() + 3_600_000);
    const received = next(two);
    await one.send('control', 'message', 'stale', { ttl: 1 });
    await one.send('control', 'message', 'fresh');
    expect((await received).payload).toBe('fresh');
    wallClock.mockRestore();
  });
});

describe('calls', () => {
  test('resolve with the bare result, in both directions', async () => {
    const { one, two } = await connected();
    answerCalls(one);
    answerCalls(two);
    const answered = next(one, 'capability_response');
    expect(await one.invokeCapability<object, unknown>('any', { n: 1 })).toEqual({ echo: { n: 1 } });
    expect(await answered).toMatchObject({ payload: { echo: { n: 1 } } });
    expect(await two.invokeCapability('any', 'x'.repeat(100_000))).toEqual({ echo: 'x'.repeat(100_000) });
  });

  test('reject with what the other side refuses with', async () => {
    const { one, two } = await connected();
    answerCalls(two);
    await expect(one.invokeCapability('fail', 1)).rejects.toMatchObject({ code: 'SOLD_OUT', message: 'none left' });
    const error = once(one, 'error');
    await expect(one.invokeCapability('fail', 1)).rejects.toThrow('none left');
    expect(await error).toEqual([{ code: 'SOLD_OUT', message: 'none left' }]);
  });

  test('reject without an answer in time, on a channel that is not there, and at the end', async () => {
    const { one, two } = await connected();
    answerCalls(two);
    await expect(one.invokeCapability('silent', 1, { timeout: 20 })).rejects.toThrow('Capability call timeout');
    await expect(one.invokeCapability('any', 1, { channel: 'none' })).rejects.toThrow("Data channel 'none' not found");
    const [mine, theirs] = [one.invokeCapability('silent', 1), two.invokeCapability('silent', 1)];
    const outcomes = Promise.allSettled([mine, theirs]);
    await one.close();
    const [first, second] = (await outcomes) as PromiseRejectedResult[];
    expect(first!.reason).toMatchObject({ message: 'Connection closed' });
    expect(second!.reason).toMatchObject({ code: 'AGENT_UNREACHABLE', retryable: true });
  });
});

describe('closing', () => {
  test('delivers what was sent before, tells both sides, and may be repeated', async () => {
    const { one, two } = await connected();
    const events: string[] = [];
    for (const event of ['channel:close', 'connectionstatechange', 'closed']) {
      one.on(event, (detail = '') => events.push(`${event} ${detail}`.trim()));
    }
    const received = next(two);
    const closed = once(two, 'channel:close');
    void one.send('control', 'message', 'y'.repeat(500_000));
    const closing = one.close();
    expect([one.isConnected(), one.getConnectionState()]).toEqual([false, 'closed']);
    await closing;
    await one.close();
    expect(((await received).payload as string).length).toBe(500_000);
    await closed;
    expect(events).toEqual(['channel:close control', 'channel:close data', 'connectionstatechange closed', 'closed']);
  });

  test('ends the service: a later offer is not answered until this side offers again', async () => {
    const { server, one, two } = await connected();
    await two.close();
    const answered = jest.fn();
    server.registerAgent('agent://example.com/observer');
    two.on('connectionstatechange', answered);
    await one.createOffer();
    expect(answered).not.toHaveBeenCalled();
    const open = Promise.all([channelsOpen(one), channelsOpen(two)]);
    await two.createOffer();
    await open;
    expect(two.isConnected()).toBe(true);
  });
});

describe('options', () => {
  test.each([
    ['chunkSize', -1],
    ['heartbeatInterval', '5'],
  ])('%s %p is refused', (name, value) => {
    const signaling = new EventEmitter();
    const make = () => new WebRTCTransport({ agentId: ONE, remoteAgentId: TWO, signaling, [name]: value });
    expect(make).toThrow(new TypeError(`${name} must be a positive number, not ${value}`));
  });

  test('an answer without an offer is refused', async () => {
    await expect(pair().one.handleAnswer('v=0')).rejects.toThrow('Peer connection not initialized');
  });
});

describe('the signaling server in memory', () => {
  test('delivers to the agent that is named, and to nobody else', () => {
    const server = new InMemorySignalingServer();
    const [a, b, c] = ['a', 'b', 'c'].map((name) => server.registerAgent(name)) as [
      EventEmitter,
      EventEmitter,
      EventEmitter,
    ];
    const seen: string[] = [];
    b.on('message', ({ from }: SignalingMessage) => seen.push(`b from ${from}`));
    c.on('message', ({ from }: SignalingMessage) => seen.push(`c from ${from}`));
    a.emit('message', { type: 'offer', from: 'a', to: 'b' });
    a.emit('message', { type: 'offer', from: 'a', to: 'nobody' });
    server.unregisterAgent('c');
    server.unregisterAgent('c');
    b.emit('message', { type: 'answer', from: 'b', to: 'c' });
    server.clear();
    a.emit('message', { type: 'offer', from: 'a', to: 'b' });
    expect(server).toBeInstanceOf(EventEmitter);
    expect(seen).toEqual(['b from a', 'b from b']);
  });
});
