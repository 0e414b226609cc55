// Signaling through SOCKS5 proxies: a real one, and one that writes down what it is asked.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

import { createPeer, createSignalingServer, WebSocketSignaling } from 'ossa-webrtc';
import type { SignalingServer, WebSocketSignalingOptions } from 'ossa-webrtc';

import { selfSigned } from '../agent/self-signed';
import { withoutProxies } from './proxies';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function server(options: Parameters<typeof createSignalingServer>[0] = {}): Promise<SignalingServer> {
  const started = await createSignalingServer(options);
  cleanups.push(() => started.close());
  return started;
}

/** Registers an agent and takes it away again. */
async function register(url: string, options: WebSocketSignalingOptions = {}): Promise<void> {
  const signaling = new WebSocketSignaling(url, { firstAttempts: 1, ...options });
  const nothing = () => undefined;
  const end = await signaling.subscribe('agent://a', nothing, nothing);
  await end();
}

/** Listens on a free port; `serve` gets each connection. */
async function listen(serve: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>();
  const listener = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    serve(socket);
  }).listen(0, '127.0.0.1');
  await once(listener, 'listening');
  cleanups.push(() => {
    listener.close();
    for (const socket of sockets) socket.destroy();
  });
  return (listener.address() as AddressInfo).port;
}

const installed = spawnSync('microsocks', ['-h']).error === undefined;
const describeReal = installed || process.env['CI'] ? describe : describe.skip;

describeReal('microsocks', () => {
  /** The port of one that wants a user and a password. */
  async function microsocks(...credentials: string[]): Promise<number> {
    for (let attempt = 0; attempt < 10; attempt++) {
      const free = createServer().listen(0, '127.0.0.1');
      await once(free, 'listening');
      const { port } = free.address() as AddressInfo;
      await once(free.close(), 'close');
      const child = spawn('microsocks', ['-i', '127.0.0.1', '-p', String(port), ...credentials], { stdio: 'ignore' });
      const ended = once(child, 'exit');
      cleanups.push(async () => {
        child.kill();
        await ended;
      });
      // It says nothing when it listens, and ends if somebody else has taken the port meanwhile.
      while (child.exitCode === null) {
        const socket = connect(port, '127.0.0.1');
        const answered = await once(socket, 'connect').then(
          () => true,
          () => false,
        );
        socket.destroy();
        if (answered) return port;
      }
    }
    throw new Error('microsocks does not start');
  }

  test.each(['socks5', 'socks5h'])('agents meet through %s://, with a user and a password', async (scheme) => {
    const home = await server();
    const port = await microsocks('-u', 'me', '-P', 'p@ss');
    const proxy = `${scheme}://me:p%40ss@127.0.0.1:${port}`;
    const agent = (name: string) => {
      const signaling = new WebSocketSignaling(home.url, { proxy });
      const peer = createPeer({ agentId: `agent://${name}`, signaling });
      cleanups.push(() => peer.close());
      return peer;
    };
    const [a, b] = [agent('a'), agent('b')];
    await b.ready;
    expect((await a.connect('agent://b')).state).toBe('open');
  });

  test('plain HTTP and TLS go through as well', async () => {
    const port = await microsocks();
    const proxy = `socks5h://127.0.0.1:${port}`;
    const home = await server();
    await register(home.url.replace('ws:', 'http:'), { proxy });
    const tls = selfSigned();
    const secure = await server({ tls });
    await register(secure.url, { proxy, ca: tls.cert });
    expect(secure.stats().totalConnections).toBe(1);
  });

  test('a wrong password is refused by name, and not shown', async () => {
    const port = await microsocks('-u', 'me', '-P', 'right');
    const failed = register('ws://192.0.2.1', { proxy: `socks5://me:wrong@127.0.0.1:${port}` });
    await expect(failed).rejects.toMatchObject({
      code: 'AGENT_UNREACHABLE',
      message: expect.stringContaining(`the SOCKS proxy 127.0.0.1:${port} does not connect to 192.0.2.1:80`) as string,
    });
    await expect(failed).rejects.toMatchObject({ message: expect.stringContaining('refuses the user') as string });
    await expect(failed).rejects.toMatchObject({ message: expect.not.stringContaining('wrong') as string });
  });
});

