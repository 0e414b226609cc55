import { RTCIceCandidate, RTCStatsReport, type RTCPeerConnection } from 'ossa-webrtc';

import { errorOf, negotiate, newPeer, once, openPair, receive, trickle } from './helper';

/** Logs every state change with the states of all attributes at that moment. */
function watch(peer: RTCPeerConnection): string[] {
  const log: string[] = [];
  for (const type of ['iceconnectionstatechange', 'connectionstatechange', 'icegatheringstatechange']) {
    peer.addEventListener(type, () => {
      log.push(`${type}: ${peer.iceGatheringState} ${peer.iceConnectionState} ${peer.connectionState}`);
    });
  }
  return log;
}

test('the transports exist from the first data section on, and a rollback takes them away', async () => {
  const peer = newPeer();
  peer.createDataChannel('x');
  expect(peer.sctp).toBeNull();
  await peer.setLocalDescription();
  const sctp = peer.sctp!;
  expect([sctp.state, sctp.transport.state, sctp.transport.iceTransport.state]).toEqual(['connecting', 'new', 'new']);
  expect(peer.sctp).toBe(sctp);
  expect(sctp.transport.iceTransport.getLocalParameters()?.usernameFragment).toMatch(/^.{4,}$/);
  await peer.setLocalDescription({ type: 'rollback' });
  expect(peer.sctp).toBeNull();
});

test('the states of a connection are those of its transports, and change together', async () => {
  const a = newPeer();
  const b = newPeer();
  a.createDataChannel('x');
  trickle(a, b);
  const log = watch(a);
  await negotiate(a, b);
  while (a.connectionState !== 'connected') await once(a, 'connectionstatechange');
  const seen = log.filter((entry) => !entry.startsWith('icegathering')).map((entry) => entry.replace(/: \w+/, ':'));
  expect(seen.slice(0, 2)).toEqual([
    'iceconnectionstatechange: checking connecting',
    'connectionstatechange: checking connecting',
  ]);
  expect(seen.at(-1)).toMatch(/^connectionstatechange: (connected|completed) connected$/);
});

test('candidates come with the description that holds them, and end with an empty one and null', async () => {
  const peer = newPeer();
  peer.createDataChannel('x');
  const candidates: (RTCIceCandidate | null)[] = [];
  const missing: string[] = [];
  const done = new Promise<void>((resolve) => {
    peer.onicecandidate = ({ candidate }) => {
      candidates.push(candidate);
      if (candidate?.candidate && !peer.localDescription!.sdp.includes(candidate.candidate))
        missing.push(candidate.candidate);
      if (!candidate) resolve();
    };
  });
  await peer.setLocalDescription();
  await done;
  expect(missing).toEqual([]);
  expect(candidates.length).toBeGreaterThanOrEqual(3);
  expect(candidates.slice(0, -2).every((candidate) => candidate?.candidate.startsWith('candidate:'))).toBe(true);
  expect(candidates.at(-2)?.candidate).toBe('');
  expect(candidates.at(-1)).toBeNull();
  expect(peer.iceGatheringState).toBe('complete');
  const shown = peer.localDescription!.sdp;
  expect(shown).toContain('a=end-of-candidates');
});

test('the selected pair is made of the candidates that were signaled', async () => {
  const { a, b } = await openPair();
  const [ours, theirs] = [a.sctp!.transport.iceTransport, b.sctp!.transport.iceTransport];
  // The channel may be open before the controlled side has heard of the nomination.
  while (ours.getSelectedCandidatePair()!.local.candidate !== theirs.getSelectedCandidatePair()!.remote.candidate) {
    await Promise.race([once(ours, 'selectedcandidatepairchange'), once(theirs, 'selectedcandidatepairchange')]);
  }
  const pair = ours.getSelectedCandidatePair()!;
  expect(pair.local).toBeInstanceOf(RTCIceCandidate);
  expect(a.sctp!.transport.iceTransport.getLocalCandidates()).toContain(pair.local);
  expect([a.sctp!.transport.iceTransport.role, b.sctp!.transport.iceTransport.role]).toEqual([
    'controlling',
    'controlled',
  ]);
});

