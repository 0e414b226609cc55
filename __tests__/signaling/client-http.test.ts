// Agents whose network lets no WebSocket through, TLS with certificates of one's own, servers that are killed.
import { spawn, type ChildProcess } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';

import { createPeer, createSignalingServer, WebSocketSignaling } from 'ossa-webrtc';
import type { SignalingServer, WebSocketSignalingOptions } from 'ossa-webrtc';

import { selfSigned } from '../agent/self-signed';
import { register } from './register';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function server(): Promise<SignalingServer> {
  const started = await createSignalingServer();
  cleanups.push(() => started.close());
  return started;
}

function agent(agentId: string, signaling: Parameters<typeof createPeer>[0]['signaling']) {
  const peer = createPeer({ agentId, signaling });
  cleanups.push(() => peer.close());
  return peer;
}

async function port(listener: Server): Promise<number> {
  const sockets = new Set<Socket>();
  listener.on('connection', (socket: Socket) => sockets.add(socket));
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  cleanups.push(() => {
    listener.close();
    for (const socket of sockets) socket.destroy();
  });
  return (listener.address() as AddressInfo).port;
}

function pipe(outside: Socket, target: number): Socket {
  const inside = connect(target, '127.0.0.1');
  outside.pipe(inside).pipe(outside);
  for (const [socket, other] of [[outside, inside] as const, [inside, outside] as const]) {
    socket.on('error', () => undefined).on('close', () => other.destroy());
  }
  return inside;
}

test('an agent over plain HTTP and one over a WebSocket connect', async () => {
  const { url } = await server();
  const http = agent('agent://a', url.replace('ws:', 'http:'));
  const webSocket = agent('agent://b', url);
  webSocket.handle('add', ([x, y]: [number, number]) => x + y);
  await webSocket.ready;
  const link = await http.connect('agent://b');
  expect(await link.call('add', [2, 3])).toBe(5);
  await http.close();
  // The other way round: the offer comes to the agent over HTTP.
  const again = agent('agent://c', new WebSocketSignaling(url.replace('ws:', 'http:')));
  await again.ready;
  expect((await webSocket.connect('agent://c')).state).toBe('open');
});

test('two agents over plain HTTP are in a room together', async () => {
  const url = (await server()).url.replace('ws:', 'http:');
  const [a, b] = [agent('agent://a', url), agent('agent://b', url)];
  const rooms = await Promise.all([a.join('lobby'), b.join('lobby')]);
  await Promise.all(
    [a, b].map(
      (peer) =>
        new Promise<void>((resolve) => {
          if (peer.links.size > 0) resolve();
          else peer.on('link', () => resolve());
        }),
    ),
  );
  await Promise.all(rooms.map((room) => room.leave()));
});

test('where WebSockets are refused the next URL of the list, over HTTP, takes their place', async () => {
  const home = await server();
  const front = await port(
    createServer((socket) => {
      socket.once('data', (head) => {
        if (/^upgrade:/im.test(head.toString('latin1')))
          socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n');
        else pipe(socket, home.port).write(head);
      });
    }),
  );
  const reasons: (string | undefined)[] = [];
  const signaling = new WebSocketSignaling([`ws://127.0.0.1:${front}`, `http://127.0.0.1:${front}`], {
    onState: ({ state, reason }) => state === 'disconnected' && reasons.push(reason),
  });
  await agent('agent://a', signaling).ready;
  expect(reasons).toEqual([expect.stringContaining('HTTP 403 Forbidden')]);
  expect(home.stats().agents).toBe(1);
});