/** A SOCKS5 proxy without passwords that leads everything to one port, and notes what it is asked for. */
async function socksProxy(target: number, reply = 0) {
  const asked: string[] = [];
  const port = await listen((socket) => {
    socket.once('data', () => {
      socket.write(Buffer.from([5, 0]));
      socket.once('data', (request) => {
        const name = request[3] === 3;
        const at = name ? 5 + request[4]! : 8;
        const host = name ? request.subarray(5, at).toString() : [...request.subarray(4, 8)].join('.');
        asked.push(`${name ? 'name' : 'address'} ${host}:${request.readUInt16BE(at)}`);
        socket.write(Buffer.from([5, reply, 0, 1, 0, 0, 0, 0, 0, 0]));
        const onward = connect(target, '127.0.0.1');
        onward.on('error', () => socket.destroy());
        socket.on('close', () => onward.destroy());
        socket.pipe(onward).pipe(socket);
      });
    });
  });
  return { port, asked };
}

describe('the proxies of the environment', () => {
  withoutProxies();

  test('ALL_PROXY=socks5h:// lets the proxy look names up, and is not for servers on this host', async () => {
    const home = await server();
    const proxy = await socksProxy(home.port);
    process.env['ALL_PROXY'] = `socks5h://127.0.0.1:${proxy.port}`;
    await register('ws://signal.test:1234');
    await register(home.url);
    expect(proxy.asked).toEqual(['name signal.test:1234']);
  });

  test('socks5:// looks names up here, and says what to do if they are not known', async () => {
    const home = await server();
    const proxy = await socksProxy(home.port);
    process.env['all_proxy'] = `socks5://127.0.0.1:${proxy.port}`;
    await register('ws://192.0.2.1:1234');
    expect(proxy.asked).toEqual(['address 192.0.2.1:1234']);
    await expect(register('ws://signal.invalid')).rejects.toMatchObject({
      message: expect.stringContaining('socks5h://') as string,
    });
  });

  test('as with curl, small letters win, a proxy for the scheme wins over ALL_PROXY, and NO_PROXY over both', async () => {
    const home = await server();
    const [wanted, other] = [await socksProxy(home.port), await socksProxy(home.port)];
    process.env['ALL_PROXY'] = process.env['HTTP_PROXY'] = `socks5h://127.0.0.1:${other.port}`;
    process.env['http_proxy'] = `socks5h://127.0.0.1:${wanted.port}`;
    await register('ws://signal.test');
    expect([wanted.asked, other.asked]).toEqual([['name signal.test:80'], []]);
    process.env['no_proxy'] = 'invalid';
    await expect(register('ws://signal.invalid')).rejects.toMatchObject({ code: 'AGENT_UNREACHABLE' });
    expect(wanted.asked).toHaveLength(1);
  });

  test('a proxy that cannot be used is an error with its variable, without its password, where it would be used', async () => {
    process.env['ALL_PROXY'] = 'socks4://me:secret@proxy.test:1080';
    const make = () => new WebSocketSignaling('wss://signal.test');
    expect(make).toThrow(TypeError);
    expect(make).toThrow('ALL_PROXY is "socks4://proxy.test:1080", which cannot be used as a proxy');
    const home = await server();
    await register(home.url);
  });
});

test.each([
  [2, 'Connection not allowed by ruleset'],
  [5, 'Connection refused'],
])('the reason of a proxy that refuses (%i) is passed on', async (reply, reason) => {
  const { port } = await socksProxy(1, reply);
  await expect(register('ws://signal.test', { proxy: `socks5h://127.0.0.1:${port}` })).rejects.toMatchObject({
    message: expect.stringContaining(`does not connect to signal.test:80: ${reason}`) as string,
  });
});

test('what does not speak SOCKS5 is told apart', async () => {
  const port = await listen((socket) => socket.once('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')));
  await expect(register('ws://signal.test', { proxy: `socks5h://127.0.0.1:${port}` })).rejects.toMatchObject({
    message: expect.stringContaining('what listens there does not speak SOCKS5') as string,
  });
});
