import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  ATTEMPT_GAPS_MS,
  firstPollAt,
  nextAttemptAt,
  nextPollAt,
  pollTimeoutMs,
  retryPollAt,
} from "../../src/job/schedule.ts";
import { DAY, DEADLINE_AT, HOUR, MINUTE, REGISTERED_AT, SECOND } from "../support/jobs.ts";

/** The largest value that `Math.random` is asked to stand for here. */
const HIGH = 0.999;

const first = (eta: number | null, random = 0, deadlineAt = DEADLINE_AT): number =>
  firstPollAt(REGISTERED_AT, deadlineAt, eta, random) - REGISTERED_AT;

/** A moment `elapsed` ms after registration, in the middle of all jitter. */
const moment = (elapsed: number, random = 0.5) => ({
  now: REGISTERED_AT + elapsed,
  registeredAt: REGISTERED_AT,
  deadlineAt: DEADLINE_AT,
  random,
});

describe("the first poll", () => {
  it.each([
    ["2 s after registration without an eta", null, 2 * SECOND],
    ["at the eta", 20, 20 * SECOND],
    ["at an eta of 1 s", 1, SECOND],
    ["at an eta just over 1 s", 1.001, 1_001],
    ["after 1 s when the eta is sooner", 0.999, SECOND],
    ["after 1 s when the eta is 0", 0, SECOND],
    ["after 1 s when the eta is negative", -5, SECOND],
    ["at the deadline when the eta is the deadline", 3600, HOUR],
    ["at the deadline when the eta is behind it", 86_400, HOUR],
  ])("comes %s", (_, eta, wait) => {
    expect(first(eta)).toBe(wait);
  });

  it.each([
    ["by a tenth of a short one", 10, 10 * SECOND + HIGH * SECOND],
    ["by 2 s of a long one", 600, 600 * SECOND + HIGH * 2 * SECOND],
    ["by a tenth of the wait without an eta", null, 2 * SECOND + HIGH * 200],
  ])("lengthens the wait at most %s", (_, eta, wait) => {
    expect(first(eta, HIGH)).toBe(Math.round(wait));
  });

  it("leaves a whole second between itself and the deadline, or falls onto it", () => {
    expect(first(3599)).toBe(3599 * SECOND);
    expect(first(3599.001)).toBe(HOUR);
  });
});

describe("the gap after processing", () => {
  it.each([
    ["1 s", 0, SECOND],
    ["1 s", 6 * SECOND, SECOND],
    ["1.5 s", 10 * SECOND, 1.5 * SECOND],
    ["15 s", 100 * SECOND, 15 * SECOND],
    ["30 s", 200 * SECOND, 30 * SECOND],
    ["30 s", 2000 * SECOND, 30 * SECOND],
  ])("is %s when %i ms have gone by", (_, elapsed, gap) => {
    expect(nextPollAt(null, moment(elapsed)) - REGISTERED_AT - elapsed).toBe(gap);
  });

  it.each([
    [0, 13_500],
    [HIGH, 16_497],
  ])("is spread by a tenth: random %d gives %i ms of 15 s", (random, gap) => {
    expect(nextPollAt(null, moment(100 * SECOND, random)) - REGISTERED_AT - 100 * SECOND).toBe(gap);
  });

  it.each([
    ["as it is", 45, 0, 45 * SECOND],
    ["lengthened by 2 s at most", 45, HIGH, 45 * SECOND + 1_998],
    ["as 1 s when it is shorter", 0.2, 0, SECOND],
  ])("is the provider's fresh eta, %s", (_, eta, random, gap) => {
    expect(nextPollAt(eta, moment(200 * SECOND, random)) - REGISTERED_AT - 200 * SECOND).toBe(gap);
  });

  it("ends at the deadline", () => {
    expect(nextPollAt(null, moment(HOUR - 20 * SECOND))).toBe(DEADLINE_AT);
    expect(nextPollAt(4000, moment(0))).toBe(DEADLINE_AT);
  });

  it("ends at the deadline even when that is nearer than 1 s", () => {
    expect(nextPollAt(null, moment(HOUR - 10))).toBe(DEADLINE_AT);
  });
});

describe("the wait after a transient answer", () => {
  const gap = (waitSeconds: number | null, inARow: number, random = 0.5): number =>
    retryPollAt(waitSeconds, inARow, moment(0, random)) - REGISTERED_AT;

  it("doubles from 2 s to 60 s", () => {
    expect([1, 2, 3, 4, 5, 6, 7, 100].map((inARow) => gap(null, inARow) / SECOND)).toEqual([
      2, 4, 8, 16, 32, 60, 60, 60,
    ]);
  });

  it("is spread by a fifth", () => {
    expect([gap(null, 4, 0), gap(null, 4, HIGH)]).toEqual([12_800, 19_194]);
  });

  it.each([
    ["as asked", 30, 0, 30 * SECOND],
    ["lengthened by a tenth at most", 5, HIGH, 5_500],
    ["lengthened by 2 s at most", 30, HIGH, 31_998],
    ["1 s when asked for none", 0, 0, SECOND],
    ["however many went before", 90, 0, 90 * SECOND],
    ["up to the deadline", 4000, 0, HOUR],
  ])("of a rate limit is %s", (_, waitSeconds, random, expected) => {
    expect(gap(waitSeconds, 9, random)).toBe(expected);
  });
});

