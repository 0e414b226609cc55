import { connectedPair, NativeCertificate, NativeError, NativePeer, TestPeer, type Pair } from './support';

const listener = { onEvent() {}, onMessage() {}, onReleased() {} };

/** Calls with values that no type checker would let pass. */
type Loose = Record<string, (...args: unknown[]) => unknown>;
const loose = (value: object) => value as unknown as Loose;

const STRANGE: unknown[] = [
  undefined,
  null,
  true,
  -1,
  0.5,
  NaN,
  Infinity,
  2 ** 32,
  2 ** 53,
  1e300,
  1n,
  '',
  'text',
  '\ud800',
  Symbol('s'),
  [],
  {},
  () => {},
  new Uint8Array(3),
  new ArrayBuffer(3),
  new Date(),
];

const METHODS = [
  'createOffer',
  'setLocalDescription',
  'setRemoteDescription',
  'addIceCandidate',
  'setConfiguration',
  'createDataChannel',
  'closeDataChannel',
  'setLowThreshold',
  'send',
];

describe('bad input', () => {
  let pair: Pair;

  beforeAll(async () => {
    pair = await connectedPair();
  });
  afterAll(() => pair.close());

  test.each(METHODS)(
    '%s throws or ignores whatever it is given, and the connection goes on',
    async (method) => {
      for (const first of STRANGE) {
        for (const second of STRANGE) {
          const peer = new NativePeer({}, listener);
          try {
            loose(peer)[method]!(first, second);
          } catch (error) {
            expect(error).toBeInstanceOf(Error);
            expect((error as { code?: string }).code).not.toBe('InternalError');
          }
          peer.close();
        }
      }
      pair.a.native.send(pair.channel, method);
      expect(await pair.b.received(1)).toEqual([{ channel: pair.remote, data: method }]);
    },
    60_000,
  );

  test.each([
    [{ portRange: { min: 0, max: 10 } }, 'RangeError'],
    [{ portRange: { min: 10, max: 70_000 } }, 'RangeError'],
    [{ portRange: { min: 20, max: 10 } }, 'RangeError'],
    [{ maxMessageSize: -1 }, 'RangeError'],
    [{ maxMessageSize: 2 ** 31 }, 'RangeError'],
    [{ sendBufferLimit: -1 }, 'RangeError'],
    [{ sendBufferLimit: NaN }, 'RangeError'],
    [{ bindAddress: 'localhost' }, 'TypeError'],
    [{ iceTransportPolicy: 'none' }, 'TypeError'],
    [{ iceServers: [{ urls: ['http://example.org'] }] }, 'SyntaxError'],
    [{ iceServers: [{ urls: [] }] }, 'SyntaxError'],
    [{ iceServers: [{ urls: ['turn:example.org'] }] }, 'InvalidAccessError'],
    [{ iceServers: Array.from({ length: 65 }, () => ({ urls: ['stun:example.org'] })) }, 'RangeError'],
    [{ ice: { checkInterval: -5 } }, 'RangeError'],
    [{ ice: { checkInterval: NaN } }, 'RangeError'],
    [{ dtls: { versions: '1.1' } }, 'TypeError'],
    [{ dtls: { mtu: 10 } }, 'RangeError'],
    [{ sctp: { port: 0 } }, 'RangeError'],
    [{ sctp: { streams: 70_000 } }, 'RangeError'],
    [{ sctp: { congestionControl: 'vegas' } }, 'TypeError'],
    [{ sctp: { maxReceiveWindow: 1e15 } }, 'RangeError'],
    [{ maxMessageSize: 'big' }, 'TypeError'],
    [{ iceServers: 'stun:example.org' }, 'TypeError'],
  ])('the configuration %j is refused with a %s', (config, code) => {
    expect(() => new NativePeer(config as never, listener)).toThrow(expect.objectContaining({ code }) as Error);
  });

  test('errors say which value was wrong and what is allowed', () => {
    expect(() => new NativePeer({ sctp: { port: 70_000 } }, listener)).toThrow(
      'sctp.port is 70000: it has to be a whole number from 1 to 65535',
    );
  });

  test('a description that makes no sense is an error with its line', () => {
    const peer = new TestPeer();
    const offer = 'v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\nnonsense\r\n';
    let thrown: unknown;
    try {
      peer.native.setRemoteDescription('offer', offer);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(NativeError);
    expect(thrown).toMatchObject({ code: 'OperationError', errorDetail: 'sdp-syntax-error', sdpLineNumber: 3 });
    peer.native.close();
  });

  test('a megabyte of text is no description', () => {
    const peer = new TestPeer();
    expect(() => peer.native.setRemoteDescription('offer', 'x'.repeat(2 << 20))).toThrow(NativeError);
    peer.native.close();
  });

  test('a detached buffer sends nothing but an empty message', async () => {
    const data = new Uint8Array(100);
    structuredClone(data, { transfer: [data.buffer] });
    expect(pair.a.native.send(pair.channel, data)).toBe(0);
    const [message] = await pair.b.received(1);
    expect((message!.data as ArrayBuffer).byteLength).toBe(0);
  });

  test('sending to a channel that does not exist is dropped and does not fill the send buffer', async () => {
    const peer = new TestPeer({ sendBufferLimit: 1000 });
    for (let i = 0; i < 5; i++) {
      expect(peer.native.send(77, new Uint8Array(900))).toBe(900);
      await new Promise((resolve) => setImmediate(resolve));
      await new Promise((resolve) => setImmediate(resolve));
    }
    peer.native.close();
  });

  test('a closed peer refuses messages, and everything else with an InvalidStateError', () => {
    const peer = new TestPeer();
    peer.native.close();
    peer.native.close();
    const invalid = expect.objectContaining({ code: 'InvalidStateError' }) as Error;
    expect(() => peer.native.send(0, 'x')).toThrow(invalid);
    expect(() => peer.native.createOffer(false)).toThrow(invalid);
    expect(() => peer.native.createDataChannel({ label: '' })).toThrow(invalid);
    expect(peer.native.snapshot()).toMatchObject({ signalingState: 'closed', connectionState: 'closed' });
    peer.native.ref();
    peer.native.unref();
  });

  test('certificates: bad input is an error, good ones survive a round trip', () => {
    const bad = loose(NativeCertificate);
    for (const first of STRANGE) {
      expect(() => bad.fromPEM!(first, 'x')).toThrow(NativeError);
      expect(() => bad.fromPEM!('x', first)).toThrow(NativeError);
    }
    for (const expires of [-1, NaN, Infinity, 1e300]) {
      expect(() => NativeCertificate.generate({ expires })).toThrow(
        expect.objectContaining({ code: 'RangeError' }) as Error,
      );
    }
    const certificate = NativeCertificate.generate({ expires: 60_000 });
    expect(certificate.fingerprints).toEqual([
      { algorithm: 'sha-256', value: expect.stringMatching(/^([0-9a-f]{2}:){31}[0-9a-f]{2}$/) as string },
    ]);
    const pem = certificate.toPEM();
    const copy = NativeCertificate.fromPEM(pem.certificate, pem.privateKey);
    expect(copy.fingerprints).toEqual(certificate.fingerprints);
    expect(Buffer.from(copy.der).equals(Buffer.from(certificate.der))).toBe(true);
    const peer = new NativePeer({ certificates: [copy] }, listener);
    peer.createDataChannel({ label: '' });
    expect(peer.createOffer(false).toLowerCase()).toContain(certificate.fingerprints[0]!.value);
    peer.close();
  });
});
