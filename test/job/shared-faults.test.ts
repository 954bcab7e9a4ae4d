import { evictDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Job as JobRecord } from "../../src/job/record.ts";
import { Tenant } from "../../src/tenant/tenant.ts";
import { clear } from "../support/api.ts";
import { held, processing, RETRY } from "../support/life.ts";
import { ScriptedFetch } from "../support/scripted-fetch.ts";
import { host, pollOf } from "../support/shared-object.ts";

let fetched: ScriptedFetch;
beforeEach(() => {
  fetched = new ScriptedFetch();
});
afterEach(async () => {
  vi.restoreAllMocks();
  fetched.restore();
  await clear();
  expect(fetched.unexpected).toEqual([]);
});

type Host = Awaited<ReturnType<typeof host>>;

/** From now on, the object's storage refuses to write this job. */
const refuse = (jobs: Host, id: string, isRefused: () => boolean = () => true): Promise<void> =>
  jobs.inside((_, { kv }) => {
    const put = kv.put.bind(kv);
    kv.put = (key, value) => {
      if (key === `job/${id}` && isRefused()) throw new Error("disk full");
      put(key, value);
    };
  });

const suspected = (crashes: number) => (job: JobRecord) => ({ ...job, guarded: true, crashes });

describe("when an object of several jobs dies", () => {
  it("blames those that were due when one died, and from the second time on each alone", async () => {
    const jobs = await host({ a: 600, b: 600, c: 600 });
    const answers = ["a", "b", "c"].map((id) => {
      const answer = held(processing);
      fetched.always(pollOf(id), answer.script);
      return answer;
    });
    await jobs.makeDue("a", "b", "c");
    const crashes = async () =>
      Promise.all(["a", "b", "c"].map(async (id) => (await jobs.stored(id))?.crashes));
    await jobs.die(...answers.map(({ begun }) => begun));
    expect(await crashes()).toEqual([1, 1, 1]);
    await jobs.makeDue("a", "b", "c");
    await jobs.die(async () => {
      await Promise.race(answers.map(({ begun }) => begun()));
    });
    expect((await crashes()).sort()).toEqual([1, 1, 2]);
    for (const { release } of answers) release();
    await jobs.makeDue("a", "b", "c");
    await jobs.alarm(RETRY);
    expect(await crashes()).toEqual([0, 0, 0]);
  });

  it("the others are woken in their time", async () => {
    const jobs = await host({ p: 600, q: 8, r: 5 });
    const answer = held(processing);
    fetched.always(pollOf("p"), answer.script);
    await jobs.makeDue("p");
    await jobs.change(["p"], suspected(3));
    await jobs.die(answer.begun);
    expect(await jobs.alarmIn()).toBeLessThan(Math.max(await jobs.pollIn("r"), 0) + 1_500);
  });

  it("the one that it may have died of is left alone until its watchdog, whatever else is registered", async () => {
    const jobs = await host({ p: 600 });
    const answer = held(processing);
    fetched.always(pollOf("p"), answer.script);
    await jobs.makeDue("p");
    await jobs.die(answer.begun);
    await jobs.register("other", 900);
    expect(await jobs.alarmIn()).toBeGreaterThan(15_000);
  });

  it("no innocent one is counted again, however slow it is", async () => {
    const jobs = await host({ slow: 600, killer: 600 });
    const [slow, killer] = [held(processing), held(processing)];
    fetched.always(pollOf("slow"), slow.script).always(pollOf("killer"), killer.script);
    await jobs.makeDue("slow", "killer");
    await jobs.change(["slow", "killer"], suspected(1));
    const alarm = jobs.alarm();
    await Promise.race([slow.begun(), killer.begun()]);
    await scheduler.wait(2_500);
    const crashes = [(await jobs.stored("slow"))?.crashes, (await jobs.stored("killer"))?.crashes];
    expect(crashes.sort()).toEqual([1, 2]);
    for (const { release } of [slow, killer]) release();
    await alarm;
  });

  it("one that cannot be written down keeps no other from being run", async () => {
    const jobs = await host({ a: 600, b: 600 });
    fetched.always(pollOf("b"), processing);
    await jobs.makeDue("a", "b");
    await jobs.change(["a"], suspected(1));
    await refuse(jobs, "a");
    await jobs.alarm();
    expect((await jobs.stored("b"))?.polls).toBe(1);
    expect((await jobs.stored("a"))?.polls).toBe(0);
  });
});

