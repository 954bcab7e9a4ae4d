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
import { ByPlatform, type Host, InPlace } from "./hosts.ts";
import type { JobModel, Registering } from "./job-model.ts";
import { SHORT, TIERS, type TierName } from "./options.ts";
import { World } from "./world.ts";

/** So far ahead that no alarm that is set in a sequence comes by itself. */
const START_AT = Date.UTC(2100, 0, 1);
const DAY_MS = 86_400_000;
/** Objects that may lie about. */
const MOST_OBJECTS = 250;
const TIMEOUT_MS = 1_800_000;

const options = inject("model") ?? SHORT;
const logs: string[] = [];
let made = 0;
/** What runs in many jobs' objects is counted in the isolate's memory, by the clock: there it only goes on. */
let sharedFrom = START_AT;

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
async function live(tier: TierName, luck: number, first: Registering, commands: Commands): Promise<void> {
  if (++made % MOST_OBJECTS === 0) await reset();
  const [tenant, requestId] = [`model-${made}`, `r${made}`];
  const id = await jobId(tenant, "v3", requestId);
  const isShared = tier === "many jobs' object";
  vi.setSystemTime(isShared ? sharedFrom : START_AT);
  vi.spyOn(Math, "random").mockImplementation(chanceOf(luck));
  const name = isShared ? `shard/1/0/${tenant}` : id;
  const on = async (host: Host): Promise<void> => {
    const key = `sk-model-${made}-4f9d2c71b8`;
    const world = new World({ tenant, requestId, id, key, host, isShared, logs });
    try {
      await perform({ what: "register", as: first }, world);
      await checkAll(world);
      await fc.asyncModelRun(() => ({ model: world.model, real: world }), commands);
    } finally {
      world.fetched.restore();
      if (isShared) sharedFrom = world.latest + DAY_MS;
      // Many jobs' object may still be telling the index; it goes by itself, with its last job.
      if (isShared) await host.call((job) => job.erase(tenant, id));
      else await host.storage((storage) => storage.deleteAll());
    }
  };
  if (tier !== "in place") return on(new ByPlatform(name));
  return runInDurableObject(env.JOB.getByName(name), (_, ctx) => on(new InPlace(ctx, variablesOf(["k1"]))));
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

it.for(TIERS)(
  "lives of jobs go as the design says: $name",
  { timeout: TIMEOUT_MS },
  async (tier, { task }) => {
    const { runs, seed, repeat } = options;
    if (repeat && repeat.tier !== tier.name) return;
    const commands: Counts = {};
    const details = await fc.check(
      fc.asyncProperty(
        fc.nat(),
        registerings,
        sequences(commands, repeat?.replayPath),
        (luck, first, commands) => live(tier.name, luck, first, commands),
      ),
      { numRuns: Math.ceil(runs * tier.share), seed, ...(repeat && { path: repeat.path }) },
    );
    const { numRuns, failed, counterexamplePath } = details;
    task.meta.model = { tier: tier.name, seed, sequences: numRuns, commands };
    if (!failed) return;
    const report = (await fc.asyncDefaultReportMessage(details)) ?? "";
    const replayPath = /replayPath="([^"]*)"/.exec(report)?.[1] ?? "";
    const again = `MODEL_SEED=${seed} MODEL_TIER="${tier.name}" MODEL_PATH="${counterexamplePath}" MODEL_REPLAY="${replayPath}"`;
    const { errorInstance } = details;
    const cause = errorInstance instanceof Error ? (errorInstance.stack ?? "") : String(errorInstance);
    task.meta.modelFailure = `${cause}\n\n${report}\n\nOnce more: ${again} npx vitest run --config test/chaos/model.config.ts`;
    throw new Error(task.meta.modelFailure);
  },
);
