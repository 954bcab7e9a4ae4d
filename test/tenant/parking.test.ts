import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Admission } from "../../src/job/admission.ts";
import { Job } from "../../src/job/job.ts";
import type { Parked } from "../../src/job/record.ts";
import { Tenant } from "../../src/tenant/tenant.ts";
import { call, evict, fire, token, uniqueId } from "../support/api.ts";
import { get, post, put, tenantOf } from "../support/destinations.ts";
import { bodyOf, leave, newJob, reached, success } from "../support/life.ts";
import { type Script, ScriptedFetch, status } from "../support/scripted-fetch.ts";

const HOOK = "https://app.example/hook";

let fetched: ScriptedFetch;
beforeEach(() => {
  fetched = new ScriptedFetch();
});
afterEach(() => leave(fetched));

/** Jobs that name the destination and whose result is there. */
async function named(count: number, destination = "app"): Promise<string[]> {
  const ids: string[] = [];
  for (let i = 0; i < count; i++) {
    const job = await newJob({ callback_url: null, destination, request_id: uniqueId() });
    fetched.on(job.poll, success);
    ids.push(job.id);
  }
  return ids;
}

const flowOf = async (name = "app") => (await get(name)).body.flow;
const statuses = async (ids: readonly string[]) =>
  Promise.all(ids.map(async (id) => (await bodyOf(id)).status));
const parkedOf = async (ids: readonly string[]) =>
  Promise.all(ids.map(async (id) => (await bodyOf(id)).parked));
const delivered = (ids: readonly string[]) =>
  vi.waitFor(async () => expect(await statuses(ids)).toEqual(ids.map(() => "delivered")), {
    timeout: 15_000,
    interval: 50,
  });
/** The most requests that were answered at the same time. */
function counted(script: Script): { readonly script: Script; readonly most: () => number } {
  let now = 0;
  let most = 0;
  return {
    most: () => most,
    script: async (sent, signal) => {
      now += 1;
      most = Math.max(most, now);
      try {
        return await script(sent, signal);
      } finally {
        now -= 1;
      }
    },
  };
}

describe("a pause", () => {
  it("keeps what is due, in the list too, and lets it go out after the resume", async () => {
    await put("app", { url: HOOK });
    const ids = await named(3);
    await post("app", "pause");
    for (const id of ids) await fire(id);
    expect(await parkedOf(ids)).toEqual(["paused", "paused", "paused"]);
    expect(await flowOf()).toMatchObject({ state: "closed", parked: 3 });
    const { jobs } = (await call("GET", "/v1/jobs?destination=app&host=app.example&status=delivering")).body;
    expect(jobs.map(({ parked }: { parked: string }) => parked)).toEqual(["paused", "paused", "paused"]);
    fetched.always(HOOK, status(204));
    await post("app", "resume");
    await delivered(ids);
    expect(fetched.to(HOOK)).toHaveLength(3);
    expect(await flowOf()).toMatchObject({ parked: 0, in_flight: 0 });
  });

  it("outlives both objects", async () => {
    await put("app", { url: HOOK });
    const [id = ""] = await named(1);
    await post("app", "pause");
    await fire(id);
    await evict(id);
    await evictTenant();
    fetched.always(HOOK, status(204));
    await post("app", "resume");
    await delivered([id]);
  });

  it("does not keep what is canceled meanwhile, and forgets it at the resume", async () => {
    await put("app", { url: HOOK });
    const ids = await named(2);
    const [canceled = "", other = ""] = ids;
    await post("app", "pause");
    for (const id of ids) await fire(id);
    await call("POST", `/v1/jobs/${canceled}/cancel`);
    fetched.always(HOOK, status(204));
    await post("app", "resume");
    await delivered([other]);
    expect(await statuses([canceled])).toEqual(["undelivered"]);
    await expect.poll(() => flowOf()).toMatchObject({ parked: 0 });
  });

  it("holds an event that is sent again, too", async () => {
    await put("app", { url: HOOK });
    const [id = ""] = await named(1);
    fetched.always(HOOK, status(204));
    await fire(id);
    await post("app", "pause");
    await call("POST", `/v1/jobs/${id}/redeliver`);
    await vi.waitFor(async () => expect((await bodyOf(id)).parked).toBe("paused"));
    await post("app", "resume");
    await delivered([id]);
    expect(fetched.to(HOOK)).toHaveLength(2);
  });
});

