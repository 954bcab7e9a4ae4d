/**
 * Random lives of a job, held against a simple model of what the design promises. A few, always the same; many, and one
 * that failed once more, by `test/chaos/model.config.ts`.
 */
import { reset, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import fc from "fast-check";
import { afterEach, beforeEach, inject, it, vi } from "vitest";
import { jobId } from "../../src/job/ids.ts";
import { perform, registerings } from "./acts.ts";
import { checkAll } from "./checks.ts";
import { type Counts, sequences } from "./commands.ts";
import { variablesOf } from "./deployment.ts";
import { Host } from "./host.ts";
import type { JobModel, Registering } from "./job-model.ts";
import { SHORT } from "./options.ts";
import { World } from "./world.ts";

/** So far ahead that no alarm that is set in a sequence comes by itself. */
const START_AT = Date.UTC(2100, 0, 1);
/** Objects that may lie about. */
const MOST_OBJECTS = 250;
const TIMEOUT_MS = 1_800_000;

const options = inject("model") ?? SHORT;
const logs: string[] = [];
let made = 0;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"] });
  for (const method of ["log", "error", "warn"] as const)
    vi.spyOn(console, method).mockImplementation((line) => logs.push(String(line)));
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

type Commands = Parameters<typeof fc.asyncModelRun<JobModel, World, false, JobModel>>[1];

/** One job's life, from its registration on. */
async function live(luck: number, first: Registering, commands: Commands): Promise<void> {
  if (++made % MOST_OBJECTS === 0) await reset();
  const [tenant, requestId, key] = [`model-${made}`, `r${made}`, `sk-model-${made}-4f9d2c71b8`];
  const id = await jobId(tenant, "v3", requestId);
  vi.setSystemTime(START_AT);
  vi.spyOn(Math, "random").mockImplementation(chanceOf(luck));
  return runInDurableObject(env.JOB.getByName(id), async (_, ctx) => {
    const host = new Host(ctx, variablesOf(["k1"]));
    const world = new World({ tenant, requestId, id, key, host, logs });
    try {
      await perform({ what: "register", as: first }, world);
      await checkAll(world);
      await fc.asyncModelRun(() => ({ model: world.model, real: world }), commands);
    } finally {
      world.fetched.restore();
      await ctx.storage.deleteAll();
    }
  });
}

/** Numbers in [0, 1) that a sequence can be repeated with (mulberry32). */
function chanceOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let bits = Math.imul(state ^ (state >>> 15), state | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  };
}

it("whatever happens to a job in whatever order, its life goes as the design says", {
  timeout: TIMEOUT_MS,
}, async ({ task }) => {
  const { runs, seed, repeat } = options;
  const commands: Counts = {};
  const details = await fc.check(
    fc.asyncProperty(
      fc.nat(),
      registerings,
      sequences(commands, repeat?.replayPath),
      (luck, first, commands) => live(luck, first, commands),
    ),
    { numRuns: runs, seed, ...(repeat && { path: repeat.path }) },
  );
  const { numRuns, failed, counterexamplePath } = details;
  task.meta.model = { seed, sequences: numRuns, commands };
  if (!failed) return;
  const report = (await fc.asyncDefaultReportMessage(details)) ?? "";
  const replayPath = /replayPath="([^"]*)"/.exec(report)?.[1] ?? "";
  const again = `MODEL_SEED=${seed} MODEL_PATH="${counterexamplePath}" MODEL_REPLAY="${replayPath}"`;
  const { errorInstance } = details;
  const cause = errorInstance instanceof Error ? (errorInstance.stack ?? "") : String(errorInstance);
  task.meta.modelFailure = `${cause}\n\n${report}\n\nOnce more: ${again} npx vitest run --config test/chaos/model.config.ts`;
  throw new Error(task.meta.modelFailure);
});
