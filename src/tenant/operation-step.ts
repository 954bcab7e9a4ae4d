/**
 * One bounded step of an operation: the next jobs that fit are called all at once, and what came of it is stored before
 * the next step begins.
 */
import type { Job } from "../job/job.ts";
import { describe, log, logError } from "../log.ts";
import { within } from "../net/bounded.ts";
import type { JobTable } from "./job-table.ts";
import type { OperationKind, Operations, Work } from "./operations.ts";

/** Jobs that one step calls. */
const STEP_JOBS = 50;
/** A job that does not answer within this has failed, as far as an operation is concerned. */
const JOB_LIMIT_MS = 10_000;

export interface JobBinding {
  readonly JOB: DurableObjectNamespace<Job>;
}

export async function makeStep(
  { operation, kind, filter, cursor }: Work,
  tables: { readonly jobs: JobTable; readonly operations: Operations },
  env: JobBinding,
  tenant: string,
): Promise<void> {
  const page = tables.jobs.list(filter, cursor, STEP_JOBS, Date.now());
  const results = await Promise.all(page.jobs.map(({ fields }) => callJob(kind, fields.id, env, tenant)));
  const done = results.filter((isDone) => isDone).length;
  tables.operations.advance(operation, { done, failed: results.length - done }, page.next);
  if (!page.next) log("operation.done", { operation: operation.id });
}

/** Whether the job has done it. That nothing was left to cancel is no failure. */
async function callJob(kind: OperationKind, id: string, env: JobBinding, tenant: string): Promise<boolean> {
  const job = env.JOB.getByName(id) as unknown as Pick<Job, "cancel" | "redeliver">;
  try {
    const called: Promise<{ kind: string }> =
      kind === "cancel" ? job.cancel(tenant, id) : job.redeliver(tenant, id, null);
    const answer = await within(JOB_LIMIT_MS, called, { kind: "late" } as const);
    return answer.kind === "found" || answer.kind === "already_over";
  } catch (error) {
    logError("operation.job_failed", { job: id, error: describe(error) });
    return false;
  }
}
