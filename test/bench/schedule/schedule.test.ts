/**
 * What the schedule that learns promises, in virtual time, on seeds that the benchmark does not use and on laws that
 * nobody has thought of.
 */
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { logNormal, mixture, uniform } from "./laws.ts";
import { LOOPS } from "./loops.ts";
import {
  betterThanPollhook,
  measureLearning,
  measureWorkload,
  POLL_COSTS,
  POLLHOOK,
  STEP_AT,
  STEPS,
  type WorkloadFigures,
} from "./measure.ts";
import { optimum } from "./optimum.ts";
import { byLoop, byPollhook, cost, DEADLINE_SECONDS, drawJobs, pollBy } from "./simulation.ts";
import { type Expected, WORKLOADS, type Workload } from "./workloads.ts";

const SEEDS = [101, 102, 103, 104, 105, 106, 107, 108];

describe.each(WORKLOADS.map((workload) => [workload.name, workload] as const))(
  "with %s etas",
  (_, workload) => {
    let figures: WorkloadFigures;
    beforeAll(() => {
      figures = measureWorkload(workload, { seeds: SEEDS, jobs: 200 });
    });

    it("no loop polls less and sees the end sooner", () => {
      expect(betterThanPollhook(figures)).toEqual([]);
    });

    it("no job is given up", () => {
      expect(figures.rows.find(({ name }) => name === POLLHOOK)?.givenUp).toBe(0);
    });
  },
);

it.each(
  WORKLOADS.filter(({ isStationary }) => isStationary).map((workload) => [workload.name, workload] as const),
)("with %s etas J is at most 1.12 times the optimum's after 200 jobs", (_, workload) => {
  const { stretches } = measureLearning(workload, SEEDS, [200, 400]);
  expect(stretches[0]?.ratio).toBeLessThan(1.12);
  expect(stretches[0]?.ratio).toBeGreaterThan(0.97);
});

it.each(STEPS.map((workload) => [workload.name, workload] as const))(
  "a provider that becomes %s is learned anew within 500 jobs",
  (_, workload) => {
    const { stretches } = measureLearning(workload, SEEDS.slice(0, 4), [
      STEP_AT,
      STEP_AT + 20,
      STEP_AT + 400,
      STEP_AT + 500,
    ]);
    const [first, , last] = stretches.map(({ ratio }) => ratio);
    expect(first).toBeGreaterThan(1.3);
    expect(last).toBeLessThan(1.25);
  },
);

describe("any provider", () => {
  const part = fc.record({
    median: fc.double({ min: 2, max: 600, noNaN: true }),
    sigma: fc.double({ min: 0.15, max: 1, noNaN: true }),
    weight: fc.double({ min: 0.2, max: 1, noNaN: true }),
  });
  /** One to three modes, of the eta's multiple or of the time itself, with some eta or none. */
  const workload = fc
    .record({
      parts: fc.array(part, { minLength: 1, maxLength: 3 }),
      etas: fc.constantFrom<(number | null)[]>([null], [20], [5, 40], [10, 30, 90]),
      isOfEta: fc.boolean(),
    })
    .map(({ parts, etas, isOfEta }): Workload => {
      const all = parts.reduce((sum, { weight }) => sum + weight, 0);
      const lawOf = (eta: number | null) =>
        mixture(
          ...parts.map(({ median, sigma, weight }) => {
            const scale = isOfEta && eta !== null ? eta / 40 : 1;
            return [weight / all, logNormal(median * scale, sigma)] as const;
          }),
        );
      const job = (_: number, random: () => number): Expected => {
        const etaSeconds = etas[Math.floor(random() * etas.length)] ?? null;
        return { etaSeconds, key: String(etaSeconds), law: lawOf(etaSeconds) };
      };
      return { name: JSON.stringify({ parts, etas, isOfEta }), says: "", isStationary: true, job };
    });

  it("is learned to within a quarter of its optimum in 200 jobs", () => {
    fc.assert(
      fc.property(workload, (workload) => {
        const { stretches } = measureLearning(workload, [1, 2], [200, 400]);
        expect(stretches[0]?.ratio).toBeLessThan(1.25);
      }),
      { seed: 20_261_120, numRuns: 12 },
    );
  });

  it("has no job given up before its deadline, whatever a poll is worth", () => {
    fc.assert(
      fc.property(workload, fc.constantFrom(0.01, ...POLL_COSTS, 60), fc.integer(), (workload, c, seed) => {
        const polled = byPollhook(drawJobs(workload, 20, seed), c, seed);
        expect(polled.some(({ isGivenUp }) => isGivenUp)).toBe(false);
        expect(polled.every(({ lag }) => lag >= 0 && lag < DEADLINE_SECONDS)).toBe(true);
      }),
      { numRuns: 10 },
    );
  });
});

