// Which description a candidate of the other side belongs to.
import { RemoteCandidates } from '../../ts/agent/connection/remote-candidates';

const described = (...fragments: string[]) => fragments.map((fragment) => `a=ice-ufrag:${fragment}\r\n`).join('');
const candidate = (usernameFragment: string | null, candidate = 'candidate:1') => ({ candidate, usernameFragment });

test('a candidate that has overtaken its description is applied after it, and one from before an ICE restart never', () => {
  const candidates = new RemoteCandidates();
  expect(candidates.take(candidate('one'), false)).toBe('later');
  expect(candidates.applied(described('one'))).toEqual([candidate('one')]);
  expect(candidates.take(candidate('one'), true)).toBe('now');
  // The restart's description is on its way.
  expect(candidates.take(candidate('two'), true)).toBe('later');
  expect(candidates.take(candidate('one'), true)).toBe('now');
  expect(candidates.applied(described('two', 'two'))).toEqual([candidate('two')]);
  expect(candidates.take(candidate('one'), true)).toBe('never');
  expect(candidates.take(candidate('two'), true)).toBe('now');
});

test('candidates without a user name fragment wait for the first description only', () => {
  const candidates = new RemoteCandidates();
  expect(candidates.take(candidate(null), false)).toBe('later');
  expect(candidates.applied(described('one'))).toEqual([candidate(null)]);
  expect(candidates.take(candidate(null), true)).toBe('now');
});

test('candidates of an offer that was ignored are forgotten with the next description, unless it has their fragment', () => {
  const candidates = new RemoteCandidates();
  candidates.applied(described('one'));
  candidates.take(candidate('ignored'), true);
  expect(candidates.applied(described('one'))).toEqual([]);
  candidates.take(candidate('again'), true);
  expect(candidates.applied(described('again'))).toEqual([candidate('again')]);
  // The older generation is over, and comes back if its description does.
  expect(candidates.take(candidate('one'), true)).toBe('never');
  candidates.applied(described('one'));
  expect(candidates.take(candidate('one'), true)).toBe('now');
});

test('who sends candidates without end and no description fills 256 places', () => {
  const candidates = new RemoteCandidates();
  const results = Array.from({ length: 300 }, () => candidates.take(candidate('never described'), true));
  expect(results.filter((result) => result === 'later')).toHaveLength(256);
  expect(results.slice(256).every((result) => result === 'full')).toBe(true);
});
