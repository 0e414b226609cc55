/** What a series of times has in common, in its own unit. */
export interface Summary {
  readonly min: number;
  readonly avg: number;
  readonly max: number;
  /** Standard deviation, as ping(8) shows it. */
  readonly mdev: number;
  readonly p50: number;
  readonly p99: number;
}

/** Sums up a series; nothing for an empty one. */
export function summary(values: readonly number[]): Summary | undefined {
  if (values.length === 0) return undefined;
  const sorted = [...values].sort((a, b) => a - b);
  const avg = sorted.reduce((sum, value) => sum + value, 0) / sorted.length;
  const variance = sorted.reduce((sum, value) => sum + (value - avg) ** 2, 0) / sorted.length;
  const quantile = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!;
  return {
    min: sorted[0]!,
    avg,
    max: sorted.at(-1)!,
    mdev: Math.sqrt(variance),
    p50: quantile(0.5),
    p99: quantile(0.99),
  };
}
