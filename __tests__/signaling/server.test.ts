import { setTimeout as sleep } from 'node:timers/promises';

import { createPeer, createSignalingServer, WebSocketSignaling, type LogFields } from '../../index.js';
import { selfSigned } from '../agent/self-signed';
import { httpOf, offer, Plain, refusal, Session } from './clients';

test('agents meet over HTTP alone and over a WebSocket', async () => {
  await using server = await createSignalingServer();
  const plain = await Plain.registered(server.url, 'agent://ws');
  const session = await Session.start(httpOf(server.url));
  expect(await session.post({ type: 'register', agentId: 'agent://http' })).toBe(202);
  expect((await session.next())[0]?.type).toBe('registered');
  plain.send(offer('agent://ws', 'agent://http'));
  expect(await session.next()).toEqual([offer('agent://ws', 'agent://http')]);
  const answer = { type: 'answer', from: 'agent://http', to: 'agent://ws', sdp: 'v=0' };
  expect(await session.post([answer])).toBe(202);
  expect(await plain.next()).toEqual(answer);
  plain.socket.close();
});

test('a stream of events carries frames and can be read with fetch', async () => {
  await using server = await createSignalingServer();
  const session = await Session.start(httpOf(server.url));
  const stop = new AbortController();
  const response = await fetch(`${session.base}/v1/frames`, {
    headers: session.headers({ accept: 'text/event-stream' }),
    signal: stop.signal,
  });
  await session.post({ type: 'register', agentId: 'agent://a' });
  let text = '';
  const decoder = new TextDecoder();
  for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
    text += decoder.decode(chunk, { stream: true });
    if (text.includes('"registered"')) break;
  }
  expect(text).toMatch(/\n\nid: 1\ndata: \{"type":"registered"/);
  stop.abort();
});

test('a server with a certificate is found by its URL, and changes the certificate while it runs', async () => {
  const first = selfSigned();
  await using server = await createSignalingServer({ tls: first });
  expect(server.url).toMatch(/^wss:\/\/127\.0\.0\.1:\d+$/);
  const agent = (name: string, ca: string) =>
    createPeer({
      agentId: `agent://${name}`,
      signaling: new WebSocketSignaling(server.url, { ca, firstAttempts: 1 }),
    });
  await using early = agent('early', first.cert);
  await early.ready;
  const second = selfSigned();
  server.updateTls({ cert: Buffer.from(second.cert), key: Buffer.from(second.key) });
  await using wrong = agent('wrong', first.cert);
  await expect(wrong.ready).rejects.toThrow(/certificate/);
  await using late = agent('late', second.cert);
  await late.ready;
  // The one that came before has stayed.
  expect((await late.connect('agent://early')).state).toBe('open');
});

test('certificates that are of no use are refused with a reason', async () => {
  const { cert, key } = selfSigned();
  await expect(createSignalingServer({ tls: { cert: 'x', key } })).rejects.toThrow(/tls\.cert/);
  await expect(createSignalingServer({ tls: { cert, key: selfSigned().key } })).rejects.toThrow(/cannot be used/);
  await using server = await createSignalingServer();
  expect(() => server.updateTls({ cert, key })).toThrow(/without "tls"/);
});

test('only pages of the listed origins are served', async () => {
  await using server = await createSignalingServer({ origins: ['https://app.example'] });
  expect(await refusal(server.url, { origin: 'https://evil.example' })).toBe(403);
  const page = await Plain.connect(server.url, { origin: 'https://app.example' });
  page.socket.close();
  const base = httpOf(server.url);
  expect(
    (await fetch(`${base}/v1/sessions`, { method: 'POST', headers: { origin: 'https://evil.example' } })).status,
  ).toBe(403);
  expect(server.stats().turnedAway).toBe(2);
});

