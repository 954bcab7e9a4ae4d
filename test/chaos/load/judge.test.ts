/** What counts as lost, as growth and as a bend, on steps made up for it. */
import { describe, expect, it } from "vitest";
import { percentiles } from "../../bench/flow/figures.ts";
import { bendOf, failuresOf, memoryOf, shortageOf } from "./judge.ts";
import { noFindings } from "./ledger.ts";
import { BATCH, MIXED, planOf } from "./plan.ts";
import { FULL, type LoadResult } from "./run.ts";
import { sectionOf } from "./section.ts";
import type { Step } from "./step.ts";
import type { Sample } from "./watch.ts";

const MB = 1e6;

/** One a second, as the function has it, in MB. */
const samples = (seconds: number, megabytes: (second: number) => number): Sample[] =>
  Array.from({ length: seconds }, (_, second) => ({ at: second * 1000, bytes: megabytes(second) * MB }));

const step = (overrides: Partial<Step> = {}): Step => ({
  perSecond: 100,
  seconds: 600,
  jobs: 60_000,
  accepted: 60_000,
  refused: {},
  delivered: 58_200,
  lost: [],
  unanswered: 0,
  findings: noFindings(),
  reads: { jobs: 3_000, wrong: [] },
  repeats: { planned: 7_500, more: 0 },
  polls: 70_000,
  latencyMs: percentiles([5, 6, 40]),
  lateMs: percentiles([0, 1]),
  lagMs: percentiles([500, 900]),
  afterPollMs: percentiles([8, 20]),
  deliveryMs: percentiles([8, 16_000]),
  slices: [{ at: 30, latencyMs: percentiles([5, 40]), lagMs: percentiles([500]) }],
  behind: 0,
  drainMs: 20_000,
  use: { cpu: { workerd: 0.4, peers: 0.1 }, machine: 0.4, running: 0.38, queued: 0.02 },
  samples: samples(600, () => 200),
  ...overrides,
});

const result = (overrides: Partial<LoadResult> = {}): LoadResult => ({
  steady: step(),
  ramp: [],
  recovered: null,
  totals: {
    said: { registered: 60_000, delivered: 58_200 },
    expected: { registered: 60_000, delivered: 58_200 },
    isRight: true,
  },
  verified: 3_000,
  errors: {},
  options: { ...FULL, say: () => {} },
  ...overrides,
});

describe("a step", () => {
  it("holds where every event has come once", () => {
    expect(failuresOf(step())).toEqual([]);
  });

  it.each([
    [{ lost: [7, 8] }, "2 events were lost, of the requests 7, 8"],
    [{ findings: { ...noFindings(), changed: 1 } }, "1 events were another version"],
    [{ findings: { ...noFindings(), forged: 2 } }, "2 events were not signed"],
    [{ findings: { ...noFindings(), again: 3 } }, "3 events were sent again"],
    [{ reads: { jobs: 3, wrong: ["job 5 is waiting, null"] } }, "job 5 is waiting, null"],
    [{ refused: { "0": 4 } }, "4 registrations were answered not at all"],
    [{ refused: { "503": 4 } }, "4 registrations were answered 503"],
  ] satisfies [Partial<Step>, string][])("does not hold with %j", (overrides, failure) => {
    expect(failuresOf(step(overrides)).join()).toContain(failure);
  });

  it("may refuse with 503 and send again where it is overloaded, and may lose nothing there either", () => {
    const overload = { isOverload: true };
    const findings = { ...noFindings(), again: 3 };
    expect(failuresOf(step({ refused: { "503": 9 }, findings }), overload)).toEqual([]);
    expect(failuresOf(step({ refused: { "500": 9 } }), overload)).toHaveLength(1);
    expect(failuresOf(step({ lost: [1] }), overload)).toHaveLength(1);
  });
});

describe("memory after the warm-up", () => {
  it("has not grown where it only swings", () => {
    const swinging = memoryOf(
      samples(600, (s) => 200 + (s % 15) * 4),
      180,
      100,
    );
    expect(swinging).toMatchObject({ hasGrown: false });
    expect(Math.abs(swinging.bytesPerMinute)).toBeLessThan(MB);
  });

  it("has not grown where it did so before", () => {
    expect(
      memoryOf(
        samples(600, (s) => Math.min(s, 180) * 2),
        180,
        100,
      ),
    ).toMatchObject({
      hasGrown: false,
      beforeBytes: 360 * MB,
      afterBytes: 360 * MB,
    });
  });

  it("has grown where every job leaves a kilobyte, at a hundred a second", () => {
    const leaking = memoryOf(
      samples(600, (s) => 200 + (s % 20) + s * 0.1),
      180,
      100,
    );
    expect(leaking.hasGrown).toBe(true);
    expect(leaking.bytesPerMinute / MB).toBeCloseTo(6, 1);
  });

  it("is not judged where the warm-up has seen too few jobs", () => {
    expect(
      memoryOf(
        samples(60, (s) => 100 + s * 3),
        18,
        100,
      ).hasGrown,
    ).toBeNull();
    expect(
      memoryOf(
        samples(600, (s) => 100 + s * 3),
        100,
        100,
      ).hasGrown,
    ).toBe(true);
  });
});