describe("what it is measured by", () => {
  it("the optimum of jobs that end evenly over a time is not worse than polls that come evenly", () => {
    // n of them over 100 s: 50 / n of lag, and c × (n + 1) / 2 of polls.
    const best = (c: number) =>
      Math.min(...Array.from({ length: 40 }, (_, i) => 50 / (i + 1) + (c * (i + 2)) / 2));
    for (const c of POLL_COSTS.filter((c) => c >= 1)) {
      const polls = optimum(uniform(0, 100), c, DEADLINE_SECONDS);
      const polled = Array.from({ length: 1_000 }, (_, i) => pollBy(polls, (i + 0.5) / 10));
      expect(cost(polled, c) / best(c)).toBeLessThan(1.005);
      expect(cost(polled, c) / best(c)).toBeGreaterThan(0.8);
    }
  });

  it("no schedule is better than the optimum", () => {
    const law = logNormal(30, 0.4);
    const jobs = Array.from({ length: 2_000 }, (_, i) => i).map(
      (i) => 30 * Math.exp(0.4 * quantile((i + 0.5) / 2_000)),
    );
    const costOf = (polls: readonly number[]) =>
      cost(
        jobs.map((seconds) => pollBy(polls, seconds)),
        1,
      );
    const polls = optimum(law, 1, DEADLINE_SECONDS);
    for (const factor of [0.8, 0.95, 1.05, 1.2])
      expect(costOf(polls.map((at) => at * factor))).toBeGreaterThan(costOf(polls));
    expect(costOf(polls.filter((_, i) => i !== 1))).toBeGreaterThan(costOf(polls));
  });

  it("a loop that comes to its end gives up what takes longer, which is then seen by nobody until the deadline", () => {
    const [sdk] = LOOPS;
    expect(pollBy(sdk?.polls(null, () => 0) ?? [], 19)).toEqual({ polls: 10, lag: 1, isGivenUp: false });
    expect(pollBy(sdk?.polls(null, () => 0) ?? [], 21)).toEqual({
      polls: 10,
      lag: DEADLINE_SECONDS - 21,
      isGivenUp: true,
    });
  });

  it.each([
    ["2 s × 10", 0, [2, 4, 6, 18, 20]],
    ["1 s to 10 s", 1, [1, 3, 7, 15, 25]],
    ["60 s × 10", 2, [60, 120, 180, 540, 600]],
    ["3 s × 60", 3, [3, 6, 9, 177, 180]],
    ["every 5 s", 4, [5, 10, 15, 295, 300]],
  ] as const)("the loop %s polls when it says", (name, index, [first, second, third, beforeLast, last]) => {
    const loop = LOOPS[index];
    const polls = [...(loop?.polls(null, () => 0.5) ?? [])];
    expect(loop?.name).toContain(name);
    expect(polls.slice(0, 3)).toEqual([first, second, third]);
    if (index !== 1) expect(polls.slice(-2)).toEqual([beforeLast, last]);
    else expect(polls.at(-1)).toBeLessThanOrEqual(300);
  });

  it("the same seed is the same jobs, to every way of polling", () => {
    const [workload] = WORKLOADS;
    if (!workload) throw new Error("there are workloads");
    const times = () => drawJobs(workload, 50, 7).map(({ seconds }) => seconds);
    expect(times()).toEqual(times());
    const jobs = drawJobs(workload, 50, 7);
    for (const loop of LOOPS) expect(byLoop(loop, jobs, 3)).toEqual(byLoop(loop, jobs, 3));
    expect(byPollhook(jobs, 1, 3)).toEqual(byPollhook(jobs, 1, 3));
  });
});

/** Of the normal distribution, by bisection of its own law. */
function quantile(share: number): number {
  const law = logNormal(1, 1);
  let [low, high] = [-6, 6];
  for (let i = 0; i < 50; i++) {
    const middle = (low + high) / 2;
    if (law.endedBy(Math.exp(middle)) < share) low = middle;
    else high = middle;
  }
  return low;
}
