// An agent's way to its signaling servers: fail-over, state, cancellation, proxies, what is refused.
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

import { createPeer, createSignalingServer, WebSocketSignaling } from 'ossa-webrtc';
import type { SignalingServer, SignalingState, WebSocketSignalingOptions } from 'ossa-webrtc';

import { withoutProxies } from './proxies';
import { register } from './register';

const QUICK: WebSocketSignalingOptions = { reconnectDelay: 1, maxReconnectDelay: 5 };
const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function server(port = 0): Promise<SignalingServer> {
  const started = await createSignalingServer({ port });
  cleanups.push(() => started.close());
  return started;
}

/** Something that listens on a TCP port, with all its connections. */
async function listen(onConnection: (socket: Socket) => void): Promise<{ port: number; sockets: Set<Socket> }> {
  const sockets = new Set<Socket>();
  const listener: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
    onConnection(socket);
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  cleanups.push(() => {
    listener.close();
    for (const socket of sockets) socket.destroy();
  });
  return { port: (listener.address() as AddressInfo).port, sockets };
}

/** The states of a signaling client, one after the other. */
function states() {
  const seen: SignalingState[] = [];
  let news: () => void = () => undefined;
  const onState = (state: SignalingState) => {
    seen.push(state);
    news();
  };
  const next = async (wanted: SignalingState['state']): Promise<SignalingState> => {
    for (;;) {
      for (let state = seen.shift(); state; state = seen.shift()) if (state.state === wanted) return state;
      await new Promise<void>((resolve) => (news = resolve));
    }
  };
  return { onState, next };
}

/** A proxy that knows CONNECT and nothing else; `resolve` says where a name really is. */
async function connectProxy(resolve: (target: string) => number, password?: string) {
  const asked: string[] = [];
  const { port } = await listen((socket) => {
    socket.once('data', (head) => {
      const text = head.toString('latin1');
      const target = /^CONNECT (\S+) HTTP\/1\.1\r\n/.exec(text)?.[1];
      const given = /^proxy-authorization: Basic (\S+)/im.exec(text)?.[1] ?? '';
      asked.push(`${target} ${Buffer.from(given, 'base64').toString()}`.trim());
      if (password !== undefined && Buffer.from(given, 'base64').toString() !== password) {
        socket.end('HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 4\r\n\r\nwho?');
        return;
      }
      const onward = connect(resolve(target!), '127.0.0.1', () => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n');
        socket.pipe(onward).pipe(socket);
      });
      onward.on('error', () => socket.destroy());
      socket.on('close', () => onward.destroy());
    });
  });
  return { port, asked };
}

test('an agent on several servers moves to the next one and returns to the first at the next loss', async () => {
  const [first, second] = [await server(), await server()];
  const { onState, next } = states();
  const signaling = new WebSocketSignaling([first.url, second.url], { ...QUICK, onState });
  expect([signaling.url, signaling.urls]).toEqual([first.url, [first.url, second.url]]);
  const peer = createPeer({ agentId: 'agent://a', signaling });
  cleanups.push(() => peer.close());
  await peer.ready;
  expect(await next('registered')).toEqual({ state: 'registered', agentId: 'agent://a', url: first.url });
  await first.close();
  expect(await next('disconnected')).toMatchObject({
    url: first.url,
    reason: expect.stringMatching(/closed/) as string,
  });
  expect((await next('registered')).url).toBe(second.url);
  const again = await server(first.port);
  await second.close();
  expect((await next('registered')).url).toBe(again.url);
  await peer.close();
  expect(await next('closed')).toEqual({ state: 'closed', agentId: 'agent://a', url: again.url });
});

