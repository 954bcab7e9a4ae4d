import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { jobId } from "../../src/job/ids.ts";
import { Job } from "../../src/job/job.ts";
import { makeDue, register, stub, uniqueId } from "../support/api.ts";
import { HOOK, leave } from "../support/life.ts";
import { json, ScriptedFetch, status } from "../support/scripted-fetch.ts";

let fetched: ScriptedFetch;
beforeEach(() => {
  fetched = new ScriptedFetch();
});
afterEach(() => leave(fetched));

/** The most rows that the happy path may write before its purge; the tenant's index needs the two that are left. */
const MOST_ROWS = 6;

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
  const spies = REQUESTS.map((name) => {
    const original = Job.prototype[name] as (...args: unknown[]) => unknown;
    return vi.spyOn(Job.prototype, name).mockImplementation(function (this: Job, ...args: unknown[]) {
      requests.push(name);
      return original.apply(this, args) as never;
    });
  });
  const stop = () => {
    for (const spy of spies) spy.mockRestore();
  };
  return { rows, requests, stop };
}

function noteCalls<Name extends string>(target: Record<Name, unknown>, name: Name, calls: string[]): void {
  const original = (target[name] as (...args: unknown[]) => unknown).bind(target);
  target[name] = (...args: unknown[]) => {
    calls.push(name);
    return original(...args);
  };
}

/** A registration whose only poll succeeds and whose only POST is accepted, driven by its real alarm. */
async function happyPath(output: unknown) {
  const requestId = uniqueId();
  const id = await jobId("acme", "v3", requestId);
  const metered = await meter(id);
  fetched.on(`https://modelslab.com/api/v3/fetch/${requestId}`, json({ status: "success", output }));
  fetched.on(HOOK, status(200));
  expect((await register({ request_id: requestId, eta: 1 })).status).toBe(202);
  await vi.waitFor(() => expect(fetched.to(HOOK)).toHaveLength(1), { timeout: 5_000, interval: 10 });
  // Long enough for a wake-up that should not be.
  await scheduler.wait(300);
  metered.stop();
  return metered;
}

describe("the happy path: registered, polled once, delivered at the first attempt", () => {
  it("writes 6 rows, in 2 object requests and 2 outbound requests", async () => {
    const { rows, requests } = await happyPath(["https://cdn.example/1.png"]);
    expect(rows).toEqual(["put", "setAlarm", "put", "setAlarm", "put", "setAlarm"]);
    expect(rows.length).toBeLessThanOrEqual(MOST_ROWS);
    expect(requests).toEqual(["register", "alarm"]);
    expect(fetched.sent).toHaveLength(2);
  });

  it("writes one row more for each megabyte of an answer that does not fit the job's row", async () => {
    const { rows } = await happyPath(["x".repeat(1_500_000)]);
    expect(rows.filter((call) => call === "put")).toHaveLength(3 + 2);
    expect(rows).toHaveLength(MOST_ROWS + 2);
  });
});

describe("what goes less smoothly", () => {
  it("writes 2 rows more for an unfinished poll, and 4 for an attempt that has to be made again", async () => {
    const requestId = uniqueId();
    const id = await jobId("acme", "v3", requestId);
    const { rows, stop } = await meter(id);
    const url = `https://modelslab.com/api/v3/fetch/${requestId}`;
    fetched.on(url, json({ status: "processing" }), json({ status: "success", output: ["x"] }));
    fetched.on(HOOK, status(503), status(200));
    await register({ request_id: requestId });
    const run = async () => {
      await makeDue(id);
      const before = rows.length;
      await runDurableObjectAlarm(stub(id));
      // The test's own way of taking the alarm; the platform's costs no row.
      return rows.slice(before).filter((name) => name !== "deleteAlarm");
    };
    expect(await run()).toEqual(["put", "setAlarm"]);
    expect(await run()).toEqual(["put", "setAlarm", "put", "setAlarm"]);
    expect(await run()).toEqual(["put", "setAlarm", "put", "setAlarm"]);
    stop();
    expect(fetched.to(HOOK)).toHaveLength(2);
  });
});