describe("deliveries to one host", () => {
  it("are 10 at one time, of 30 that are due together, and all arrive", async () => {
    await put("app", { url: HOOK });
    const ids = await named(30);
    const slow = counted(async () => {
      await scheduler.wait(150);
      return new Response(null, { status: 204 });
    });
    fetched.always(HOOK, slow.script);
    await Promise.all(ids.map((id) => fire(id)));
    await delivered(ids);
    expect(slow.most()).toBe(10);
    expect(fetched.to(HOOK)).toHaveLength(30);
  });

  it("are as many as the destination allows, also where they have to be parked", async () => {
    await put("app", { url: HOOK, max_in_flight: 1 });
    const ids = await named(4);
    const slow = counted(async () => {
      await scheduler.wait(600);
      return new Response(null, { status: 204 });
    });
    fetched.always(HOOK, slow.script);
    await Promise.all(ids.map((id) => fire(id)));
    await delivered(ids);
    expect(slow.most()).toBe(1);
    const reasons = await Promise.all(
      ids.map(async (id) =>
        (await bodyOf(id)).timeline.flatMap(({ type, reason }: { type: string; reason: string }) =>
          type === "parked" ? [reason] : [],
        ),
      ),
    );
    expect(reasons.flat()).toContain("max_in_flight");
  });
});

describe("a number and a rate together", () => {
  it("let all through, one after the other", async () => {
    await put("app", { url: HOOK, max_in_flight: 1, max_per_second: 5 });
    const ids = await named(7);
    const slow = counted(async () => {
      await scheduler.wait(600);
      return new Response(null, { status: 204 });
    });
    fetched.always(HOOK, slow.script);
    for (const id of ids) {
      void fire(id);
      await scheduler.wait(60);
    }
    await delivered(ids);
    expect(slow.most()).toBe(1);
  });
});

describe("a receiver that is out of order", () => {
  const failing = async (): Promise<string[]> => {
    await put("app", { url: HOOK });
    const ids = await named(12);
    fetched.always(HOOK, status(503));
    for (const id of ids) await fire(id);
    return ids;
  };

  it("gets no more after 10 failures of whatever jobs; the others keep their attempts", async () => {
    const ids = await failing();
    expect(fetched.to(HOOK)).toHaveLength(10);
    expect(await flowOf()).toMatchObject({ state: "open", failures: 10, parked: 2 });
    expect((await parkedOf(ids)).slice(9)).toEqual([null, "breaker_open", "breaker_open"]);
    expect(await bodyOf(ids[11] ?? "")).toMatchObject({ attempts: 0, status: "delivering" });
    // A retry of one that has failed waits too.
    await fire(ids[0] ?? "");
    expect(await bodyOf(ids[0] ?? "")).toMatchObject({ attempts: 1, parked: "breaker_open" });
    expect(fetched.to(HOOK)).toHaveLength(10);
  });

  it("gets all of it after a test that it answers", async () => {
    const ids = await failing();
    fetched.always(HOOK, status(204));
    expect((await post("app", "test")).body).toMatchObject({ delivered: true });
    await delivered(ids.slice(10));
    expect(await flowOf()).toMatchObject({ state: "closed", failures: 0, parked: 0 });
  });

  it("is probed when its time has come, by one delivery, and closed by its success", async () => {
    const ids = await failing();
    fetched.always(HOOK, status(204));
    await probeIsDue();
    await delivered(ids.slice(10));
    expect(fetched.to(HOOK)).toHaveLength(12);
    expect(await flowOf()).toMatchObject({ state: "closed" });
  });

  it("is probed again, later, when the probe fails", async () => {
    await failing();
    await probeIsDue();
    await vi.waitFor(() => expect(fetched.to(HOOK)).toHaveLength(11), { timeout: 5_000, interval: 20 });
    await expect.poll(async () => (await flowOf()).in_flight).toBe(0);
    const { state, next_probe_at } = await flowOf();
    expect(state).toBe("open");
    const waitMs = Date.parse(next_probe_at) - Date.now();
    expect(waitMs).toBeGreaterThan(50_000);
    expect(waitMs).toBeLessThanOrEqual(60_000);
  });

  it("keeps none of them when the destination gets another URL", async () => {
    const ids = await failing();
    fetched.always("https://new.example/hook", status(204));
    await put("app", { url: "https://new.example/hook" });
    await delivered(ids.slice(10));
    expect(fetched.to("https://new.example/hook")).toHaveLength(2);
    expect(await flowOf()).toMatchObject({ state: "closed", parked: 0 });
  });

  it("does not keep another tenant from it", async () => {
    await failing();
    const auth = await token({ sub: "globex" });
    const { body } = await call("PUT", "/v1/destinations/app", { body: { url: HOOK }, auth });
    expect(body.flow).toMatchObject({ state: "closed", failures: 0 });
  });

  it("is known as such after the tenant's object was lost", async () => {
    const ids = await failing();
    await evictTenant();
    await fire(ids[0] ?? "");
    expect((await bodyOf(ids[0] ?? "")).parked).toBe("breaker_open");
  });
});

