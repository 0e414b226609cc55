import { RTCPeerConnection, WHEPClient, WHIPClient, type WHIPError } from 'ossa-webrtc';

import { heard, toneTrack } from '../media/callers';
import { once } from '../w3c/helper';
import { MediaServer } from './media-server';

let server: MediaServer;
const open: { close(): unknown }[] = [];
beforeEach(async () => void (server = await MediaServer.start()));
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
  server.close();
});

async function connected(connection: RTCPeerConnection): Promise<void> {
  while (connection.connectionState !== 'connected') await once(connection, 'connectionstatechange');
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

async function publish(options: Parameters<typeof WHIPClient.publish>[2] = {}, path = '/whip'): Promise<WHIPClient> {
  const client = await WHIPClient.publish(server.url(path), [toneTrack(440)], options);
  open.push({ close: () => client.close().catch(() => undefined) });
  return client;
}

async function play(options: Parameters<typeof WHEPClient.play>[1] = {}): Promise<WHEPClient> {
  const client = await WHEPClient.play(server.url('/whep'), { video: false, ...options });
  open.push({ close: () => client.close().catch(() => undefined) });
  return client;
}

async function failure(attempt: Promise<unknown>): Promise<WHIPError> {
  return await attempt.then(
    () => fail('it has not failed'),
    (error: WHIPError) => error,
  );
}
function fail(message: string): never {
  throw new Error(message);
}

test('what is published is heard by the server, and the session ends with a DELETE', async () => {
  const client = await publish({ token: 'secret' });
  expect(client.url).toBe(server.url('/session/0'));
  const [session] = server.sessions;
  await heard(session!.getReceivers()[0]!.track, [440], 440);
  await client.close();
  expect(client.connection.connectionState).toBe('closed');
  expect(server.seen.every(({ headers }) => headers.authorization === 'Bearer secret')).toBe(true);
  expect(server.seen.at(-1)).toMatchObject({ method: 'DELETE', path: '/session/0' });
  await client.close();
  expect(server.requests('DELETE')).toHaveLength(1);
});

test.each([false, true])('what the server plays is heard, with an offer of its own: %s', async (counters) => {
  Object.assign(server, { track: toneTrack(600), counters });
  const client = await play();
  expect(client.stream.getTracks()).toHaveLength(1);
  await heard(client.stream.getAudioTracks()[0]!, [600], 600);
  expect(client.connection.getTransceivers()[0]!.currentDirection).toBe('recvonly');
});

test('candidates follow the offer, many with one request, and with the tag that the server gave', async () => {
  const client = await publish();
  const [offer] = server.requests('POST');
  expect(offer!.body).not.toContain('a=candidate');
  await connected(client.connection);
  while (!server.requests('PATCH').some(({ body }) => body.includes('end-of-candidates'))) {
    await turn();
  }
  const patches = server.requests('PATCH');
  expect(patches.length).toBeLessThanOrEqual(3);
  expect(patches.every(({ headers }) => headers['if-match'] === '"ice-0"')).toBe(true);
  expect(patches.map(({ body }) => body).join('')).toMatch(/a=ice-ufrag:[^]*m=audio[^]*a=mid:0[^]*a=candidate:/);
});

test('an offer that waits for its candidates has them all, and nothing follows', async () => {
  const client = await publish({ trickle: false });
  expect(server.requests('POST')[0]!.body).toContain('a=candidate');
  await connected(client.connection);
  await client.close();
  expect(server.requests('PATCH')).toHaveLength(0);
});

test('a server that takes no candidates is reached without', async () => {
  server.answer = ({ method }) => (method === 'PATCH' ? { status: 405 } : undefined);
  const client = await publish();
  client.on('fault', ({ message }) => fail(message));
  await connected(client.connection);
  while (server.requests('PATCH').length === 0) await turn();
  await client.close();
  expect(server.requests('PATCH')).toHaveLength(1);
});

test('servers for ICE that are named are asked, with the credentials that are named', async () => {
  server.link =
    '<stun:stun.example.invalid>; rel="ice-server", <https://example.com/next>; rel=next, ' +
    '<turn:turn.example.invalid?transport=udp>; rel="ice-server"; username="a \\"b\\""; credential="c,d;e"; credential-type="password"';
  const client = await publish({ configuration: { iceServers: [{ urls: 'stun:own.example.invalid' }] } });
  const { iceServers } = client.connection.getConfiguration();
  expect(iceServers!.map(({ urls }) => [urls].flat()[0])).toEqual([
    'stun:own.example.invalid',
    'stun:stun.example.invalid',
    'turn:turn.example.invalid?transport=udp',
  ]);
  expect(iceServers![2]).toMatchObject({ username: 'a "b"', credential: 'c,d;e' });
});

test('ICE restarts: there are other credentials on both sides, and media goes on', async () => {
  const client = await publish();
  await connected(client.connection);
  const before = [client.connection.localDescription!.sdp, client.connection.remoteDescription!.sdp];
  await client.restartIce();
  const after = [client.connection.localDescription!.sdp, client.connection.remoteDescription!.sdp];
  const ufrag = (sdp: string) => /a=ice-ufrag:(.*)/.exec(sdp)![1];
  expect(ufrag(after[0]!)).not.toBe(ufrag(before[0]!));
  expect(ufrag(after[1]!)).not.toBe(ufrag(before[1]!));
  expect(server.requests('PATCH').find(({ headers }) => headers['if-match'] === '*')!.body).toContain(ufrag(after[0]!));
  await heard(server.sessions[0]!.getReceivers()[0]!.track, [440], 440);
  // What was found for the new credentials came with the new tag.
  while (!server.requests('PATCH').some(({ headers }) => headers['if-match'] === '"ice-1"')) {
    await turn();
  }
});

test('ICE restarts after an offer of the server, too', async () => {
  Object.assign(server, { track: toneTrack(600), counters: true });
  const client = await play();
  await connected(client.connection);
  server.counters = false;
  await client.restartIce();
  await heard(client.stream.getAudioTracks()[0]!, [600], 600);
});

test('a server that does not restart ICE says so, and the session goes on as it was', async () => {
  const client = await publish();
  await connected(client.connection);
  server.answer = ({ headers }) => (headers['if-match'] === '*' ? { status: 405 } : undefined);
  const error = await failure(client.restartIce());
  expect(error).toMatchObject({ name: 'WHIPError', code: 'NOT_SUPPORTED', status: 405 });
  expect(client.connection.signalingState).toBe('stable');
  server.answer = () => undefined;
  await client.restartIce();
  await heard(server.sessions[0]!.getReceivers()[0]!.track, [440], 440);
});

test('redirects that keep the request are followed, and the token goes along', async () => {
  server.answer = ({ path }) =>
    path === '/old'
      ? { status: 307, headers: { Location: '/older' } }
      : path === '/older'
        ? { status: 308, headers: { Location: '/whip' } }
        : undefined;
  const asked: string[] = [];
  const token = (url: URL) => {
    asked.push(url.pathname);
    return Promise.resolve('t');
  };
  await publish({ token }, '/old');
  expect(server.requests('POST').map(({ path, headers }) => [path, headers.authorization])).toEqual([
    ['/old', 'Bearer t'],
    ['/older', 'Bearer t'],
    ['/whip', 'Bearer t'],
  ]);
  expect(asked.slice(0, 3)).toEqual(['/old', '/older', '/whip']);
});

const sdp = { 'Content-Type': 'application/sdp' };
type Refusal = { status: number; headers?: Record<string, string>; body?: string };
test.each<[string, Refusal, object, RegExp]>([
  [
    'a redirect that loses the request',
    { status: 302, headers: { Location: '/whip' } },
    { code: 'PROTOCOL_ERROR', status: 302 },
    /only 307 and 308/,
  ],
  [
    'redirects without an end',
    { status: 307, headers: { Location: '/whip-loop' } },
    { code: 'PROTOCOL_ERROR' },
    /more than 20 times/,
  ],
  [
    'a redirect to a file',
    { status: 307, headers: { Location: 'file:///etc/passwd' } },
    { code: 'PROTOCOL_ERROR' },
    /no HTTP address/,
  ],
  ['a token that is not valid', { status: 401 }, { code: 'REFUSED', status: 401 }, /token/],
  [
    'a stream that is not live',
    { status: 409, headers: { 'Retry-After': '7' } },
    { code: 'REFUSED', status: 409, retryAfter: 7 },
    /try again in 7 s/,
  ],
  [
    'a refusal with a reason',
    { status: 422, headers: { 'Content-Type': 'application/problem+json' }, body: '{"detail":"no codec of ours"}' },
    { code: 'REFUSED', status: 422 },
    /no codec of ours/,
  ],
  [
    'too much load',
    { status: 503, headers: { 'Retry-After': 'soon' } },
    { code: 'REFUSED', status: 503, retryAfter: undefined },
    /too much/,
  ],
  ['a status that is none', { status: 200, headers: sdp, body: 'v=0' }, { code: 'PROTOCOL_ERROR' }, /instead of 201/],
  ['no session', { status: 201, headers: sdp, body: 'v=0' }, { code: 'PROTOCOL_ERROR' }, /Location/],
  [
    'no description',
    { status: 201, headers: { Location: '/session/0' } },
    { code: 'PROTOCOL_ERROR' },
    /without a description/,
  ],
  [
    'a description that is none',
    { status: 201, headers: { ...sdp, Location: '/session/0' }, body: 'nonsense' },
    { code: 'PROTOCOL_ERROR' },
    /not acceptable/,
  ],
  [
    'a flood',
    { status: 201, headers: { ...sdp, Location: '/session/0' }, body: 'x'.repeat(2 ** 21) },
    { code: 'PROTOCOL_ERROR' },
    /more than/,
  ],
])('%s is an error that says what it is, and nothing stays behind', async (_, answer, expected, message) => {
  server.answer = ({ method }) => (method === 'POST' ? answer : { status: 200 });
  let connection: RTCPeerConnection | undefined;
  const error = await failure(publish({ prepare: (made) => void (connection = made) }));
  expect(error).toMatchObject({ name: 'WHIPError', ...expected });
  expect(error.message).toMatch(message);
  expect(connection!.connectionState).toBe('closed');
});

test('a session whose answer is of no use is deleted on the server', async () => {
  const deleted = new Promise<string>((resolve) => {
    server.answer = ({ method, path }) => {
      if (method === 'DELETE') resolve(path);
      return method === 'POST'
        ? { status: 201, headers: { ...sdp, Location: '/session/0' }, body: 'nonsense' }
        : { status: 200 };
    };
  });
  await failure(publish());
  expect(await deleted).toBe('/session/0');
});

test('a server that is not there, one that is silent, and somebody who has changed his mind', async () => {
  const gone = await MediaServer.start();
  const address = gone.url('/whip');
  gone.close();
  expect(await failure(WHIPClient.publish(address, [toneTrack(440)]))).toMatchObject({ code: 'UNREACHABLE' });
  const silent = new AbortController();
  expect(
    await failure(publish({ timeout: 1, fetch: (_, { signal }: RequestInit = {}) => neverFetch(signal!) })),
  ).toMatchObject({
    code: 'UNREACHABLE',
    message: expect.stringContaining('within 1 ms') as string,
  });
  const reason = new Error('not today');
  const attempt = publish({ signal: silent.signal, fetch: (_, { signal }: RequestInit = {}) => neverFetch(signal!) });
  silent.abort(reason);
  expect(await failure(attempt)).toBe(reason);
});

function neverFetch(signal: AbortSignal): Promise<Response> {
  return new Promise((_, reject) => {
    const give = () => reject(signal.reason as Error);
    if (signal.aborted) give();
    else signal.addEventListener('abort', give);
  });
}

test('candidates that the server refuses are told, and a session that is gone is told once', async () => {
  server.answer = ({ method }) => (method === 'PATCH' ? { status: 404 } : undefined);
  const client = await publish();
  const error = await new Promise<WHIPError>((resolve) => client.on('fault', resolve));
  expect(error).toMatchObject({ code: 'REFUSED', status: 404 });
  await client.close();
  await expect(client.restartIce()).rejects.toMatchObject({ code: 'CLOSED' });
});
