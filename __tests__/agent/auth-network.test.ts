// Authentication over a real signaling server, and across the loss of a connection.
import { createPeer, createSignalingServer, generateAgentKeys } from 'ossa-webrtc';
import type { AgentKeys, AgentPeer, PeerOptions, Refused } from 'ossa-webrtc';

import { linked, next, Scene } from './auth-setup';
import { LossyPath } from './lossy-path';

let keys: Record<'a' | 'b', AgentKeys>;

beforeAll(async () => {
  const [a, b] = await Promise.all([generateAgentKeys({ algorithm: 'RS256' }), generateAgentKeys()]);
  keys = { a, b };
});

const pinned = () => ({ 'agent://a': keys.a.publicKey, 'agent://b': keys.b.publicKey });

test('tokens pass a signaling server as they are', async () => {
  const server = await createSignalingServer({ host: '127.0.0.1', port: 0 });
  const peers = (['a', 'b'] as const).map((name) =>
    createPeer({ agentId: `agent://${name}`, signaling: server.url, auth: { keys: keys[name], pinned: pinned() } }),
  );
  const links = await linked(peers[0]!, peers[1]!);
  expect(links.map(({ remote }) => [remote.how, remote.authenticated])).toEqual([
    ['pinned', true],
    ['pinned', true],
  ]);
  await Promise.all(peers.map((peer) => peer.close()));
  await server.close();
});

describe('a link whose path is cut', () => {
  let scene: Scene;
  let path: LossyPath;

  beforeEach(() => {
    scene = new Scene();
    path = new LossyPath();
  });
  afterEach(async () => {
    await scene.close();
    path.close();
  });

  function agent(name: 'a' | 'b'): AgentPeer {
    const options: Partial<PeerOptions> = {
      signaling: path.over(scene.signaling),
      auth: { keys: keys[name], pinned: pinned() },
      transport: { ice: { maxRto: 100, disconnectedTimeout: 500, failedTimeout: 60_000 } },
      reconnect: { grace: 20, delay: 50, attemptTimeout: 2000, attempts: 1000 },
    };
    return scene.agent(name, options);
  }

  test('is authenticated again over its next connection', async () => {
    const [a, b] = [agent('a'), agent('b')];
    const [ab, ba] = await linked(a, b);
    const before = ba.remote.fingerprint;
    const rebuilding = new Promise<void>((resolve) => {
      ab.on('reconnecting', ({ how }) => how === 'rebuild' && resolve());
    });
    path.lose();
    await rebuilding;
    const back = Promise.all([next(ab, 'reconnected'), next(ba, 'reconnected')]);
    path.cut = false;
    await back;
    expect(ba.remote).toMatchObject({ authenticated: true, how: 'pinned' });
    expect(ba.remote.fingerprint).not.toBe(before);
    for (const { type, auth } of scene.sent) expect(auth !== undefined).toBe(type === 'offer' || type === 'answer');
  });

  test('does not come back as somebody else’s connection', async () => {
    const [a, b] = [agent('a'), agent('b')];
    const [ab, ba] = await linked(a, b);
    const rebuilding = new Promise<void>((resolve) => {
      ab.on('reconnecting', ({ how }) => how === 'rebuild' && resolve());
    });
    path.lose();
    await rebuilding;
    // From now on the offers are those of an impostor who knows the session.
    scene.tamper = (message) => (message.type === 'offer' ? { ...message, auth: undefined } : message);
    const refused = next<Refused>(b, 'refused');
    path.cut = false;
    expect(await refused).toMatchObject({ agentId: 'agent://a', reason: 'token-missing' });
    expect(ba.state).not.toBe('open');
  });
});
