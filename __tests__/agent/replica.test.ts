// The rule by which copies of a shared state are merged: whatever is lost, repeated or overtaken, they end up equal.
import { compare, MAX_KEYS, readEntries, Replica, type Entry } from '../../examples/shared-state/replica.mts';

/** The same numbers for the same seed (mulberry32). */
function randomNumbers(seed: number): (below: number) => number {
  return (below) => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

const seeds = Array.from({ length: 200 }, (_, seed) => seed);

/** Entries as they are after a journey. */
const travelled = (entries: Entry[]) => readEntries(JSON.parse(JSON.stringify(entries)));

/** What two agents do when they compare. Returns how many rounds it took. */
function reconcile(one: Replica, other: Replica, batch: number): number {
  for (let round = 0; ; round++) {
    if (one.summary === other.summary) return round;
    if (round > 1000) throw new Error('they do not come to an agreement');
    const { entries, wanted } = one.difference(JSON.parse(JSON.stringify(other.versions)), batch);
    other.merge(travelled(entries));
    one.merge(travelled(other.entries(wanted, batch)));
  }
}

/** Agents that change a few keys, see some of each other's changes, in any order, some twice, some never. */
function history(seed: number): { replicas: Replica[]; changes: Entry[] } {
  const below = randomNumbers(seed);
  const replicas = ['a', 'b', 'c', 'd'].map((name) => new Replica(`agent://${name}`));
  const changes: Entry[] = [];
  for (let step = 0; step < 60; step++) {
    const replica = replicas[below(replicas.length)]!;
    if (changes.length === 0 || below(3) > 0) {
      const value = [undefined, null, step, { b: step, a: [step] }, 'x'][below(5)];
      changes.push(replica.set(`key${below(4)}`, value));
    } else replica.merge(travelled([changes[below(changes.length)]!]));
  }
  return { replicas, changes };
}

test.each(seeds)('whatever the order, the losses and the repetitions (%i)', (seed) => {
  const below = randomNumbers(seed + 1000);
  const { replicas, changes } = history(seed);
  for (const replica of replicas) {
    const shuffled = [...changes, ...changes].sort(() => below(3) - 1);
    for (const change of shuffled) replica.merge(travelled([change]));
  }
  for (const replica of replicas) {
    expect(replica.state).toEqual(replicas[0]!.state);
    expect(replica.summary).toBe(replicas[0]!.summary);
  }
});

test.each(seeds)('those that have seen parts only agree after they have compared (%i)', (seed) => {
  const { replicas } = history(seed);
  const [a, b, c, d] = replicas as [Replica, Replica, Replica, Replica];
  // A chain there and back: everybody learns of everybody, with answers that hold one entry each.
  for (const [one, other] of [[a, b], [b, c], [c, d], [b, c], [a, b]] as const) reconcile(one, other, 1); // prettier-ignore
  for (const replica of replicas) expect(replica.state).toEqual(a.state);
  expect(reconcile(a, d, 1)).toBe(0);
});

test('of what happened after each other the later counts, at the same time that of the greater name', () => {
  const [a, b] = [new Replica('agent://a'), new Replica('agent://b')];
  b.set('k', 'b first');
  reconcile(a, b, 1000);
  a.set('k', 'a second');
  reconcile(a, b, 1000);
  expect([a.get('k'), b.get('k')]).toEqual(['a second', 'a second']);
  a.set('k', 'a third');
  b.set('k', 'b third');
  reconcile(a, b, 1000);
  expect([a.get('k'), b.get('k')]).toEqual(['b third', 'b third']);
});

test('what was deleted does not come back from somebody who has not heard of it', () => {
  const [a, b] = [new Replica('agent://a'), new Replica('agent://b')];
  a.set('k', 1);
  reconcile(a, b, 1000);
  a.set('k', undefined);
  reconcile(b, a, 1000);
  expect([a.state, b.state]).toEqual([{}, {}]);
  b.set('k', 2);
  reconcile(a, b, 1000);
  expect(a.state).toEqual({ k: 2 });
});

test('an agent that was started anew and counts from the beginning does not split the group', () => {
  const [a, b] = [new Replica('agent://a'), new Replica('agent://b')];
  a.set('k', 'before');
  reconcile(a, b, 1000);
  const again = new Replica('agent://a');
  again.set('k', 'after');
  reconcile(again, b, 1000);
  expect(again.get('k')).toBe(b.get('k'));
});

test('objects that are equal are the same value, whatever the order of their members', () => {
  const replica = new Replica('agent://a');
  replica.set('k', { a: 1, b: { c: 2, d: 3 } });
  expect(replica.adopt('k', { b: { d: 3, c: 2 }, a: 1 }, 'agent://b')).toBeUndefined();
  expect(replica.adopt('k', { a: 2 }, 'agent://b')).toEqual({
    key: 'k',
    sequence: 2,
    author: 'agent://b',
    value: { a: 2 },
  });
});

test('names of members that mean something to JavaScript are plain keys', () => {
  const [a, b] = [new Replica('agent://a'), new Replica('agent://b')];
  a.set('__proto__', { polluted: true });
  reconcile(a, b, 1000);
  expect(Object.entries(b.state)).toEqual([['__proto__', { polluted: true }]]);
  expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
});

test('the number of keys is bounded, and those that are there go on', () => {
  const replica = new Replica('agent://a');
  for (let i = 0; i < MAX_KEYS; i++) replica.set(`k${i}`, i);
  expect(() => replica.set('one more', 1)).toThrow(RangeError);
  const change = (key: string) => ({ key, sequence: 9, author: 'agent://b', value: 'new' });
  expect(replica.merge([change('another'), change('k0')])).toEqual({ news: [change('k0')], refused: 1 });
});

test.each([
  ['a list', {}],
  ['complete', [null]],
  ['numbered', [{ key: 'k', author: 'agent://a', value: 1 }]],
  ['numbered from 1', [{ key: 'k', sequence: 0, author: 'agent://a', value: 1 }]],
  ['numbered so that a next number is left', [{ key: 'k', sequence: Number.MAX_SAFE_INTEGER, author: 'a', value: 1 }]],
  ['short enough in their keys', [{ key: 'k'.repeat(257), sequence: 1, author: 'agent://a', value: 1 }]],
  ['small enough', [{ key: 'k', sequence: 1, author: 'agent://a', value: 'x'.repeat(17_000) }]],
  ['few enough', Array.from({ length: MAX_KEYS + 1 }, () => ({ key: 'k', sequence: 1, author: 'a', value: 1 }))],
])('changes of others that are not %s are refused', (_what, entries) => {
  expect(() => readEntries(entries)).toThrow(TypeError);
});

test('the order of changes is one order', () => {
  const versions = history(7).replicas.flatMap((replica) => replica.versions);
  for (const a of versions) {
    for (const b of versions) {
      expect(compare(a, b) + compare(b, a)).toBe(0);
      for (const c of versions) if (compare(a, b) > 0 && compare(b, c) > 0) expect(compare(a, c)).toBe(1);
    }
  }
});