describe('TLS', () => {
  const own = selfSigned();
  const client = selfSigned();
  const wants = { requestCert: true, rejectUnauthorized: true, ca: client.cert };

  async function front(options: TlsOptions = {}): Promise<number> {
    const home = await server();
    return await port(createTlsServer({ ...own, ...options }, (socket) => pipe(socket, home.port)));
  }

  test.each(['wss', 'https'])('%s: with a certificate that is trusted, and not without', async (scheme) => {
    const url = `${scheme}://127.0.0.1:${await front()}`;
    await register(url, { ca: own.cert });
    await expect(register(url, {})).rejects.toMatchObject({ message: expect.stringMatching(/certificate/i) as string });
  });

  test.each(['wss', 'https'])('%s: a server that wants a certificate gets that of the options', async (scheme) => {
    const url = `${scheme}://127.0.0.1:${await front(wants)}`;
    await register(url, { ca: own.cert, cert: client.cert, key: client.key });
    await expect(register(url, { ca: own.cert })).rejects.toMatchObject({ code: 'AGENT_UNREACHABLE' });
  });

  test.each(['wss', 'https'])('%s: speaks TLS with the server through the tunnel of a proxy', async (scheme) => {
    const target = await front();
    const asked: string[] = [];
    const proxy = await port(
      createServer((socket) => {
        socket.once('data', (head) => {
          asked.push(head.toString('latin1').split('\r\n')[0]!);
          socket.write('HTTP/1.1 200 OK\r\n\r\n');
          pipe(socket, target);
        });
      }),
    );
    const url = `${scheme}://127.0.0.1:${target}`;
    await register(url, { ca: own.cert, proxy: `http://127.0.0.1:${proxy}` });
    expect(new Set(asked)).toEqual(new Set([`CONNECT 127.0.0.1:${target} HTTP/1.1`]));
    // The name in the certificate is that of the server, not of the proxy: nobody in between is believed.
    await expect(register(url, { proxy: `http://127.0.0.1:${proxy}` })).rejects.toMatchObject({
      message: expect.stringMatching(/certificate/i) as string,
    });
  });
});

describe('servers in processes of their own', () => {
  const program = `require('ossa-webrtc').createSignalingServer({ port: Number(process.argv[1]) }).then((s) => console.log(s.url))`;

  async function start(at = 0): Promise<{ child: ChildProcess; url: string; kill: () => Promise<unknown> }> {
    const options = {
      cwd: join(__dirname, '../..'),
      stdio: ['ignore', 'pipe', 'inherit'] as ['ignore', 'pipe', 'inherit'],
    };
    const child = spawn(process.execPath, ['-e', program, String(at)], options);
    cleanups.push(() => child.kill('SIGKILL'));
    for await (const url of createInterface(child.stdout)) {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      return { child, url, kill: () => (child.kill('SIGKILL'), ended) };
    }
    throw new Error('the server has ended');
  }

  test.each(['ws:', 'http:'])(
    'killed and started again: agents over %s come back, and links do not notice',
    async (scheme) => {
      const [first, second] = [await start(), await start()];
      const urls = [first.url, second.url].map((url) => url.replace('ws:', scheme));
      const seen: string[] = [];
      const news = new EventEmitter();
      const until = async (entry: string) => {
        while (!seen.includes(entry)) await once(news, 'state');
      };
      const options: WebSocketSignalingOptions = {
        reconnectDelay: 5,
        maxReconnectDelay: 20,
        onState: ({ state, agentId, url }) => {
          seen.push(`${agentId} ${state} ${url}`);
          news.emit('state');
        },
      };
      const a = agent('agent://a', new WebSocketSignaling(urls, options));
      const b = agent('agent://b', new WebSocketSignaling(urls, options));
      b.handle('ping', () => 'pong');
      await b.ready;
      const link = await a.connect('agent://b');
      await first.kill();
      await Promise.all(['a', 'b'].map((name) => until(`agent://${name} registered ${urls[1]}`)));
      expect(await link.call('ping')).toBe('pong');
      await link.close();
      // Found through the second one now.
      expect(await (await a.connect('agent://b')).call('ping')).toBe('pong');
      seen.length = 0;
      await start(Number(new URL(first.url).port));
      await second.kill();
      await Promise.all(['a', 'b'].map((name) => until(`agent://${name} registered ${urls[0]}`)));
    },
  );
});
