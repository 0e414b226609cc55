// Attackers in the signaling service who would like to be somebody else.
import { createHmac } from 'node:crypto';

import jwt from 'jsonwebtoken';
import { RTCDtlsTransport } from 'ossa-webrtc';
import type { SignalingMessage } from 'ossa-webrtc';

import { identities, linked, partOf, refusal, sdpOf, withOtherCertificate } from './auth-setup';

const { scene, keys, auth, refusedBy } = identities();

describe('an attacker in the signaling service', () => {
  test('who swaps the certificate in the offer gets no connection', async () => {
    const [a, b] = [scene.agent('a', auth('a')), scene.agent('b', auth('b'))];
    scene.tamper = (message) => (message.type === 'offer' ? withOtherCertificate(message) : message);
    expect(await refusedBy(b, a)).toBe('fingerprint-mismatch');
  });

  test('who swaps the certificate in the answer gets no connection', async () => {
    const [a, b] = [scene.agent('a', auth('a')), scene.agent('b', auth('b'))];
    await b.ready;
    scene.tamper = (message) => (message.type === 'answer' ? withOtherCertificate(message) : message);
    await expect(a.connect('agent://b')).rejects.toMatchObject({
      code: 'AUTH_FAILED',
      details: { reason: 'fingerprint-mismatch' },
    });
  });

  test('who adds a certificate of his own beside the right one gets no connection', async () => {
    const [a, b] = [scene.agent('a', auth('a')), scene.agent('b', auth('b'))];
    scene.tamper = (message) => {
      if (message.type !== 'offer') return message;
      const [line] = /^a=fingerprint:.*$/m.exec(sdpOf(withOtherCertificate(message)))!;
      return { ...message, sdp: sdpOf(message).replace(/^(a=fingerprint:.*)$/m, `$1\n${line}\r`) };
    };
    expect(await refusedBy(b, a)).toBe('fingerprint-mismatch');
  });

  test('who makes the offer his own with a key of his own gets no connection', async () => {
    const b = scene.agent('b', auth('b'));
    // Signed as agent://a in all respects, but with another key.
    const mallory = scene.agent('a', auth('mallory'));
    expect(await refusedBy(b, mallory)).toBe('key-mismatch');
  });

  test('who says that he is somebody else is refused: the token names the sender', async () => {
    const [mallory, b] = [
      scene.agent('mallory', auth('mallory')),
      scene.agent(
        'b',
        auth('b', {
          pinned: {
            'agent://a': keys.mallory.publicKey, // even if both had the same key
          },
        }),
      ),
    ];
    scene.tamper = (message) => (message.type === 'offer' ? { ...message, from: 'agent://a' } : message);
    await b.ready;
    const reason = refusal(b);
    void mallory.connect('agent://b').catch(() => undefined);
    expect(await reason).toBe('identity-mismatch');
    expect(b.links.size).toBe(0);
  });

  test('who shows the right key and signs with another is refused', async () => {
    const [a, b] = [scene.agent('a', auth('mallory')), scene.agent('b', auth('b'))];
    scene.tamper = (message) =>
      message.type === 'offer' ? { ...message, auth: { ...message.auth!, publicKey: keys.a.publicKey } } : message;
    expect(await refusedBy(b, a)).toBe('signature-invalid');
  });

  test('who takes the token away, or sends something else instead, is refused', async () => {
    const [a, b] = [scene.agent('a', auth('a')), scene.agent('b', auth('b'))];
    for (const [proof, reason] of [
      [undefined, 'token-missing'],
      [7, 'token-missing'],
      [{ token: 7 }, 'token-missing'],
      [{ token: 'x.y.z', publicKey: keys.a.publicKey }, 'token-malformed'],
      [{ token: `${'x'.repeat(8192)}.`, publicKey: keys.a.publicKey }, 'token-too-large'],
    ] as const) {
      scene.tamper = (message) =>
        message.type === 'offer' ? { ...message, auth: proof as unknown as SignalingMessage['auth'] } : message;
      await b.ready;
      const refused = refusal(b);
      void a.connect('agent://b').catch(() => undefined);
      expect(await refused).toBe(reason);
      await a.links.get('agent://b')?.close();
    }
    expect(b.links.size).toBe(0);
  });

  test('who sends an offer to somebody else than it was made for is refused', async () => {
    const [a, b] = [scene.agent('a', auth('a')), scene.agent('b', auth('b'))];
    scene.agent('c');
    scene.tamper = (message) => (message.to === 'agent://c' ? { ...message, to: 'agent://b' } : message);
    await b.ready;
    const reason = refusal(b);
    void a.connect('agent://c').catch(() => undefined);
    expect(await reason).toBe('audience-wrong');
  });

  test('who replays an offer changes nothing, and causes no answer', async () => {
    const [a, b] = [scene.agent('a', auth('a')), scene.agent('b', auth('b'))];
    const [ab] = await linked(a, b);
    const [offer] = scene.of('offer');
    const reason = refusal(b);
    scene.memory.send(offer!);
    expect(await reason).toBe('replayed');
    // Nor under another session.
    const other = refusal(b);
    scene.memory.send({ ...offer!, sessionId: 'another' });
    expect(await other).toBe('session-wrong');
    b.handle('alive', () => true);
    expect(await ab.call('alive')).toBe(true);
    expect([b.links.size, ab.state]).toEqual([1, 'open']);
    // The replay itself was not answered: that would reach the agent whose offer it was.
    expect(scene.of('error').map(({ sessionId }) => sessionId)).toEqual(['another']);
  });

  test('who gives the answer of an earlier session gets no connection', async () => {
    const [a, b] = [scene.agent('a', auth('a')), scene.agent('b', auth('b'))];
    const [ab, ba] = await linked(a, b);
    const [old] = scene.of('answer');
    await Promise.all([ab.close(), ba.closed]);
    scene.tamper = (message) => (message.type === 'answer' ? { ...old!, sessionId: message.sessionId } : message);
    await expect(a.connect('agent://b')).rejects.toMatchObject({ details: { reason: 'session-wrong' } });
  });

  test('who gives the answer to an earlier offer of the same session does not end the link', async () => {
    const [a, b] = [scene.agent('a', auth('a')), scene.agent('b', auth('b'))];
    const [ab] = await linked(a, b);
    const [old] = scene.of('answer');
    scene.tamper = (message) => (message.type === 'answer' ? old : message);
    const reason = refusal(a);
    ab.connection.restartIce();
    // Its token was used already; one that was held back would answer another offer.
    expect(await reason).toMatch(/^(offer-wrong|replayed)$/);
    b.handle('alive', () => true);
    expect(await ab.call('alive')).toBe(true);
  });

  test('who changes a new negotiation of an open link does not end the link', async () => {
    const [a, b] = [scene.agent('a', auth('a')), scene.agent('b', auth('b'))];
    const [ab, ba] = await linked(a, b);
    scene.tamper = (message) => (message.type === 'offer' ? withOtherCertificate(message) : message);
    const reason = refusal(b);
    ab.connection.restartIce();
    expect(await reason).toBe('fingerprint-mismatch');
    b.handle('alive', () => true);
    expect(await ab.call('alive')).toBe(true);
    expect(ba.state).toBe('open');
  });

  test('cannot use the public key as a shared secret, nor do without a signature', async () => {
    const b = scene.agent('b', auth('b'));
    const a = scene.agent('a', auth('a'));
    await b.ready;
    for (const alg of ['HS256', 'none'] as const) {
      scene.tamper = (message) => {
        if (message.type !== 'offer') return message;
        const claims = { ...partOf(message, 1), jti: alg };
        const header = { alg, typ: 'ossa-webrtc+jwt' };
        const token = forge(header, claims, alg === 'none' ? '' : keys.a.publicKey);
        return { ...message, auth: { token, publicKey: keys.a.publicKey } };
      };
      const reason = refusal(b);
      await expect(a.connect('agent://b')).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
      expect(await reason).toBe('algorithm-not-allowed');
    }
  });

  test('cannot bring his key in the header of the token', async () => {
    const [a, b] = [scene.agent('a', auth('a')), scene.agent('b', auth('b'))];
    scene.tamper = (message) => {
      if (message.type !== 'offer') return message;
      const header = { typ: 'ossa-webrtc+jwt', alg: 'ES256' as const, jwk: keys.mallory.publicJwk };
      const token = jwt.sign(partOf(message, 1), keys.mallory.exportPrivateKey(), { algorithm: 'ES256', header });
      return { ...message, auth: { token, publicKey: keys.a.publicKey } };
    };
    expect(await refusedBy(b, a)).toBe('signature-invalid');
  });

  test('cannot change who is meant, when, and for how long', async () => {
    const b = scene.agent('b', auth('b'));
    const a = scene.agent('a', auth('a'));
    await b.ready;
    const now = Math.floor(Date.now() / 1000);
    for (const [claims, reason] of [
      [{ iat: now - 200, nbf: now - 200, exp: now - 100 }, 'expired'],
      [{ iat: now + 100, nbf: now + 100, exp: now + 160 }, 'not-yet-valid'],
      [{ exp: now + 1000 }, 'lifetime-too-long'],
      [{ sub: 'agent://c' }, 'identity-mismatch'],
      [{ iss: 'agent://c' }, 'identity-mismatch'],
      [{ agentId: 'agent://c' }, 'identity-mismatch'],
      [{ act: 'answer' }, 'act-wrong'],
    ] as const) {
      scene.tamper = (message) => {
        if (message.type !== 'offer') return message;
        // With the key of a itself: as if a had made such a token for something else.
        const header = { typ: 'ossa-webrtc+jwt', alg: 'ES256' as const };
        const content = { ...partOf(message, 1), ...claims };
        const token = jwt.sign(content, keys.a.exportPrivateKey(), { algorithm: 'ES256', header });
        return { ...message, auth: { token, publicKey: keys.a.publicKey } };
      };
      const refused = refusal(b);
      void a.connect('agent://b').catch(() => undefined);
      expect(await refused).toBe(reason);
      await a.links.get('agent://b')?.close();
    }
  });

  test('who gets past the description is stopped at the handshake, before any message', async () => {
    const [a, b] = [scene.agent('a', auth('a')), scene.agent('b', auth('b'))];
    await b.ready;
    // What a parser of SDP that reads it differently would lead to: another certificate than the signed one. Of both sides the one
    // that sees it first would close the connection before the other one has looked, so it is shown to one of them.
    const prototype = RTCDtlsTransport.prototype as {
      getRemoteCertificates: (this: RTCDtlsTransport) => ArrayBuffer[];
    };
    const genuine = prototype.getRemoteCertificates;
    jest.spyOn(prototype, 'getRemoteCertificates').mockImplementation(function (this: RTCDtlsTransport) {
      const isOfA = a.links.get('agent://b')?.connection.sctp?.transport === this;
      return isOfA ? [new ArrayBuffer(100)] : genuine.call(this);
    });
    const received: unknown[] = [];
    b.on('link', (link) => link.on('message', (message) => received.push(message)));
    await expect(a.send('agent://b', 'secret')).rejects.toMatchObject({
      code: 'AUTH_FAILED',
      details: { reason: 'certificate-mismatch' },
    });
    expect([received, a.links.size]).toEqual([[], 0]);
  });
});

/** A JWT with any header: HMAC, or no signature at all. */
function forge(header: object, claims: object, secret: string): string {
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signed = `${encode(header)}.${encode(claims)}`;
  if (!secret) return `${signed}.`;
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}
