// Sessions of links whose connection is lost.
import { createPeer, MemorySignaling, type AgentPeer, type Link, type PeerOptions } from 'ossa-webrtc';
import { McpClientTransport, serveMcp, type McpTransport } from 'ossa-webrtc/mcp';

import { LossyPath } from '../agent/lossy-path';
import { next, until } from '../agent/two-agents';
import { connected, serveTools, textOf } from './setup';

const QUICK: Partial<PeerOptions> = {
  transport: { ice: { maxRto: 100, disconnectedTimeout: 300, failedTimeout: 60_000 } },
  reconnect: { grace: 20, delay: 50, attemptTimeout: 2000, attempts: 1000 },
};

const open: AgentPeer[] = [];
let path: LossyPath;
let signaling: MemorySignaling;

beforeEach(() => {
  path = new LossyPath();
  signaling = new MemorySignaling();
});
afterEach(async () => {
  path.cut = false;
  await Promise.all(open.splice(0).map((peer) => peer.close()));
  path.close();
});

function agent(name: string, options: Partial<PeerOptions> = {}): AgentPeer {
  const peer = createPeer({ agentId: `agent://${name}`, signaling: path.over(signaling), ...QUICK, ...options });
  open.push(peer);
  return peer;
}

/** Waits until the link has given its connection up and builds another one. */
async function rebuilding(link: Link): Promise<void> {
  for (;;) if ((await next<{ how: string }>(link, 'reconnecting')).how === 'rebuild') return;
}

test('a session goes on over a new connection: nothing is lost, and nothing comes twice', async () => {
  const [a, b] = [agent('a'), agent('b')];
  const { seen, serving } = serveTools(b);
  await b.ready;
  const link = await a.connect('agent://b');
  const { client, transport, errors } = await connected(link);
  const before = transport.sessionId;
  const progress: number[] = [];
  const options = { onprogress: (one: { progress: number }) => void progress.push(one.progress), timeout: 60_000 };
  const counting = client.callTool({ name: 'count', arguments: { to: 5_000 } }, undefined, options);
  await until(() => progress.length > 100);
  path.lose();
  await rebuilding(link);
  const sum = client.callTool({ name: 'add', arguments: { a: 20, b: 22 } });
  path.cut = false;
  expect(textOf(await sum)).toBe('42');
  expect(textOf(await counting)).toBe('counted');
  expect(progress).toEqual(Array.from({ length: 5_000 }, (_, index) => index + 1));
  expect(transport.sessionId).toBe(before);
  expect({ servers: seen.servers.length, sessions: serving.sessions, errors }).toEqual({
    servers: 1,
    sessions: 1,
    errors: [],
  });
}, 60_000);

test('a large result that was under way arrives whole over the new connection', async () => {
  const [a, b] = [agent('a'), agent('b')];
  serveTools(b);
  await b.ready;
  const link = await a.connect('agent://b');
  const { client } = await connected(link);
  const arriving = next(link, 'reconnecting');
  const big = client.callTool({ name: 'big', arguments: { size: 15_000_000 } });
  path.cut = true;
  await arriving;
  await rebuilding(link);
  path.cut = false;
  expect(textOf(await big)).toBe('ä𝄞'.repeat(2_500_000));
}, 60_000);

test('a server that has lost the session meanwhile tells the client, which opens another one', async () => {
  const [a, b] = [agent('a'), agent('b')];
  const { serving } = serveTools(b);
  await b.ready;
  const link = await a.connect('agent://b');
  const { closed, errors } = await connected(link);
  path.lose();
  await rebuilding(link);
  await serving.close();
  serveTools(b);
  path.cut = false;
  await closed;
  expect(errors).toMatchObject([{ code: 'SESSION_NOT_FOUND' }]);
  const { client } = await connected(link);
  expect(textOf(await client.callTool({ name: 'add', arguments: { a: 1, b: 1 } }))).toBe('2');
}, 60_000);

test('a session whose client does not come back in time is given up, and the client is told when it does', async () => {
  const [a, b] = [agent('a'), agent('b')];
  const { serving } = serveTools(b, { resumeTime: 3000 });
  await b.ready;
  const link = await a.connect('agent://b');
  const { closed, errors } = await connected(link);
  path.cut = true;
  await until(() => serving.sessions === 0);
  path.cut = false;
  await closed;
  expect(errors).toMatchObject([{ code: 'SESSION_NOT_FOUND' }]);
}, 60_000);

test('a side that does not keep up is not overrun after a loss of the connection, and gets everything in the end', async () => {
  const [a, b] = [agent('a'), agent('b')];
  let server!: McpTransport;
  const factory = async (_: unknown, transport: McpTransport) => {
    server = transport;
    await transport.start();
  };
  serveMcp(b, factory, { unauthenticated: true });
  await b.ready;
  const link = await a.connect('agent://b');
  const transport = new McpClientTransport(link);
  const [got, errors]: [number[], Error[]] = [[], []];
  let release!: () => void;
  const held = new Promise<void>((resolve) => (release = resolve));
  transport.onmessage = (message) => {
    got.push((message as unknown as { params: { number: number } }).params.number);
    return held;
  };
  transport.onerror = (error) => errors.push(error);
  await transport.start();
  let sent = 0;
  const text = 'x'.repeat(100_000);
  const numbers = Array.from({ length: 40 }, (_, number) => number);
  const message = (number: number) => ({ jsonrpc: '2.0' as const, method: 'number', params: { number, text } });
  const sending = Promise.all(numbers.map((number) => server.send(message(number)).then(() => void sent++)));
  // The window is full, and most of it is not dealt with.
  await until(() => sent === 11 && got.length === 1);
  for (let round = 0; round < 2; round++) {
    path.lose();
    await rebuilding(link);
    path.cut = false;
    await next(link, 'reconnected');
  }
  release();
  await sending;
  await until(() => got.length === 40 || errors.length > 0);
  expect({ got, errors }).toEqual({ got: numbers, errors: [] });
}, 60_000);
