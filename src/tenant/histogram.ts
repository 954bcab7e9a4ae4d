/**
 * Times in buckets that grow by a twentieth: a percentile read from them is at most 2.5 % off, a bucket's number is all
 * that a row keeps, and counts of two histograms add up. Pure.
 */

const GROWTH = Math.log(1.05);
/** Below this everything is one bucket: it is faster than anything that is measured here. */
const LEAST_MS = 1;

/** The bucket of a time in ms, from 0. */
export const bucketOf = (ms: number): number =>
  ms <= LEAST_MS ? 0 : Math.ceil(Math.log(ms / LEAST_MS) / GROWTH - 1e-9);

/** The middle of a bucket, in whole ms. */
export const timeOf = (bucket: number): number =>
  bucket === 0 ? LEAST_MS : Math.round(LEAST_MS * Math.exp((bucket - 0.5) * GROWTH));

/** How often each bucket was hit. */
export type Counts = ReadonlyMap<number, number>;

export function merge(...histograms: readonly Counts[]): Counts {
  const sum = new Map<number, number>();
  for (const counts of histograms)
    for (const [bucket, count] of counts) sum.set(bucket, (sum.get(bucket) ?? 0) + count);
  return sum;
}

/** The time under which the share `p` of all lies, in ms; `null` of nothing. */
export function percentile(counts: Counts, p: number): number | null {
  const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
  let rank = Math.max(Math.ceil(total * p), 1);
  for (const [bucket, count] of [...counts].sort(([a], [b]) => a - b)) {
    rank -= count;
    if (rank <= 0) return timeOf(bucket);
  }
  return null;
}
