// Agents that prove who they are, and attackers who would like to be somebody else.
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { generateAgentKeys, KnownKeys } from 'ossa-webrtc';
import type { AgentKeys, AuthOptions, Link, PeerOptions, SignalingMessage } from 'ossa-webrtc';

import { identities, linked, next, partOf, refusal } from './auth-setup';

const { scene, keys, pinned, auth, refusedBy } = identities();

describe('agents that know each other’s keys', () => {
  test('are authenticated, with the certificate that is in use', async () => {
    const [a, b] = [scene.agent('a', auth('a')), scene.agent('b', auth('b'))];
    const [ab, ba] = await linked(a, b);
    for (const link of [ab, ba]) {
      const [certificate] = link.connection.sctp!.transport.getRemoteCertificates();
      const digest = createHash('sha256').update(new Uint8Array(certificate!)).digest('hex').toUpperCase();
      expect(link.remote).toEqual({
        agentId: link === ab ? 'agent://b' : 'agent://a',
        authenticated: true,
        how: 'pinned',
        fingerprint: `sha-256 ${digest.match(/../g)!.join(':')}`,
      });
      expect(link.authMode).toBe('required');
    }
    b.handle('who', (_, { link }) => link.remote.authenticated);
    expect(await ab.call('who')).toBe(true);
  });

  test.each(['EdDSA', 'ES256', 'RS256'] as const)('may use %s', async (algorithm) => {
    const [own, other] = await Promise.all([generateAgentKeys({ algorithm }), generateAgentKeys({ algorithm })]);
    const known = { 'agent://a': own.publicJwk, 'agent://b': other.publicJwk };
    const a = scene.agent('a', { auth: { keys: own, pinned: known } });
    const b = scene.agent('b', { auth: { keys: other, pinned: known } });
    const [ab, ba] = await linked(a, b);
    expect([ab.remote.authenticated, ba.remote.authenticated]).toEqual([true, true]);
    expect(partOf(scene.of('offer')[0], 0)).toEqual({ alg: algorithm, typ: 'ossa-webrtc+jwt', kid: own.kid });
  });

  test('calling each other at the same moment get one authenticated link', async () => {
    const [a, b] = [scene.agent('a', auth('a')), scene.agent('b', auth('b'))];
    await Promise.all([a.ready, b.ready]);
    const [ab, ba] = await Promise.all([a.connect('agent://b'), b.connect('agent://a')]);
    expect([ab.remote.how, ba.remote.how]).toEqual(['pinned', 'pinned']);
  });

  test('sign every new negotiation of the session, and each answer names its offer', async () => {
    const [a, b] = [scene.agent('a', auth('a')), scene.agent('b', auth('b'))];
    const [ab] = await linked(a, b);
    ab.connection.restartIce();
    const stable = () => new Promise((resolve) => ab.connection.addEventListener('signalingstatechange', resolve));
    while (scene.of('answer').length < 2 || ab.connection.signalingState !== 'stable') await stable();
    const [offers, answers] = [scene.of('offer'), scene.of('answer')];
    expect(offers).toHaveLength(2);
    const names = offers.map((offer) => partOf(offer, 1).jti);
    expect(new Set(names).size).toBe(2);
    expect(answers.map((answer) => partOf(answer, 1).otid)).toEqual(names);
    b.handle('alive', () => true);
    expect(await ab.call('alive')).toBe(true);
  });

  test('may look keys up with a function, which is told the name and the kid', async () => {
    const asked: unknown[] = [];
    const resolve = (agentId: string, kid: string | undefined) => {
      asked.push([agentId, kid]);
      return Promise.resolve(agentId === 'agent://a' ? keys.a.publicJwk : [keys.mallory.publicKey, keys.b.publicKey]);
    };
    const [a, b] = (['a', 'b'] as const).map((name) => scene.agent(name, { auth: { keys: keys[name], resolve } }));
    const [ab, ba] = await linked(a!, b!);
    expect([ab.remote.how, ba.remote.how]).toEqual(['resolver', 'resolver']);
    expect(asked).toEqual([
      ['agent://a', keys.a.kid],
      ['agent://b', keys.b.kid],
    ]);
  });

  test('are authenticated one way if only one side asks for it', async () => {
    const [a, b] = [scene.agent('a', auth('a')), scene.agent('b', { auth: { keys: keys.b, mode: 'none' } })];
    const [ab, ba] = await linked(a, b);
    expect([ab.remote.how, ba.remote.how]).toEqual(['pinned', 'none']);
    expect(ba.remote).toMatchObject({
      authenticated: false,
      fingerprint: expect.stringMatching(/^sha-256 /) as string,
    });
    expect([ab.authMode, ba.authMode]).toEqual(['required', 'none']);
  });
});

