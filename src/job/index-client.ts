/**
 * Calls of the tenant's object from jobs and from the Worker: bounded, and never thrown. What does not get through is
 * the caller's to make up for.
 */
import { describe, logError } from "../log.ts";
import { within } from "../net/bounded.ts";
import type { Learned } from "./learned.ts";
import { noteLearned } from "./learned-here.ts";
import type { Parked } from "./record.ts";
import type { JobKey, JobRow } from "./row.ts";
import { noteHost } from "./troubled-hosts.ts";

/** Nobody waits longer than this for a tenant's object. */
const LIMIT_MS = 2_000;

/** What came of an admission, or of an attempt that needed none. */
export interface AttemptReport {
  readonly jobId: string;
  readonly host: string;
  /** `none`: nothing was sent, or what came back says nothing of the receiver's health. */
  readonly result: "ok" | "failed" | "none";
  /** Where the delivery was parked, and is no more, without having asked: it was canceled, erased or redelivered. */
  readonly unparked?: { readonly parked: Parked; readonly destination: string | null };
}

/** What an index answers who asks for all. */
export interface PutAnswer {
  /** Those hosts of the reports that get nothing at the moment. */
  readonly troubled: readonly string[];
  /** What is known of the rows' endpoints, by their names. */
  readonly learned: ReadonlyMap<string, Learned>;
}

/** What an index is told: all of the tenant's object that a job knows. */
export interface JobIndex {
  /** A version before answers only with the hosts, and one before that with nothing. */
  put(
    rows: readonly JobRow[],
    reports?: readonly AttemptReport[],
    asksAll?: boolean,
  ): Promise<PutAnswer | readonly string[] | undefined>;
  remove(keys: readonly JobKey[]): Promise<void>;
}

export interface IndexBindings {
  readonly TENANT: { getByName(tenant: string): unknown };
}

const indexOf = (env: IndexBindings, tenant: string): JobIndex => env.TENANT.getByName(tenant) as JobIndex;

/** Whether the tenant's index has these rows now, and its gatekeeper knows of these attempts. */
export async function putRows(
  env: IndexBindings,
  tenant: string,
  rows: readonly JobRow[],
  reports: readonly AttemptReport[] = [],
): Promise<boolean> {
  const told = await askTenant("put", async () => {
    const answer = await indexOf(env, tenant).put(rows, reports, true);
    const { troubled, learned } = answer && "learned" in answer ? answer : { troubled: answer, learned: [] };
    for (const { host } of reports) noteHost(tenant, host, troubled?.includes(host) === true);
    for (const [endpoint, state] of learned) noteLearned(tenant, endpoint, state);
    return true;
  });
  return told !== null;
}

/** Whether the tenant's index has these jobs no more. */
export const removeRows = async (
  env: IndexBindings,
  tenant: string,
  keys: readonly JobKey[],
): Promise<boolean> =>
  (await askTenant("remove", async () => {
    await indexOf(env, tenant).remove(keys);
    return true;
  })) !== null;

/** What the tenant's object answers; `null` where it cannot be reached in time. */
export async function askTenant<T>(what: string, call: () => PromiseLike<T>): Promise<T | null> {
  try {
    return await within(LIMIT_MS, call(), null);
  } catch (error) {
    logError("tenant.unreachable", { call: what, error: describe(error) });
    return null;
  }
}