describe("the bend", () => {
  it("is where registrations take more than a second, are refused, or events stay behind", () => {
    expect(bendOf(step())).toBeNull();
    expect(bendOf(step({ latencyMs: percentiles([1_500]) }))).toContain("1.5 s");
    expect(bendOf(step({ behind: 601 }))).toContain("601 events were overdue");
    expect(bendOf(step({ behind: 600 }))).toBeNull();
    expect(bendOf(step({ refused: { "503": 1 } }))).toContain("refused");
  });

  it.each([
    [{ running: 0.97, queued: 0.01, machine: 0.8 }, "One thread is full"],
    [{ running: 0.6, queued: 0.35, machine: 0.99 }, "The cores are full"],
    [{ running: 0.4, queued: 0.1, machine: 0.5 }, "it waits for the disk"],
  ])("is explained by the time of the busiest thread: %j", (use, why) => {
    expect(shortageOf({ cpu: { workerd: 1 }, ...use })).toContain(why);
  });
});

describe("a plan", () => {
  it("is the same for whoever asks, and has each fault about as often as the mix says", () => {
    const plans = Array.from({ length: 20_000 }, (_, id) => planOf(id, MIXED));
    expect(planOf(4_711, MIXED)).toEqual(plans[4_711]);
    const shareOf = (fits: (plan: (typeof plans)[number]) => boolean) =>
      plans.filter(fits).length / plans.length;
    expect(shareOf(({ provider }) => provider === "reset")).toBeCloseTo(MIXED.provider.reset, 2);
    expect(shareOf(({ receiver }) => receiver === "hang")).toBeCloseTo(MIXED.receiver.hang, 2);
    expect(shareOf(({ isLarge }) => isLarge)).toBeCloseTo(MIXED.large, 2);
    expect(shareOf(({ isBatched }) => isBatched)).toBe(MIXED.batched);
    // The faults of the two sides do not go together.
    const both = shareOf(({ provider, receiver }) => provider !== "none" && receiver !== "none");
    expect(both).toBeCloseTo(0.19 * 0.18, 2);
  });

  it("puts whole batches into one call", () => {
    for (let first = 0; first < 1_000; first += BATCH) {
      const inBatch = Array.from({ length: BATCH }, (_, i) => planOf(first + i, MIXED).isBatched);
      expect(new Set(inBatch).size).toBe(1);
    }
  });
});

describe("the section", () => {
  it("says what was counted, that memory does not grow, and where it bends", () => {
    const bent = step({
      perSecond: 800,
      latencyMs: percentiles([2_000]),
      use: { ...step().use, running: 0.98 },
    });
    const { body, plots, failures } = sectionOf(
      result({ ramp: [step({ perSecond: 200 }), bent], recovered: step() }),
    );
    expect(failures).toEqual([]);
    expect(body).toContain("| 100 | 600 | 60000 | 60000 | 0 | 58200 | 0 | 0 | 0 |");
    expect(body).toContain("it does not grow");
    expect(body).toContain(
      "It bends at 800 a second: the p99 of a registration is 2.0 s. One thread is full",
    );
    expect(plots).toHaveLength(3);
    for (const { name } of plots) expect(body).toContain(`(plots/${name}.svg)`);
  });

  it("fails where Pollhook counts otherwise, memory grows, or nothing is as before behind the bend", () => {
    const { failures } = sectionOf(
      result({
        steady: step({ samples: samples(600, (s) => 200 + s) }),
        ramp: [step({ perSecond: 200, lost: [3] })],
        recovered: step({ latencyMs: percentiles([3_000]) }),
        totals: { ...result().totals, isRight: false },
      }),
    );
    expect(failures).toHaveLength(4);
    expect(failures?.join("\n")).toMatch(/lost.*\n.*after the bend.*\n.*Pollhook counts.*\n.*memory grew/);
  });
});