describe("jobs that have left where they were parked", () => {
  it("are counted no more, and hold up neither the resume nor each other", async () => {
    await put("app", { url: HOOK });
    const ids = await named(6);
    await post("app", "pause");
    for (const id of ids) await fire(id);
    // Sent again while they are parked, and parked again: in one place each.
    for (const id of ids) await call("POST", `/v1/jobs/${id}/redeliver`);
    for (const id of ids.slice(0, 3)) await call("POST", `/v1/jobs/${id}/cancel`);
    await expect.poll(async () => (await flowOf()).parked, { timeout: 5_000 }).toBe(3);
    fetched.always(HOOK, status(204));
    await post("app", "resume");
    await delivered(ids.slice(3));
    expect(fetched.to(HOOK)).toHaveLength(3);
    await expect.poll(() => flowOf()).toMatchObject({ parked: 0, in_flight: 0 });
  });
});

describe("the tenant's alarm", () => {
  it("does not run on and on for a job that cannot be called", async () => {
    await put("app", { url: HOOK });
    const [id = ""] = await named(1);
    await post("app", "pause");
    await fire(id);
    const unpark = vi.spyOn(Job.prototype, "unpark").mockRejectedValue(new Error("broken"));
    const alarm = vi.spyOn(Tenant.prototype, "alarm");
    await post("app", "resume");
    await scheduler.wait(1_500);
    expect(unpark.mock.calls.length).toBe(1);
    expect(alarm.mock.calls.length).toBeLessThanOrEqual(2);
    vi.restoreAllMocks();
    // It is called again later, and looks for itself in any case.
    const nextCall = ((await alarmOfTenant()) ?? 0) - Date.now();
    expect(nextCall).toBeGreaterThan(50_000);
    expect(nextCall).toBeLessThanOrEqual(60_000);
    await fire(id);
    expect(await bodyOf(id)).toMatchObject({ status: "delivering", parked: null });
  });

  it("is set anew for whoever waits when a place becomes free just after it has run", async () => {
    await put("app", { url: HOOK, max_in_flight: 1 });
    const soon = await runInDurableObject(tenantOf(), async (_, ctx) => {
      const host = "app.example";
      const unpark = async () => {
        // The place is taken, left and taken again while the alarm still runs.
        await ask("b", called(b));
        await end("b");
        await ask("c", called(c));
        return { kind: "called" };
      };
      const tenant = new Tenant(ctx, { ...env, JOB: { getByName: () => ({ unpark }) } as never });
      const ask = (jobId: string, parked: Parked | null = null) =>
        tenant.admit({ jobId, destination: "app", host, isRedelivery: false, parked });
      const end = (jobId: string) => tenant.put([], [{ jobId, host, result: "ok" }]);
      const called = (admission: Admission): Parked => {
        if (admission.kind !== "park") throw new Error("it is not parked");
        return { reason: admission.reason, since: admission.since, host, called: true };
      };
      await ask("a");
      const [b, c] = await Promise.all([ask("b"), ask("c"), ask("d")]);
      await end("a");
      await ctx.storage.deleteAlarm();
      await tenant.alarm();
      await scheduler.wait(60);
      await end("c");
      return ((await ctx.storage.getAlarm()) ?? Number.POSITIVE_INFINITY) - Date.now();
    });
    expect(soon).toBeLessThan(1_000);
  });

  it("wakes the parked ones also when the object has forgotten that it was to do so", async () => {
    await put("app", { url: HOOK });
    const [id = ""] = await named(1);
    await post("app", "pause");
    await fire(id);
    fetched.always(HOOK, status(204));
    await runInDurableObject(tenantOf(), (_, { storage: { sql } }) => {
      sql.exec("UPDATE destinations SET paused_at = NULL");
    });
    await evictTenant();
    await runDurableObjectAlarm(tenantOf());
    await delivered([id]);
  });
});

describe("a destination that is deleted", () => {
  it("ends what is parked for it", async () => {
    await put("app", { url: HOOK });
    const [id = ""] = await named(1);
    await post("app", "pause");
    await fire(id);
    await call("DELETE", "/v1/destinations/app");
    expect(await reached(id, "undelivered")).toMatchObject({
      attempts: 0,
      delivery_error: { reason: "destination_missing" },
    });
    await put("app", { url: HOOK });
    fetched.always(HOOK, status(204));
    await call("POST", `/v1/jobs/${id}/redeliver`);
    await delivered([id]);
  });
});

/** Lets the time until the next probe pass, then runs the tenant's alarm. */
async function probeIsDue(): Promise<void> {
  await runInDurableObject(tenantOf(), (_, { storage: { sql } }) => {
    sql.exec("UPDATE hosts SET next_probe_at = ?", Date.now() - 1);
  });
  await runDurableObjectAlarm(tenantOf());
}

const alarmOfTenant = (): Promise<number | null> =>
  runInDurableObject(tenantOf(), (_, { storage }) => storage.getAlarm());

const evictTenant = (): Promise<void> => evictDurableObject(tenantOf());
