/** The schedules' plots: which figures they show, and that they can be drawn where there is no lag. */
import { describe, expect, it } from "vitest";
import { measureWorkload, ORACLE, POLLHOOK, type WorkloadFigures } from "./measure.ts";
import { schedulePlots } from "./plots.ts";
import { WORKLOADS } from "./workloads.ts";

const figuresOf = (name: string): WorkloadFigures[] =>
  WORKLOADS.filter((workload) => workload.name === name).map((workload) =>
    measureWorkload(workload, { seeds: [7], jobs: 20 }),
  );

describe("the schedules' plots", () => {
  it("show J at c = 1 of every loop, as a multiple of the optimum's", () => {
    const [{ rows = [] } = {}] = figuresOf("no eta");
    const best = rows.find(({ name }) => name.startsWith("optimum"))?.costs[1] ?? Number.NaN;
    const [cost] = schedulePlots(figuresOf("no eta"));
    const loops = rows.filter(({ name }) => name !== ORACLE && !name.startsWith("optimum"));
    expect(loops.length).toBeGreaterThan(7);
    for (const { name, costs } of loops) {
      expect(cost?.svg).toContain(`>${name}</text>`);
      expect(cost?.svg).toContain(`>${Number(((costs[1] ?? 0) / best).toPrecision(3))}</text>`);
    }
    expect(cost?.svg).not.toContain(`>${ORACLE}`);
  });

  it("show every way to poll by its polls and its lag, also the one that has none", () => {
    const plots = schedulePlots(figuresOf("noisy"));
    expect(plots.map(({ name }) => name)).toEqual(["schedule-cost", "schedule-trade"]);
    const svg = plots[1]?.svg;
    expect(svg?.match(/<circle /g)).toHaveLength(figuresOf("noisy")[0]?.rows.length ?? 0);
    expect(svg).toContain(`>${POLLHOOK}</text>`);
    expect(svg).toContain(`>${ORACLE}: no lag (drawn at 1 s)</text>`);
  });
});
