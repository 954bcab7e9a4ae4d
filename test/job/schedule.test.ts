import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Learned, observe } from "../../src/job/learned.ts";
import {
  ATTEMPT_GAPS_MS,
  hintAfter,
  nextAttemptAt,
  nextPollAt,
  pollTimeoutMs,
  retryPollAt,
} from "../../src/job/schedule.ts";
import { DAY, DEADLINE_AT, HOUR, MINUTE, REGISTERED_AT, SECOND } from "../support/jobs.ts";

/** The largest value that `Math.random` is asked to stand for here. */
const HIGH = 0.999;

/** A moment `elapsed` ms after registration, in the middle of all jitter. */
const moment = (elapsed: number, random = 0.5, deadlineAt = DEADLINE_AT) => ({
  now: REGISTERED_AT + elapsed,
  registeredAt: REGISTERED_AT,
  deadlineAt,
  random,
});

const hintOf = (etaSeconds: number | null, after = 0) => ({ etaSeconds, at: REGISTERED_AT + after });

/** Of 100 jobs with several etas that took so many times theirs, each seen as finely as polls can. */
const learnedOf = (...ratios: readonly number[]): Learned =>
  Array.from({ length: 100 }).reduce<Learned>((learned, _, i) => {
    const eta = [10, 20, 40][i % 3] ?? 10;
    const until = eta * (ratios[i % ratios.length] ?? 1);
    return observe(learned, eta, { after: Math.max(until - 1, 0), until });
  }, new Float32Array(125));

/** The gap to the next poll, in ms. */
const gapOf = (
  eta: number | null,
  elapsed = 0,
  { learned = null, c = 1, random = 0.5, deadlineAt = DEADLINE_AT }: GapOptions = {},
): number => {
  const when = moment(elapsed, random, deadlineAt);
  return nextPollAt(hintOf(eta), { learned, secondsPerPoll: c }, when) - when.now;
};

interface GapOptions {
  readonly learned?: Learned | null;
  readonly c?: number;
  readonly random?: number;
  readonly deadlineAt?: number;
}

describe("the next poll", () => {
  it("comes 1 s after the one before at the soonest", () => {
    for (const random of [0, 0.5]) {
      expect(gapOf(0.1, 0, { random })).toBe(SECOND);
      expect(gapOf(20, 0, { learned: learnedOf(0.01), random })).toBe(SECOND);
      expect(gapOf(20, 20 * SECOND, { learned: learnedOf(1.02), random, c: 0.01 })).toBe(SECOND);
    }
  });

  it("is found without anything learned from the eta, or where there is none from what is usual", () => {
    for (const eta of [5, 20, 60, 600]) {
      expect(gapOf(eta)).toBeGreaterThan(0.02 * eta * SECOND);
      expect(gapOf(eta)).toBeLessThan(eta * SECOND);
    }
    expect(gapOf(null)).toBeGreaterThan(SECOND);
    expect(gapOf(null)).toBeLessThan(16 * SECOND);
  });

  it("of an eta that makes no sense is that of none", () => {
    for (const eta of [0, -5, Number.NaN, 0.001]) expect(gapOf(eta)).toBe(gapOf(null));
  });

  it("corrects the eta by what was learned", () => {
    const gap = gapOf(20, 0, { learned: learnedOf(3) });
    expect(gap).toBeGreaterThan(50 * SECOND);
    expect(gap).toBeLessThan(70 * SECOND);
    expect(gapOf(10, 0, { learned: learnedOf(3) }) / gap).toBeCloseTo(0.5, 1);
  });

  it("skips a lull between two times that jobs take", () => {
    const learned = learnedOf(0.4, 3);
    expect(gapOf(20, 0, { learned })).toBeLessThan(11 * SECOND);
    expect(gapOf(20, 12 * SECOND, { learned })).toBeGreaterThan(35 * SECOND);
  });

  it("comes later the more a poll is worth", () => {
    const gaps = [0.01, 0.25, 1, 4, 60].map((c) => gapOf(null, 60 * SECOND, { c }));
    expect(gaps).toEqual([...gaps].sort((a, b) => a - b));
    expect(new Set(gaps).size).toBe(gaps.length);
  });

  it("is spread by a twentieth to both sides, and by 2 s at most", () => {
    const spread = (eta: number) => [0, 1].map((random) => gapOf(eta, 0, { random }) - gapOf(eta));
    expect(spread(60).map((ms) => ms / gapOf(60))).toEqual([
      expect.closeTo(-0.05, 3),
      expect.closeTo(0.05, 3),
    ]);
    expect(spread(3_600)).toEqual([-2 * SECOND, 2 * SECOND]);
  });

  it("leaves a whole second between itself and the deadline, or falls onto it", () => {
    for (let left = 1; left < 30 * SECOND; left += 333) {
      const gap = gapOf(null, HOUR - left);
      expect(gap === left || gap <= left - SECOND).toBe(true);
    }
    expect(gapOf(null, HOUR - 10)).toBe(10);
    expect(gapOf(86_400, 0, { deadlineAt: REGISTERED_AT + 30 * SECOND })).toBe(30 * SECOND);
  });

  it("still comes where a job takes longer than anything that can be learned", () => {
    const day = { deadlineAt: REGISTERED_AT + DAY };
    expect(gapOf(null, 10 * HOUR, day)).toBe(2.5 * HOUR);
    expect(gapOf(1, 10 * HOUR, day)).toBe(2.5 * HOUR);
    expect(gapOf(1, 600 * SECOND, day)).toBe(gapOf(null, 600 * SECOND, day));
  });

  it("takes what is no state for nothing learned", () => {
    const broken = [
      new Float32Array(3),
      new Float32Array(125).fill(Number.NaN),
      new Float32Array(125).fill(-1),
      new Float32Array(125).fill(Number.POSITIVE_INFINITY),
      new Float32Array(125).fill(1e30),
      new Float32Array(126),
      [] as unknown as Learned,
    ];
    for (const learned of broken)
      for (const eta of [null, 20]) expect(gapOf(eta, 0, { learned })).toBe(gapOf(eta));
  });
});

