/**
 * Jobs with a provider and a receiver that behave, one by one beside the bad ones: each must be delivered as if it were
 * alone, by one poll and one attempt.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Field } from "./field.ts";

export interface Healthy {
  readonly jobs: number;
  /** From the moment the poll could be made to the delivery. */
  readonly slowestMs: number;
  readonly failures: readonly string[];
}

const EVERY_MS = 150;
const LIMIT_MS = 60_000;
const ETA_MS = 1_000;
/** Behind a single peer that is silent it would be 10 s, behind several in a row much more: no measure of speed. */
const HELD_UP_MS = 25_000;

export async function runHealthy(field: Field, count: number): Promise<Healthy> {
  const lags: number[] = [];
  const failures: string[] = [];
  const runOne = async (): Promise<void> => {
    const id = String(field.newId());
    const jobId = await field.register({
      fetch_url: `${field.provider.origin}/api/v3/fetch/${id}`,
      callback_url: field.receiver.hookUrl(id),
      key: `key-of-healthy-${id}`,
      eta: ETA_MS / 1_000,
    });
    const job = await field.over(jobId, LIMIT_MS);
    const lagMs = Date.parse(job.delivered_at ?? "") - Date.parse(job.registered_at) - ETA_MS;
    lags.push(lagMs);
    if (job.polls !== 1 || job.attempts !== 1 || job.status !== "delivered")
      failures.push(`A healthy job is ${job.status} after ${job.polls} polls and ${job.attempts} attempts.`);
    else if (lagMs > HELD_UP_MS) failures.push(`A healthy job was held up for ${lagMs} ms.`);
  };
  const runs: Promise<void>[] = [];
  for (let i = 0; i < count; i++) {
    runs.push(runOne());
    await sleep(EVERY_MS);
  }
  await Promise.all(runs);
  return { jobs: count, slowestMs: Math.max(...lags), failures };
}