describe('those that are refused', () => {
  test('strangers with a key of their own are not known', async () => {
    const [b, c] = [scene.agent('b', auth('b')), scene.agent('c', auth('mallory'))];
    expect(await refusedBy(b, c)).toBe('key-unknown');
  });

  test('agents without a token are told so in no other way', async () => {
    expect(await refusedBy(scene.agent('b', auth('b')), scene.agent('a'))).toBe('token-missing');
  });

  test('an agent on the allowlist needs its key, and one with a key needs to be on the list', async () => {
    const allow = jest.fn((agentId: string) => Promise.resolve(agentId === 'agent://a'));
    const everybody = { ...pinned(), 'agent://mallory': keys.mallory.publicKey };
    const b = scene.agent('b', { ...auth('b', { pinned: everybody }), allow });
    const impostor = scene.agent('a', auth('mallory'));
    expect(await refusedBy(b, impostor)).toBe('key-mismatch');
    // Nobody was asked about a name that was not proven.
    expect(allow).not.toHaveBeenCalled();
    expect(await refusedBy(b, scene.agent('mallory', auth('mallory')))).toBe('not-allowed');
    expect(allow.mock.calls).toEqual([['agent://mallory']]);
    await impostor.close();
    const [, ba] = await linked(scene.agent('a', auth('a')), b);
    expect(ba.remote.authenticated).toBe(true);
  });

  test.each<[string, PeerOptions['allow']]>([
    ['URIs', ['AGENT://A', 'agent://x']],
    ['a set', new Set(['agent://a'])],
    ['a pattern', 'agent://*'],
    ['a regular expression', /agent:\/\/[a-c]/g],
  ])('an allowlist may be %s', async (_, allow) => {
    const b = scene.agent('b', { allow });
    // It begins like one that is allowed.
    expect(await refusedBy(b, scene.agent('a/evil'))).toBe('not-allowed');
    const [ab] = await linked(scene.agent('a'), b);
    expect(ab.state).toBe('open');
  });

  test('an allowlist that fails lets nobody in', async () => {
    const allow = () => Promise.reject(new Error('the database is down'));
    expect(await refusedBy(scene.agent('b', { allow }), scene.agent('a'))).toBe('not-allowed');
  });

  test('a silent agent does not even show that it is there', async () => {
    const [a, b] = [scene.agent('a'), scene.agent('b', auth('b', { silent: true }))];
    await b.ready;
    const reason = refusal(b);
    const connecting = a.connect('agent://b', { timeout: 2_000_000_000 }).catch((error: unknown) => error);
    expect(await reason).toBe('token-missing');
    await a.close();
    await connecting;
    expect(scene.sent.filter(({ from }) => from === 'agent://b')).toEqual([]);
  });

  test('a resolver that fails or gives nonsense refuses', async () => {
    const results = [Promise.reject(new Error('secret detail')), 'nonsense', Promise.resolve(undefined)];
    for (const reason of ['resolver-failed', 'resolver-failed', 'key-unknown']) {
      const b = scene.agent('b', { auth: { keys: keys.b, resolve: () => results.shift() } });
      const a = scene.agent('a', auth('a'));
      expect(await refusedBy(b, a)).toBe(reason);
      await scene.close();
    }
  });

  test('one sender cannot cause more than its share of answers, and then not even of work', async () => {
    const resolve = jest.fn(() => undefined);
    const b = scene.agent('b', { auth: { keys: keys.b, resolve } });
    await scene.agent('a').ready;
    await b.ready;
    const reasons: string[] = [];
    const done = new Promise<void>((finish) => {
      b.on('refused', ({ reason }) => {
        if (reasons.push(reason) === 300) finish();
      });
    });
    const other = scene.agent('c', auth('a'));
    void other.connect('agent://b').catch(() => undefined);
    const offer = await new Promise<SignalingMessage>((found) => {
      scene.tamper = (message) => {
        if (message.type === 'offer') found(message);
        return message.type === 'offer' ? undefined : message;
      };
    });
    // One after the other: while one is being verified, more than 64 behind it would be dropped.
    for (let sent = 0; sent < 300; sent++) {
      const refused = next(b, 'refused');
      scene.memory.send({ ...offer, sessionId: String(sent) });
      await refused;
    }
    await done;
    const checked = reasons.filter((reason) => reason === 'key-unknown').length;
    // 100 at once, and a few more in the time that this takes.
    expect(checked).toBeGreaterThanOrEqual(100);
    expect(checked).toBeLessThan(200);
    expect(resolve).toHaveBeenCalledTimes(checked);
    expect(reasons.filter((reason) => reason === 'rate-limited').length).toBe(300 - checked);
    expect(scene.of('error').length).toBeLessThan(20);
  });

  test('how many of a sender’s offers are looked at, and how many refusals it is told of, are options', async () => {
    const limits = { offerBurst: 3, offersPerMinute: 1, refusalBurst: 2, refusalsPerMinute: 1, allRefusalsBurst: 3 };
    const b = scene.agent('b', { ...auth('b'), limits: { ...limits, allRefusalsPerMinute: 1 } });
    await b.ready;
    const refused: string[] = [];
    b.on('refused', ({ reason }) => refused.push(reason));
    const offers = async (from: string, count: number) => {
      for (let sent = 0; sent < count; sent++) {
        const told = next(b, 'refused');
        scene.memory.send({ type: 'offer', from, to: 'agent://b', sessionId: `${from} ${sent}`, sdp: 'v=0' });
        await told;
      }
    };
    await offers('agent://x', 5);
    expect(refused.splice(0)).toEqual([...Array<string>(3).fill('token-missing'), 'rate-limited', 'rate-limited']);
    await offers('agent://y', 3);
    expect(refused).toEqual(Array<string>(3).fill('token-missing'));
    // Two for the first sender, then one is left for all others.
    expect(scene.of('error').map(({ to }) => to)).toEqual(['agent://x', 'agent://x', 'agent://y']);
    expect(() => scene.agent('c', { limits: { offersPerMinute: 0 } })).toThrow(TypeError);
  });

  test('an agent without keys of its own can be called where proof is required, and cannot call', async () => {
    const keyless = { auth: { pinned: pinned() } };
    const b = scene.agent('b', auth('b', { pinned: undefined, mode: 'none' }));
    const [caller, called] = [scene.agent('a', keyless), scene.agent('c', keyless)];
    await Promise.all([b.ready, called.ready]);
    const failure = { code: 'AUTH_FAILED', details: { reason: 'offer-wrong' } };
    await expect(caller.connect('agent://b')).rejects.toMatchObject(failure);
    const link = next<Link>(called, 'link');
    await b.connect('agent://c');
    expect((await link).remote).toMatchObject({ agentId: 'agent://b', authenticated: true });
  });

  test('a full memory of used tokens refuses even honest agents', async () => {
    const [a, b] = [scene.agent('a', auth('a')), scene.agent('b', { ...auth('b'), limits: { replays: 1 } })];
    const [ab, ba] = await linked(a, b);
    await Promise.all([ab.close(), ba.closed]);
    const reason = refusal(b);
    await expect(a.connect('agent://b')).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
    expect(await reason).toBe('replay-cache-full');
  });
});

