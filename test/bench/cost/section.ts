/**
 * The cost part of results.md: has lives of a job counted inside workerd, and says what they come to.
 */
import { startVitest } from "vitest/node";
import { ROOT } from "../../demo/worker-process.ts";
import type { Section } from "../../report/section.ts";
import { type Counted, sectionOf } from "./report.ts";

export async function costSection(): Promise<Section> {
  return sectionOf(await count());
}

/** Runs the measurements in workerd; throws where one fails. */
async function count(): Promise<Counted> {
  const vitest = await startVitest("test", [], {
    root: ROOT,
    config: "test/bench/cost/vitest.config.ts",
    watch: false,
    reporters: ["dot"],
  });
  try {
    const tests = vitest.state.getTestModules().flatMap((module) => [...module.children.allTests()]);
    if (tests.some((test) => test.result().state !== "passed")) throw new Error("The counting failed.");
    const all = Object.assign({}, ...tests.map((test) => test.meta())) as Partial<Counted>;
    if (!all.cost || !all.workflows) throw new Error("Not everything was counted.");
    return { cost: all.cost, workflows: all.workflows };
  } finally {
    await vitest.close();
  }
}
