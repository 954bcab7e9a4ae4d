import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { call, fire, register, stored } from "../support/api.ts";
import { bodyOf, HOOK, leave, newJob, processing, reached, storageOf, success } from "../support/life.ts";
import { json, ScriptedFetch, status } from "../support/scripted-fetch.ts";

let fetched: ScriptedFetch;
beforeEach(() => {
  fetched = new ScriptedFetch();
});
afterEach(() => leave(fetched));

const OTHER = "https://other.example/hook";

/** A job that succeeded with nobody to call. */
async function finishedJob() {
  const job = await newJob({ callback_url: null });
  fetched.on(job.poll, success);
  await fire(job.id);
  expect(await bodyOf(job.id)).toMatchObject({ status: "finished", outcome: "succeeded" });
  return job;
}

describe("registering the same request again", () => {
  it("starts a canceled job anew, with another event and a fresh count", async () => {
    const job = await newJob({ metadata: { first: true } });
    fetched.on(job.poll, processing);
    await fire(job.id);
    await call("POST", `/v1/jobs/${job.id}/cancel`);
    const again = await newJob({ request_id: job.requestId });
    expect(again).toMatchObject({ id: job.id, eventId: expect.not.stringMatching(job.eventId) });
    expect(await bodyOf(job.id)).toMatchObject({ status: "waiting", polls: 0, metadata: {}, result: null });
  });

  it("starts a failed one anew without a row of its old answer", async () => {
    const job = await newJob({ callback_url: null });
    const message = "Invalid API key";
    fetched.on(job.poll, json({ status: "error", message, trace: "x".repeat(40_000) }));
    await fire(job.id);
    expect((await storageOf(job.id)).rows).toHaveLength(2);
    await newJob({ request_id: job.requestId });
    expect((await storageOf(job.id)).rows).toEqual([`job/${job.id}`]);
  });

  it("names the callback of a job that waits, and its event goes there in the new format", async () => {
    const job = await newJob({ callback_url: null });
    const named = await register({ request_id: job.requestId, format: "provider" });
    expect(named.status).toBe(200);
    expect(named.body).toMatchObject({ status: "waiting", callback_url: HOOK, format: "provider" });
    fetched.on(job.poll, success).on(HOOK, status(200));
    await fire(job.id);
    expect(JSON.parse(fetched.to(HOOK)[0]?.body ?? "")).toMatchObject({ status: "success" });
  });

  it.each(["provider", "standard"])(
    "names the callback of a finished job, which goes out as %s",
    async (format) => {
      const job = await finishedJob();
      fetched.on(HOOK, status(200));
      expect((await register({ request_id: job.requestId, format })).status).toBe(200);
      await reached(job.id, "delivered");
      const [sent] = fetched.to(HOOK);
      expect(JSON.parse(sent?.body ?? "")).toMatchObject(
        format === "provider" ? { status: "success" } : { type: "job.succeeded" },
      );
      expect(sent?.headers["webhook-id"]).toBe(job.eventId);
      expect(fetched.to(job.poll)).toHaveLength(1);
    },
  );

  it("with another callback or format changes nothing", async () => {
    const { id, requestId } = await newJob();
    const before = await stored(id);
    for (const difference of [{ callback_url: OTHER }, { format: "provider" }])
      expect((await register({ request_id: requestId, ...difference })).status).toBe(409);
    expect(await stored(id)).toEqual(before);
  });
});
