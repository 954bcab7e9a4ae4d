import { evictDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Job as JobRecord } from "../../src/job/record.ts";
import { clear } from "../support/api.ts";
import { registrationOf } from "../support/jobs.ts";
import { HOOK, held, processing, success } from "../support/life.ts";
import { networkError, ScriptedFetch, status } from "../support/scripted-fetch.ts";
import { host, pollOf } from "../support/shared-object.ts";

let fetched: ScriptedFetch;
beforeEach(() => {
  fetched = new ScriptedFetch();
});
afterEach(async () => {
  fetched.restore();
  await clear();
  expect(fetched.unexpected).toEqual([]);
});

describe("an object that hosts several jobs", () => {
  it("wakes up for the earliest of them", async () => {
    const jobs = await host({ a: 900, b: 300, c: 600 });
    expect(await jobs.pollIn("b")).toBeLessThan(Math.min(await jobs.pollIn("a"), await jobs.pollIn("c")));
    expect(Math.abs((await jobs.alarmIn()) - (await jobs.pollIn("b")))).toBeLessThan(1_000);
    await jobs.object().cancel("acme", "b");
    // One alarm that comes too early is set anew when it has come.
    await jobs.alarm();
    expect(Math.abs((await jobs.alarmIn()) - (await jobs.pollIn("c")))).toBeLessThan(1_000);
    await jobs.object().erase("acme", "c");
    await jobs.alarm();
    expect(Math.abs((await jobs.alarmIn()) - (await jobs.pollIn("a")))).toBeLessThan(1_000);
  });

  it("wakes up sooner for a job that comes later and is due before", async () => {
    const jobs = await host({ a: 900 });
    await jobs.register("b", 30);
    expect(await jobs.alarmIn()).toBeLessThan(35_000);
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
    const first = Math.min(await jobs.pollIn("a"), await jobs.pollIn("b"));
    expect(Math.abs((await jobs.alarmIn()) - first)).toBeLessThan(1_000);
  });

  it("keeps the others when one is erased, and nothing when the last is", async () => {
    const jobs = await host({ a: 600, b: 600 });
    await jobs.object().erase("acme", "a");
    expect(await jobs.rows()).toEqual(["job/b"]);
    await jobs.object().erase("acme", "b");
    await expect.poll(jobs.rows).toEqual([]);
    expect(await jobs.alarmIn()).toBeNaN();
    expect(await jobs.inside((_, { sql }) => [...sql.exec("SELECT name FROM sqlite_master")])).toEqual([]);
    // And begins anew.
    await jobs.register("c", 300);
    expect(Math.abs((await jobs.alarmIn()) - (await jobs.pollIn("c")))).toBeLessThan(1_000);
  });

  it("keeps the others when the retention of one is over, and nothing when that of the last is", async () => {
    const jobs = await host({ a: 600, b: 600 });
    const isOver = (job: JobRecord): JobRecord =>
      "expiresAt" in job.state ? { ...job, state: { ...job.state, expiresAt: Date.now() - 1 } } : job;
    for (const [id, rows] of [
      ["a", ["job/b"]],
      ["b", []],
    ] as const) {
      await jobs.object().cancel("acme", id);
      await jobs.change([id], isOver);
      await jobs.alarm();
      expect(await jobs.rows()).toEqual(rows);
    }
    expect(await jobs.alarmIn()).toBeNaN();
  });

  it("tells the index of the others where one cannot be understood", async () => {
    const jobs = await host({ a: 600, b: 600 });
    await evictDurableObject(jobs.object());
    await jobs.inside((_, { kv, sql }) => {
      kv.put("job/a", { ...kv.get<JobRecord>("job/a"), registeredAt: Number.NaN });
      sql.exec("UPDATE agenda SET untold = '0/1' WHERE id = 'a'");
    });
    await jobs.object().cancel("acme", "b");
    const listed = async () => {
      const { jobs } = await env.TENANT.getByName("acme").list({}, null, 10);
      return jobs.map(({ fields }) => `${fields.id} ${fields.status}`);
    };
    await expect.poll(listed).toContain("b canceled");
  });

  it("has what it had after it was evicted, the wake-ups too", async () => {
    const jobs = await host({ a: 600, b: 300 });
    await evictDurableObject(jobs.object());
    fetched.on(pollOf("a"), processing);
    await jobs.makeDue("a");
    await jobs.alarm();
    expect((await jobs.stored("a"))?.polls).toBe(1);
    const first = Math.min(await jobs.pollIn("a"), await jobs.pollIn("b"));
    expect(Math.abs((await jobs.alarmIn()) - first)).toBeLessThan(1_000);
  });

  it("makes what is written at one time one commit, and answers none before", async () => {
    const jobs = await host({ a: 600 });
    const turns = await jobs.inside(async (job, { kv }) => {
      const put = kv.put.bind(kv);
      const turnOf: number[] = [];
      let turn = 0;
      kv.put = (key, value) => {
        turnOf.push(turn);
        // Whatever follows without anybody being waited for is of the same turn, and so of the same commit.
        setTimeout(() => turn++, 0);
        put(key, value);
      };
      const names = Array.from({ length: 20 }, (_, i) => `n${i}`);
      await Promise.all(
        names.map((id) =>
          job.register(registrationOf({ id, requestId: id, etaSeconds: 600, sealedKey: null })),
        ),
      );
      return turnOf;
    });
    expect(turns).toEqual(new Array(20).fill(0));
  });
});

