/**
 * Spans of time, and how much of it they cover together.
 */
export type Span = readonly [from: number, to: number];

/** The time that is covered by any of them. */
export function covered(spans: readonly Span[]): number {
  let [ms, end] = [0, Number.NEGATIVE_INFINITY];
  for (const [from, to] of [...spans].sort(([a], [b]) => a - b)) {
    ms += Math.max(0, to - Math.max(from, end));
    end = Math.max(end, to);
  }
  return ms;
}
