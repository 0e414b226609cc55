// The signaling server and its client from JavaScript: options, limits, life and death.
import { connect } from 'node:net';

import {
  AgentError,
  createPeer,
  createSignalingServer,
  MemorySignaling,
  normalizeAgentUri,
  WebSocketSignaling,
} from 'ossa-webrtc';
import type { SignalingMessage, SignalingServer } from 'ossa-webrtc';
import WebSocket from 'ws';

let server: SignalingServer;
beforeEach(async () => {
  server = await createSignalingServer();
});
afterEach(() => server.close());

const offer = (from: string, to: string): SignalingMessage => ({ type: 'offer', from, to, sdp: 'v=0', sessionId: 's' });

/** Subscribes and collects. */
async function listen(signaling: WebSocketSignaling | MemorySignaling, agent: string) {
  const messages: SignalingMessage[] = [];
  let arrived: () => void = () => undefined;
  const unsubscribe = await signaling.subscribe(
    agent,
    (message) => {
      messages.push(message);
      arrived();
    },
    () => undefined,
  );
  const next = async () => {
    while (messages.length === 0) await new Promise<void>((resolve) => (arrived = resolve));
    return messages.shift()!;
  };
  return { next, unsubscribe };
}

test('messages go from agent to agent, and the counters say so', async () => {
  const signaling = new WebSocketSignaling(server.url);
  const a = await listen(signaling, 'agent://A.example/x');
  const b = await listen(signaling, 'agent://b');
  signaling.send(offer('agent://a.example/x', 'agent://b'));
  expect(await b.next()).toEqual(offer('agent://a.example/x', 'agent://b'));
  expect(server.stats()).toMatchObject({ agents: 2, connections: 2, relayed: 1, undeliverable: 0 });
  await Promise.all([a.unsubscribe(), b.unsubscribe()]);
  expect(() => signaling.send(offer('agent://b', 'agent://c'))).toThrow(AgentError);
});

test.each(['websocket', 'memory'])('an unknown recipient is reported by the %s without a sender', async (kind) => {
  const signaling = kind === 'memory' ? new MemorySignaling() : new WebSocketSignaling(server.url);
  const a = await listen(signaling, 'agent://a');
  signaling.send(offer('agent://a', 'agent://nobody'));
  const { type, from, sessionId, error } = await a.next();
  expect({ type, from, sessionId, code: error?.code }).toEqual({
    type: 'error',
    from: undefined,
    sessionId: 's',
    code: 'AGENT_UNREACHABLE',
  });
  await a.unsubscribe();
});

test('a name that is in use is refused while its owner lives, and free after it left', async () => {
  const owner = await listen(new WebSocketSignaling(server.url), 'agent://a');
  const second = new WebSocketSignaling(server.url);
  await expect(listen(second, 'agent://a')).rejects.toMatchObject({ code: 'UNAUTHORIZED', retryable: false });
  await owner.unsubscribe();
  await (await listen(second, 'agent://a')).unsubscribe();
});

test('a server that is not there is reported as unreachable and retryable', async () => {
  await server.close();
  const signaling = new WebSocketSignaling(server.url, { firstAttempts: 2, reconnectDelay: 1 });
  await expect(listen(signaling, 'agent://a')).rejects.toMatchObject({ code: 'AGENT_UNREACHABLE', retryable: true });
});

test('an agent whose service returns is registered again', async () => {
  const events: string[] = [];
  const signaling = new WebSocketSignaling(server.url, {
    reconnectDelay: 1,
    maxReconnectDelay: 5,
    onRegister: () => events.push('registered'),
    onDisconnect: () => events.push('lost'),
  });
  const peer = createPeer({ agentId: 'agent://a', signaling });
  await peer.ready;
  const { port } = server;
  await server.close();
  server = await createSignalingServer({ port });
  while (events.filter((event) => event === 'registered').length < 2) await new Promise(setImmediate);
  expect(events).toContain('lost');
  await peer.close();
});

test('a plain WebSocket that knows only the messages of the specification takes part', async () => {
  const b = await listen(new WebSocketSignaling(server.url), 'agent://b');
  const naive = new WebSocket(server.url);
  await new Promise((resolve) => naive.on('open', resolve));
  naive.send(JSON.stringify({ type: 'offer', from: 'agent://naive', to: 'agent://b', sdp: 'v=0' }));
  expect(await b.next()).toMatchObject({ from: 'agent://naive', type: 'offer' });
  naive.close();
  await b.unsubscribe();
});

test('memory signaling hands over copies, in order and later', async () => {
  const signaling = new MemorySignaling();
  const b = await listen(signaling, 'agent://B');
  expect(signaling.agents).toEqual(['agent://b']);
  const message = offer('agent://a', 'agent://b');
  signaling.send(message);
  message.sdp = 'changed';
  signaling.send(message);
  expect([(await b.next()).sdp, (await b.next()).sdp]).toEqual(['v=0', 'changed']);
  expect(() => signaling.subscribe('agent://b', () => undefined)).toThrow(AgentError);
});

test.each([
  [{ port: -1 }, 'port'],
  [{ port: 65_536 }, 'port'],
  [{ port: '80' }, 'port'],
  [{ host: '' }, 'host'],
  [{ path: 'x' }, 'path'],
  [{ maxConnections: 0 }, 'maxConnections'],
  [{ idleTimeout: 1.5 }, 'idleTimeout'],
  [{ prot: 80 }, 'prot'],
  [[], 'options'],
])('createSignalingServer(%j) is refused by name', async (options, name) => {
  await expect(createSignalingServer(options as never)).rejects.toThrow(new RegExp(name));
});

test('a port that is taken is reported with its address', async () => {
  await expect(createSignalingServer({ port: server.port })).rejects.toMatchObject({
    code: 'EADDRINUSE',
    message: expect.stringContaining(`127.0.0.1:${server.port}`) as string,
  });
});

test('close is idempotent and frees the port', async () => {
  await Promise.all([server.close(), server.close()]);
  await server.close();
  const refused = await new Promise((resolve) => connect(server.port, '127.0.0.1').on('error', resolve));
  expect(refused).toMatchObject({ code: 'ECONNREFUSED' });
});

test.each(['ftp://h', '', 'localhost:80', 'http://h/?q', 'ws://me:secret@h'])(
  '%j is not the URL of a signaling server',
  (url) => {
    expect(() => new WebSocketSignaling(url)).toThrow(TypeError);
  },
);

test.each([{ connectTimeout: 0 }, { ca: undefined, retries: 1 }, { attempts: -1 }])(
  'options %j are refused',
  (options) => {
    expect(() => new WebSocketSignaling('ws://h', options)).toThrow(TypeError);
  },
);

test('agent URIs are canonicalised, and refused with a reason', () => {
  expect(normalizeAgentUri('AGENT://Example.COM/Path')).toBe('agent://example.com/Path');
  expect(() => normalizeAgentUri('agent://a?b')).toThrow(/query/);
  expect(() => normalizeAgentUri(7 as never)).toThrow(TypeError);
});
