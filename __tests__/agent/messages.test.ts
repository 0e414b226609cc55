// Messages: large ones in parts, priorities, waiting, expiring, and what an attacker would send.
import { RTCDataChannel } from 'ossa-webrtc';
import type { AgentError, AgentMessage, Link, MessageProgress } from 'ossa-webrtc';

import { agents, next, rawSender, until } from './two-agents';

const { pair } = agents();
// eslint-disable-next-line @typescript-eslint/unbound-method -- it is called with a channel
const original = RTCDataChannel.prototype.send;

/** Both sides know what the other can do. */
async function acquainted(of: Parameters<typeof pair>[0] = {}) {
  const both = await pair(of);
  both.b.handle('ready', () => true);
  both.a.handle('ready', () => true);
  // The first message of each side comes before the answer to a call.
  await Promise.all([both.ab.call('ready'), both.ba.call('ready')]);
  return both;
}

/** The payloads of the next messages. */
async function payloads(link: Link, count: number): Promise<unknown[]> {
  const received: unknown[] = [];
  for await (const { payload } of link) if (received.push(payload) === count) break;
  return received;
}

/** More than a channel takes at once, so that what follows waits. */
const FULL = 'x'.repeat(1024 * 1024);

describe('large messages', () => {
  const large = { text: 'aä😀\\"\ud83d'.repeat(300_000), numbers: [1e21, 0.1] };

  test('of megabytes arrive as they were sent, and both sides see how far they are', async () => {
    const { ab, ba } = await acquainted();
    const progress: MessageProgress[] = [];
    ab.on('progress', (step) => progress.push(step));
    ba.on('progress', (step) => progress.push(step));
    const message = next<AgentMessage>(ba, 'message');
    const id = await ab.send(large);
    expect((await message).payload).toEqual(large);
    for (const direction of ['send', 'receive']) {
      const steps = progress.filter((step) => step.direction === direction);
      expect(steps.length).toBeGreaterThan(2);
      expect(steps.every((step, index) => step.id === id && step.parts === index + 1)).toBe(true);
    }
  });

  test('go in the chunks of the specification to an agent that has not said that it is one of ours', async () => {
    const { ab, ba } = await pair();
    const say = await rawSender(ba);
    const metadata = { agentId: 'agent://b' };
    say({ type: 'heartbeat', id: 'h', timestamp: 't', metadata: { ...metadata, ossa: { version: 1, features: [] } } });
    say({ type: 'message', id: 'm', timestamp: 't', payload: 'heard', metadata });
    expect(await payloads(ab, 1)).toEqual(['heard']);
    const texts: string[] = [];
    const send = jest.spyOn(RTCDataChannel.prototype, 'send');
    send.mockImplementation(function (this: RTCDataChannel, data) {
      texts.push(data as string);
      // The mock is the method now; the original stands behind it.
      original.call(this, data as string);
    });
    const message = next<AgentMessage>(ba, 'message');
    await ab.send('ä'.repeat(50_000));
    send.mockRestore();
    expect((await message).payload).toBe('ä'.repeat(50_000));
    expect(texts.length).toBeGreaterThan(6);
    expect(texts.every((text) => Buffer.byteLength(text) <= 16_384)).toBe(true);
  });

  test('calls and their results may be large as well', async () => {
    const { b, ab } = await acquainted();
    b.handle('echo', (input) => input);
    expect(await ab.call('echo', large)).toEqual(large);
  });

  test('beyond the limit are refused by the sender, which knows the limit of the other side', async () => {
    const { ab } = await acquainted({ b: { limits: { messageBytes: 100_000 } } });
    await expect(ab.send('x'.repeat(100_000))).rejects.toMatchObject({ code: 'MESSAGE_TOO_LARGE' });
  });

  test('of somebody who does not care about the limit are refused, and others arrive', async () => {
    const { ab, ba } = await pair({ b: { limits: { messageBytes: 50_000 } } });
    const problem = next<AgentError>(ab, 'problem');
    const send = await rawSender(ab);
    const metadata = { agentId: 'agent://a' };
    send({ type: 'message', id: 'whole', timestamp: 't', payload: 'x'.repeat(50_000), metadata });
    expect(await problem).toMatchObject({ code: 'MESSAGE_TOO_LARGE', details: { messageId: 'whole' } });
    const refused = next<AgentError>(ab, 'problem');
    for (let chunkIndex = 0; chunkIndex < 5; chunkIndex++) {
      const chunked = { chunkIndex, totalChunks: 5, messageId: 'm' };
      send({
        type: 'message',
        id: 'm',
        timestamp: 't',
        payload: 'x'.repeat(15_000),
        metadata: { ...metadata, chunked },
      });
    }
    expect(await refused).toMatchObject({ code: 'MESSAGE_TOO_LARGE', details: { messageId: 'm' } });
    send({ type: 'message', id: 'n', timestamp: 't', payload: 'small', metadata });
    expect(await payloads(ba, 1)).toEqual(['small']);
  });

  test('that stop coming are given up and reported', async () => {
    const { ab, ba } = await pair({ b: { limits: { incompleteIdle: 10 } } });
    const problem = next<AgentError>(ba, 'problem');
    const send = await rawSender(ab);
    const chunked = { chunkIndex: 0, totalChunks: 2, messageId: 'm' };
    send({ type: 'message', id: 'm', timestamp: 't', payload: 'x', metadata: { agentId: 'agent://a', chunked } });
    const { code, message } = await problem;
    expect([code, message]).toEqual(['PROTOCOL_ERROR', expect.stringContaining('given up')]);
  });

  test('of the specification that cut characters in two are whole again', async () => {
    const { ab, ba } = await pair();
    const send = await rawSender(ab);
    const metadata = { agentId: 'agent://a' };
    const data = JSON.stringify({ type: 'message', id: 'm', timestamp: 't', payload: 'a😀'.repeat(50), metadata });
    const slices = data.match(/[^]{1,7}/g)!;
    for (const [chunkIndex, payload] of slices.entries()) {
      const chunked = { chunkIndex, totalChunks: slices.length, messageId: 'c' };
      send({ type: 'message', id: 'm', timestamp: 't', payload, metadata: { ...metadata, chunked } });
    }
    expect(await payloads(ba, 1)).toEqual(['a😀'.repeat(50)]);
  });
});

