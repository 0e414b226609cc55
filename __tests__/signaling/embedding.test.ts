import { createServer as createSecure, request as secureRequest } from 'node:https';

import { WebSocketServer } from 'ws';

import { createPeer, createSignalingServer, WebSocketSignaling } from '../../index.js';
import { selfSigned } from '../agent/self-signed';
import { createServer, end, httpOf, listen, offer, Plain, refusal, Session } from './clients';

/** What an application does with its own requests, in the manner of express. */
const application = (request: { url?: string | undefined }, response: { end(text: string): unknown }): void =>
  void response.end(`application: ${request.url}`);

test('signaling is a part of an http server, beside the application', async () => {
  const http = createServer(application);
  const port = await listen(http);
  const signaling = await createSignalingServer({ server: http, path: '/signaling' });
  expect(signaling.url).toBe(`ws://127.0.0.1:${port}/signaling`);
  expect(signaling.port).toBe(port);

  await using a = createPeer({ agentId: 'agent://a', signaling: signaling.url });
  await using b = createPeer({ agentId: 'agent://b', signaling: signaling.url });
  await b.ready;
  expect((await a.connect('agent://b')).state).toBe('open');

  const base = `http://127.0.0.1:${port}`;
  expect(await (await fetch(`${base}/page?x=1`)).text()).toBe('application: /page?x=1');
  expect(await (await fetch(`${base}/signalingx`)).text()).toBe('application: /signalingx');
  expect(await (await fetch(`${base}/signaling/health`)).text()).toBe('ok\n');
  expect((await fetch(`${base}/signaling/nothing`)).status).toBe(404);

  const session = await Session.start(httpOf(signaling.url));
  expect(await session.post({ type: 'register', agentId: 'agent://http' })).toBe(202);
  expect((await session.next())[0]?.type).toBe('registered');

  await signaling.close();
  expect(await (await fetch(`${base}/signaling/health`)).text()).toBe('application: /signaling/health');
  await end(http);
});

test('signaling is a part of an https server, whose certificate it has', async () => {
  const { cert, key } = selfSigned();
  const https = createSecure({ cert, key }, application);
  await listen(https);
  const signaling = await createSignalingServer({ server: https, path: '/signaling' });
  expect(signaling.url).toMatch(/^wss:/);
  const peer = createPeer({
    agentId: 'agent://a',
    signaling: new WebSocketSignaling(signaling.url, { ca: cert }),
  });
  await peer.ready;
  // Node takes a certificate as its own authority only if it says that it is one.
  const plain = await Plain.registered(signaling.url, 'agent://b', { rejectUnauthorized: false });
  plain.send(offer('agent://b', 'agent://nobody'));
  expect((await plain.next()).error?.code).toBe('AGENT_UNREACHABLE');
  const body = await new Promise<string>((resolve, reject) => {
    secureRequest(`${httpOf(signaling.url)}/health`, { rejectUnauthorized: false }, (response) => {
      response.setEncoding('utf8').once('data', resolve);
    })
      .on('error', reject)
      .end();
  });
  expect(body).toBe('ok\n');
  // An http server waits for its WebSockets.
  await peer.close();
  await signaling.close();
  expect(await plain.closed).toBe(1001);
  await end(https);
});

test('WebSockets of the application stay with the application', async () => {
  const http = createServer(application);
  const port = await listen(http);
  await using signaling = await createSignalingServer({ server: http, path: '/signaling' });
  expect(await refusal(`ws://127.0.0.1:${port}/chat`)).toBe(404);
  // Added later, and one that refuses what is not its own.
  const chat = new WebSocketServer({ server: http, path: '/chat' });
  chat.on('connection', (socket) => socket.send('{"type":"hello"}'));
  const guest = await Plain.connect(`ws://127.0.0.1:${port}/chat`);
  expect((await guest.next()).type).toBe('hello');
  const agent = await Plain.registered(signaling.url, 'agent://a');
  for (const client of [guest, agent]) client.socket.terminate();
  chat.close();
  await end(http);
});

test('an agent that floods its socket does not fill the memory of the server that it comes through', async () => {
  const http = createServer(application);
  await listen(http);
  const signaling = await createSignalingServer({ server: http, path: '/signaling', maxMessageSize: 4096 });
  const flooder = await Plain.registered(signaling.url, 'agent://a');
  flooder.socket.on('error', () => undefined);
  flooder.socket.send('x'.repeat(8 * 1024 * 1024));
  expect([1006, 1009]).toContain(await flooder.closed);
  await signaling.close();
  await end(http);
});

test('clients of an embedded server come from where they are', async () => {
  const http = createServer(application);
  await listen(http);
  await using signaling = await createSignalingServer({
    server: http,
    path: '/signaling',
    maxConnectionsPerAddress: 1,
  });
  const only = await Plain.connect(signaling.url);
  expect(await refusal(signaling.url)).toBe(429);
  only.socket.terminate();
  await end(http);
});

test('draining an embedded server sends its agents away and leaves the application alone', async () => {
  const http = createServer(application);
  const port = await listen(http);
  const signaling = await createSignalingServer({ server: http, path: '/signaling' });
  const agent = await Plain.registered(signaling.url, 'agent://a');
  await Promise.all([signaling.close({ drain: 50 }), agent.closed]);
  expect(await agent.closed).toBe(1001);
  expect(await (await fetch(`http://127.0.0.1:${port}/x`)).text()).toBe('application: /x');
  await end(http);
});

test('what does not go together is refused', async () => {
  const http = createServer(application);
  const other = { server: http, path: '/signaling' };
  await expect(createSignalingServer({ server: http })).rejects.toThrow(/path is required with server/);
  await expect(createSignalingServer({ ...other, port: 1 })).rejects.toThrow(/port belongs to the server/);
  await expect(createSignalingServer({ ...other, path: '/' })).rejects.toThrow(/path must name a part/);
  await using signaling = await createSignalingServer(other);
  await expect(createSignalingServer(other)).rejects.toThrow(/another signaling server has the path/);
  expect(() => signaling.url).toThrow(/does not listen yet/);
  expect(signaling.port).toBe(0);
});