describe('half-open connections', () => {
  /** An offer of an agent that will never go on. */
  async function offerOf(name: string, options: Partial<PeerOptions>): Promise<SignalingMessage> {
    const peer = scene.agent(name, options);
    const offer = new Promise<SignalingMessage>((found) => {
      scene.tamper = (message) => {
        if (message.type === 'offer') found(message);
        return undefined;
      };
    });
    void peer.connect('agent://b').catch(() => undefined);
    return await offer;
  }

  const settled = () => new Promise((resolve) => setImmediate(() => setImmediate(() => setImmediate(resolve))));

  test('are bounded; an authenticated agent takes the place of the oldest that is not', async () => {
    const known = new KnownKeys([['agent://a', keys.a.publicKey]]);
    const b = scene.agent('b', { auth: { keys: keys.b, mode: 'tofu', knownKeys: known }, limits: { halfOpen: 2 } });
    await b.ready;
    const offers: SignalingMessage[] = [];
    for (const name of ['x', 'y', 'z'])
      offers.push(await offerOf(name, { auth: { keys: keys.mallory, mode: 'none' } }));
    const friend = await offerOf('a', { auth: { keys: keys.a, mode: 'none' } });
    const reason = refusal(b);
    for (const offer of offers) scene.memory.send(offer);
    expect(await reason).toBe('half-open');
    expect([...b.links.keys()]).toEqual(['agent://x', 'agent://y']);
    scene.memory.send(friend);
    while (!b.links.has('agent://a')) await settled();
    expect([...b.links.keys()]).toEqual(['agent://y', 'agent://a']);
  });
});

