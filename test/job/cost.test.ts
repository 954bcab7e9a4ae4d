import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { jobId } from "../../src/job/ids.ts";
import { ofAll, type Scenario } from "../bench/cost/counts.ts";
import { live, purge } from "../bench/cost/life.ts";
import { ARE_SHARED, call, fire, register, uniqueId } from "../support/api.ts";
import { leave, newJob } from "../support/life.ts";
import { newKey } from "../support/limits.ts";
import { Meter } from "../support/meter.ts";
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

/** The rows that the tenant's object has written; alarms too. */
const indexRows = (meter: Meter): number => meter.rowsWritten("Tenant");

let meter: Meter;
afterEach(() => meter.stop());

/** A registration whose only poll succeeds and whose only POST is accepted, driven by its real alarm. */
async function happyPath(output: unknown, overrides: Record<string, unknown> = {}) {
  const requestId = uniqueId();
  // A tenant that has an index: its table and its own alarm are not this job's.
  await call("DELETE", `/v1/jobs/${(await register()).body.id}`);
  meter = await Meter.start();
  fetched.on(`https://modelslab.com/api/v3/fetch/${requestId}`, json({ status: "success", output }));
  fetched.on(HOOK, status(200));
  expect((await register({ request_id: requestId, callback_url: HOOK, eta: 1, ...overrides })).status).toBe(
    202,
  );
  await vi.waitFor(() => expect(fetched.to(HOOK)).toHaveLength(1), { timeout: 5_000, interval: 10 });
  // Long enough for a wake-up that should not be.
  await meter.settled(300);
  return {
    rows: meter.writes("Job"),
    requests: meter.requests("Job"),
    index: meter.requests("Tenant"),
    indexRows: indexRows(meter),
  };
}

// What is billed where each job has an object of its own; on one node, where jobs share them, nobody is billed.
describe.skipIf(ARE_SHARED)("the happy path: registered, polled once, delivered at the first attempt", () => {
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

/** Lets the job's time come, runs its alarm, and says what it has written by that. */
const runOf = (id: string) => async (): Promise<string[]> => {
  const before = meter.writes("Job").length;
  await fire(id);
  return meter.writes("Job").slice(before);
};

describe.skipIf(ARE_SHARED)("what goes less smoothly", () => {
  it("writes 2 rows more each time that a job is held back, as its key is limited", async () => {
    const key = newKey();
    const limited = await newJob({ key });
    fetched.on(limited.poll, status(429, { "retry-after": "30" }));
    await fire(limited.id);
    const requestId = uniqueId();
    const id = await jobId("acme", "v3", requestId);
    meter = await Meter.start();
    await register({ request_id: requestId, key });
    const run = runOf(id);
    // Once, the mark that the index has the job.
    expect(await run()).toEqual(["put", "put", "setAlarm"]);
    expect(await run()).toEqual(["put", "setAlarm"]);
  });

  it("writes 2 rows more for an unfinished poll; for an attempt that has to be made again 4, one of the index, and one each for a failure that was counted and that is forgotten", async () => {
    const requestId = uniqueId();
    const id = await jobId("acme", "v3", requestId);
    meter = await Meter.start();
    const url = `https://modelslab.com/api/v3/fetch/${requestId}`;
    const processing = json({ status: "processing" });
    fetched.on(url, processing, processing, json({ status: "success", output: ["x"] }));
    fetched.on(HOOK, status(503), status(200));
    await register({ request_id: requestId, callback_url: HOOK });
    const run = runOf(id);
    // Once, the mark that the index has the job.
    expect(await run()).toEqual(["put", "put", "setAlarm"]);
    expect(await run()).toEqual(["put", "setAlarm"]);
    expect(await run()).toEqual(["put", "put", "put", "setAlarm"]);
    const before = indexRows(meter);
    expect(await run()).toEqual(["put", "put", "setAlarm"]);
    expect(meter.requests("Tenant")).toEqual(["put", "put", "put", "admit", "put"]);
    // The job's row, and that of its host, which is in order again.
    expect(indexRows(meter) - before).toBe(2);
    expect(fetched.to(HOOK)).toHaveLength(2);
  });
});

describe.skipIf(ARE_SHARED)(
  "the lives of the cost table, whose objects are put away before each alarm",
  () => {
    const AT_ONCE = { providerMs: 0, receiverMs: 0 };
    const lived = async (scenario: Scenario) => live(scenario, AT_ONCE, `table-${uniqueId()}`);

    it("are no dearer on the happy path than what is counted above", async () => {
      const { counts } = await lived({ name: "happy path", polls: 1, failedAttempts: 0 });
      expect(ofAll(counts, "rowsWritten")).toBe(MOST_ROWS);
      expect(ofAll(counts, "requests")).toBeLessThanOrEqual(MOST_REQUESTS);
      expect(counts).toMatchObject({ workerRequests: 1, outbound: 2 });
      expect(counts.objects.Job).toMatchObject({ requests: 2, rowsWritten: 5 });
      expect(counts.objects.Tenant).toMatchObject({ requests: 2, rowsWritten: 2 });
    });

    it("write 2 rows more for an unfinished poll; the first of them tells the index again", async () => {
      const { counts } = await lived({ name: "three polls", polls: 3, failedAttempts: 0 });
      expect(counts.objects.Job).toMatchObject({ requests: 4, rowsWritten: 5 + 3 + 2 });
      expect(counts.objects.Tenant.requests).toBe(3);
      expect(counts.outbound).toBe(4);
    });

    it("write 4 rows more for a failed attempt, and 3 of the index, the job's and its host's twice; and 1 when they are purged", async () => {
      const { id, counts } = await lived({ name: "one failed attempt", polls: 1, failedAttempts: 1 });
      expect(counts.objects.Job).toMatchObject({ requests: 3, rowsWritten: 5 + 4 });
      expect(counts.objects.Tenant.rowsWritten).toBe(2 + 3);
      expect(counts.outbound).toBe(3);
      const { objects } = await purge(id);
      expect(objects.Job.rowsWritten).toBe(1);
      expect(objects.Tenant.requests).toBe(0);
    });

    it("read as many rows of the index as the feed looks back, where the tenant's object was asleep", async () => {
      const asleep = await lived({ name: "asleep", polls: 1, failedAttempts: 0, indexed: 500 });
      // For the order of the feed 100, and to learn anew how long jobs take 200.
      expect(asleep.counts.objects.Tenant.rowsRead).toBeGreaterThanOrEqual(300);
      expect(asleep.counts.objects.Tenant.rowsRead).toBeLessThan(650);
      expect(asleep.counts.objects.Tenant.rowsWritten).toBe(2);
    });
  },
);
