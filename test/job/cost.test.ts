import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, type MockInstance, vi } from "vitest";
import { jobId } from "../../src/job/ids.ts";
import { Job } from "../../src/job/job.ts";
import { Tenant } from "../../src/tenant/tenant.ts";
import { call, fire, makeDue, register, stub, uniqueId } from "../support/api.ts";
import { leave, newJob } from "../support/life.ts";
import { newKey } from "../support/limits.ts";
import { json, ScriptedFetch, status } from "../support/scripted-fetch.ts";

let fetched: ScriptedFetch;
beforeEach(() => {
  fetched = new ScriptedFetch();
});
afterEach(() => leave(fetched));

/** A host of which nothing is known, whatever tests ran before in this isolate. */
const HOOK = "https://cost.example/hook";

/** The most that the happy path may write before its purge, in the job's object and in the tenant's. */
const MOST_ROWS = 7;
const MOST_REQUESTS = 5;

const ROW_WRITES = { kv: ["put", "delete"], storage: ["setAlarm", "deleteAlarm", "deleteAll"] } as const;
const REQUESTS = ["register", "read", "cancel", "redeliver", "erase", "alarm"] as const;

/** Counts what the platform bills the object for: every row that it writes, every call and alarm that reaches it. */
async function meter(id: string) {
  const rows: string[] = [];
  const requests: string[] = [];
  await runInDurableObject(stub(id), (_, { storage }) => {
    const { kv } = storage;
    for (const name of ROW_WRITES.kv) noteCalls(kv, name, rows);
    for (const name of ROW_WRITES.storage) noteCalls(storage, name, rows);
  });
  const spies = REQUESTS.map((name) => spyOn(Job.prototype, name, requests));
  const index: string[] = [];
  const indexSpies = (["put", "remove", "list", "alarm", "destination", "admit"] as const).map((name) =>
    spyOn(Tenant.prototype, name, index),
  );
  const stop = () => {
    for (const spy of [...spies, ...indexSpies]) spy.mockRestore();
  };
  return { rows, requests, index, stop };
}

/** Notes each call of a method, and lets it be made. */
function spyOn<Target extends object, Name extends keyof Target & string>(
  target: Target,
  name: Name,
  calls: string[],
): MockInstance {
  const original = target[name] as (...args: unknown[]) => unknown;
  return vi.spyOn(target, name as never).mockImplementation(function (this: Target, ...args: unknown[]) {
    calls.push(name);
    return original.apply(this, args) as never;
  } as never);
}

/** The rows that the tenant's object has written; by SQLite's own count. */
const indexRows = (): Promise<number> =>
  runInDurableObject(env.TENANT.getByName("acme"), (object, { storage: { sql } }) => {
    expect(object).toBeInstanceOf(Tenant);
    return Number([...sql.exec("SELECT total_changes() AS n")][0]?.n);
  });

function noteCalls<Name extends string>(target: Record<Name, unknown>, name: Name, calls: string[]): void {
  const original = (target[name] as (...args: unknown[]) => unknown).bind(target);
  target[name] = (...args: unknown[]) => {
    calls.push(name);
    return original(...args);
  };
}

/** A registration whose only poll succeeds and whose only POST is accepted, driven by its real alarm. */
async function happyPath(output: unknown, overrides: Record<string, unknown> = {}) {
  const requestId = uniqueId();
  // A tenant that has an index: its table and its own alarm are not this job's.
  await call("DELETE", `/v1/jobs/${(await register()).body.id}`);
  const before = await indexRows();
  const id = await jobId("acme", "v3", requestId);
  const metered = await meter(id);
  fetched.on(`https://modelslab.com/api/v3/fetch/${requestId}`, json({ status: "success", output }));
  fetched.on(HOOK, status(200));
  expect((await register({ request_id: requestId, callback_url: HOOK, eta: 1, ...overrides })).status).toBe(
    202,
  );
  await vi.waitFor(() => expect(fetched.to(HOOK)).toHaveLength(1), { timeout: 5_000, interval: 10 });
  // Long enough for a wake-up that should not be.
  await scheduler.wait(300);
  metered.stop();
  return { ...metered, indexRows: (await indexRows()) - before };
}

