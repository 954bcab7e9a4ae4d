/**
 * One object that hosts several jobs, whatever `JOB_SHARDS` is, driven from behind.
 */
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect } from "vitest";
import { seal } from "../../src/crypto/vault.ts";
import type { Job } from "../../src/job/job.ts";
import { wakeAt } from "../../src/job/lifecycle.ts";
import type { Job as JobRecord } from "../../src/job/record.ts";
import { config, PROVIDER, PROVIDER_KEY } from "./api.ts";
import { registrationOf } from "./jobs.ts";
import { RETRY } from "./life.ts";

export const pollOf = (id: string): string => `${PROVIDER}/api/v3/fetch/${id}`;

/** One object that hosts several jobs, each named by its id and registered with that eta. */
export async function host(etas: Readonly<Record<string, number>>) {
  const name = crypto.randomUUID();
  // A stub of an object that has died is of no use any more.
  const object = () => env.JOB.getByName(name);
  const register = async (id: string, etaSeconds: number) => {
    const sealedKey = await seal(PROVIDER_KEY, id, config.masterKeys[0]);
    return object().register(registrationOf({ id, requestId: id, etaSeconds, sealedKey }));
  };
  await Promise.all(Object.entries(etas).map(([id, eta]) => register(id, eta)));
  const inside = <T>(work: (job: Job, storage: DurableObjectStorage) => T | Promise<T>): Promise<T> =>
    runInDurableObject(object(), (job, { storage }) => work(job, storage));
  const change = (ids: readonly string[], edit: (job: JobRecord) => JobRecord) =>
    inside((_, { kv, sql }) => {
      for (const id of ids) {
        const job = kv.get<JobRecord>(`job/${id}`);
        if (!job) continue;
        kv.put(`job/${id}`, edit(job));
        sql.exec("UPDATE agenda SET at = ? WHERE id = ?", wakeAt(edit(job)), id);
      }
    });
  return {
    object,
    register,
    inside,
    change,
    alarm: (info?: AlarmInvocationInfo) => inside((job) => job.alarm(info)),
    alarmIn: () => inside(async (_, storage) => ((await storage.getAlarm()) ?? Number.NaN) - Date.now()),
    rows: () => inside((_, { kv }) => [...kv.list()].map(([key]) => key)),
    untold: () =>
      inside((_, { sql }) =>
        [...sql.exec<{ id: string }>("SELECT id FROM agenda WHERE untold IS NOT NULL")].map(({ id }) => id),
      ),
    /** Runs the alarm again, as the platform does, and lets the object die in it once `begun`. */
    die: async (...begun: (() => Promise<void>)[]) => {
      const run = runInDurableObject(object(), async (job, ctx) => {
        void job.alarm(RETRY);
        for (const until of begun) await until();
        ctx.abort("dies");
      });
      await expect(run).rejects.toThrow("dies");
    },
    stored: (id: string) => inside((_, { kv }) => kv.get<JobRecord>(`job/${id}`)),
    /** Until the job's own next poll. */
    pollIn: (id: string) =>
      inside((_, { kv }) => {
        const state = kv.get<JobRecord>(`job/${id}`)?.state;
        return (state?.status === "waiting" ? state.nextPollAt : Number.NaN) - Date.now();
      }),
    makeDue: (...ids: string[]) =>
      change(ids, (job) =>
        job.state.status === "waiting"
          ? { ...job, state: { ...job.state, nextPollAt: Date.now() - 1 } }
          : job,
      ),
  };
}
