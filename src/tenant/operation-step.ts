/**
 * One bounded step of an operation: the next jobs that fit are called all at once, and what came of it is stored before
 * the next step begins.
 */
import { log } from "../log.ts";
import type { JobCalls } from "./job-calls.ts";
import type { JobTable } from "./job-table.ts";
import type { Operations, Work } from "./operations.ts";

/** Jobs that one step calls. */
const STEP_JOBS = 50;

export async function makeStep(
  { operation, kind, filter, cursor }: Work,
  tables: { readonly jobs: JobTable; readonly operations: Operations },
  calls: JobCalls,
): Promise<void> {
  const page = tables.jobs.list(filter, cursor, STEP_JOBS, Date.now());
  const results = await Promise.all(page.jobs.map(({ fields }) => calls.operate(kind, fields.id)));
  const done = results.filter((isDone) => isDone).length;
  tables.operations.advance(operation, { done, failed: results.length - done }, page.next);
  if (!page.next) log("operation.done", { operation: operation.id });
}
