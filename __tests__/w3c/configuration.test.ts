import { certificateFromPEM, certificateToPEM, RTCPeerConnection, type RTCConfiguration } from 'ossa-webrtc';

import { errorOf, negotiate, newPeer } from './helper';

const turn = (urls: string, rest = {}) => ({ iceServers: [{ urls, username: 'u', credential: 'c', ...rest }] });

test.each([
  'stun:stun.example.net',
  'STUN:192.0.2.1:3478',
  'stuns:[2001:db8::1]:5349',
  'turn:turn.example.net?transport=tcp',
  'turns:turn.example.net:443?transport=tcp',
  // What the URL parser takes, as a line of a file or of the environment gives it.
  'stun:stun.example.net\n',
  '\t stun:stun.example.net:3478 \r\n',
  'stun:stun.exa\nmple.net',
  'stun:b\u00fccher.example',
  'turn:h%2eexample?transport=tcp',
  // Among the default servers of libraries from before browsers refused it.
  'stun:stun.example.net:3478?transport=udp',
])('the server URL %s is accepted', (url) => {
  expect(newPeer(turn(url)).getConfiguration().iceServers?.[0]?.urls).toEqual([url]);
});

test.each([
  ['http://example.net', 'not of the form'],
  ['stun:', 'not a host name'],
  ['stun:example.net:', 'not a port'],
  ['stun:example.net:65536', 'not a port'],
  ['stun:[not-ip]', 'not a host name'],
  ['stun:256.1.1.1', 'not a host name'],
  ['stun:1.2.3.4.5', 'not a host name'],
  ['stun:a\\b', 'not a host name'],
  ['stun:a b', 'not a host name'],
  ['stun:example.net?transport=tcp', 'no transport'],
  ['stuns:example.net?transport=udp', 'no transport'],
  ['turn:example.net?transport=sctp', 'unknown'],
])('the server URL %s is a SyntaxError that says why', (url, reason) => {
  const error = errorOf(() => newPeer(turn(url)));
  expect(error).toMatchObject({ name: 'SyntaxError' });
  expect((error as Error).message).toContain(reason);
});

test.each([
  ['username', { username: '' }],
  ['credential', { credential: '' }],
  ['username', { username: '', credential: '' }],
])('an empty %s for TURN is refused: a variable that nobody has set', (name, empty) => {
  for (const attempt of [
    () => newPeer(turn('turn:turn.example.net', empty)),
    () => newPeer().setConfiguration(turn('turns:turn.example.net', empty)),
  ]) {
    const error = errorOf(attempt) as Error;
    expect(error.name).toBe('InvalidAccessError');
    expect(error.message).toContain(name);
  }
  newPeer(turn('stun:stun.example.net', empty));
});

describe('alwaysNegotiateDataChannels', () => {
  const hasSection = async (configuration?: RTCConfiguration) =>
    /^m=application/m.test((await newPeer(configuration).createOffer()).sdp!);

  test('makes a section for data without a channel, as a member of the configuration and of `transport`', async () => {
    expect(await hasSection({ alwaysNegotiateDataChannels: true })).toBe(true);
    expect(await hasSection({ transport: { alwaysNegotiateDataChannels: true } })).toBe(true);
    expect(await hasSection({ alwaysNegotiateDataChannels: false })).toBe(false);
    expect(await hasSection()).toBe(false);
  });

  test('is in the configuration and cannot be changed', () => {
    const peer = newPeer({ alwaysNegotiateDataChannels: true });
    expect(peer.getConfiguration().alwaysNegotiateDataChannels).toBe(true);
    expect(newPeer().getConfiguration().alwaysNegotiateDataChannels).toBe(false);
    expect(errorOf(() => peer.setConfiguration({}))).toMatchObject({ name: 'InvalidModificationError' });
  });
});

describe('before an answer', () => {
  test('sctp.maxMessageSize is null at both ends, and afterwards what the other end takes', async () => {
    const [a, b] = [newPeer(), newPeer({ transport: { maxMessageSize: 1024 } })];
    a.createDataChannel('c');
    await a.setLocalDescription();
    await b.setRemoteDescription(a.localDescription!);
    expect([a.sctp!.maxMessageSize, b.sctp!.maxMessageSize]).toEqual([null, null]);
    await b.setLocalDescription();
    expect(b.sctp!.maxMessageSize).toBeGreaterThan(1024);
    await a.setRemoteDescription(b.localDescription!);
    expect(a.sctp!.maxMessageSize).toBe(1024);
    await a.setLocalDescription();
    expect(a.sctp!.maxMessageSize).toBe(1024);
  });
});

