/** The load in small: the same processes, faults and counts as in the long run, and never how fast. */
import { describe, expect, it } from "vitest";
import { failuresOf } from "./load/judge.ts";
import { BATCH, MIXED, planOf } from "./load/plan.ts";
import { runLoad } from "./load/run.ts";
import { sectionOf } from "./load/section.ts";

/** A receiver that hangs does so for less than an attempt may take, so that the test ends sooner. */
const MIX = { ...MIXED, hangMs: 3_000 };

describe("a load with faults of both sides", () => {
  it("delivers the one event of every job that was registered", async () => {
    const result = await runLoad({
      mix: MIX,
      shards: "8",
      perSecond: 40,
      seconds: 6,
      warmUpSeconds: 2,
      retentionSeconds: 120,
      rampSeconds: 0,
      mostPerSecond: 0,
      recoverySeconds: 0,
      say: () => {},
    });
    const { steady, ramp, recovered, totals, verified, errors } = result;
    expect(failuresOf(steady)).toEqual([]);
    expect(steady).toMatchObject({ perSecond: 40, jobs: 240, accepted: 240, lost: [], refused: {} });
    const silent = Array.from({ length: 240 }, (_, i) => planOf(i + BATCH, MIX)).filter(
      (plan) => plan.isSilent,
    );
    expect(steady.delivered).toBe(240 - silent.length);
    expect([ramp, recovered]).toEqual([[], null]);
    // Faults happened, and jobs were read.
    expect(steady.repeats.planned).toBeGreaterThan(10);
    expect(steady.polls).toBeGreaterThan(240);
    expect(steady.reads.jobs).toBeGreaterThanOrEqual(silent.length);
    expect(verified).toBeGreaterThan(10);
    const expected = { registered: 240, delivered: steady.delivered };
    expect(totals).toMatchObject({ isRight: true, said: expected, expected });
    expect(errors).toEqual({});
    const { body, plots } = sectionOf(result);
    expect(body).toContain(`| 40 | 6 | 240 | 240 | 0 | ${steady.delivered} | 0 | 0 |`);
    expect(plots.map(({ name }) => name)).toEqual(["load-memory", "load-latency"]);
  }, 240_000);
});