test('createPeer takes a list of servers, and agents that found different ones first meet on one that both know', async () => {
  const only = await server();
  const silent = await listen(() => undefined);
  const signaling = new WebSocketSignaling([`ws://127.0.0.1:${silent.port}`, only.url], { connectTimeout: 1000 });
  const a = createPeer({ agentId: 'agent://a', signaling });
  const b = createPeer({ agentId: 'agent://b', signaling: [only.url, 'ws://127.0.0.1:1'] });
  cleanups.push(() => Promise.all([a.close(), b.close()]));
  await b.ready;
  const link = await a.connect('agent://b');
  expect(link.state).toBe('open');
});

test('a signal ends the attempt to register', async () => {
  const silent = await listen(() => undefined);
  const abort = new AbortController();
  const { onState, next } = states();
  const signaling = new WebSocketSignaling(`ws://127.0.0.1:${silent.port}`, { signal: abort.signal, onState });
  const subscribed = signaling.subscribe(
    'agent://a',
    () => undefined,
    () => undefined,
  );
  await next('connecting');
  abort.abort(new Error('enough'));
  await expect(subscribed).rejects.toMatchObject({ code: 'TASK_CANCELLED', cause: new Error('enough') });
  await expect(
    signaling.subscribe(
      'agent://a',
      () => undefined,
      () => undefined,
    ),
  ).rejects.toMatchObject({
    code: 'TASK_CANCELLED',
  });
});

test('a signal ends a registration, and whoever relies on it is told', async () => {
  const home = await server();
  const abort = new AbortController();
  const { onState, next } = states();
  const signaling = new WebSocketSignaling(home.url, { signal: abort.signal, onState });
  const peer = createPeer({ agentId: 'agent://a', signaling });
  cleanups.push(() => peer.close());
  await peer.ready;
  const lost = new Promise((resolve) => peer.on('error', resolve));
  abort.abort();
  expect(await lost).toMatchObject({ code: 'TASK_CANCELLED' });
  expect(await next('closed')).toMatchObject({ error: { code: 'TASK_CANCELLED' } });
  expect(home.stats().agents).toBe(0);
});

test('an agent whose network has changed finds out at once that its connection is dead, and does not wait to make the next one', async () => {
  const real = await server();
  // A path that dies without a word, as after a change of the address.
  let dead = false;
  const { port } = await listen((socket) => {
    const onward = connect(real.port, '127.0.0.1');
    const alive = !dead;
    socket.on('data', (data) => alive && !dead && onward.write(data));
    onward.on('data', (data) => !dead && socket.write(data));
    onward.on('error', () => socket.destroy()).on('close', () => socket.destroy());
    socket.on('close', () => onward.destroy());
  });
  const { onState, next } = states();
  const signaling = new WebSocketSignaling(`ws://127.0.0.1:${port}`, {
    onState,
    reconnectDelay: 600_000,
    maxReconnectDelay: 600_000,
  });
  const leave = await signaling.subscribe(
    'agent://a',
    () => undefined,
    () => undefined,
  );
  cleanups.push(leave);
  await next('registered');
  const hurry = () => (signaling as unknown as { hurry(agent: string): void }).hurry('agent://a');
  dead = true;
  hurry();
  const lost = await next('disconnected');
  expect(lost.reason).toContain('after the network had changed');
  expect(lost.retryIn).toBeGreaterThan(60_000);
  dead = false;
  hurry();
  await next('registered');
});

test('a WebSocket goes through a proxy that asks for a password', async () => {
  const home = await server();
  const proxy = await connectProxy(() => home.port, 'me:p@ss');
  const signaling = new WebSocketSignaling('ws://signal.test:1234', {
    proxy: `http://me:p%40ss@127.0.0.1:${proxy.port}`,
  });
  const peer = createPeer({ agentId: 'agent://a', signaling });
  cleanups.push(() => peer.close());
  await peer.ready;
  expect(proxy.asked).toEqual(['signal.test:1234 me:p@ss']);
  expect(home.stats().agents).toBe(1);
});

