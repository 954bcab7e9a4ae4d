/**
 * Lives of a job, counted for the cost table: `npm run bench:cost`. What is counted goes to Node as this test's metadata.
 */
import { it } from "vitest";
import type { CostRun, Counts } from "./counts.ts";
import { LATENCY, SCENARIOS, SLEEPY } from "./counts.ts";
import { hourlyLook, live, purge, storedBytes } from "./life.ts";

it("counts", async ({ task }) => {
  // The first job of an isolate waits for code to be compiled.
  await live(SLEEPY, LATENCY, "warm");
  const lives: Record<string, Counts> = {};
  let last = "";
  for (const [i, scenario] of [...SCENARIOS, SLEEPY].entries()) {
    const { id, counts } = await live(scenario, LATENCY, `cost-${i}`);
    lives[scenario.name] = counts;
    last = id;
  }
  const bytes = await storedBytes(last, "stored");
  const jobs = 1_000;
  const run: CostRun = {
    lives,
    purge: await purge(last),
    hourlyLook: { jobs, counts: await hourlyLook("hourly", jobs) },
    storedBytes: bytes,
  };
  Object.assign(task.meta, { cost: run });
});
