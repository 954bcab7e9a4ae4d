import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bucketOf, merge, percentile, timeOf } from "../../src/tenant/histogram.ts";

const countsOf = (times: readonly number[]): Map<number, number> => {
  const counts = new Map<number, number>();
  for (const ms of times) counts.set(bucketOf(ms), (counts.get(bucketOf(ms)) ?? 0) + 1);
  return counts;
};

describe("a bucket", () => {
  it("is told from a time to within 2.6 %", () => {
    fc.assert(
      fc.property(fc.double({ min: 10, max: 1e10, noNaN: true }), (ms) => {
        const told = timeOf(bucketOf(ms));
        expect(Math.abs(told - ms) / ms).toBeLessThanOrEqual(0.026 + 0.5 / ms);
      }),
    );
  });

  it("comes later for a longer time, and is the first for none", () => {
    expect([-5, 0, 0.5, 1].map(bucketOf)).toEqual([0, 0, 0, 0]);
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 1e10, noNaN: true }),
        fc.double({ min: 0, max: 1e10, noNaN: true }),
        (a, b) => {
          expect(bucketOf(Math.max(a, b))).toBeGreaterThanOrEqual(bucketOf(Math.min(a, b)));
        },
      ),
    );
  });

  it("is one of few: a fortnight in ms needs 430", () => {
    expect(bucketOf(14 * 86_400_000)).toBeLessThan(430);
  });
});

describe("a percentile", () => {
  it.each([
    [[100], 0.5, 100],
    [[100, 200, 300, 400], 0.5, 200],
    [[100, 200, 300, 400], 0.95, 400],
    [[...Array(98).fill(10), 1_000, 5_000], 0.99, 1_000],
    [[...Array(98).fill(10), 1_000, 5_000], 0.98, 10],
  ])("of %j at %d is about %d", (times, p, ms) => {
    expect(Math.abs((percentile(countsOf(times), p) ?? Number.NaN) - ms) / ms).toBeLessThan(0.06);
  });

  it("of nothing is not known", () => {
    expect(percentile(new Map(), 0.5)).toBeNull();
  });

  it("of a sum of histograms is that of all times together", () => {
    const times = fc.array(fc.double({ min: 1, max: 1e9, noNaN: true }));
    fc.assert(
      fc.property(times, times, (a, b) => {
        const together = countsOf([...a, ...b]);
        expect(percentile(merge(countsOf(a), countsOf(b)), 0.95)).toBe(percentile(together, 0.95));
      }),
    );
  });
});