describe('a local description that was changed', () => {
  const set = async (change: (sdp: string) => string) => {
    const peer = newPeer();
    peer.createDataChannel('c');
    const { type, sdp } = await peer.createOffer();
    await peer.setLocalDescription({ type, sdp: change(sdp!) });
    return peer.localDescription!.sdp;
  };

  test.each<[string, (sdp: string) => string]>([
    ['line ends', (sdp) => sdp.replaceAll('\r\n', '\n')],
    ['empty lines at the end', (sdp) => `${sdp}\r\n`],
    ['no word of trickling', (sdp) => sdp.replace(/a=ice-options:.*\r\n/, '')],
    ['white space at the end of lines', (sdp) => sdp.replaceAll('\r\n', ' \r\n')],
    ['bandwidth', (sdp) => sdp.replace(/(c=IN .*\r\n)/, '$1b=AS:1638400\r\n')],
    ['the name of the session', (sdp) => sdp.replace(/s=.*/, 's=foo')],
    ['the order of lines', (sdp) => `${sdp.replace('a=setup:actpass\r\n', '')}a=setup:actpass\r\n`],
  ])('is taken if that means nothing: %s', async (_, change) => {
    expect(await set(change)).toContain('\r\nm=application');
  });

  test.each<[string, (sdp: string) => string]>([
    ['other credentials', (sdp) => sdp.replace(/a=ice-ufrag:.*/, 'a=ice-ufrag:abcd')],
    ['another fingerprint', (sdp) => sdp.replace(/a=fingerprint:.*/, 'a=fingerprint:sha-256 00')],
    ['another role', (sdp) => sdp.replace('a=setup:actpass', 'a=setup:active')],
    ['a line more', (sdp) => `${sdp}a=x\r\n`],
    ['a line twice', (sdp) => sdp.replace('a=setup:actpass\r\n', '$&$&')],
    ['a line of another section', (sdp) => sdp.replace(/(a=group:.*\r\n)([^]*)/, '$2$1')],
  ])('is refused if it does: %s', async (_, change) => {
    await expect(set(change)).rejects.toMatchObject({ name: 'InvalidModificationError' });
  });

  test('is refused if none was created', async () => {
    await expect(newPeer().setLocalDescription({ type: 'offer', sdp: 'v=0\r\n' })).rejects.toMatchObject({
      name: 'InvalidModificationError',
    });
  });
});

test('script gets copies of the configuration', () => {
  const peer = newPeer(turn('turn:a.example'));
  const copy = peer.getConfiguration();
  copy.iceServers!.length = 0;
  expect(peer.getConfiguration().iceServers).toHaveLength(1);
  expect(Object.keys(copy)).not.toContain('transport');
});

test('nothing of an invalid configuration is applied', () => {
  const peer = newPeer();
  expect(() => peer.setConfiguration({ iceTransportPolicy: 'relay', iceServers: [{ urls: 'nonsense' }] })).toThrow();
  expect(peer.getConfiguration().iceTransportPolicy).toBe('all');
});

