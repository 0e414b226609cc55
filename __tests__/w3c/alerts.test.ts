// What ended a handshake is said in words, not by its number alone.
import { toRTCError } from '../../ts/w3c/events';

const received = (receivedAlert: number | null) =>
  toRTCError({
    message: `the peer has sent a fatal alert (${receivedAlert})`,
    errorDetail: 'dtls-failure',
    sctpCauseCode: null,
    receivedAlert,
    sentAlert: null,
  });

test.each([
  [40, /handshake_failure.*RSA certificate/],
  [42, /bad_certificate.*description/],
  [43, /unsupported_certificate.*P-256/],
  [70, /protocol_version.*DTLS 1\.2/],
])('alert %i says what it may be about', (alert, text) => {
  expect(received(alert)).toMatchObject({ message: expect.stringMatching(text) as string, receivedAlert: alert });
});

test('an alert that nobody knows, and an end without one, keep their text', () => {
  expect(received(99).message).toBe('the peer has sent a fatal alert (99)');
  expect(received(null).message).toBe('the peer has sent a fatal alert (null)');
});
