// Sessions whose other side does not keep to the protocol, or asks for too much.
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';

import type { AgentChannel, Link } from 'ossa-webrtc';
import { serveMcp, type McpServing, type ServeMcpOptions } from 'ossa-webrtc/mcp';

import { agents, next, rejection, until } from '../agent/two-agents';
import { ABOUT, connected, serveTools, textOf } from './setup';

const { agent, pair } = agents();

const OPENING = { version: 1, maxMessageBytes: 1024 * 1024 };

/** A client of this test's own making: the call, and the channel. */
async function rawClient(link: Link): Promise<{ session: string; channel: AgentChannel; heard: string[] }> {
  const { session } = await link.call<{ session: string }>('mcp', OPENING);
  const channel = await link.createChannel(session, { protocol: 'ossa-mcp' });
  const heard: string[] = [];
  channel.on('message', (data) => heard.push(data as string));
  return { session, channel, heard };
}

async function served(options: ServeMcpOptions = {}): Promise<{ ab: Link; serving: McpServing; errors: Error[] }> {
  const { b, ab } = await pair();
  const errors: Error[] = [];
  const factory = () => {
    const server = new McpServer(ABOUT);
    server.server.onerror = (error) => errors.push(error);
    server.registerTool('wait', {}, () => new Promise<never>(() => undefined));
    return server;
  };
  return { ab, serving: serveMcp(b, factory, { unauthenticated: true, ...options }), errors };
}

/** What the server says at the end of a session. */
const lastWords = (heard: string[]) => JSON.parse(heard.at(-1)!.slice(1)) as { code: string; message: string };

const message = (id: number, method: string) => `m${JSON.stringify({ jsonrpc: '2.0', id, method, params: {} })}`;

test.each<[string, (string | Uint8Array)[], string, RegExp]>([
  ['what is no JSON', ['mhello'], 'PROTOCOL_ERROR', /no message of JSON-RPC/],
  ['JSON that is no JSON-RPC', ['m{"id":1}'], 'PROTOCOL_ERROR', /no message of JSON-RPC/],
  ['a batch', ['m[{"jsonrpc":"2.0","method":"ping","id":1}]'], 'PROTOCOL_ERROR', /no message of JSON-RPC/],
  ['a request whose id is an object', ['m{"jsonrpc":"2.0","method":"ping","id":{}}'], 'PROTOCOL_ERROR', /no message/],
  ['JSON that is deeper than anybody reads', [`m${'['.repeat(60_000)}`], 'PROTOCOL_ERROR', /no message/],
  ['bytes', [new Uint8Array(3)], 'PROTOCOL_ERROR', /binary data/],
  ['nothing', [''], 'PROTOCOL_ERROR', /begins with ""/],
  ['an unknown letter', ['zx'], 'PROTOCOL_ERROR', /begins with "z"/],
  ['an acknowledgement of what was not sent', ['a7'], 'PROTOCOL_ERROR', /acknowledgement of what was not sent/],
  ['an acknowledgement without a number', ['aNaN'], 'PROTOCOL_ERROR', /acknowledgement/],
  ['parts that are too small to keep', ['px'], 'PROTOCOL_ERROR', /1 characters only/],
  [
    'a message that never ends',
    Array<string>(9).fill(`p${'x'.repeat(8192)}`),
    'MESSAGE_TOO_LARGE',
    /more than the 65536/,
  ],
])('%s ends the session with a reason, and nothing else', async (_, sent, code, text) => {
  const { ab, serving, errors } = await served({ maxMessageBytes: 65_536 });
  const bystander = await connected(ab);
  const { channel, heard } = await rawClient(ab);
  for (const one of sent) await channel.send(one).catch(() => undefined);
  await channel.closed;
  expect(lastWords(heard)).toMatchObject({ code, message: expect.stringMatching(text) as string });
  expect(errors).toMatchObject([{ code }]);
  expect(serving.sessions).toBe(1);
  expect(await bystander.client.ping()).toEqual({});
  expect(ab.state).toBe('open');
});

test.each([
  [{}, 'UNSUPPORTED_VERSION'],
  [null, 'UNSUPPORTED_VERSION'],
  [{ version: 2 }, 'UNSUPPORTED_VERSION'],
  [{ version: 1 }, 'INVALID_MESSAGE'],
  [{ version: 1, maxMessageBytes: 12 }, 'INVALID_MESSAGE'],
  [{ ...OPENING, session: 'x'.repeat(200), received: 0 }, 'INVALID_MESSAGE'],
  [{ ...OPENING, session: 'unknown', received: -1 }, 'INVALID_MESSAGE'],
  [{ ...OPENING, session: 'unknown', received: 0 }, 'SESSION_NOT_FOUND'],
])('a session opened with %j is refused: %s', async (input, code) => {
  const { ab, serving } = await served();
  expect(await rejection(ab.call('mcp', input))).toMatchObject({ code });
  expect(serving.sessions).toBe(0);
});

