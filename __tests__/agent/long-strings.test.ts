// Long strings in messages take a way of their own between two of our agents: what arrives must be what JSON says.
import { RTCDataChannel } from 'ossa-webrtc';
import type { AgentError, AgentMessage, Link } from 'ossa-webrtc';

import { largeText } from '../../ts/agent/messages/large-text';
import { agents, next } from './two-agents';

const { pair } = agents();

const LONG = 'x'.repeat(100_000);

/** JSON of a message that a nested payload makes larger than what is looked through. */
const deep = (levels: number, inside: string) => '['.repeat(levels) + inside + ']'.repeat(levels);

/** Both sides know what the other can do. */
async function acquainted(of: Parameters<typeof pair>[0] = {}) {
  const both = await pair(of);
  both.b.handle('echo', (input) => input);
  both.a.handle('echo', (input) => input);
  await Promise.all([both.ab.call('echo'), both.ba.call('echo')]);
  return both;
}

async function receive(link: Link, count: number): Promise<AgentMessage[]> {
  const received: AgentMessage[] = [];
  for await (const message of link) if (received.push(message) === count) break;
  return received;
}

class Document {
  readonly text = LONG;
  toJSON(key: string) {
    return { key, length: this.text.length };
  }
}

const holes = [LONG, undefined, () => 1];
holes.length = 5;
const payloads: Record<string, unknown> = {
  'a string itself': LONG,
  'one in an object': { before: 1, text: LONG, after: [true, null] },
  'several, in lists and objects': { list: [LONG, { text: `${LONG}!` }, 'short'], title: 'a "title"' },
  'everything that needs an escape': { text: '"\\/\b\f\n\r\t\u0000\u001f\u007f'.repeat(10_000) },
  'line separators': { text: '\u2028\u2029'.repeat(20_000) },
  'Latin-1': { text: 'é'.repeat(50_000) },
  'wide characters': { text: '漢字😀'.repeat(20_000) },
  'half a surrogate pair': { text: `${LONG}\ud83d`, other: `\ude00${LONG}` },
  'what looks like a placeholder': { text: LONG, other: ['\u007f0', '\u007f'], third: `\u007f0${LONG}` },
  'empty members beside it': { '': '', text: LONG, none: [], empty: {} },
  'what JSON leaves out': { text: LONG, undefined, function: () => 1, symbol: Symbol('x'), holes },
  'dates and classes, which get the key': { text: LONG, date: new Date(0), document: new Document() },
  'a class itself': new Document(),
  'a member called __proto__': JSON.parse(`{"__proto__":"${LONG}","a":{"__proto__":"${LONG}"}}`) as unknown,
  'more members than are looked at': { ...Object.fromEntries(Array(40).fill(0).entries()), text: LONG },
  'deeper than is looked at': { a: { b: { c: { d: { e: { text: LONG } } } } } },
  'numbers as JSON has them': { text: LONG, numbers: [1e21, -0, NaN, 0.1] },
};

describe('a payload with a long string', () => {
  test.each(Object.entries(payloads))('arrives as JSON has it: %s', async (_, payload) => {
    const { ab, ba } = await acquainted();
    const expected: unknown = JSON.parse(JSON.stringify(payload));
    const received = receive(ba, 3);
    const ids = [await ab.send(payload), await ab.send(payload, { priority: 'high', metadata: { topic: 'a' } })];
    ids.push(await ab.send('the last'));
    const messages = await received;
    expect(messages.map(({ payload }) => payload)).toEqual([expected, expected, 'the last']);
    expect(messages.map(({ id }) => id)).toEqual(ids);
    expect(messages[1]!.metadata).toMatchObject({ agentId: 'agent://a', priority: 'high', topic: 'a' });
    expect(largeText(payload)?.toString() ?? JSON.stringify(payload)).toBe(JSON.stringify(payload));
  });

  test('is neither written nor read by JSON, which would look at each of its characters', async () => {
    const { ab, ba } = await acquainted();
    const send = jest.spyOn(RTCDataChannel.prototype, 'send');
    const parse = jest.spyOn(JSON, 'parse');
    const received = receive(ba, 1);
    await ab.send({ text: LONG });
    await received;
    expect(send).not.toHaveBeenCalled();
    // Snapshots of the connection are JSON too, but short.
    expect(parse.mock.calls.filter(([text]) => text.length >= LONG.length)).toEqual([]);
    parse.mockRestore();
    send.mockRestore();
  });

  test('says why it is none of JSON, as any other does', async () => {
    const { ab } = await acquainted();
    const cyclic: Record<string, unknown> = { text: LONG };
    cyclic.self = cyclic;
    for (const payload of [cyclic, { text: LONG, number: 1n }]) {
      await expect(ab.send(payload)).rejects.toMatchObject({ code: 'INVALID_MESSAGE' });
    }
  });

  test('is refused beyond the limit of the other side, counted as it travels', async () => {
    const { ab, ba } = await acquainted({ b: { limits: { messageBytes: 100_500 } } });
    await expect(ab.send({ text: LONG, more: LONG })).rejects.toMatchObject({ code: 'MESSAGE_TOO_LARGE' });
    await expect(ab.send({ text: '\n'.repeat(60_000) })).rejects.toMatchObject({ code: 'MESSAGE_TOO_LARGE' });
    const received = receive(ba, 1);
    await ab.send(LONG);
    expect((await received)[0]!.payload).toBe(LONG);
  });

  test('waits like any other, is overtaken by what is urgent, and arrives once', async () => {
    const { ab, ba } = await acquainted();
    const large = 'y'.repeat(700_000);
    const received = receive(ba, 8);
    const sent = Array.from({ length: 6 }, (_, number) => ab.send({ number, large }, { priority: 'low' }));
    sent.push(
      ab.send('urgent', { priority: 'critical' }),
      ab.send({ number: 6, large: large.repeat(3) }, { priority: 'low' }),
    );
    const messages = await received;
    const order = messages.map(({ payload }) => (payload as { number?: number }).number ?? payload);
    expect(order.filter((one) => one !== 'urgent')).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(order.indexOf('urgent')).toBeLessThan(5);
    expect(messages.map(({ id }) => id).sort()).toEqual((await Promise.all(sent)).sort());
  });

  test('goes in chunks to somebody who has not said that it is one of ours', async () => {
    const { ab, ba } = await pair();
    const received = receive(ba, 1);
    // At once: nothing has come from the other side yet.
    await ab.send({ text: `"${LONG}"` });
    expect((await received)[0]!.payload).toEqual({ text: `"${LONG}"` });
  });

  test('may be the input and the result of a call, and an item of a stream', async () => {
    const { ab, b } = await acquainted();
    b.handle('stream', async function* (input) {
      yield await Promise.resolve(input);
    });
    expect(await ab.call('echo', { text: LONG })).toEqual({ text: LONG });
    for await (const item of ab.callStream('stream', { text: LONG })) expect(item).toEqual({ text: LONG });
  });
});

