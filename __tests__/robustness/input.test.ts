// What an application may get wrong, or pass on from a hostile peer: a clear error, and the connection lives on.
import { RTCPeerConnection } from 'ossa-webrtc';

import { connected, event } from './pair';

const good = [
  'v=0',
  'o=- 1 1 IN IP4 0.0.0.0',
  's=-',
  't=0 0',
  'a=group:BUNDLE 0',
  'm=application 9 UDP/DTLS/SCTP webrtc-datachannel',
  'c=IN IP4 0.0.0.0',
  'a=mid:0',
  'a=ice-ufrag:abcd',
  'a=ice-pwd:abcdefghijklmnopqrstuv',
  `a=fingerprint:sha-256 ${Array(32).fill('AB').join(':')}`,
  'a=setup:actpass',
  'a=sctp-port:5000',
  'a=max-message-size:262144',
];
const sdp = (lines: string[]) => `${lines.join('\r\n')}\r\n`;
const without = (start: string) => sdp(good.filter((line) => !line.startsWith(start)));
const replaced = (start: string, line: string) => sdp(good.map((old) => (old.startsWith(start) ? line : old)));

/** Awaits a rejection and checks that its message helps. */
async function rejection(promise: Promise<unknown>): Promise<Error> {
  const error = await promise.then(
    () => new Error('it was accepted'),
    (reason: unknown) => reason as Error,
  );
  expect(error.message.length).toBeGreaterThan(10);
  return error;
}

test.each(
  Object.entries({
    'no description at all': 'hello',
    'an empty one': '',
    'only a version': 'v=0\r\n',
    'an unknown version': replaced('v=', 'v=7'),
    'no fingerprint': without('a=fingerprint'),
    'a fingerprint of half a byte': replaced('a=fingerprint', 'a=fingerprint:sha-256 AB:C'),
    'a fingerprint of the wrong length': replaced('a=fingerprint', 'a=fingerprint:sha-256 AB:CD'),
    'no ufrag': without('a=ice-ufrag'),
    'no password': without('a=ice-pwd'),
    'a password that is too short': replaced('a=ice-pwd', 'a=ice-pwd:short'),
    'an unknown setup role': replaced('a=setup', 'a=setup:whatever'),
    'a port that is no number': replaced('m=application', 'm=application nine UDP/DTLS/SCTP webrtc-datachannel'),
    'a line without its equals sign': replaced('a=mid', 'amid0'),
    'binary rubbish': '\u0000\u0001\u0002\uFFFF'.repeat(100),
    'a million lines': 'a=x\r\n'.repeat(1_000_000),
  }),
)('an offer with %s is refused with an explanation, and a good one is accepted afterwards', async (_, bad) => {
  const connection = new RTCPeerConnection();
  const error = await rejection(connection.setRemoteDescription({ type: 'offer', sdp: bad }));
  // RTCError (a syntax error with its line) has the name of its DOMException; a megabyte is refused before it is read.
  expect(['OperationError', 'InvalidAccessError', 'SyntaxError', 'TypeError']).toContain(error.name);
  expect(connection.signalingState).toBe('stable');
  await connection.setRemoteDescription({ type: 'offer', sdp: sdp(good) });
  expect(connection.signalingState).toBe('have-remote-offer');
  connection.close();
});

test.each([
  'candidate:',
  'candidate:1 1 udp',
  'candidate:1 1 udp 2130706431 999.1.1.1 5000 typ host',
  'candidate:1 1 udp 2130706431 192.0.2.1 70000 typ host',
  'candidate:1 1 udp -1 192.0.2.1 5000 typ host',
  'candidate:1 1 udp 2130706431 192.0.2.1 5000 typ nonsense',
  'candidate:1 x udp 2130706431 192.0.2.1 5000 typ host',
  'complete nonsense',
  'candidate:' + 'x'.repeat(100_000),
])('the candidate "%.60s" is refused or ignored, and never harms', async (candidate) => {
  const connection = new RTCPeerConnection();
  await connection.setRemoteDescription({ type: 'offer', sdp: sdp(good) });
  await connection.setLocalDescription();
  const outcome = await connection.addIceCandidate({ candidate, sdpMid: '0' }).then(
    () => 'ignored',
    (error: Error) => error.name,
  );
  expect(['ignored', 'OperationError']).toContain(outcome);
  await connection.addIceCandidate({ candidate: 'candidate:1 1 udp 2130706431 127.0.0.1 9 typ host', sdpMid: '0' });
  expect(connection.signalingState).toBe('stable');
  connection.close();
});

test('a candidate for a section or a ufrag that does not exist is refused', async () => {
  const connection = new RTCPeerConnection();
  await connection.setRemoteDescription({ type: 'offer', sdp: sdp(good) });
  const candidate = 'candidate:1 1 udp 2130706431 192.0.2.1 5000 typ host';
  for (const init of [{ sdpMid: 'other' }, { sdpMLineIndex: 7 }, { sdpMid: '0', usernameFragment: 'nobody' }]) {
    expect((await rejection(connection.addIceCandidate({ candidate, ...init }))).name).toBe('OperationError');
  }
  connection.close();
});

test('a message above the negotiated limit is a TypeError, and the channel goes on', async () => {
  const { offerer, channel, incoming, close } = await connected();
  const limit = offerer.sctp?.maxMessageSize ?? 0;
  expect(limit).toBeGreaterThanOrEqual(256 * 1024 * 1024);
  expect(() => channel.send(new ArrayBuffer(limit + 1))).toThrow(TypeError);
  channel.send('after');
  expect((await event<MessageEvent>(incoming, 'message')).data).toBe('after');
  close();
});

test('sending in a wrong state says so: before opening, while closing, when closed, on a closed connection', async () => {
  const lonely = new RTCPeerConnection();
  const unopened = lonely.createDataChannel('unopened');
  const wrongState = expect.objectContaining({ name: 'InvalidStateError' }) as Error;
  const send = (channel: typeof unopened) => {
    try {
      channel.send('x');
    } catch (error) {
      return error;
    }
    return 'sent';
  };
  expect(send(unopened)).toEqual(wrongState);
  lonely.close();
  expect(send(unopened)).toEqual(wrongState);

  const { channel, incoming, close } = await connected();
  const closed = event(incoming, 'close');
  channel.close();
  expect(channel.readyState).toBe('closing');
  expect(send(channel)).toEqual(wrongState);
  await closed;
  expect(send(incoming)).toEqual(wrongState);
  close();
  expect(send(channel)).toEqual(wrongState);
});
