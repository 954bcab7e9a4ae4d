import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { seal } from "../../src/crypto/vault.ts";
import type { Job } from "../../src/job/job.ts";
import type { Job as JobRecord } from "../../src/job/record.ts";
import { config, PROVIDER, PROVIDER_KEY } from "../support/api.ts";
import { registrationOf } from "../support/jobs.ts";
import { HOOK, leave, processing, success } from "../support/life.ts";
import { networkError, ScriptedFetch, status } from "../support/scripted-fetch.ts";

let fetched: ScriptedFetch;
beforeEach(() => {
  fetched = new ScriptedFetch();
});
afterEach(() => leave(fetched));

const pollOf = (id: string): string => `${PROVIDER}/api/v3/fetch/${id}`;

/** One object that hosts several jobs, each named by its id and registered with that eta. */
async function host(etas: Readonly<Record<string, number>>) {
  const object = env.JOB.getByName(crypto.randomUUID());
  for (const [id, etaSeconds] of Object.entries(etas)) {
    const sealedKey = await seal(PROVIDER_KEY, id, config.masterKeys[0]);
    await object.register(registrationOf({ id, requestId: id, etaSeconds, sealedKey }));
  }
  const inside = <T>(work: (job: Job, storage: DurableObjectStorage) => T | Promise<T>): Promise<T> =>
    runInDurableObject(object, (job, { storage }) => work(job, storage));
  return {
    object,
    alarm: () => inside((job) => job.alarm()),
    alarmIn: () => inside(async (_, storage) => ((await storage.getAlarm()) ?? Number.NaN) - Date.now()),
    rows: () => inside((_, { kv }) => [...kv.list()].map(([key]) => key)),
    stored: (id: string) => inside((_, { kv }) => kv.get<JobRecord>(`job/${id}`)),
    makeDue: (...ids: string[]) =>
      inside((_, { kv }) => {
        for (const id of ids) {
          const job = kv.get<JobRecord>(`job/${id}`);
          if (job?.state.status === "waiting")
            kv.put(`job/${id}`, { ...job, state: { ...job.state, nextPollAt: Date.now() - 1 } });
        }
      }),
  };
}

describe("an object that hosts several jobs", () => {
  it("wakes up for the earliest of them", async () => {
    const jobs = await host({ a: 900, b: 300, c: 600 });
    expect(Math.abs((await jobs.alarmIn()) - 301_000)).toBeLessThan(3_000);
    await jobs.object.cancel("acme", "b");
    // The index is told of it.
    expect(Math.abs((await jobs.alarmIn()) - 1_000)).toBeLessThan(1_000);
    await jobs.alarm();
    expect(Math.abs((await jobs.alarmIn()) - 601_000)).toBeLessThan(3_000);
    await jobs.object.erase("acme", "c");
    expect(Math.abs((await jobs.alarmIn()) - 901_000)).toBeLessThan(3_000);
  });

  it("runs those that are due and no other", async () => {
    const jobs = await host({ a: 600, b: 600, c: 600 });
    fetched.on(pollOf("a"), processing).on(pollOf("c"), success).on(HOOK, status(200));
    await jobs.makeDue("a", "c");
    await jobs.alarm();
    expect(fetched.sent.map(({ url }) => url).sort()).toEqual([HOOK, pollOf("a"), pollOf("c")].sort());
    expect((await jobs.stored("a"))?.polls).toBe(1);
    expect((await jobs.stored("b"))?.polls).toBe(0);
    expect((await jobs.stored("c"))?.state.status).toBe("delivered");
    expect(Math.abs((await jobs.alarmIn()) - 61_000)).toBeLessThan(3_000);
  });

  it("keeps the others when one is erased, and nothing when the last is", async () => {
    const jobs = await host({ a: 600, b: 600 });
    await jobs.object.erase("acme", "a");
    expect(await jobs.rows()).toEqual(["job/b"]);
    await jobs.object.erase("acme", "b");
    expect(await jobs.rows()).toEqual([]);
    expect(await jobs.alarmIn()).toBeNaN();
  });

  it("runs the others to their end when one ends in an exception", async () => {
    const jobs = await host({ a: 600, b: 600 });
    fetched.on(pollOf("a"), processing).on(pollOf("b"), networkError);
    await jobs.makeDue("a", "b");
    await runInDurableObject(jobs.object, (_, { storage: { kv } }) => {
      const put = kv.put.bind(kv);
      let refusals = 1;
      kv.put = (key, value) => {
        if (key === "job/a" && refusals-- > 0) throw new Error("disk full");
        put(key, value);
      };
    });
    await jobs.alarm();
    expect(await jobs.stored("a")).toMatchObject({ crashes: 1, polls: 0 });
    expect(await jobs.stored("b")).toMatchObject({ crashes: 0, polls: 1 });
    expect(await jobs.alarmIn()).toBeLessThan(2_500);
  });

  it("wakes the others in time when one fails and not even that can be stored", async () => {
    const jobs = await host({ a: 600, b: 600, c: 20 });
    fetched.on(pollOf("a"), processing).on(pollOf("b"), networkError);
    await jobs.makeDue("a", "b");
    await runInDurableObject(jobs.object, (_, { storage: { kv } }) => {
      const put = kv.put.bind(kv);
      kv.put = (key, value) => {
        if (key === "job/a") throw new Error("disk full");
        put(key, value);
      };
    });
    await jobs.alarm();
    expect(await jobs.stored("a")).toMatchObject({ polls: 0, crashes: 0 });
    expect(await jobs.stored("b")).toMatchObject({ polls: 1 });
    expect(await jobs.alarmIn()).toBeLessThan(2_500);
    fetched.on(pollOf("a"), processing, processing);
    await jobs.object.erase("acme", "b");
    await jobs.alarm();
    const alarmIn = await jobs.alarmIn();
    expect(alarmIn).toBeGreaterThan(15_000);
    expect(alarmIn).toBeLessThan(22_500);
    await jobs.object.erase("acme", "c");
    await jobs.alarm();
    expect(Math.abs((await jobs.alarmIn()) - 60_000)).toBeLessThan(1_000);
  });
});