test('a connection that its caller does not go on with gives its place up', async () => {
  const b = scene.agent('b', { limits: { halfOpenTime: 50 } });
  const a = scene.agent('a');
  await b.ready;
  scene.tamper = (message) => (message.type === 'ice-candidate' ? undefined : message);
  const connecting = a.connect('agent://b').catch((error: unknown) => error);
  while (!b.links.has('agent://a')) await new Promise(setImmediate);
  const link = b.links.get('agent://a')!;
  await link.closed;
  expect(link.error).toMatchObject({
    code: 'AGENT_UNREACHABLE',
    message: 'agent://a has not completed its connection within 50 ms',
  });
  await a.close();
  await connecting;
});

describe('trust on first use', () => {
  const tofu = (name: keyof typeof keys, knownKeys?: KnownKeys): { auth: AuthOptions } => ({
    auth: { keys: keys[name], mode: 'tofu', ...(knownKeys && { knownKeys }) },
  });

  test('remembers the key of the first contact and recognizes it', async () => {
    const known = new KnownKeys();
    const b = scene.agent('b', tofu('b', known));
    const a = scene.agent('a', tofu('a'));
    const [ab, ba] = await linked(a, b);
    expect(ba.remote).toMatchObject({ authenticated: false, how: 'tofu' });
    expect(ba.authMode).toBe('tofu');
    expect(known.get('agent://a')).toBe(keys.a.publicKey);
    await Promise.all([ab.close(), ba.closed]);
    const [, again] = await linked(a, b);
    expect(again.remote).toMatchObject({ authenticated: true, how: 'tofu' });
  });

  test('refuses another key under a known name', async () => {
    const b = scene.agent('b', tofu('b', new KnownKeys([['agent://a', keys.a.publicKey]])));
    expect(await refusedBy(b, scene.agent('a', tofu('mallory')))).toBe('key-mismatch');
  });

  test('remembers nobody who does not complete a connection', async () => {
    const known = new KnownKeys();
    const b = scene.agent('b', { ...tofu('b', known), allow: [] });
    expect(await refusedBy(b, scene.agent('a', tofu('a')))).toBe('not-allowed');
    expect(known.size).toBe(0);
  });

  test('refuses new names when no more can be remembered, and still knows the old ones', async () => {
    const known = new KnownKeys([['agent://a', keys.a.publicKey]], { capacity: 1 });
    const b = scene.agent('b', tofu('b', known));
    expect(await refusedBy(b, scene.agent('c', tofu('mallory')))).toBe('known-keys-full');
    const [, ba] = await linked(scene.agent('a', tofu('a')), b);
    expect(ba.remote.authenticated).toBe(true);
  });

  test('of two who come for the first time under one name at once only the one who is there first gets in', async () => {
    const known = new KnownKeys();
    const b = scene.agent('b', tofu('b', known));
    const a = scene.agent('a', tofu('mallory'));
    await b.ready;
    scene.tamper = (message) => {
      // b has accepted the offer. Now, before the connection is there, the other one has completed his.
      if (message.type === 'answer') known.set('agent://a', keys.a.publicKey);
      return message;
    };
    const closed = new Promise<unknown>((resolve) => {
      const look = () => {
        const link = b.links.get('agent://a');
        if (!link) return setImmediate(look);
        return void link.closed.then(() => resolve(link.error));
      };
      look();
    });
    const connecting = a.connect('agent://b').catch(() => undefined);
    expect(await closed).toMatchObject({ code: 'AUTH_FAILED', details: { reason: 'key-mismatch' } });
    expect(known.get('agent://a')).toBe(keys.a.publicKey);
    await a.close();
    await connecting;
  });

  test('keys that cannot be written are reported, and count while the process lives', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'ossa-known-'));
    const known = await KnownKeys.open(join(folder, 'known'));
    rmSync(folder, { recursive: true });
    const lines: unknown[][] = [];
    const write = (...parts: unknown[]) => void lines.push(parts);
    const logger = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: write };
    const b = scene.agent('b', { ...tofu('b', known), logger });
    const a = scene.agent('a', tofu('a'));
    const [ab, ba] = await linked(a, b);
    await expect(known.saved()).rejects.toMatchObject({ code: 'ENOENT' });
    expect(lines).toEqual([['the known keys could not be written', { remote: 'agent://a', code: 'ENOENT' }]]);
    await Promise.all([ab.close(), ba.closed]);
    expect((await linked(a, b))[1].remote).toMatchObject({ authenticated: true, how: 'tofu' });
  });

  test('a pinned key counts more than a first contact', async () => {
    const b = scene.agent('b', { auth: { keys: keys.b, mode: 'tofu', pinned: pinned() } });
    expect(await refusedBy(b, scene.agent('a', tofu('mallory')))).toBe('key-mismatch');
  });
});