describe("an alarm of several jobs", () => {
  it("that could not be set is set by the next who needs one", async () => {
    const jobs = await host({});
    await jobs.inside((_, storage) => {
      const { setAlarm } = storage;
      storage.setAlarm = () => {
        storage.setAlarm = setAlarm;
        throw new Error("once");
      };
    });
    await jobs.register("a", 600).catch(() => {});
    await jobs.register("b", 700);
    expect(await jobs.alarmIn()).toBeGreaterThan(0);
  });

  it("is set anew once everything was gone, for a job that is due later than the last was", async () => {
    const jobs = await host({ a: 5 });
    await jobs.object().erase("acme", "a");
    await expect.poll(jobs.alarmIn).toBeNaN();
    await jobs.register("c", 900);
    expect(await jobs.alarmIn()).toBeGreaterThan(1_000);
  });

  it("mends an entry that is behind its job", async () => {
    const jobs = await host({ a: 600 });
    await jobs.inside((_, { sql }) => void sql.exec("UPDATE agenda SET at = ?", Date.now() - 5));
    await jobs.alarm();
    expect(await jobs.alarmIn()).toBeGreaterThan(2_000);
  });

  it("comes in its own time for a job that is erased and registered anew", async () => {
    const jobs = await host({ a: 600, b: 900 });
    fetched.always(pollOf("a"), processing);
    await jobs.makeDue("a");
    let isRefused = true;
    await refuse(jobs, "a", () => isRefused);
    await jobs.alarm();
    isRefused = false;
    await jobs.object().erase("acme", "a");
    await jobs.register("a", 1);
    expect(await jobs.alarmIn()).toBeLessThan(5_000);
  });

  it("ends, and leaves what is due to the next, once it has gone on for half a minute", async () => {
    const jobs = await host({ a: 600 });
    const answer = held(processing);
    fetched.always(pollOf("a"), answer.script).always(pollOf("b"), processing);
    await jobs.makeDue("a");
    const startedAt = Date.now();
    const alarm = jobs.alarm();
    await answer.begun();
    vi.spyOn(Date, "now").mockImplementation(() => startedAt + 31_000);
    await jobs.register("b", 600);
    await jobs.object().hint("acme", "b");
    await alarm;
    vi.restoreAllMocks();
    expect((await jobs.stored("a"))?.polls).toBe(0);
    answer.release();
    await expect.poll(async () => (await jobs.stored("a"))?.polls).toBe(1);
  });
});

describe("the index of several jobs", () => {
  it("is told of a state that is newer than the one under way", async () => {
    const jobs = await host({});
    const { put } = Tenant.prototype;
    vi.spyOn(Tenant.prototype, "put").mockImplementation(async function (this: Tenant, ...args) {
      const answer = await put.apply(this, args);
      await scheduler.wait(300);
      return answer;
    });
    await jobs.register("b", 600);
    await scheduler.wait(60);
    await jobs.object().cancel("acme", "b");
    const statusOf = async (id: string) => {
      const { jobs } = await env.TENANT.getByName("acme").list({}, null, 100);
      return jobs.find(({ fields }) => fields.id === id)?.fields.status;
    };
    await expect.poll(() => statusOf("b"), { timeout: 5_000 }).toBe("canceled");
  });

  it("is left alone for a minute where it cannot be told of an erasure", async () => {
    const jobs = await host({ a: 600 });
    await expect.poll(jobs.untold).toEqual([]);
    const remove = vi.spyOn(Tenant.prototype, "remove").mockRejectedValue(new Error("down"));
    await jobs.object().erase("acme", "a");
    for (let i = 0; i < 10; i++) {
      await jobs.register(`x${i}`, 600);
      await scheduler.wait(60);
    }
    expect(remove.mock.calls.length).toBeLessThan(3);
  });

  it("does not keep a job from being registered because another cannot be read", async () => {
    const jobs = await host({ a: 600 });
    await expect.poll(jobs.untold).toEqual([]);
    await evictDurableObject(jobs.object());
    await jobs.inside((_, { kv, sql }) => {
      sql.exec("UPDATE agenda SET untold = '1/1' WHERE id = 'a'");
      const get = kv.get.bind(kv);
      kv.get = ((key: string) => {
        if (key === "job/a") throw new Error("cannot be deserialized");
        return get(key);
      }) as typeof kv.get;
    });
    expect((await jobs.register("b", 100)).kind).toBe("created");
    expect(await jobs.alarmIn()).toBeLessThan(120_000);
  });
});
