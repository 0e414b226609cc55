// Events that wait for their turn while an ICE restart, or its rollback, takes away what they tell of.
import { connectedPair, negotiate } from './support';

test('nothing is told of the candidates and the gathering of restarts that were withdrawn in the same task', async () => {
  const pair = await connectedPair();
  const { a } = pair;
  // Nobody is told.
  a.onCandidate = undefined;
  const begin = a.events.length;
  for (let round = 0; round < 5; round++) {
    a.native.restartIce();
    a.native.setLocalDescription('offer', '');
    a.native.setLocalDescription('rollback', '');
  }
  a.native.restartIce();
  const { iceGeneration, pendingLocalDescription } = a.native.setLocalDescription('offer', '');
  const ufrag = /^a=ice-ufrag:(.*)$/m.exec(pendingLocalDescription!.sdp)![1]!.trim();
  await a.event('iceGatheringState', ({ state, generation }) => state === 'complete' && generation === iceGeneration);
  const told = a.events.slice(begin).filter((event) => 'generation' in event);
  expect(new Set(told.map(({ generation }) => generation))).toEqual(new Set([iceGeneration]));
  const candidates = told.filter((event) => event.type === 'iceCandidate');
  expect(candidates.length).toBeGreaterThan(0);
  for (const { usernameFragment, sdp, candidate } of candidates) {
    expect(usernameFragment).toBe(ufrag);
    expect(sdp).toContain(candidate);
    expect(sdp).toContain(`a=ice-ufrag:${ufrag}`);
  }
  pair.close();
});

test('candidates come also when another description was set meanwhile, and leave that alone', async () => {
  const pair = await connectedPair();
  const { a, b } = pair;
  const begin = a.events.length;
  a.native.restartIce();
  negotiate(a, b);
  await a.event('endOfCandidates', ({ generation }) => generation === a.native.snapshot().iceGeneration);
  const candidates = a.events.slice(begin).filter((event) => event.type === 'iceCandidate');
  expect(candidates.length).toBeGreaterThan(0);
  const { sdp: current } = a.native.snapshot().currentLocalDescription!;
  for (const { candidate, sdp } of candidates) {
    expect(current).toContain(candidate);
    if (sdp !== null) expect(sdp).toContain(candidate);
  }
  pair.close();
});
