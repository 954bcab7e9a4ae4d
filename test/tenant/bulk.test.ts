import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { age, call, fire, PROVIDER, readJob, register, stub, token } from "../support/api.ts";
import { expectProblem, forget } from "../support/http.ts";
import { HOOK, leave, newJob, processing, reached, success } from "../support/life.ts";
import { ScriptedFetch, status } from "../support/scripted-fetch.ts";

let fetched: ScriptedFetch;
beforeEach(() => {
  fetched = new ScriptedFetch();
});
afterEach(() => leave(fetched));

const tenant = () => env.TENANT.getByName("acme");
const bulk = (what: string, body: unknown) => call("POST", `/v1/jobs/${what}`, { body });
const count = async (what: string, filter: unknown): Promise<number> =>
  (await bulk(what, { filter, dry_run: true })).body.count;
const operation = async (id: string) => (await call("GET", `/v1/operations/${id}`)).body.operation;
const ended = (id: string) => expect.poll(() => operation(id), { timeout: 10_000 });
const all = async (query = "limit=200") => (await call("GET", `/v1/jobs?${query}`)).body.jobs;
const indexed = (n: number) => expect.poll(async () => (await all()).length).toBe(n);

/** Jobs that wait, with an index that knows them. */
async function waiting(n: number, overrides: Record<string, unknown> = {}): Promise<string[]> {
  const before = (await all()).length;
  const jobs = Array.from({ length: n }, () => newJob(overrides));
  const ids = (await Promise.all(jobs)).map(({ id }) => id);
  if (before + n <= 200) await indexed(before + n);
  return ids;
}

/** A job whose callback refused its event for good. */
async function undelivered(): Promise<string> {
  const job = await newJob();
  fetched.on(job.poll, success).on(HOOK, status(410));
  await fire(job.id);
  return job.id;
}