describe('certificates', () => {
  const ecdsa = { name: 'ECDSA', namedCurve: 'P-256' };

  test('live for 30 days, for the time that is asked for, and for a year at most', async () => {
    const day = 24 * 60 * 60 * 1000;
    const lifetime = async (expires?: number) => {
      const certificate = await RTCPeerConnection.generateCertificate({ ...ecdsa, expires });
      return Math.round((certificate.expires - Date.now()) / day);
    };
    expect([await lifetime(), await lifetime(2 * day), await lifetime(1000 * day)]).toEqual([30, 2, 365]);
  });

  test('with other keys are not supported, and malformed algorithms are TypeErrors', async () => {
    const generate = (algorithm: unknown) =>
      RTCPeerConnection.generateCertificate(algorithm as Parameters<typeof RTCPeerConnection.generateCertificate>[0]);
    await expect(generate({ name: 'RSASSA-PKCS1-v1_5' })).rejects.toMatchObject({ name: 'NotSupportedError' });
    await expect(generate({ name: 'ECDSA', namedCurve: 'P-384' })).rejects.toMatchObject({ name: 'NotSupportedError' });
    await expect(generate({ name: 'ECDSA' })).rejects.toThrow(TypeError);
    await expect(generate({ ...ecdsa, expires: -1 })).rejects.toThrow(TypeError);
    await expect(generate({})).rejects.toThrow(TypeError);
  });

  test('keep their fingerprint through PEM, and put it into the description', async () => {
    const certificate = await RTCPeerConnection.generateCertificate(ecdsa);
    const pem = certificateToPEM(certificate);
    const restored = certificateFromPEM(pem.certificate, pem.privateKey);
    expect(restored.getFingerprints()).toEqual(certificate.getFingerprints());
    const peer = newPeer({ certificates: [restored] });
    peer.createDataChannel('x');
    const { value } = certificate.getFingerprints()[0]!;
    expect((await peer.createOffer()).sdp).toContain(value.toUpperCase());
    expect(() => certificateFromPEM('nonsense', pem.privateKey)).toThrow();
  });

  test('cannot be exchanged after construction', async () => {
    const [one, two] = await Promise.all([
      RTCPeerConnection.generateCertificate(ecdsa),
      RTCPeerConnection.generateCertificate(ecdsa),
    ]);
    const peer = newPeer({ certificates: [one] });
    peer.setConfiguration({ certificates: [one] });
    peer.setConfiguration({});
    expect(peer.getConfiguration().certificates).toEqual([one]);
    expect(errorOf(() => peer.setConfiguration({ certificates: [two] }))).toMatchObject({
      name: 'InvalidModificationError',
    });
  });
});

describe('transport options', () => {
  const refused = (transport: object) => errorOf(() => newPeer({ transport })) as Error;

  test('that are unknown are refused, with the names that are known', () => {
    const { message } = refused({ portrange: { min: 1, max: 2 } });
    expect(message).toContain("has no member 'portrange'");
    expect(message).toContain('portRange');
    expect(refused({ ice: { timeout: 5 } })).toBeInstanceOf(TypeError);
    expect(refused({ toString: 1 })).toBeInstanceOf(TypeError);
    expect(refused({ iceServers: [] })).toBeInstanceOf(TypeError);
  });

  test('that are out of range are refused', () => {
    expect(refused({ portRange: { min: 10, max: 5 } })).toBeInstanceOf(RangeError);
    expect(refused({ ice: { failedTimeout: -1 } })).toBeInstanceOf(RangeError);
    expect(refused({ maxMessageSize: 0 })).toBeInstanceOf(RangeError);
    expect(refused({ sctp: { congestionControl: 'none' } })).toBeInstanceOf(TypeError);
  });

  test('may all be given', () => {
    const peer = newPeer({
      transport: {
        ...{ portRange: { min: 50_000, max: 50_100 }, includeInterfaces: ['*'], excludeInterfaces: ['none'] },
        ...{ includeLoopback: true, includeLinkLocal: true, bindAddress: '127.0.0.1', maxMessageSize: 1000 },
        ...{ sendBufferLimit: 0, alwaysNegotiateDataChannels: true, dtls: { versions: '1.2' }, sctp: { port: 5001 } },
        ice: { checkInterval: 10, initialRto: 100, maxRto: 1000, disconnectedTimeout: 1, failedTimeout: 0 },
      },
    });
    expect(peer.connectionState).toBe('new');
  });
});

test('other servers, or another policy, restart ICE with the next offer; the same do not', async () => {
  const [a, b] = [newPeer(), newPeer()];
  a.createDataChannel('x');
  await negotiate(a, b);
  const ufrag = ({ sdp = '' }: { sdp?: string }) => /^a=ice-ufrag:(\S+)/m.exec(sdp)?.[1];
  const before = ufrag(a.localDescription!);
  a.setConfiguration(a.getConfiguration());
  expect(ufrag(await a.createOffer())).toBe(before);
  a.setConfiguration({ iceTransportPolicy: 'relay' });
  expect(ufrag(await a.createOffer())).not.toBe(before);
  await negotiate(a, b);
  const after = ufrag(a.localDescription!);
  expect(after).not.toBe(before);
  expect(ufrag(await a.createOffer())).toBe(after);
});
