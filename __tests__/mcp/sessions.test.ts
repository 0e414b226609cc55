// MCP over a link, by the official SDK on both sides.
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { CreateMessageRequestSchema } from '@modelcontextprotocol/sdk/types.js';

import { AgentError, generateAgentKeys, type Link } from 'ossa-webrtc';
import { McpClientTransport, serveMcp, type McpTransport } from 'ossa-webrtc/mcp';

import { agents, rejection, until } from '../agent/two-agents';
import { ABOUT, connected, serveTools, textOf } from './setup';

const { agent, pair } = agents();

test('a client calls the tools of a server on another agent', async () => {
  const { b, ab } = await pair();
  serveTools(b);
  const { client } = await connected(ab);
  expect((await client.listTools()).tools.map(({ name }) => name)).toEqual(['add', 'who', 'big', 'count', 'wait']);
  expect(textOf(await client.callTool({ name: 'add', arguments: { a: 2, b: 3 } }))).toBe('5');
});

test('the side that was called is a client of the side that called, as well', async () => {
  const { a, ba } = await pair();
  serveTools(a);
  const { client } = await connected(ba);
  expect(textOf(await client.callTool({ name: 'add', arguments: { a: 2, b: 3 } }))).toBe('5');
});

test('several sessions over one link have an id each, and one that ends leaves the others alone', async () => {
  const { b, ab } = await pair();
  const { serving } = serveTools(b);
  const all = await Promise.all([connected(ab), connected(ab), connected(ab)]);
  const ids = await Promise.all(all.map(async ({ client }) => textOf(await client.callTool({ name: 'who' }))));
  expect(ids).toEqual(all.map(({ transport }) => `nobody ${transport.sessionId}`));
  expect(new Set(ids).size).toBe(3);
  await all[0].client.close();
  await until(() => serving.sessions === 2);
  expect(textOf(await all[1].client.callTool({ name: 'add', arguments: { a: 1, b: 1 } }))).toBe('2');
});

test('an agent serves several servers under names, and no other name', async () => {
  const { b, ab } = await pair();
  serveTools(b, { name: 'tools' });
  const serving = serveMcp(b, () => new McpServer({ name: 'empty', version: '2' }), {
    name: 'empty',
    unauthenticated: true,
  });
  const [tools, empty] = await Promise.all([connected(ab, { name: 'tools' }), connected(ab, { name: 'empty' })]);
  expect([tools.client, empty.client].map((client) => client.getServerVersion()?.name)).toEqual(['test', 'empty']);
  const refused = new Client(ABOUT).connect(new McpClientTransport(ab));
  expect(await rejection(refused)).toMatchObject({ code: 'CAPABILITY_NOT_FOUND' });
  expect(() => serveTools(b, { name: 'empty' })).toThrow(/has a handler already/);
  await serving.close();
  await empty.closed;
  expect(empty.errors).toEqual([]);
  serveTools(b, { name: 'empty' });
});

test('progress arrives in order, before the result', async () => {
  const { b, ab } = await pair();
  serveTools(b);
  const { client } = await connected(ab);
  const progress: number[] = [];
  const options = { onprogress: (one: { progress: number }) => progress.push(one.progress) };
  const result = await client.callTool({ name: 'count', arguments: { to: 500 } }, undefined, options);
  expect(textOf(result)).toBe('counted');
  expect(progress).toEqual(Array.from({ length: 500 }, (_, index) => index + 1));
});

test('a request that the client gives up is cancelled at the server, and waits for nothing there', async () => {
  const { b, ab } = await pair();
  let transport!: McpTransport;
  let began!: () => void;
  const waiting = new Promise<void>((resolve) => (began = resolve));
  const reason = new Promise((resolve) => {
    const factory = (_: unknown, session: McpTransport) => {
      transport = session;
      const server = new McpServer(ABOUT);
      server.registerTool('wait', {}, async ({ signal }) => {
        signal.addEventListener('abort', () => resolve(signal.reason), { once: true });
        began();
        return await new Promise<never>(() => undefined);
      });
      return server;
    };
    serveMcp(b, factory, { unauthenticated: true });
  });
  const { client } = await connected(ab);
  const control = new AbortController();
  const call = client.callTool({ name: 'wait' }, undefined, { signal: control.signal });
  await waiting;
  expect(transport.pendingRequests).toBe(1);
  control.abort('changed my mind');
  await rejection(call);
  expect(await reason).toBe('changed my mind');
  expect(transport.pendingRequests).toBe(0);
});