describe("an operation on many jobs", () => {
  it("counts them first, and changes nothing", async () => {
    const ids = await waiting(3, { endpoint: "v3" });
    await waiting(1, { callback_url: "https://other.example/x" });
    expect(await count("cancel", { status: "waiting" })).toBe(4);
    expect(await count("cancel", { host: "other.example" })).toBe(1);
    expect(await count("redeliver", { status: "undelivered" })).toBe(0);
    expect((await readJob(ids[0] ?? "")).body.status).toBe("waiting");
  });

  it("cancels each that fits and no other, and tells how far it is", async () => {
    const ids = await waiting(5);
    const [other] = await waiting(1, { callback_url: "https://other.example/x" });
    const started = await bulk("cancel", { filter: { host: "example.com" } });
    expect(started.status).toBe(202);
    expect(started.body.operation).toEqual({
      id: expect.stringMatching(/^op_[a-z2-7]{32}$/),
      status: "running",
      total: 5,
      done: 0,
      failed: 0,
    });
    const { id } = started.body.operation;
    await ended(id).toEqual({ id, status: "done", total: 5, done: 5, failed: 0 });
    for (const job of ids) expect((await readJob(job)).body.status).toBe("canceled");
    expect((await readJob(other ?? "")).body.status).toBe("waiting");
  });

  it("redelivers what was not delivered, the same event, and counts what cannot be", async () => {
    const [first, second] = [await undelivered(), await undelivered()];
    await waiting(1);
    const before = fetched.to(HOOK).map(({ headers, body }) => headers["webhook-id"] + body);
    fetched.on(HOOK, status(200), status(200));
    const { body } = await bulk("redeliver", { filter: { host: "example.com" }, dry_run: false });
    await ended(body.operation.id).toMatchObject({ status: "done", total: 3, done: 2, failed: 1 });
    await reached(first, "delivered");
    await reached(second, "delivered");
    const after = fetched
      .to(HOOK)
      .slice(2)
      .map(({ headers, body }) => headers["webhook-id"] + body);
    expect(after.sort()).toEqual(before.sort());
  });

  it("goes on in bounded steps, each stored, across evictions", async () => {
    await waiting(120);
    // Its own alarm is kept from running: the test takes each step.
    await runInDurableObject(tenant(), (_, { storage }) => {
      storage.setAlarm = async () => {};
    });
    const { body } = await bulk("cancel", { filter: { status: "waiting" } });
    const { id } = body.operation;
    for (const done of [50, 100, 120]) {
      await evictDurableObject(tenant());
      await runInDurableObject(tenant(), async (object, { storage }) => {
        storage.setAlarm = async () => {};
        await object.alarm();
      });
      expect(await operation(id)).toMatchObject({
        total: 120,
        done,
        status: done === 120 ? "done" : "running",
      });
    }
  }, 30_000);

  it("does not touch jobs that are registered after it began", async () => {
    await waiting(2);
    await runInDurableObject(tenant(), (_, { storage }) => {
      storage.setAlarm = async () => {};
    });
    const { body } = await bulk("cancel", { filter: { status: "waiting" } });
    await scheduler.wait(5);
    const [later] = await waiting(1);
    await evictDurableObject(tenant());
    await runInDurableObject(tenant(), (object) => object.alarm());
    await ended(body.operation.id).toMatchObject({ status: "done", total: 2, done: 2 });
    expect((await readJob(later ?? "")).body.status).toBe("waiting");
  });

  it("takes a job that was canceled meanwhile for done, and one that is gone for failed", async () => {
    const [canceled, gone] = await waiting(2);
    await forget(gone ?? "");
    await runInDurableObject(stub(canceled ?? ""), (object) => object.cancel("acme", canceled ?? ""));
    const { body } = await bulk("cancel", { filter: { host: "example.com" } });
    await ended(body.operation.id).toMatchObject({ status: "done", total: 2, done: 1, failed: 1 });
  });

  it("of nothing is done at once", async () => {
    const { body } = await bulk("redeliver", { filter: { request_id: "1" } });
    expect(body.operation).toMatchObject({ status: "done", total: 0 });
  });

  it("is one tenant's own, and is forgotten after a week", async () => {
    await waiting(1);
    const { body } = await bulk("cancel", { filter: { status: "waiting" } });
    const { id } = body.operation;
    await ended(id).toMatchObject({ status: "done" });
    const auth = await token({ sub: "globex" });
    expectProblem(await call("GET", `/v1/operations/${id}`, { auth }), { status: 404, code: "not_found" });
    await runInDurableObject(tenant(), (_, { storage }) => {
      storage.sql.exec("UPDATE operations SET created_at = created_at - ?", 7 * 86_400_000 + 60_000);
      storage.kv.delete("expire_at");
    });
    await runDurableObjectAlarm(tenant());
    expectProblem(await call("GET", `/v1/operations/${id}`), { status: 404, code: "not_found" });
    expect(await all()).toHaveLength(1);
  });

  it.each<[string, unknown, string, string]>([
    ["no filter", {}, "invalid_value", "filter"],
    ["an empty one", { filter: {} }, "invalid_value", "filter"],
    ["a list", { filter: [] }, "invalid_value", "filter"],
    ["an unknown condition", { filter: { state: "x" } }, "unknown_field", "filter.state"],
    ["a bad status", { filter: { status: "x" } }, "invalid_value", "filter.status"],
    ["a bad time", { filter: { created_after: 7 } }, "invalid_value", "filter.created_after"],
    ["metadata that is an object", { filter: { "metadata.a": {} } }, "invalid_value", "filter.metadata.a"],
    [
      "a number that has lost digits",
      { filter: { "metadata.a": 2 ** 53 } },
      "invalid_value",
      "filter.metadata.a",
    ],
    ["a condition that is null alone", { filter: { status: null } }, "invalid_value", "filter"],
    ["a bad dry_run", { filter: { status: "waiting" }, dry_run: "yes" }, "invalid_value", "dry_run"],
    ["an unknown field", { filter: { status: "waiting" }, force: true }, "unknown_field", "force"],
  ])("is refused with %s", async (_, body, code, field) => {
    for (const what of ["cancel", "redeliver"])
      expectProblem(await bulk(what, body), { status: 422, code, field });
  });

  it("takes jobs:write to begin, and jobs:read to follow", async () => {
    const auth = await token({ scope: "jobs:read" });
    const refused = await call("POST", "/v1/jobs/cancel", { body: { filter: { status: "waiting" } }, auth });
    expectProblem(refused, { status: 403, code: "insufficient_scope" });
    expectProblem(await call("POST", "/v1/jobs/cancel"), { status: 400, code: "malformed_body" });
  });
});

