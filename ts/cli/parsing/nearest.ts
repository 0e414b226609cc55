/**
 * The word of `known` that is most like `word`, if any is like it: at most a third of the letters differ (Damerau's
 * distance: letters added, left out, replaced or swapped), or one begins like the other.
 */
export function nearest(word: string, known: Iterable<string>): string | undefined {
  let best: string | undefined;
  let least = Infinity;
  for (const candidate of known) {
    const differs = distance(word, candidate);
    const alike = differs <= Math.max(1, Math.floor(Math.max(word.length, candidate.length) / 3));
    const begins = word.length >= 2 && candidate.startsWith(word);
    if ((alike || begins) && differs < least) [best, least] = [candidate, differs];
  }
  return best;
}

function distance(a: string, b: string): number {
  let [before, last] = [[] as number[], Array.from({ length: b.length + 1 }, (_, index) => index)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = last[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      let least = Math.min(last[j]! + 1, row[j - 1]! + 1, replaced);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) least = Math.min(least, before[j - 2]! + 1);
      row.push(least);
    }
    [before, last] = [last, row];
  }
  return last[b.length]!;
}
