// Which messages count as repeated: those whose id was among the last so many, whatever an id looks like.
import { createHash } from 'node:crypto';

import { SeenIds } from '../../ts/agent/messages/seen';

/** Always the same UUIDs: each number has its own. */
function uuid(number: number): string {
  const digits = createHash('sha256').update(String(number)).digest('hex');
  return digits.replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12}).*$/, '$1-$2-4$3-8$4-$5');
}

const texts = (number: number): string[] => [
  `message ${number}`,
  uuid(number).toUpperCase(),
  `${uuid(number)}x`,
  uuid(number).replace('-', '0'),
  `00000000-0000-0000-0000-${String(number).padStart(12, '0')}`,
];

/** After each of `ids` it is known as long as less than `limit` others have come, and no other one is. */
function check(limit: number, ids: readonly string[], add: (seen: SeenIds, id: string) => boolean | undefined): void {
  const seen = new SeenIds(limit);
  ids.forEach((id, at) => {
    const last = at === 0 ? -1 : ids.lastIndexOf(id, at - 1);
    const fresh = add(seen, id);
    if (last < 0) expect([id, fresh]).toEqual([id, true]);
    else if (new Set(ids.slice(last + 1, at)).size < limit) expect([id, fresh]).toEqual([id, false]);
  });
}

test.each([1, 2, 7, 500])('of the last %d ids each is known, and no other is taken for one of them', (limit) => {
  const ids = Array.from({ length: 4000 }, (_, i) => uuid((i * i) % 1237));
  check(limit, ids, (seen, id) => seen.add(id));
  check(limit, ids, (seen, id) => seen.addUuid(`{"id":"${id}"}`, 7));
  check(
    limit,
    ids.flatMap((id, i) => [id, texts(i % 99)[i % 5]!]),
    (seen, id) => seen.add(id),
  );
});

test('a UUID is the same as a text of its own and within one', () => {
  const seen = new SeenIds(10);
  expect(seen.addUuid(`"${uuid(1)}"`, 1)).toBe(true);
  expect(seen.add(uuid(1))).toBe(false);
  expect(seen.add(uuid(2))).toBe(true);
  expect(seen.addUuid(`"${uuid(2)}"`, 1)).toBe(false);
});

test('only what is a UUID to the letter is one: others are told from it and from each other', () => {
  const seen = new SeenIds(100);
  for (const text of [uuid(1), ...texts(0), ...texts(1)]) expect([text, seen.add(text)]).toEqual([text, true]);
  for (const text of [uuid(1), ...texts(0), ...texts(1)]) expect([text, seen.add(text)]).toEqual([text, false]);
  const others = [uuid(3).slice(1), uuid(3).toUpperCase(), uuid(3).replace('-', '\u00e9'), texts(0)[4]!, ''];
  for (const text of others) expect([text, seen.addUuid(text, 0)]).toEqual([text, undefined]);
});

test('with a limit of 0 nothing is repeated', () => {
  const seen = new SeenIds(0);
  expect([seen.add('x'), seen.add('x'), seen.add(uuid(1)), seen.add(uuid(1))]).toEqual([true, true, true, true]);
  expect([seen.addUuid(uuid(1), 0), seen.addUuid('"', 0)]).toEqual([true, undefined]);
});