describe('what is said', () => {
  test('contains no key and no token', async () => {
    const lines: string[] = [];
    const write = (...parts: unknown[]) => void lines.push(JSON.stringify(parts));
    const logger = { debug: write, info: write, warn: write, error: write };
    const b = scene.agent('b', { ...auth('b'), logger });
    const a = scene.agent('a', { ...auth('mallory'), logger });
    b.on('refused', write);
    await b.ready;
    const error = await a.connect('agent://b').catch((reason: unknown) => reason);
    write(String(error), (error as Error).stack);
    await a.close();
    await linked(scene.agent('a', { ...auth('a'), logger }), b);
    const secrets = [
      ...scene.sent.flatMap((message) => (message.auth ? [message.auth.token, ...message.auth.token.split('.')] : [])),
      ...Object.values(keys)
        .flatMap((key) => [key.exportPrivateKey(), key.publicKey])
        .map((pem) => pem.split('\n')[1]!),
    ];
    expect(secrets.length).toBeGreaterThan(10);
    const text = lines.join('\n');
    expect(text).toContain('key-mismatch');
    for (const secret of secrets) expect(text).not.toContain(secret);
  });
});

describe('wrong options', () => {
  test.each<[RegExp, () => Partial<PeerOptions>]>([
    [/says nothing about the keys of other agents/, () => ({ auth: { keys: keys.a } })],
    [/auth has no member "key"/, () => ({ auth: { key: 1 } as AuthOptions })],
    [/auth.mode must be one of/, () => ({ auth: { mode: 'strict' as 'required' } })],
    [/auth.keys must come from/, () => ({ auth: { keys: {} as AgentKeys, pinned: {} } })],
    [/auth.pinned is not used in the mode "none"/, () => ({ auth: { mode: 'none', pinned: {} } })],
    [
      /auth.pinned\["agent:\/\/x"\]: this is a private key/,
      () => ({ auth: { pinned: { 'agent://x': keys.a.exportPrivateKey() } } }),
    ],
    [/agent URI starts with/, () => ({ auth: { pinned: { x: keys.a.publicKey } } })],
    [/https: URL, not http:/, () => ({ auth: { jwks: 'http://localhost/keys' } })],
    [/auth.knownKeys is for the mode "tofu"/, () => ({ auth: { knownKeys: new KnownKeys(), pinned: {} } })],
    [/allow must be/, () => ({ allow: 7 as never })],
    [/a pattern begins with agent:\/\//, () => ({ allow: '*' })],
  ])('%s', (message, options) => {
    expect(() => scene.agent('x', options())).toThrow(TypeError);
    expect(() => scene.agent('x', options())).toThrow(message);
  });
});