test('the server asks the client as well', async () => {
  const { b, ab } = await pair();
  const { seen } = serveTools(b);
  const client = new Client(ABOUT, { capabilities: { sampling: {} } });
  client.setRequestHandler(CreateMessageRequestSchema, ({ params }) => ({
    model: 'none',
    role: 'assistant' as const,
    content: { type: 'text' as const, text: `you have asked ${params.messages.length} things` },
  }));
  await client.connect(new McpClientTransport(ab));
  const content = { type: 'text' as const, text: 'well?' };
  const answer = await seen.servers[0]!.server.createMessage({ messages: [{ role: 'user', content }], maxTokens: 10 });
  expect(answer.content).toMatchObject({ text: 'you have asked 1 things' });
});

test('a result of ten megabytes arrives whole, and a small one does not wait for it', async () => {
  const { b, ab } = await pair();
  serveTools(b);
  const [one, other] = await Promise.all([connected(ab), connected(ab)]);
  const order: string[] = [];
  const big = one.client.callTool({ name: 'big', arguments: { size: 10_000_002 } }).then((result) => {
    order.push('big');
    return textOf(result);
  });
  await other.client.callTool({ name: 'add', arguments: { a: 1, b: 1 } }).then(() => order.push('small'));
  const text = await big;
  expect(Buffer.byteLength(text)).toBe(10_000_002);
  expect(text).toBe('ä𝄞'.repeat(10_000_002 / 6));
  expect(order).toEqual(['small', 'big']);
});

test('a result that the client does not take is an error that says so, and the session goes on', async () => {
  const { b, ab } = await pair();
  serveTools(b);
  const { client } = await connected(ab, { maxMessageBytes: 65_536 });
  const refused = await rejection(client.callTool({ name: 'big', arguments: { size: 600_000 } }));
  expect((refused as Error).message).toMatch(/MESSAGE_TOO_LARGE: the result has \d+ bytes, .* takes 65536/);
  expect(textOf(await client.callTool({ name: 'add', arguments: { a: 1, b: 1 } }))).toBe('2');
});

test('a request that the server does not take is refused on this side, with the code', async () => {
  const { b, ab } = await pair();
  serveTools(b, { maxMessageBytes: 65_536 });
  const { client } = await connected(ab);
  const call = client.callTool({ name: 'add', arguments: { a: 1, b: 1, more: 'x'.repeat(70_000) } });
  expect(await rejection(call)).toMatchObject({ code: 'MESSAGE_TOO_LARGE' });
});

test('a server that closes is told to the client, without an error', async () => {
  const { b, ab } = await pair();
  const { seen } = serveTools(b);
  const { client, transport, closed, errors } = await connected(ab);
  const call = client.callTool({ name: 'wait' });
  await seen.waiting;
  await seen.servers[0]!.close();
  await closed;
  await rejection(call);
  expect(errors).toEqual([]);
  expect(await rejection(transport.send({ jsonrpc: '2.0' }))).toMatchObject({ code: 'AGENT_UNREACHABLE' });
});

test('sessions end with their link, on both sides', async () => {
  const { b, ab } = await pair();
  const { seen, serving } = serveTools(b);
  const one = await connected(ab);
  const call = rejection(one.client.callTool({ name: 'wait' }));
  await seen.waiting;
  const serverClosed = new Promise<void>((resolve) => (seen.servers[0]!.server.onclose = resolve));
  await ab.close();
  await Promise.all([one.closed, call, serverClosed]);
  expect(serving.sessions).toBe(0);
});

