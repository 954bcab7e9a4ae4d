/**
 * Runs of jobs that cannot harm: what one dies of, or throws, is counted and stored, and ends a job that does it again
 * and again.
 */
import { retentionMsOf } from "../config.ts";
import { describe, logError } from "../log.ts";
import * as crashes from "./crashes.ts";
import type { JobEnv } from "./indexing.ts";
import type { Keeper } from "./keeper.ts";
import { due } from "./lifecycle.ts";
import { called } from "./parking.ts";
import type { Job } from "./record.ts";
import { run } from "./run.ts";

/**
 * A run before this one died: that is counted, and a watchdog set, before anything that may kill this one too. Answers
 * with the jobs of which not even that could be written down.
 */
export async function guard(
  jobs: readonly Job[],
  now: number,
  keeper: Keeper,
  env: JobEnv,
): Promise<readonly string[]> {
  const guarded = jobs.map((job) => crashes.guarded(job, now));
  const stored = guarded.filter((job) => keeper.saveGuarded(job));
  const watchdogs = stored.map((job) => [job.id, crashes.watchdogAt(job, now, Math.random())] as const);
  if (stored.length > 0) await keeper.watch(new Map(watchdogs));
  for (const { id } of stored) {
    const job = keeper.load(id);
    if (job) await giveUpIfPoisoned(job, keeper, env);
  }
  return guarded.flatMap((job) => (stored.includes(job) ? [] : [job.id]));
}

/**
 * Runs what is due of one job. `due_again`: it has left something behind that is due already; `not_stored`: it failed, and
 * not even that could be written down.
 */
export async function runSafely(
  id: string,
  keeper: Keeper,
  env: JobEnv,
): Promise<"ran" | "due_again" | "not_stored"> {
  const ran = await runGuarded(id, keeper, env);
  try {
    const job = keeper.load(id);
    // It was called while the run was about to park it: a call that comes from now on finds it parked.
    const next = keeper.called.delete(id) && job ? called(job, null, Date.now()) : null;
    if (next) await keeper.save(next);
    else if (ran === "ran" && job && due(job, Date.now()) !== "nothing") return "due_again";
    return ran;
  } catch (error) {
    logError("job.not_stored", { job: id, error: describe(error) });
    return "not_stored";
  }
}

async function runGuarded(id: string, keeper: Keeper, env: JobEnv): Promise<"ran" | "not_stored"> {
  keeper.running.set(id, Date.now());
  try {
    await run(id, keeper, env);
    const job = keeper.load(id);
    if (job && job.crashes > 0) await keeper.save(crashes.calmed(job));
    return "ran";
  } catch (error) {
    logError("job.run_failed", { job: id, error: describe(error) });
    return await noteBroken(id, keeper, env);
  } finally {
    keeper.ended(id);
  }
}

async function noteBroken(id: string, keeper: Keeper, env: JobEnv): Promise<"ran" | "not_stored"> {
  try {
    const job = keeper.load(id);
    const broken = job && crashes.broken(job, Date.now());
    if (broken && !(await giveUpIfPoisoned(broken, keeper, env))) await keeper.save(broken);
    return "ran";
  } catch (error) {
    logError("job.not_stored", { job: id, error: describe(error) });
    return "not_stored";
  }
}

/** Whether the job has failed too often, and is saved as what that makes of it. */
async function giveUpIfPoisoned(job: Job, keeper: Keeper, env: JobEnv): Promise<boolean> {
  const next = crashes.giveUpIfPoisoned(job, Date.now(), retentionMsOf(env));
  if (next === job) return false;
  logError("job.poisoned", { job: job.id });
  await keeper.save(next);
  return true;
}
