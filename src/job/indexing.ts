/**
 * Tells the tenant's index what has become of an object's jobs. Comes after everything else, is bounded, and what does
 * not get through is tried again by the object's alarm: the index is a projection, and no job waits for it.
 */
import { retentionMsOf, type Variables } from "../config.ts";
import { describe, logError } from "../log.ts";
import { type IndexBindings, putRows, removeRows } from "./index-client.ts";
import type { Keeper } from "./keeper.ts";
import type { LimiterBindings } from "./key-limits.ts";
import { rowOf } from "./row.ts";

export type JobEnv = Variables & IndexBindings & LimiterBindings;

/** Brings the index up to date with every job here, and with those that were erased. Never throws. */
export async function index(keeper: Keeper, env: JobEnv): Promise<void> {
  try {
    await tell(keeper, env);
  } catch (error) {
    logError("index.failed", { error: describe(error) });
  }
}

async function tell(keeper: Keeper, env: JobEnv): Promise<void> {
  const jobs = keeper.toIndex(Date.now());
  const erased = keeper.erased();
  const reports = keeper.takeReports();
  if (jobs.length + erased.length + reports.length === 0) return;
  const ofJob = (id: string) => reports.flatMap(({ report }) => (report.jobId === id ? [report] : []));
  const others = reports.filter(({ report }) => !jobs.some(({ id }) => id === report.jobId));
  const retentionMs = retentionMsOf(env);
  const told = await Promise.all([
    ...jobs.map((job) => putRows(env, job.tenant, [rowOf(job, retentionMs)], ofJob(job.id))),
    ...erased.map((job) => removeRows(env, job.tenant, [job])),
    ...others.map(({ tenant, report }) => putRows(env, tenant, [], [report])),
  ]);
  await keeper.indexed(jobs.filter((_, i) => told[i]));
  const forgotten = erased.filter((_, i) => told[jobs.length + i]);
  if (forgotten.length > 0) await keeper.forgotten(forgotten);
  if (told.slice(0, jobs.length + erased.length).includes(false)) await keeper.indexLater(Date.now());
}