describe("the happy path: registered, polled once, delivered at the first attempt", () => {
  it("writes 5 rows and 2 of the index, in 2 object requests and 2 of the index, and 2 outbound requests", async () => {
    const { rows, requests, index, indexRows } = await happyPath(["https://cdn.example/1.png"]);
    expect(rows).toEqual(["put", "setAlarm", "put", "put", "setAlarm"]);
    expect(indexRows).toBe(2);
    expect(rows.length + indexRows).toBeLessThanOrEqual(MOST_ROWS);
    expect(requests).toEqual(["register", "alarm"]);
    expect(index).toEqual(["put", "put"]);
    expect(requests.length + index.length).toBeLessThanOrEqual(MOST_REQUESTS);
    expect(fetched.sent).toHaveLength(2);
  });

  it("writes no row more to a destination, and makes 2 requests more: to look it up, and to read it at the attempt", async () => {
    await call("PUT", "/v1/destinations/app", { body: { url: HOOK } });
    const named = { callback_url: null, destination: "app" };
    const { rows, requests, index, indexRows } = await happyPath(["https://cdn.example/1.png"], named);
    expect(rows).toEqual(["put", "setAlarm", "put", "put", "setAlarm"]);
    expect(rows.length + indexRows).toBeLessThanOrEqual(MOST_ROWS);
    expect(requests).toEqual(["register", "alarm"]);
    expect(index.sort()).toEqual(["admit", "destination", "put", "put"]);
  });

  it("writes one row more for each megabyte of an answer that does not fit the job's row", async () => {
    const { rows } = await happyPath(["x".repeat(1_500_000)]);
    expect(rows.filter((call) => call === "put")).toHaveLength(3 + 2);
    expect(rows).toHaveLength(5 + 2);
  });
});

describe("what goes less smoothly", () => {
  it("writes 2 rows more each time that a job is held back, as its key is limited", async () => {
    const key = newKey();
    const limited = await newJob({ key });
    fetched.on(limited.poll, status(429, { "retry-after": "30" }));
    await fire(limited.id);
    const requestId = uniqueId();
    const id = await jobId("acme", "v3", requestId);
    const { rows, stop } = await meter(id);
    await register({ request_id: requestId, key });
    const run = async () => {
      await makeDue(id);
      const before = rows.length;
      await runDurableObjectAlarm(stub(id));
      return rows.slice(before).filter((name) => name !== "deleteAlarm");
    };
    // Once, the mark that the index has the job.
    expect(await run()).toEqual(["put", "put", "setAlarm"]);
    expect(await run()).toEqual(["put", "setAlarm"]);
    stop();
  });

  it("writes 2 rows more for an unfinished poll; for an attempt that has to be made again 4, one of the index, and one each for a failure that was counted and that is forgotten", async () => {
    const requestId = uniqueId();
    const id = await jobId("acme", "v3", requestId);
    const { rows, index, stop } = await meter(id);
    const url = `https://modelslab.com/api/v3/fetch/${requestId}`;
    const processing = json({ status: "processing" });
    fetched.on(url, processing, processing, json({ status: "success", output: ["x"] }));
    fetched.on(HOOK, status(503), status(200));
    await register({ request_id: requestId, callback_url: HOOK });
    const run = async () => {
      await makeDue(id);
      const before = rows.length;
      await runDurableObjectAlarm(stub(id));
      // The test's own way of taking the alarm; the platform's costs no row.
      return rows.slice(before).filter((name) => name !== "deleteAlarm");
    };
    // Once, the mark that the index has the job.
    expect(await run()).toEqual(["put", "put", "setAlarm"]);
    expect(await run()).toEqual(["put", "setAlarm"]);
    expect(await run()).toEqual(["put", "put", "put", "setAlarm"]);
    const before = await indexRows();
    expect(await run()).toEqual(["put", "put", "setAlarm"]);
    expect(index).toEqual(["put", "put", "put", "admit", "put"]);
    // The job's row, and that of its host, which is in order again.
    expect((await indexRows()) - before).toBe(2);
    stop();
    expect(fetched.to(HOOK)).toHaveLength(2);
  });
});
