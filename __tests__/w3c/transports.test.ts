// The objects of the transports are made when script first asks for them, which script must not notice.
import { createHash } from 'node:crypto';

import { newPeer, once, openPair, trickle } from './helper';

/** The fingerprints that a description promises, as hexadecimal digits. */
function promised(sdp: string): string[] {
  return [...sdp.matchAll(/^a=fingerprint:sha-256 (\S+)/gm)].map(([, digits]) => digits!.replaceAll(':', ''));
}

/** The fingerprint of a certificate, in the same way. */
function fingerprint(certificate: ArrayBuffer): string {
  return createHash('sha256').update(new Uint8Array(certificate)).digest('hex').toUpperCase();
}

test('transports that are asked for late show what is, are always the same, and tell what happens next', async () => {
  const { a, b } = await openPair();
  const { sctp } = a;
  const { transport } = sctp!;
  expect([sctp!.state, transport.state]).toEqual(['connected', 'connected']);
  expect(['connected', 'completed']).toContain(transport.iceTransport.state);
  expect(transport.iceTransport.getSelectedCandidatePair()).not.toBeNull();
  expect(a.sctp).toBe(sctp);
  expect(sctp!.transport).toBe(transport);
  expect(transport.iceTransport).toBe(transport.iceTransport);
  const states = Promise.all([sctp!, transport].map((one) => once(one, 'statechange').then(() => one.state)));
  b.close();
  expect(await states).toEqual(['closed', 'closed']);
});

test('a transport that is asked for early tells of everything', async () => {
  const [a, b] = [newPeer(), newPeer()];
  const channel = a.createDataChannel('x');
  trickle(a, b);
  await a.setLocalDescription();
  const { transport } = a.sctp!;
  const log: string[] = [];
  for (const one of [a.sctp!, transport, transport.iceTransport])
    one.addEventListener('statechange', () => log.push(`${one.constructor.name} ${one.state}`));
  transport.iceTransport.addEventListener('selectedcandidatepairchange', () => log.push('pair'));
  const open = once(channel, 'open');
  await b.setRemoteDescription(a.localDescription!);
  await b.setLocalDescription();
  await a.setRemoteDescription(b.localDescription!);
  await open;
  for (const entry of ['IceTransport checking', 'IceTransport connected', 'DtlsTransport connecting'])
    expect(log).toContain(`RTC${entry}`);
  for (const entry of ['RTCDtlsTransport connected', 'RTCSctpTransport connected', 'pair'])
    expect(log).toContain(entry);
});

test("the peer's certificate is there once the handshake is done, also after close(), and nobody can change it", async () => {
  const [a, b] = [newPeer(), newPeer()];
  const channel = a.createDataChannel('x');
  trickle(a, b);
  const open = once(channel, 'open');
  await a.setLocalDescription();
  const { transport } = a.sctp!;
  // The core may be further than what script has been told.
  const seen: [string, number][] = [[transport.state, transport.getRemoteCertificates().length]];
  transport.onstatechange = () => seen.push([transport.state, transport.getRemoteCertificates().length]);
  await b.setRemoteDescription(a.localDescription!);
  await b.setLocalDescription();
  await a.setRemoteDescription(b.localDescription!);
  await open;
  expect(seen).toEqual([
    ['new', 0],
    ['connecting', 0],
    ['connected', 1],
  ]);
  const expected = promised(b.localDescription!.sdp);
  const [certificate] = transport.getRemoteCertificates();
  expect(expected).toContain(fingerprint(certificate!));
  new Uint8Array(certificate!).fill(0);
  a.close();
  expect(transport.getRemoteCertificates().map(fingerprint)).toEqual(expected);
  b.close();
  expect(b.sctp!.transport.getRemoteCertificates().map(fingerprint)).toEqual(promised(a.localDescription!.sdp));
});