describe("the next attempt", () => {
  const gap = (made: number, retryAfter: number | null = null, random = 0.5): number =>
    (nextAttemptAt(made, retryAfter, REGISTERED_AT, random) ?? Number.NaN) - REGISTERED_AT;

  const TABLE = [5 * SECOND, 5 * MINUTE, 30 * MINUTE, 2, 5, 10, 14, 20, 24].map((gap) =>
    gap < 100 ? gap * HOUR : gap,
  );

  it.each(TABLE.map((wait, index) => [index + 2, wait] as const))("%i comes %i ms later", (number, wait) => {
    expect(gap(number - 1)).toBe(wait);
    expect(gap(number - 1, null, 0)).toBe(wait * 0.8);
    expect(gap(number - 1, null, HIGH)).toBe(Math.round(wait * 1.1996));
  });

  it("is the tenth at most", () => {
    expect(ATTEMPT_GAPS_MS).toHaveLength(9);
    expect(nextAttemptAt(9, null, REGISTERED_AT, 0)).not.toBeNull();
    expect(nextAttemptAt(10, null, REGISTERED_AT, 0)).toBeNull();
    expect(nextAttemptAt(10, 60, REGISTERED_AT, 0)).toBeNull();
  });

  it.each([
    ["moves it later", 1, 60, 60 * SECOND],
    ["never moves it earlier", 2, 60, 5 * MINUTE],
    ["of 0 changes nothing", 2, 0, 5 * MINUTE],
    ["counts up to 24 h", 1, 86_400, DAY],
    ["is cut above 24 h", 1, 86_401, DAY],
    ["of any size is cut at 24 h", 1, 1e300, DAY],
  ])("that a Retry-After names %s", (_, made, retryAfter, expected) => {
    expect(gap(made, retryAfter)).toBe(expected);
  });
});

describe("the time that a poll may take", () => {
  it.each([
    ["long before the deadline", HOUR, 10_000],
    ["with room for it before the deadline", 10_250, 10_000],
    ["with less room", 10_249, 9_999],
    ["a second before the deadline", 1_000, 750],
    ["a moment before the deadline", 1, 750],
    ["at the deadline", 0, 10_000],
    ["after the deadline", -HOUR, 10_000],
  ])("is bounded %s", (_, leftMs, timeoutMs) => {
    expect(pollTimeoutMs(DEADLINE_AT - leftMs, DEADLINE_AT)).toBe(timeoutMs);
  });
});

describe("for any finite input", () => {
  const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
  const seconds = fc.double({ noNaN: true, noDefaultInfinity: true });
  const elapsed = fc.integer({ min: 0, max: 86_400_000 });
  const deadline = fc.integer({ min: 30_000, max: 86_400_000 });

  /** Never sooner than 1 s ahead unless the deadline is, never past the deadline, and a time the alarm can take. */
  const isSound = (at: number, now: number, deadlineAt: number): void => {
    expect(Number.isInteger(at)).toBe(true);
    expect(at).toBeLessThanOrEqual(deadlineAt);
    expect(at).toBeGreaterThanOrEqual(Math.min(now + SECOND, deadlineAt));
  };

  it("keeps the first poll between 1 s and the deadline, and not before the eta", () => {
    fc.assert(
      fc.property(fc.option(seconds), deadline, random, (eta, ms, random) => {
        const deadlineAt = REGISTERED_AT + ms;
        const at = firstPollAt(REGISTERED_AT, deadlineAt, eta, random);
        isSound(at, REGISTERED_AT, deadlineAt);
        if (eta !== null) expect(at + 1).toBeGreaterThan(Math.min(REGISTERED_AT + eta * SECOND, deadlineAt));
      }),
    );
  });

  it("keeps every further poll between 1 s from now and the deadline, and not before a wait that was asked for", () => {
    fc.assert(
      fc.property(
        fc.option(seconds),
        elapsed,
        deadline,
        random,
        fc.integer({ min: 1, max: 1e6 }),
        (...args) => {
          const [asked, passed, ms, random, inARow] = args;
          const deadlineAt = REGISTERED_AT + ms;
          const now = Math.min(REGISTERED_AT + passed, deadlineAt);
          const when = { now, registeredAt: REGISTERED_AT, deadlineAt, random };
          for (const at of [nextPollAt(asked, when), retryPollAt(asked, inARow, when)]) {
            isSound(at, now, deadlineAt);
            if (asked !== null) expect(at + 1).toBeGreaterThan(Math.min(now + asked * SECOND, deadlineAt));
          }
        },
      ),
    );
  });

  it("keeps every attempt within its gap's jitter, or at the Retry-After, at most 24 h away", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9 }), fc.option(seconds), random, (made, asked, random) => {
        const at = (nextAttemptAt(made, asked, REGISTERED_AT, random) ?? Number.NaN) - REGISTERED_AT;
        const planned = nextAttemptAt(made, null, REGISTERED_AT, 0.5) ?? Number.NaN;
        const gap = planned - REGISTERED_AT;
        expect(Number.isInteger(at)).toBe(true);
        expect(at + 1).toBeGreaterThan(Math.max(gap * 0.8, Math.min((asked ?? 0) * SECOND, DAY)));
        expect(at - 1).toBeLessThan(Math.max(gap * 1.2, Math.min((asked ?? 0) * SECOND, DAY)));
      }),
    );
  });
});