test('a restart that is rolled back shows the old credentials and candidates again', async () => {
  const { a } = await openPair();
  const ice = a.sctp!.transport.iceTransport;
  while (a.iceGatheringState !== 'complete') await once(a, 'icegatheringstatechange');
  const [parameters, candidates] = [ice.getLocalParameters(), ice.getLocalCandidates()];
  a.restartIce();
  await a.setLocalDescription();
  expect(ice.getLocalParameters()).not.toEqual(parameters);
  expect(ice.getLocalCandidates()).toEqual([]);
  await a.setLocalDescription({ type: 'rollback' });
  expect(ice.getLocalParameters()).toEqual(parameters);
  expect(ice.getLocalCandidates()).toEqual(candidates);
});

test('with restarts and withdrawals one after the other nothing is told of a generation that is over', async () => {
  const { a, b, near, far } = await openPair();
  const ufrag = (sdp: string) => /^a=ice-ufrag:(.*)$/m.exec(sdp)![1]!.trim();
  let told = 0;
  const strays: string[] = [];
  a.addEventListener('icecandidate', ({ candidate }) => {
    if (!candidate) return;
    told++;
    const { sdp } = a.localDescription!;
    const there = candidate.candidate === '' || sdp.includes(candidate.candidate);
    if (candidate.usernameFragment !== ufrag(sdp) || !there) strays.push(candidate.candidate);
  });
  for (let round = 0; round < 20; round++) {
    const before = ufrag(a.localDescription!.sdp);
    a.restartIce();
    await a.setLocalDescription();
    expect(ufrag(a.localDescription!.sdp)).not.toBe(before);
    await a.setLocalDescription({ type: 'rollback' });
    expect(ufrag(a.localDescription!.sdp)).toBe(before);
    await negotiate(a, b);
    // In force is the last one, on both sides, whatever waited in a queue.
    expect(ufrag(b.remoteDescription!.sdp)).toBe(ufrag(a.localDescription!.sdp));
  }
  if (a.iceGatheringState !== 'complete') await once(a, 'icegatheringstatechange');
  expect(strays).toEqual([]);
  expect(told).toBeGreaterThan(0);
  const received = receive(far, 1);
  near.send('still here');
  expect(await received).toEqual(['still here']);
});

test('close ends every state at once', async () => {
  const { a, near } = await openPair();
  const { sctp } = a;
  const log = watch(a);
  a.close();
  expect([a.signalingState, a.connectionState, a.iceConnectionState]).toEqual(['closed', 'closed', 'closed']);
  expect([sctp?.state, sctp?.transport.state, sctp?.transport.iceTransport.state]).toEqual([
    'closed',
    'closed',
    'closed',
  ]);
  expect(near.readyState).toBe('closed');
  expect(log).toEqual([]);
  expect(errorOf(() => a.createDataChannel('x'))).toMatchObject({ name: 'InvalidStateError' });
});

test('statistics are a read-only map with the W3C names', async () => {
  const { a } = await openPair();
  const report = await a.getStats();
  const types = new Set([...report.values()].map(({ type }) => type));
  for (const type of ['peer-connection', 'transport', 'candidate-pair', 'local-candidate', 'data-channel']) {
    expect(types).toContain(type);
  }
  for (const [id, stats] of report) {
    expect(stats.id).toBe(id);
    expect(report.get(id)).toBe(stats);
    expect(report.has(id)).toBe(true);
  }
  expect([...report.keys()]).toHaveLength(report.size);
  const prototype = RTCStatsReport.prototype as unknown as Record<symbol | string, unknown>;
  expect(Object.is(prototype[Symbol.iterator], prototype.entries)).toBe(true);
  await expect(a.getStats({} as unknown as null)).rejects.toThrow(TypeError);
});

test('an ICE restart keeps the channel and the transports', async () => {
  const { a, b, near, far } = await openPair();
  const { sctp } = a;
  const before = sctp!.transport.iceTransport.getLocalParameters();
  a.restartIce();
  await negotiate(a, b);
  const after = a.sctp!.transport.iceTransport.getLocalParameters();
  expect(a.sctp).toBe(sctp);
  expect(after?.usernameFragment).not.toBe(before?.usernameFragment);
  const heard = once<MessageEvent>(far, 'message');
  near.send('still here');
  expect((await heard).data).toBe('still here');
});
