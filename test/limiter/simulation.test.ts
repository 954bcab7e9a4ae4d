import { describe, expect, it } from "vitest";
import { type Setting, simulate } from "./simulation.ts";
import { fixedWindow, type Gate, tokenBucket } from "./virtual-time.ts";

/** The most of all polls that may be refused, from 10 s after the first 429 on. */
const MOST_REFUSED = 0.05;

const every =
  (perSecond: number): (() => Gate) =>
  () =>
    fixedWindow(perSecond);

interface Case extends Omit<Setting, "gate"> {
  readonly title: string;
  readonly makeGate: () => Gate;
  /** Answered polls per second, at the least. */
  readonly least: number;
}

const CASES: readonly Case[] = [
  { title: "5 a second", makeGate: every(5), retryAfterSeconds: 1, least: 3 },
  {
    title: "5 a second, to jobs of several polls",
    makeGate: every(5),
    retryAfterSeconds: 1,
    mostPolls: 3,
    least: 3,
  },
  {
    title: "5 a second, and says nothing of when to come back",
    makeGate: every(5),
    retryAfterSeconds: null,
    least: 2,
  },
  { title: "5 a second, to 100 isolates", makeGate: every(5), retryAfterSeconds: 1, isolates: 100, least: 3 },
  {
    title: "5 a second, on a machine that stands still for 2 s now and then",
    makeGate: every(5),
    retryAfterSeconds: 1,
    stallMs: 2_000,
    least: 2,
  },
  { title: "1 a second", makeGate: every(1), retryAfterSeconds: 1, jobs: 500, least: 0.6 },
  { title: "20 a second", makeGate: every(20), retryAfterSeconds: 1, mostPolls: 3, least: 12 },
  {
    title: "5 a second from a bucket of 50",
    makeGate: () => tokenBucket(5, 50),
    retryAfterSeconds: 1,
    least: 3,
  },
  { title: "300 a minute", makeGate: () => fixedWindow(300, 60_000), retryAfterSeconds: null, least: 1 },
];

describe("a thousand jobs on one key, and a provider that allows", () => {
  it.each(CASES)(
    "$title: hardly any poll is refused, and all jobs end",
    ({ makeGate, least, ...setting }) => {
      for (const seed of [1, 2, 3]) {
        const figures = simulate({ ...setting, gate: makeGate(), seed });
        expect(figures.ended).toBe(setting.jobs ?? 1_000);
        expect(figures.refusedShare).toBeLessThan(MOST_REFUSED);
        expect(figures.throughput).toBeGreaterThan(least);
        expect(figures.leastSlackMs).toBeGreaterThanOrEqual(0);
      }
    },
  );

  it("5 a second, and far more from a minute on: the jobs notice together", () => {
    const [low, high] = [fixedWindow(5), fixedWindow(100)];
    const gate: Gate = (now) => (now < 60_000 ? low(now) : high(now));
    const { ended, byMinute, refusedShare } = simulate({
      gate,
      retryAfterSeconds: 1,
      jobs: 3_000,
      mostPolls: 2,
    });
    expect(ended).toBe(3_000);
    expect(refusedShare).toBeLessThan(MOST_REFUSED);
    // Polls per second in the minutes after: the limit of before is passed in the first few.
    expect(Math.max(...byMinute.slice(1, 5))).toBeGreaterThan(15);
  });
});

describe("a limiter that cannot be reached", () => {
  it("now and then costs some polls, and no job its end", () => {
    const { ended, refusedShare } = simulate({
      gate: fixedWindow(5),
      retryAfterSeconds: 1,
      unreachable: 0.01,
    });
    expect(ended).toBe(1_000);
    expect(refusedShare).toBeLessThan(MOST_REFUSED);
  });

  it("at all leaves each job to itself", () => {
    const { ended, asks } = simulate({
      gate: fixedWindow(5),
      retryAfterSeconds: 1,
      jobs: 200,
      unreachable: 1,
    });
    expect({ ended, asks }).toEqual({ ended: 200, asks: 0 });
  });
});
