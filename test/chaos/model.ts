/**
 * The model-based part of the chaos run: has random sequences of everything that can happen to a job run against the
 * model, in workerd, and says what came of them.
 */
import { startVitest } from "vitest/node";
import { ROOT } from "../demo/worker-process.ts";
import type { ModelCounts } from "../model/options.ts";
import { markdownTable } from "../report/markdown.ts";
import type { Section } from "../report/section.ts";

const RUNS = 20_000;

export async function modelSection(): Promise<Section> {
  process.env.MODEL_RUNS ??= String(RUNS);
  process.env.MODEL_SEED ??= String(Math.floor(Math.random() * 0x7fff_ffff));
  const { counts, failures } = await run();
  return { title: "Random lives against a model", body: bodyOf(counts), plots: [], failures };
}

/** Runs the sequences; throws where they could not be run at all. */
async function run(): Promise<{ counts: ModelCounts[]; failures: string[] }> {
  const vitest = await startVitest("test", [], {
    root: ROOT,
    config: "test/chaos/model.config.ts",
    watch: false,
    reporters: ["dot"],
  });
  try {
    const tests = vitest.state.getTestModules().flatMap((module) => [...module.children.allTests()]);
    const failures: string[] = [];
    for (const test of tests) {
      const { model, modelFailure } = test.meta();
      if (modelFailure !== undefined) failures.push(modelFailure);
      else if (!model) failures.push(`${test.fullName} did not get to its end.`);
    }
    const errors = vitest.state.getUnhandledErrors().map((error) => `Beside the tests: ${String(error)}`);
    if (tests.length === 0) throw new Error("No sequence was run.");
    return { counts: tests.flatMap((test) => test.meta().model ?? []), failures: [...failures, ...errors] };
  } finally {
    await vitest.close();
  }
}

const shown = (count: number): string => count.toLocaleString("en-US");
const WHEN = ["", " during a poll", " just before a post", " during a post"] as const;

function bodyOf(all: readonly ModelCounts[]): string {
  const steps = new Map<string, number>();
  for (const { commands } of all)
    for (const [name, count] of Object.entries(commands)) steps.set(name, (steps.get(name) ?? 0) + count);
  const sequences = shown(all.reduce((sum, counts) => sum + counts.sequences, 0));
  const kinds = [...steps.keys()].filter((name) => !name.includes(": "));
  const rows = [...new Set(kinds.map((name) => name.replace(/ (during|just before) a .*/, "")))].sort();
  const answers = (prefix: string): string =>
    [...steps]
      .filter(([name]) => name.startsWith(prefix))
      .sort(([, a], [, b]) => b - a)
      .map(([name, count]) => `${name.slice(prefix.length)} (${shown(count)})`)
      .join("; ");
  const seeds = [...new Set(all.map(({ seed }) => seed))].join(" and ");
  return [
    `${sequences} random sequences of whatever can happen to a job, each beside a model of the promises that knows nothing of the code; after each step everything that is stored, shown, logged and sent is held against it. The object is a job's own, in workerd; it may die at any time, its master keys change, and neither the tenant's object nor the limiter can be reached. Seeds: ${seeds}.`,
    "What happened, by itself or while the object waited for an answer:",
    markdownTable([
      ["step", "by itself", "during a poll", "just before a post", "during a post"],
      ...rows.map((row) => [row, ...WHEN.map((when) => shown(steps.get(row + when) ?? 0))]),
    ]),
    `Answers to polls: ${answers("poll: ")}.`,
    `Answers to posts: ${answers("post: ")}.`,
  ].join("\n\n");
}