describe('waiting to be sent', () => {
  test('messages go by priority, those of one priority in their order', async () => {
    const { ab, ba } = await acquainted();
    const sent = [
      ab.send(FULL),
      ab.send(FULL),
      ...['low', 'low', 'normal', 'normal', 'critical', 'critical'].map((priority, index) =>
        ab.send(`${priority} ${index}`, { priority: priority as 'low' }),
      ),
    ];
    const order = (await payloads(ba, 8)) as string[];
    await Promise.all(sent);
    const small = order.filter((text) => text.length < 100);
    expect(small.filter((text) => text.startsWith('critical'))).toEqual(['critical 4', 'critical 5']);
    expect(small.indexOf('critical 4')).toBeLessThan(small.indexOf('normal 2'));
    expect(small.indexOf('normal 2')).toBeLessThan(small.indexOf('normal 3'));
    expect(small.indexOf('low 0')).toBeLessThan(small.indexOf('low 1'));
  });

  test('a critical message overtakes the parts of a large low one', async () => {
    const { ab, ba } = await acquainted();
    const low = ab.send('x'.repeat(12 * 1024 * 1024), { priority: 'low' });
    const critical = ab.send('now', { priority: 'critical' });
    const order = await payloads(ba, 2);
    await Promise.all([low, critical]);
    expect(order[0]).toBe('now');
    expect(order[1]).toHaveLength(12 * 1024 * 1024);
  });

  test('a message that waits longer than its ttl is not sent, and its sender is told', async () => {
    const { ab, ba } = await acquainted();
    const first = [ab.send(FULL), ab.send(FULL)];
    const late = ab.send('late', { ttl: 1e-9 });
    await expect(late).rejects.toMatchObject({ code: 'MESSAGE_EXPIRED' });
    await ab.send('last');
    expect(((await payloads(ba, 3)) as string[])[2]).toBe('last');
    await Promise.all(first);
  });

  test('a signal takes back what waits', async () => {
    const { ab, ba } = await acquainted();
    const first = [ab.send(FULL), ab.send(FULL)];
    const controller = new AbortController();
    const waiting = ab.send('not wanted any more', { signal: controller.signal });
    controller.abort();
    await expect(waiting).rejects.toMatchObject({ code: 'TASK_CANCELLED' });
    await ab.send('last');
    expect(((await payloads(ba, 3)) as string[])[2]).toBe('last');
    await Promise.all(first);
  });

  test('trySend takes nothing when there is no room, and drained says when there is', async () => {
    const { ab, ba } = await acquainted();
    let sent = 0;
    let refused = 0;
    const received: unknown[] = [];
    ba.on('message', ({ payload }) => received.push(payload));
    while (sent < 10) {
      if (ab.trySend({ sent, filling: FULL })) sent++;
      else {
        refused++;
        await ab.drained();
      }
    }
    await ab.drained();
    expect(ab.trySend('end')).toBe(true);
    await until(() => received.at(-1) === 'end');
    expect(refused).toBeGreaterThan(0);
    const numbers = received.slice(0, -1) as { sent: number }[];
    expect(numbers.map((payload) => payload.sent)).toEqual([...Array(10).keys()]);
  });

  test('count and bytes of what waits are bounded', async () => {
    const { ab } = await acquainted({ a: { limits: { queuedMessages: 2, queuedBytes: 1024 * 1024 } } });
    const sent = [ab.send(FULL), ab.send('one'), ab.send('two')];
    await expect(ab.send('three')).rejects.toMatchObject({ code: 'RATE_LIMIT_EXCEEDED', retryable: true });
    await Promise.all(sent);
    const more = [ab.send(FULL), ab.send('x'.repeat(1000 * 1024))];
    await expect(ab.send('x'.repeat(100 * 1024))).rejects.toMatchObject({ code: 'RATE_LIMIT_EXCEEDED' });
    await Promise.all(more);
  });

  test('closing the link lets what waits go first', async () => {
    const { ab, ba } = await acquainted();
    const sent = Promise.all([ab.send(FULL), ab.send(FULL), ab.send('last')]);
    const received = payloads(ba, 3);
    await ab.close();
    await sent;
    expect((await received)[2]).toBe('last');
  });

  test('binary data that waits is what it was when it was sent', async () => {
    const { ab, ba } = await acquainted();
    const bytes = new Uint8Array([1, 2, 3]);
    const sent = [ab.send(FULL), ab.send(FULL), ab.send(bytes)];
    bytes.fill(0);
    const received = await payloads(ba, 3);
    await Promise.all(sent);
    expect(new Uint8Array(received[2] as ArrayBuffer)).toEqual(new Uint8Array([1, 2, 3]));
  });
});