describe("an alarm of several jobs", () => {
  it("holds up none for one that is slow, and notices what becomes due meanwhile", async () => {
    const jobs = await host({ slow: 600, quick: 600, later: 600 });
    const slow = held(success);
    fetched.on(pollOf("slow"), slow.script).on(pollOf("quick"), success).on(pollOf("later"), success);
    fetched.always(HOOK, status(200));
    await jobs.makeDue("slow", "quick");
    const alarm = jobs.alarm();
    await slow.begun();
    const statusOf = async (id: string) => (await jobs.stored(id))?.state.status;
    await expect.poll(() => statusOf("quick")).toBe("delivered");
    await jobs.object().hint("acme", "later");
    await expect.poll(() => statusOf("later")).toBe("delivered");
    expect(await statusOf("slow")).toBe("waiting");
    slow.release();
    await alarm;
    expect(await statusOf("slow")).toBe("delivered");
  });

  it("runs 64 at a time, and no slow one is counted among them for long", async () => {
    const names = (kind: string, count: number) => Array.from({ length: count }, (_, i) => `${kind}${i}`);
    const [slow, quick] = [names("s", 64), names("q", 100)];
    const jobs = await host(Object.fromEntries([...slow, ...quick].map((id) => [id, 600])));
    const answers = slow.map((id) => {
      const answer = held(success);
      fetched.on(pollOf(id), answer.script);
      return answer;
    });
    for (const id of quick) fetched.on(pollOf(id), success);
    fetched.always(HOOK, status(200));
    await jobs.makeDue(...slow);
    const alarm = jobs.alarm();
    await Promise.all(answers.map(({ begun }) => begun()));
    await Promise.all(quick.map((id) => jobs.object().hint("acme", id)));
    const delivered = async () => {
      const all = await Promise.all(quick.map((id) => jobs.stored(id)));
      return all.filter((job) => job?.state.status === "delivered").length;
    };
    await expect.poll(delivered, { timeout: 10_000 }).toBe(100);
    for (const { release } of answers) release();
    await alarm;
  });

  it("runs the others to their end when one ends in an exception", async () => {
    const jobs = await host({ a: 600, b: 600 });
    fetched.on(pollOf("a"), processing).on(pollOf("b"), networkError);
    await jobs.makeDue("a", "b");
    await jobs.inside((_, { kv }) => {
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
    await jobs.inside((_, { kv }) => {
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
    await jobs.object().erase("acme", "b");
    await jobs.alarm();
    expect(Math.abs((await jobs.alarmIn()) - (await jobs.pollIn("c")))).toBeLessThan(1_000);
    await jobs.object().erase("acme", "c");
    await jobs.alarm();
    expect(Math.abs((await jobs.alarmIn()) - 60_000)).toBeLessThan(1_500);
  });
});