test('a channel of no session is told so and closed, however many there are', async () => {
  const { ab } = await served();
  const { channel: mine } = await rawClient(ab);
  for (let round = 0; round < 20; round++) {
    const channels = await Promise.all(
      Array.from({ length: 20 }, (_, i) => ab.createChannel(`none-${i}`, { protocol: 'ossa-mcp' })),
    );
    const words = await Promise.all(channels.map((channel) => next<string>(channel, 'message')));
    for (const one of words) expect(one).toMatch(/^e.*SESSION_NOT_FOUND/);
    await Promise.all(channels.map(({ closed }) => closed));
  }
  expect(mine.state).toBe('open');
});

test('nobody takes up the session of another agent', async () => {
  const { b } = await pair();
  serveTools(b);
  const link = (name: string) => agent(name).connect('agent://b');
  const [owner, thief] = await Promise.all([link('owner'), link('thief')]);
  const { session } = await rawClient(owner);
  const stolen = thief.call('mcp', { ...OPENING, session, received: 0 });
  expect(await rejection(stolen)).toMatchObject({ code: 'SESSION_NOT_FOUND' });
  const channel = await thief.createChannel(session, { protocol: 'ossa-mcp' });
  expect(await next<string>(channel, 'message')).toMatch(/SESSION_NOT_FOUND/);
});

test('more sessions than an agent may have are refused, those of others are not', async () => {
  const { b, ab } = await pair();
  const { serving } = serveTools(b, { maxSessionsPerAgent: 3, maxSessions: 4 });
  const outcomes = await Promise.allSettled(Array.from({ length: 200 }, () => connected(ab)));
  const refused = outcomes.filter(({ status }) => status === 'rejected') as PromiseRejectedResult[];
  expect(refused).toHaveLength(197);
  for (const { reason } of refused) expect(reason).toMatchObject({ code: 'RATE_LIMIT_EXCEEDED', retryable: true });
  expect(serving.sessions).toBe(3);
  const other = await agent('other').connect('agent://b');
  const { client } = await connected(other);
  expect(textOf(await client.callTool({ name: 'add', arguments: { a: 1, b: 1 } }))).toBe('2');
  expect(await rejection(connected(other))).toMatchObject({ code: 'RATE_LIMIT_EXCEEDED' });
});

test('sessions whose channel never comes are given up', async () => {
  const { ab, serving } = await served({ resumeTime: 20 });
  await ab.call('mcp', OPENING);
  expect(serving.sessions).toBe(1);
  await until(() => serving.sessions === 0);
});

test('more requests than may wait get an error each, and the session goes on', async () => {
  const { ab } = await served({ maxRequests: 2 });
  const { client } = await connected(ab);
  const calls = [1, 2, 3, 4].map(() => client.callTool({ name: 'wait' }).catch((error: Error) => error.message));
  const refused = await Promise.all(calls.slice(2));
  for (const text of refused) expect(text).toMatch(/RATE_LIMIT_EXCEEDED: 2 requests of this session wait/);
});

test('messages after the end of a session reach nobody', async () => {
  const { ab, serving, errors } = await served();
  const { channel } = await rawClient(ab);
  await Promise.all(
    [channel.send('e'), channel.send(message(1, 'ping')), channel.send('mgarbage')].map((one) =>
      one.catch(() => undefined),
    ),
  );
  await channel.closed;
  await until(() => serving.sessions === 0);
  expect(errors).toEqual([]);
});

test('a client that reads nothing stops the server at the window, and the link goes on', async () => {
  const { b, ab } = await pair();
  b.handle('alive', () => true);
  let send!: () => Promise<void>;
  const factory = (_: unknown, transport: { send(message: object): Promise<void> }) => {
    send = () => transport.send({ jsonrpc: '2.0', method: 'log', params: { text: 'x'.repeat(100_000) } });
    return new McpServer(ABOUT);
  };
  serveMcp(b, factory, { unauthenticated: true });
  const { heard } = await rawClient(ab);
  let sent = 0;
  // It never acknowledges anything.
  const waiting = Promise.allSettled(Array.from({ length: 100 }, () => send().then(() => void sent++)));
  await until(() => sent >= 11);
  expect(await ab.call('alive')).toBe(true);
  expect(sent).toBe(11);
  expect(heard.join('').length).toBeLessThan(1_300_000);
  await ab.close();
  const outcomes = await waiting;
  expect(outcomes.filter(({ status }) => status === 'rejected')).toHaveLength(89);
});

test('a thousand sessions opened and closed leave nothing behind', async () => {
  const { b, ab, ba } = await pair();
  const { serving } = serveTools(b);
  for (let round = 0; round < 20; round++) {
    const sessions = await Promise.all(Array.from({ length: 50 }, () => connected(ab)));
    await Promise.all(sessions.map(({ client }) => client.close()));
    await until(() => serving.sessions === 0);
  }
  await until(() => [ab, ba].every(({ connection }) => connection.sctp !== null));
  const { client } = await connected(ab);
  expect(textOf(await client.callTool({ name: 'add', arguments: { a: 1, b: 1 } }))).toBe('2');
  expect([ab.pendingCalls, ab.activeCalls, ba.pendingCalls, ba.activeCalls]).toEqual([0, 0, 0, 0]);
});