test('an error says which server it was about, without the token in its URL', async () => {
  const { port } = await listen((socket) => socket.destroy());
  const failed = register(`ws://127.0.0.1:${port}/path?token=s3cret`);
  const message = expect.stringContaining(`ws://127.0.0.1:${port}/path could not be reached`) as string;
  await expect(failed).rejects.toMatchObject({ code: 'AGENT_UNREACHABLE', message });
  await expect(failed).rejects.toMatchObject({ message: expect.not.stringContaining('s3cret') as string });
});

test('a proxy that refuses is named, and its password is not', async () => {
  const proxy = await connectProxy(() => 0, 'me:right');
  const signaling = new WebSocketSignaling('wss://signal.test', {
    proxy: `http://me:wrong@127.0.0.1:${proxy.port}`,
    firstAttempts: 1,
  });
  const failed = signaling.subscribe(
    'agent://a',
    () => undefined,
    () => undefined,
  );
  await expect(failed).rejects.toMatchObject({
    code: 'AGENT_UNREACHABLE',
    message: expect.stringContaining(
      `the proxy 127.0.0.1:${proxy.port} refuses a tunnel to signal.test:443: HTTP 407`,
    ) as string,
  });
  await expect(failed).rejects.toMatchObject({ message: expect.not.stringContaining('wrong') as string });
});

describe('the proxies of the environment', () => {
  withoutProxies();

  test.each(['HTTP_PROXY', 'http_proxy', 'ALL_PROXY'])('%s is used, but not for servers on this host', async (name) => {
    const home = await server();
    const proxy = await connectProxy(() => home.port);
    process.env[name] = `http://127.0.0.1:${proxy.port}`;
    await register('ws://signal.test');
    await register(home.url);
    expect(proxy.asked).toEqual(['signal.test:80']);
  });

  test.each([
    ['signal.test', undefined],
    ['.test,other', undefined],
    [undefined, false as const],
  ])('with NO_PROXY=%s and the option proxy: %s it is left out', async (no, option) => {
    const proxy = await connectProxy(() => 0);
    process.env['HTTPS_PROXY'] = process.env['HTTP_PROXY'] = `http://127.0.0.1:${proxy.port}`;
    if (no !== undefined) process.env['NO_PROXY'] = no;
    // The name has no address: whoever asks for one has not asked the proxy.
    const options = option === undefined ? {} : { proxy: option };
    await expect(register('ws://signal.test', options)).rejects.toMatchObject({ code: 'AGENT_UNREACHABLE' });
    expect(proxy.asked).toEqual([]);
  });
});

test.each<[unknown, RegExp]>([
  [{ proxy: 'socks4://h' }, /proxy must be a URL/],
  [{ proxy: 7 }, /proxy must be the URL/],
  [{ headers: { upgrade: 'x' } }, /upgrade.*set by the client itself/],
  [{ headers: { 'a b': 'x' } }, /"a b"/],
  [{ headers: { a: 7 } }, /the header a must be a text/],
  [{ ca: 'no certificate' }, /ca/],
  [{ cert: 'x' }, /cert and key need each other/],
  [{ failBack: -1 }, /failBack/],
  [{ writeTimeout: 0 }, /writeTimeout/],
  [{ pingInterval: 1000, idleTimeout: 500 }, /idleTimeout \(500\) must be longer than pingInterval \(1000\)/],
  [{ signal: {} }, /signal must be an AbortSignal/],
  [{ onState: true }, /onState/],
])('the options %j are refused', (options, reason) => {
  expect(() => new WebSocketSignaling('ws://h', options as WebSocketSignalingOptions)).toThrow(TypeError);
  expect(() => new WebSocketSignaling('ws://h', options as WebSocketSignalingOptions)).toThrow(reason);
});

test.each([[[]], [['ws://h', 'h']], [Array(17).fill('ws://h')]])('the servers %j are refused', (servers) => {
  expect(() => new WebSocketSignaling(servers as string[])).toThrow(TypeError);
  expect(() => createPeer({ agentId: 'agent://a', signaling: servers as string[] })).toThrow(TypeError);
});