describe('what somebody else writes with long strings', () => {
  /** Sends text as it is, after what our own code would not write. */
  async function raw() {
    const both = await acquainted();
    const channel = both.ab.connection.createDataChannel('ossa-channel');
    await new Promise((resolve) => channel.addEventListener('open', resolve, { once: true }));
    let number = 0;
    const say = (payload: string, rest = '') =>
      channel.send(
        `{"type":"message","id":"raw-${++number}","timestamp":"t","payload":${payload}${rest},"metadata":{"agentId":"agent://a"}}`,
      );
    return { ...both, channel, say };
  }

  test.each([
    ['with a placeholder of its own', `["${LONG}","\u007f0"]`],
    ['with an escaped placeholder', `["\\u007f0","${LONG}"]`],
    ['as the name of a member', `{"${LONG}":1,"a":"${LONG}"}`],
    ['in a member that comes twice', `{"a":"${LONG}","b":2,"a":1}`],
    ['behind an escaped quotation mark', `{"a\\"":"\\"${LONG}\\\\","b":"\\\\"}`],
    ['deeper than recursion should go', deep(1000, `"${LONG}"`)],
    ['with half a pair as an escape', `"${LONG}\\ud83d"`],
    ['in white space', `\n[\t"${LONG}" ,\r "b" ] `],
  ])('means what JSON.parse says: %s', async (_, json) => {
    const { ba, say } = await raw();
    const received = receive(ba, 2);
    say(json);
    say('"the last"');
    const [first, last] = await received;
    expect(JSON.stringify(first!.payload)).toBe(JSON.stringify(JSON.parse(json)));
    expect(last!.payload).toBe('the last');
  });

  test.each([
    ['an unterminated string', `"${LONG}`],
    ['a line break in a string', `"${LONG}\n"`],
    ['an unknown escape', `"${LONG}\\x"`],
    ['a comma too many', `["${LONG}",]`],
    ['two values', `"${LONG}" "${LONG}"`],
  ])('is refused where JSON.parse would: %s', async (_, json) => {
    const { ba, say } = await raw();
    const problem = next<AgentError>(ba, 'problem');
    const received = receive(ba, 1);
    say(json);
    say('"the last"');
    expect(await problem).toMatchObject({ code: 'INVALID_MESSAGE' });
    expect((await received)[0]!.payload).toBe('the last');
  });

  test('is refused in the name of another agent, and dropped when it comes twice', async () => {
    const { ba, say, channel } = await raw();
    const problem = next<AgentError>(ba, 'problem');
    const received = receive(ba, 2);
    const forged = { type: 'message', id: 'f', timestamp: 't', payload: LONG, metadata: { agentId: 'agent://c' } };
    channel.send(JSON.stringify(forged));
    expect(await problem).toMatchObject({ code: 'UNAUTHORIZED' });
    const twice = JSON.stringify({ ...forged, metadata: { agentId: 'agent://a' } });
    channel.send(twice);
    channel.send(twice);
    say('"the last"');
    expect((await received).map(({ payload }) => payload)).toEqual([LONG, 'the last']);
  });

  test('does not change what listeners of a plain data channel get', async () => {
    const { ab, ba } = await acquainted();
    const opened = next<{ dataChannel: RTCDataChannel }>(ba, 'channel');
    const channel = await ab.createChannel('plain');
    const { dataChannel } = await opened;
    expect(dataChannel).toBeInstanceOf(RTCDataChannel);
    const text = `{"type":"message","payload":"${LONG}${LONG}"}`;
    const message = new Promise((resolve) =>
      dataChannel.addEventListener('message', ({ data }) => resolve(data), { once: true }),
    );
    await channel.send(text);
    expect(await message).toBe(text);
  });
});