describe('what a message says', () => {
  test('metadata of the application travel along; those of the protocol cannot be replaced', async () => {
    const { ab, ba } = await pair();
    const message = next<AgentMessage>(ba, 'message');
    await ab.send(1, { metadata: { traceparent: '00-1-2-03' }, priority: 'high' });
    expect((await message).metadata).toEqual({
      agentId: 'agent://a',
      channelId: 'ossa-channel',
      priority: 'high',
      traceparent: '00-1-2-03',
    });
    for (const name of ['agentId', 'chunked', 'ossa']) {
      await expect(ab.send(1, { metadata: { [name]: 'x' } })).rejects.toThrow(new RegExp(`"${name}"`));
    }
  });

  test('options that make no sense are refused by name', async () => {
    const { ab } = await pair();
    await expect(ab.send(1, { type: 'x'.repeat(65) })).rejects.toThrow(/type has 65 bytes/);
    await expect(ab.send(1, { correlationId: 'ä'.repeat(129) })).rejects.toThrow(/correlationId has 258 bytes/);
    await expect(ab.send(1, { channel: 'nowhere' })).rejects.toThrow(/"nowhere"/);
    expect(() => ab.trySend(1, { ttl: -1 })).toThrow(/ttl/);
    await ab.close();
    expect(() => ab.trySend(1)).toThrow(/closed/);
    await expect(ab.drained()).rejects.toMatchObject({ code: 'AGENT_UNREACHABLE' });
  });

  test('a message that comes twice is delivered once, also a large one', async () => {
    const { ab, ba } = await pair();
    const send = await rawSender(ab);
    const metadata = { agentId: 'agent://a' };
    const message = { type: 'message', id: 'same', timestamp: 't', payload: 'x'.repeat(20_000), metadata };
    send(message);
    send(message);
    send({ ...message, id: 'other', payload: 2 });
    expect(await payloads(ba, 2)).toEqual([message.payload, 2]);
  });

  test('a message that comes twice is delivered once, written in whatever way', async () => {
    const { ab, ba } = await pair();
    const send = await rawSender(ab);
    const id = '3f2c1a9e-0b7d-4c55-9a10-6d5e4f3b2a19';
    const metadata = { agentId: 'agent://a', channelId: 'ossa-channel' };
    const usual = { type: 'message', id, timestamp: '2026-11-30T19:00:00.000Z', payload: { n: 1 }, metadata };
    send(usual);
    // The same in another order of members, with a member more, with something to act on, as another type, and as it was.
    send({ metadata, payload: { n: 2 }, type: 'message', id, timestamp: usual.timestamp });
    send({ ...usual, payload: { n: 3 }, extra: true });
    send({ ...usual, payload: { n: 4 }, metadata: { ...metadata, priority: 'high' } });
    send({ ...usual, type: 'note', payload: { n: 5 } });
    send({ ...usual, payload: { n: 6 } });
    const other = { ...usual, metadata: { ...metadata, priority: 'high' }, id: id.replace('3f', '4f') };
    send({ ...other, payload: { n: 7 } });
    send({ ...other, payload: { n: 8 }, metadata });
    send({ ...usual, id: id.replace('3f', '5f'), payload: { n: 9 } });
    expect(await payloads(ba, 3)).toEqual([{ n: 1 }, { n: 7 }, { n: 9 }]);
  });

  test('small messages arrive as they were sent, whatever they look like', async () => {
    const { ab, ba } = await pair();
    const send = await rawSender(ab);
    const metadata = { agentId: 'agent://a', channelId: 'ossa-channel' };
    const tail = `,"metadata":${JSON.stringify(metadata)}}`;
    const message = { type: 'message', timestamp: '2026-11-30T19:00:00.000Z' };
    const variants = [
      { id: '00000000-0000-4000-8000-000000000001', payload: null },
      { id: '00000000-0000-4000-8000-000000000002', payload: `${tail}"]}` },
      { id: '00000000-0000-4000-8000-000000000003', payload: 'ä😀\u0041"', timestamp: '2026-11-30T19:00:00.001Z' },
      { id: '00000000-0000-4000-8000-"00000000004', payload: [1] },
      { id: '00000000-0000-4000-8000-00000000005', payload: [{}] },
      { id: '00000000-0000-4000-8000-000000000006', payload: 6, timestamp: 'in a quarter of an "hour' },
      { id: '00000000-0000-4000-8000-000000000007', payload: 7, metadata: { ...metadata, channelId: 'other' } },
      { id: '00000000-0000-4000-8000-000000000008', payload: 8, metadata: { ...metadata, more: { than: 'that' } } },
    ].map((one) => ({ ...message, metadata, ...one }));
    // JSON allows a member to come twice; the last one counts.
    const twice = { ...message, id: '00000000-0000-4000-8000-000000000009', payload: 9, metadata };
    for (const { type, id, timestamp, payload, metadata } of variants) send({ type, id, timestamp, payload, metadata });
    send(JSON.stringify(twice).replace('"payload":9', '"payload":1,"payload":9'));
    const received: AgentMessage[] = [];
    for await (const one of ba) if (received.push(one) === variants.length + 1) break;
    expect(received).toEqual([...variants, twice].map((one) => ({ ...one, from: 'agent://a' })));
  });

  test('a sender of another name is refused, in small and in large messages', async () => {
    const { ab, ba } = await pair();
    const send = await rawSender(ab);
    const metadata = { agentId: 'agent://mallory' };
    const problems: string[] = [];
    ba.on('problem', ({ code }) => problems.push(code));
    for (const payload of ['small', 'x'.repeat(20_000)]) {
      send({ type: 'message', id: payload.slice(0, 9), timestamp: 't', payload, metadata });
    }
    await until(() => problems.length === 2);
    expect(problems).toEqual(['UNAUTHORIZED', 'UNAUTHORIZED']);
  });

  test('of small messages that look like any other, what is wrong with one is found', async () => {
    const { ab, ba } = await pair();
    const send = await rawSender(ab);
    const codes: string[] = [];
    ba.on('problem', ({ code }) => codes.push(code));
    const metadata = { agentId: 'agent://a', channelId: 'ossa-channel' };
    const fine = { type: 'message', id: 'fine', timestamp: new Date().toISOString(), payload: 'fine', metadata };
    const wrong = [
      { ...fine, id: '' },
      { ...fine, id: 7 },
      { ...fine, id: 'ä'.repeat(129) },
      { ...fine, timestamp: 7 },
      { ...fine, metadata: undefined },
      { ...fine, metadata: [] },
      { ...fine, metadata: { ...metadata, channelId: 7 } },
      { ...fine, metadata: { ...metadata, channelId: 'ä'.repeat(129) } },
      { ...fine, metadata: { ...metadata, priority: 'urgent' } },
      { ...fine, metadata: { ...metadata, ttl: 'x' } },
      { ...fine, metadata: { ...metadata, chunked: 1 } },
    ];
    for (const message of wrong) send(message);
    // Dropped without a word, as it is of no use any more.
    send({ ...fine, id: 'late', timestamp: '2020-01-01T00:00:00.000Z', metadata: { ...metadata, ttl: 1 } });
    send({ ...fine, metadata: { ...metadata, note: 'of the application' } });
    expect(await payloads(ba, 1)).toEqual(['fine']);
    expect(codes).toEqual(wrong.map(() => 'INVALID_MESSAGE'));
  });
});