test('an agent that floods is told, then disconnected, and the log says so', async () => {
  const lines: [string, LogFields | undefined][] = [];
  const log = (message: string, fields?: LogFields) => void lines.push([message, fields]);
  const logger = { debug: log, info: log, warn: log, error: log };
  const server = await createSignalingServer({ messageRate: 1, messageBurst: 5, logger });
  const flooder = await Plain.registered(server.url, 'agent://flooder');
  for (let index = 0; index < 200; index++) flooder.send(offer('agent://flooder', 'agent://nobody'));
  const codes = [];
  for (let index = 0; index < 5; index++) codes.push((await flooder.next()).error?.code);
  expect(codes).toEqual([...Array<string>(4).fill('AGENT_UNREACHABLE'), 'RATE_LIMIT_EXCEEDED']);
  expect(await flooder.closed).toBe(4005);
  expect(server.stats().rateLimited).toBeGreaterThan(100);
  await server.close();
  expect(lines).toContainEqual(['an agent is registered', expect.objectContaining({ agent: 'agent://flooder' })]);
  expect(lines).toContainEqual(['a frame was refused', expect.objectContaining({ code: 'RATE_LIMIT_EXCEEDED' })]);
  expect(lines).toContainEqual(['a client was disconnected', expect.objectContaining({ code: 4005 })]);
});

test('a draining server says that it is not ready, and sends its agents away', async () => {
  const server = await createSignalingServer();
  const base = httpOf(server.url);
  const agents = await Promise.all(['a', 'b', 'c'].map((name) => Plain.registered(server.url, `agent://${name}`)));
  expect((await fetch(`${base}/ready`)).status).toBe(200);
  // Far longer than this test: what is seen is the time between.
  const draining = server.close({ drain: 600_000 });
  while ((await fetch(`${base}/ready`)).status !== 503) await sleep(1);
  expect((await fetch(`${base}/health`)).status).toBe(200);
  expect(await refusal(server.url)).toBe(503);
  await server.close();
  await draining;
  expect(await Promise.all(agents.map((agent) => agent.closed))).toEqual([1001, 1001, 1001]);
  await expect(fetch(`${base}/health`)).rejects.toThrow();
});

test('metrics are there for this machine, or for the bearer of the token', async () => {
  await using open = await createSignalingServer();
  expect(await (await fetch(`${httpOf(open.url)}/metrics`)).text()).toContain('ossa_signaling_agents 0\n');
  await using closed = await createSignalingServer({ adminToken: 'a secret of some length' });
  const ask = async (headers: Record<string, string>) =>
    (await fetch(`${httpOf(closed.url)}/metrics`, { headers })).status;
  expect(await ask({})).toBe(401);
  expect(await ask({ authorization: 'Bearer a secret of some length' })).toBe(200);
});

test('behind a trusted proxy clients count by their own addresses', async () => {
  await using server = await createSignalingServer({ trustProxy: ['127.0.0.0/8'], maxConnectionsPerAddress: 1 });
  const from = (address: string) => ({ headers: { 'x-forwarded-for': address } });
  const first = await Plain.connect(server.url, from('203.0.113.1'));
  const second = await Plain.connect(server.url, from('203.0.113.2'));
  expect(await refusal(server.url, from('203.0.113.1'))).toBe(429);
  first.socket.close();
  second.socket.close();
});

test.each<[string, object, RegExp]>([
  ['an unknown option', { portt: 1 }, /no member "portt"/],
  ['a path without slash', { path: 'x' }, /path must begin with "\/"/],
  ['an origin with a path', { origins: ['https://a.example/x'] }, /origins must hold origins/],
  ['a proxy that is no address', { trustProxy: ['example.com'] }, /trustProxy must hold IP addresses/],
  ['a range that is too long', { trustProxy: ['10.0.0.0/33'] }, /trustProxy must hold IP addresses/],
  ['a short admin token', { adminToken: 'short' }, /at least 16 characters/],
  ['no threads', { threads: 0 }, /threads must be a whole number from 1 to 64/],
  ['a certificate without key', { tls: { cert: 'x' } }, /tls\.key must be a string/],
  ['a rate of zero', { messageRate: 0 }, /messageRate must be/],
  ['a logger that is none', { logger: {} }, /logger\.debug must be a function/],
  ['a server that is none', { server: {}, path: '/x' }, /server must be an http\.Server/],
])('%s is refused', async (_, options, message) => {
  await expect(createSignalingServer(options)).rejects.toThrow(message);
});