describe("an eta in a later answer", () => {
  const now = REGISTERED_AT + 15 * SECOND;

  it.each([
    ["the end moves away", 20, 40],
    ["the end comes nearer", 20, 2],
    ["there was none before", null, 20],
  ])("begins the clock anew where %s", (_, before, fresh) => {
    expect(hintAfter(hintOf(before), fresh, now)).toEqual({ etaSeconds: fresh, at: now });
  });

  it.each([
    ["it is the same again", 20, 20],
    ["it leads to the same end", 20, 5],
    ["it leads to the same end within a second", 20, 6],
    ["it says nothing", 20, null],
  ])("tells nothing new where %s", (_, before, fresh) => {
    expect(hintAfter(hintOf(before), fresh, now)).toEqual(hintOf(before));
  });

  it("is as good as the eta of a job that is registered then", () => {
    const forecast = { learned: learnedOf(3), secondsPerPoll: 1 };
    const later = nextPollAt(hintOf(20, 100 * SECOND), forecast, moment(100 * SECOND));
    expect(later - moment(100 * SECOND).now).toBeCloseTo(gapOf(20, 0, { learned: learnedOf(3) }), -2);
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

  const anyLearned = fc.oneof(
    fc.constant(null),
    fc.array(fc.tuple(fc.option(seconds), seconds, fc.option(seconds)), { maxLength: 20 }).map((seen) =>
      seen.reduce<Learned | null>((learned, [eta, after, length]) => {
        return observe(learned, eta, { after, until: length === null ? null : after + length });
      }, null),
    ),
    fc.float32Array({ minLength: 120, maxLength: 130 }),
  );

  it("keeps every poll between 1 s from now and the deadline, whatever was learned", () => {
    fc.assert(
      fc.property(
        fc.option(fc.double({ min: -10, max: 1e6 })),
        elapsed,
        deadline,
        random,
        anyLearned,
        fc.double({ min: 0.01, max: 60, noNaN: true }),
        (eta, passed, ms, random, learned, secondsPerPoll) => {
          const deadlineAt = REGISTERED_AT + ms;
          const now = Math.min(REGISTERED_AT + passed, deadlineAt);
          for (const at of [REGISTERED_AT, now]) {
            const hint = { etaSeconds: eta, at };
            const when = { now, registeredAt: REGISTERED_AT, deadlineAt, random };
            isSound(nextPollAt(hint, { learned, secondsPerPoll }, when), now, deadlineAt);
          }
        },
      ),
    );
  });

  it("keeps a poll after a transient answer in the same bounds, and not before a wait that was asked for", () => {
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
          const at = retryPollAt(asked, inARow, when);
          isSound(at, now, deadlineAt);
          if (asked !== null) expect(at + 1).toBeGreaterThan(Math.min(now + asked * SECOND, deadlineAt));
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