test('the caller is known to handlers if its name is proven, with its scopes', async () => {
  const keys = await Promise.all([generateAgentKeys(), generateAgentKeys()]);
  const pinned = { 'agent://a': keys[0].publicKey, 'agent://b': keys[1].publicKey };
  const of = (index: 0 | 1) => ({ auth: { keys: keys[index], pinned } });
  const { b, ab } = await pair({ a: of(0), b: of(1) });
  const { seen } = serveTools(b, { unauthenticated: false, scopes: ({ agentId }) => [`tools:${agentId}`] });
  const { client } = await connected(ab);
  expect(textOf(await client.callTool({ name: 'who' }))).toMatch(/^agent:\/\/a /);
  const agentOfA = { agentId: 'agent://a', authenticated: true, how: 'pinned' };
  expect(seen.callers).toMatchObject([
    { clientId: 'agent://a', token: '', scopes: ['tools:agent://a'], extra: { agent: agentOfA } },
  ]);
});

test('an agent whose name is not proven is refused unless that was allowed', async () => {
  const { b, ab } = await pair();
  const { seen } = serveTools(b, { unauthenticated: false, allow: 'agent://a' });
  expect(await rejection(connected(ab))).toMatchObject({
    code: 'UNAUTHORIZED',
    message: 'the name agent://a is not proven here (auth mode of the link: none)',
  });
  expect(seen.servers).toEqual([]);
});

test.each([
  ['agent://a', true],
  ['agent://else', false],
  [() => Promise.reject(new Error('no database')), false],
])('with allow %s it is served: %s', async (allow, served) => {
  const { b, ab } = await pair();
  serveTools(b, { allow });
  const outcome = await connected(ab).then(
    () => true,
    (error: AgentError) => error.code,
  );
  expect(outcome).toBe(served ? true : 'UNAUTHORIZED');
});

test('an agent known from an earlier contact only is served if it is named', async () => {
  const keys = await Promise.all([generateAgentKeys(), generateAgentKeys()]);
  const of = (index: 0 | 1) => ({ auth: { keys: keys[index], mode: 'tofu' as const } });
  const [a, b] = [agent('a', of(0)), agent('b', of(1))];
  serveTools(b, { unauthenticated: false });
  serveTools(b, { unauthenticated: false, name: 'named', allow: 'agent://a' });
  await b.ready;
  await (await a.connect('agent://b')).close();
  await until(() => b.links.size === 0);
  const link: Link = await a.connect('agent://b');
  expect(await rejection(connected(link))).toMatchObject({ code: 'UNAUTHORIZED' });
  await connected(link, { name: 'named' });
});

test('a factory that fails refuses the session, and what went wrong stays here', async () => {
  const { b, ab } = await pair();
  const errors: AgentError[] = [];
  const factory = (): never => {
    throw new Error('the password of the database is 1234');
  };
  const serving = serveMcp(b, factory, { unauthenticated: true, onerror: (error) => errors.push(error) });
  const refused = (await rejection(connected(ab))) as AgentError;
  expect(refused).toMatchObject({ code: 'CAPABILITY_FAILED' });
  expect(refused.message).not.toMatch(/1234/);
  expect(errors).toMatchObject([{ message: 'the password of the database is 1234' }]);
  expect(serving.sessions).toBe(0);
});

test('opening a session can be given up', async () => {
  const { b, ab } = await pair();
  const control = new AbortController();
  const factory = () => {
    control.abort();
    return new Promise<never>(() => undefined);
  };
  serveMcp(b, factory, { unauthenticated: true });
  expect(await rejection(connected(ab, { signal: control.signal }))).toMatchObject({ code: 'TASK_CANCELLED' });
});

test.each([
  [() => serveMcp(undefined as never, undefined as never), /factory must be a function/],
  [() => serveMcp(agent('x'), () => undefined, { allowed: [] } as never), /no member "allowed"/],
  [() => serveMcp(agent('x'), () => undefined, { maxSessions: 0 }), /maxSessions must be a whole number/],
  [() => serveMcp(agent('x'), () => undefined, { unauthenticated: 'no' as never }), /must be true or false/],
  [() => new McpClientTransport(undefined as never, { maxMessageBytes: 1 }), /maxMessageBytes must be .* from 65536/],
])('wrong options are told (%#)', (wrong, message) => {
  expect(wrong).toThrow(message);
});