describe("GET /v1/stats", () => {
  const stats = async (window = "24h") => (await call("GET", `/v1/stats?window=${window}`)).body;

  it("counts what became of the jobs, in total and for each endpoint", async () => {
    const start = async (endpoint: string) => {
      const { body } = await register({ endpoint, eta: 600 });
      return { id: body.id as string, poll: `${PROVIDER}/api/${endpoint}/fetch/${body.request_id}` };
    };
    const [a, b, c] = [await start("v3"), await start("v6/video"), await start("v3")];
    await start("v3");
    fetched.on(a.poll, success).on(b.poll, success).on(HOOK, status(500), status(200), status(410));
    await fire(a.id);
    await fire(a.id);
    await fire(b.id);
    await call("POST", `/v1/jobs/${c.id}/cancel`);
    const canceled = async () => (await stats()).total.outcomes.canceled;
    await expect.poll(canceled, { timeout: 5_000 }).toBe(1);
    const { window, from, to, total, endpoints } = await stats();
    expect(window).toBe("24h");
    expect(Date.parse(to) - Date.parse(from)).toBe(86_400_000);
    expect(total).toMatchObject({
      registered: 4,
      outcomes: { succeeded: 2, failed: 0, expired: 0, canceled: 1 },
      delivered: 1,
      undelivered: 1,
      attempts_per_delivery: 2,
      polls_per_job: 1,
    });
    expect(total.detection_lag_ms.p50).toBeGreaterThan(0);
    expect(total.detection_lag_ms.p99).toBeGreaterThanOrEqual(total.detection_lag_ms.p50);
    expect(total.delivery_ms.p50).toBeGreaterThan(0);
    expect(Object.keys(endpoints).sort()).toEqual(["v3", "v6/video"]);
    expect(endpoints["v6/video"]).toMatchObject({
      registered: 1,
      delivered: 0,
      undelivered: 1,
      attempts_per_delivery: null,
    });
    expect(endpoints["v6/video"].delivery_ms).toEqual({ p50: null, p95: null, p99: null });
  });

  it("counts the delivery of an event that is sent again from when that was asked", async () => {
    const job = await newJob();
    fetched.on(job.poll, success).on(HOOK, status(200), status(200));
    await fire(job.id);
    await age(job.id, 3_600_000);
    await call("POST", `/v1/jobs/${job.id}/redeliver`);
    await fire(job.id);
    expect(fetched.to(HOOK)).toHaveLength(2);
    expect((await stats()).total.delivery_ms.p99).toBeLessThan(60_000);
  });

  it("has no lag of jobs that nobody saw finished", async () => {
    const job = await newJob();
    fetched.on(job.poll, processing).on(HOOK, status(200));
    await age(job.id, 3_600_000);
    await fire(job.id);
    const { total } = await stats();
    expect(total.outcomes.expired).toBe(1);
    expect(total.detection_lag_ms).toEqual({ p50: null, p95: null, p99: null });
  });

  it("looks back as far as it is told", async () => {
    const ids = await waiting(3);
    const hours = [0.5, 20, 150];
    await runInDurableObject(tenant(), (_, { storage: { sql } }) => {
      for (const [i, id] of ids.entries())
        sql.exec(
          "UPDATE jobs SET registered_at = ? WHERE id = ?",
          Date.now() - (hours[i] ?? 0) * 3_600_000,
          id,
        );
    });
    expect((await stats("1h")).total.registered).toBe(1);
    expect((await stats("24h")).total.registered).toBe(2);
    expect((await stats("7d")).total.registered).toBe(3);
  });

  it("counts the jobs that are kept by their status, whenever they were registered", async () => {
    const ids = await waiting(3);
    await call("POST", `/v1/jobs/${ids[0]}/cancel`);
    const none = { waiting: 0, delivering: 0, delivered: 0, undelivered: 0, finished: 0, canceled: 0 };
    const statuses = async () => (await stats("1h")).statuses;
    await expect.poll(statuses, { timeout: 5_000 }).toEqual({ ...none, waiting: 2, canceled: 1 });
    await runInDurableObject(tenant(), (_, { storage: { sql } }) => {
      sql.exec("UPDATE jobs SET registered_at = registered_at - ? WHERE id = ?", 90_000_000, ids[1]);
      sql.exec("UPDATE jobs SET keep_until = ? WHERE id = ?", Date.now() - 1, ids[2]);
    });
    expect(await statuses()).toEqual({ ...none, waiting: 1, canceled: 1 });
  });

  it("tells how jobs ended over the time of the window, in 48 parts", async () => {
    const ids = await waiting(4);
    for (const id of ids) await call("POST", `/v1/jobs/${id}/cancel`);
    await expect.poll(async () => (await stats()).statuses.canceled, { timeout: 5_000 }).toBe(4);
    const minutes = [70, 59.9, 31, 0];
    const outcomes = ["succeeded", "succeeded", "failed", "expired"];
    await runInDurableObject(tenant(), (_, { storage: { sql } }) => {
      for (const [i, id] of ids.entries())
        sql.exec(
          "UPDATE jobs SET finished_at = ?, outcome = ? WHERE id = ?",
          Date.now() - (minutes[i] ?? 0) * 60_000,
          outcomes[i] ?? "",
          id,
        );
    });
    const { series, from } = await stats("1h");
    expect(series).toHaveLength(48);
    expect(series[0]).toEqual({ at: from, succeeded: 1, failed: 0, expired: 0, canceled: 0 });
    expect(series.flatMap(({ failed }: { failed: number }, i: number) => (failed > 0 ? [i] : []))).toEqual([
      23,
    ]);
    expect(series.at(-1)).toMatchObject({ expired: 1 });
    const gaps = series
      .slice(1)
      .map(({ at }: { at: string }, i: number) => Date.parse(at) - Date.parse(series[i].at));
    expect(new Set(gaps)).toEqual(new Set([75_000]));
  });

  it("knows nothing of a tenant without jobs, and writes nothing for asking", async () => {
    const auth = await token({ sub: "nobody" });
    const { status: code, body } = await call("GET", "/v1/stats", { auth });
    expect(code).toBe(200);
    expect(body).toMatchObject({
      window: "24h",
      endpoints: {},
      statuses: { waiting: 0, delivered: 0 },
      total: { registered: 0, polls_per_job: null },
    });
    await runInDurableObject(env.TENANT.getByName("nobody"), async (_, { storage }) => {
      expect([...storage.sql.exec("SELECT name FROM sqlite_master WHERE name = 'jobs'")]).toEqual([]);
      expect(await storage.getAlarm()).toBeNull();
    });
  });

  it("refuses another window, and a token without stats:read", async () => {
    expectProblem(await call("GET", "/v1/stats?window=2h"), {
      status: 422,
      code: "invalid_value",
      field: "window",
    });
    const auth = await token({ scope: "jobs:read jobs:write" });
    expectProblem(await call("GET", "/v1/stats", { auth }), { status: 403, code: "insufficient_scope" });
  });
});
