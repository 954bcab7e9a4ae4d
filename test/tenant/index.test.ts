import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Job } from "../../src/job/job.ts";
import { Tenant } from "../../src/tenant/tenant.ts";
import {
  ARE_SHARED,
  alarmOf,
  call,
  evict,
  fire,
  objectAlarmOf,
  readJob,
  register,
  stored,
  stub,
  token,
  uniqueId,
} from "../support/api.ts";
import { callWith } from "../support/http.ts";
import {
  HOOK,
  held,
  leave,
  NOTHING,
  newJob,
  processing,
  reached,
  runAlarm,
  storageOf,
  success,
} from "../support/life.ts";
import { json, ScriptedFetch, status } from "../support/scripted-fetch.ts";

let fetched: ScriptedFetch;
beforeEach(() => {
  fetched = new ScriptedFetch();
});
afterEach(() => leave(fetched));

const tenant = (name = "acme") => env.TENANT.getByName(name);
const listed = async (query = "") => (await call("GET", `/v1/jobs?${query}`)).body.jobs;
/** What the index has of the job, and what the job says of itself. */
const both = async (id: string) => {
  const { result: _, timeline: __, ...job } = (await readJob(id)).body;
  const rows = await listed();
  return { row: rows.find((row: { id: string }) => row.id === id), job };
};
const rowCount = (): Promise<number> =>
  runInDurableObject(tenant(), (_, { storage: { sql } }) =>
    [...sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'jobs'")].length === 0
      ? 0
      : Number([...sql.exec("SELECT count(*) AS n FROM jobs")][0]?.n),
  );

const NEVER = () => new Promise<never>(() => {});
const DOWN = {
  getByName: () => ({ put: () => Promise.reject(new Error("down")), remove: NEVER, list: NEVER }),
} as never;
type Method = (...args: unknown[]) => Promise<unknown>;
/** Where a Worker sees this tenant, and so do the objects of its jobs: one that many share tells the index itself. */
const seeing = (TENANT: unknown) => {
  const stub = (name: string) =>
    new Proxy(
      {},
      {
        get:
          (_, method: string) =>
          (...args: unknown[]) =>
            runInDurableObject(env.JOB.getByName(name), (_, ctx) => {
              const job = new Job(ctx, { ...env, TENANT: TENANT as typeof env.TENANT });
              return (job[method as never] as Method).apply(job, args);
            }),
      },
    );
  return { TENANT: TENANT as never, JOB: { getByName: stub } as never };
};
describe("the index", () => {
  it("has a job as soon as it is registered, and shows it as the job shows itself", async () => {
    const { id } = await newJob({ metadata: { user: 7, big: 9007199254740991 }, eta: 600 });
    await expect.poll(() => listed()).toHaveLength(1);
    const { row, job } = await both(id);
    expect(row).toEqual(job);
  });

  // One that jobs share tells the index by itself at once: no Worker does.
  it.skipIf(ARE_SHARED)(
    "hears of a job from itself, too, at the latest a quarter of an hour after its registration",
    async () => {
      const DEAF = { getByName: () => ({ put: NEVER }) } as never;
      const body = { request_id: uniqueId(), key: "sk-caller-1", eta: 86_400, deadline_seconds: 86_400 };
      const { body: job } = await callWith({ TENANT: DEAF }, "POST", "/v1/jobs", { body });
      const alarmIn = ((await alarmOf(job.id)) ?? 0) - Date.now();
      expect(Math.abs(alarmIn - 900_000)).toBeLessThan(5_000);
      expect(await listed()).toEqual([]);
      await runDurableObjectAlarm(stub(job.id));
      expect((await both(job.id)).row).toEqual((await both(job.id)).job);
      expect(await alarmOf(job.id)).toBe(Date.parse(job.next_poll_at));
      expect(fetched.sent).toEqual([]);
    },
  );

  it("follows the job through its life", async () => {
    const { id, poll } = await newJob();
    fetched.on(poll, success).on(HOOK, status(500), status(200));
    await fire(id);
    expect((await both(id)).row).toEqual((await both(id)).job);
    expect((await both(id)).row).toMatchObject({ status: "delivering", outcome: "succeeded", attempts: 1 });
    await fire(id);
    expect((await both(id)).row).toEqual((await both(id)).job);
    expect((await both(id)).row.status).toBe("delivered");
    await call("POST", `/v1/jobs/${id}/redeliver`, { body: { callback_url: "https://other.example/x" } });
    fetched.on("https://other.example/x", status(410));
    await reached(id, "undelivered");
    await expect.poll(async () => (await both(id)).row.status).toBe("undelivered");
    expect((await both(id)).row).toEqual((await both(id)).job);
  });

  it("has a job as its run has left it, not as it stood meanwhile", async () => {
    const { id, poll } = await newJob();
    const post = held(status(503, { "retry-after": "3600" }));
    fetched.on(poll, success).on(HOOK, post.script);
    const run = fire(id);
    await post.begun();
    // Longer than a shared object waits before it tells.
    await scheduler.wait(100);
    post.release();
    await run;
    expect((await both(id)).row).toEqual((await both(id)).job);
  });

  it("hears of a cancel, of a callback that comes later, and of one that starts anew in its place", async () => {
    const { id, requestId } = await newJob({ callback_url: null });
    await register({ request_id: requestId });
    await call("POST", `/v1/jobs/${id}/cancel`);
    await runAlarm(id);
    expect((await both(id)).row).toMatchObject({ status: "canceled", callback_url: HOOK });
    await newJob({ request_id: requestId, metadata: { second: true } });
    await expect.poll(async () => (await both(id)).row.metadata).toEqual({ second: true });
    expect(await rowCount()).toBe(1);
  });

  it.each(["erased", "registered a third time"])(
    "keeps no row of a start that it heard of, when it did not hear of the next, which was %s",
    async (end) => {
      const requestId = uniqueId();
      const start = async (TENANT: unknown) => {
        const body = { request_id: requestId, key: "sk-caller-1", eta: 600 };
        return (await callWith(seeing(TENANT), "POST", "/v1/jobs", { body })).body.id as string;
      };
      const id = await start(env.TENANT);
      await expect.poll(rowCount).toBe(1);
      await call("POST", `/v1/jobs/${id}/cancel`);
      await runAlarm(id);
      await scheduler.wait(2);
      await start({ getByName: () => ({ put: NEVER }) });
      expect(await rowCount()).toBe(1);
      if (end === "erased") {
        await call("DELETE", `/v1/jobs/${id}`);
        await expect.poll(rowCount).toBe(0);
        return;
      }
      await runInDurableObject(stub(id), (_, ctx) =>
        new Job(ctx, { ...env, TENANT: DOWN }).cancel("acme", id),
      );
      await scheduler.wait(2);
      await start(env.TENANT);
      await expect.poll(rowCount).toBe(1);
      await expect.poll(async () => (await both(id)).row).toEqual((await both(id)).job);
    },
  );

  it("forgets an erased job at once; the row of a purged one ends with it", async () => {
    const [erased, purged] = [await newJob(), await newJob({ callback_url: null })];
    fetched.on(purged.poll, success);
    await fire(purged.id);
    expect(await rowCount()).toBe(2);
    await call("DELETE", `/v1/jobs/${erased.id}`);
    expect(await rowCount()).toBe(1);
    expect(await storageOf(erased.id)).toEqual(NOTHING);
    const { expires_at } = (await readJob(purged.id)).body;
    await fire(purged.id);
    expect(await storageOf(purged.id)).toEqual(NOTHING);
    const [row] = await runInDurableObject(tenant(), (_, { storage: { sql } }) => [
      ...sql.exec("SELECT keep_until FROM jobs"),
    ]);
    expect(row?.keep_until).toBe(Date.parse(expires_at));
  });

  it("hears of a job whose request had another one, which was erased, as often as of any", async () => {
    const before = await newJob({ callback_url: null });
    fetched.on(before.poll, success, success);
    await fire(before.id);
    expect((await readJob(before.id)).body.status).toBe("finished");
    await call("DELETE", `/v1/jobs/${before.id}`);
    const { id } = await newJob({ request_id: before.requestId, callback_url: null });
    await expect.poll(async () => (await both(id)).row?.status).toBe("waiting");
    await fire(id);
    expect((await both(id)).row).toEqual((await both(id)).job);
    expect((await both(id)).job.status).toBe("finished");
  });

  it("does not take an older row for a newer one, nor one twice", async () => {
    const { id, poll } = await newJob({ callback_url: null });
    const old = await runInDurableObject(stub(id), async (object) => (await object.read("acme", id)).kind);
    expect(old).toBe("found");
    const before = await stored(id);
    fetched.on(poll, success);
    await fire(id);
    const { rowOf } = await import("../../src/job/row.ts");
    if (!before) throw new Error("no job");
    await tenant().put([rowOf(before, 1_000), rowOf(before, 1_000)]);
    expect((await both(id)).row.status).toBe("finished");
    expect(await rowCount()).toBe(1);
  });

  it("forgets rows by itself when their time is over, and its storage with the last", async () => {
    const { id } = await newJob();
    await expect.poll(rowCount).toBe(1);
    await runInDurableObject(tenant(), (_, { storage: { sql } }) => {
      const retention = 168 * 3_600_000;
      sql.exec(
        "UPDATE jobs SET registered_at = registered_at - ?, keep_until = ?",
        retention,
        Date.now() - 1,
      );
    });
    expect(await listed()).toEqual([]);
    await runDurableObjectAlarm(tenant());
    await runInDurableObject(tenant(), async (_, { storage }) => {
      expect([...storage.sql.exec("SELECT name FROM sqlite_master WHERE name = 'jobs'")]).toEqual([]);
      expect(await storage.getAlarm()).toBeNull();
    });
    expect((await readJob(id)).status).toBe(200);
  });

  it("is one tenant's own", async () => {
    await newJob();
    const auth = await token({ sub: "globex" });
    expect((await call("GET", "/v1/jobs", { auth })).body).toEqual({ jobs: [], next_cursor: null });
  });

  it("survives eviction", async () => {
    const { id } = await newJob();
    await expect.poll(rowCount).toBe(1);
    await evictDurableObject(tenant());
    expect((await both(id)).row).toEqual((await both(id)).job);
  });
});

describe.each<[string, () => Promise<never>]>([
  ["throws", () => Promise.reject(new Error("down"))],
  // Longer than anybody waits; one that never ends would keep its caller from being evicted.
  ["hangs", () => scheduler.wait(2_500).then(() => Promise.reject(new Error("late")))],
])("while the tenant's object %s", (_, answer) => {
  /** It answers so from now on; what that returns makes it well again. */
  function fallIll(): () => void {
    const spies = (["put", "remove"] as const).map((name) =>
      vi.spyOn(Tenant.prototype, name).mockImplementation(answer),
    );
    return () => {
      for (const spy of spies) spy.mockRestore();
    };
  }
  afterEach(() => {
    vi.restoreAllMocks();
  });

  it("a job is registered, polled and delivered, and the index catches up", async () => {
    const recover = fallIll();
    const startedAt = Date.now();
    const job = await newJob();
    expect(Date.now() - startedAt).toBeLessThan(1_900);
    expect(await rowCount()).toBe(0);

    fetched.on(job.poll, success).on(HOOK, status(200));
    await fire(job.id);
    expect((await readJob(job.id)).body).toMatchObject({ status: "delivered", attempts: 1 });
    expect(fetched.sent).toHaveLength(2);
    const again = ((await objectAlarmOf(job.id)) ?? 0) - Date.now();
    expect(again).toBeGreaterThan(50_000);
    expect(again).toBeLessThanOrEqual(60_000);

    recover();
    await evict(job.id);
    await runAlarm(job.id);
    expect((await both(job.id)).row).toEqual((await both(job.id)).job);
    expect(await alarmOf(job.id)).toBe(Date.parse((await readJob(job.id)).body.expires_at));
    expect(fetched.sent).toHaveLength(2);
  }, 20_000);

  it("a job that waits is polled on time, and the index is left alone for a minute", async () => {
    const recover = fallIll();
    const { id, poll } = await newJob();
    fetched.on(poll, json({ status: "processing", eta: 5 }), processing);
    await fire(id);
    expect(await objectAlarmOf(id)).toBe(Date.parse((await readJob(id)).body.next_poll_at));
    recover();
    await evict(id);
    await fire(id);
    expect((await both(id)).row).toMatchObject({ status: "waiting", polls: 2 });
  }, 20_000);

  it("an erased job is gone at once, and the index forgets it later", async () => {
    const { id } = await newJob();
    await expect.poll(rowCount).toBe(1);
    const recover = fallIll();
    const erasure = call("DELETE", `/v1/jobs/${id}`);
    await expect.poll(async () => (await storageOf(id)).rows).toEqual([expect.stringMatching(/^erased\//)]);
    expect((await readJob(id)).status).toBe(404);
    expect((await erasure).status).toBe(204);
    expect(await rowCount()).toBe(1);
    // Unless the alarm runs just now, and hangs.
    expect(((await objectAlarmOf(id)) ?? Date.now()) - Date.now()).toBeLessThanOrEqual(60_000);
    recover();
    // The minute for which the index is left alone is forgotten with the object's memory.
    await evict(id);
    await runAlarm(id);
    await runAlarm(id);
    expect(await storageOf(id)).toEqual(NOTHING);
    expect(await rowCount()).toBe(0);
  }, 20_000);
});
