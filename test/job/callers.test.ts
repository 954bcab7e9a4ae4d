import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { alarmOf, call, change, fire, readJob, stored, token } from "../support/api.ts";
import {
  bodyOf,
  HOOK,
  type Life,
  leave,
  NOTHING,
  newJob,
  reached,
  storageOf,
  success,
} from "../support/life.ts";
import { json, ScriptedFetch, status } from "../support/scripted-fetch.ts";

let fetched: ScriptedFetch;
beforeEach(() => {
  fetched = new ScriptedFetch();
});
afterEach(() => leave(fetched));

const OTHER = "https://other.example/hook";
const DAY = 86_400_000;
const RETENTION = 7 * DAY;

const cancel = (id: string) => call("POST", `/v1/jobs/${id}/cancel`);
const redeliver = (id: string, callbackUrl?: string) =>
  call(
    "POST",
    `/v1/jobs/${id}/redeliver`,
    callbackUrl === undefined ? {} : { body: { callback_url: callbackUrl } },
  );
const erase = (id: string) => call("DELETE", `/v1/jobs/${id}`);

/** A job that succeeded, its first attempt answered with `code`. */
async function attemptedJob(code: number): Promise<Life> {
  const job = await newJob();
  fetched.on(job.poll, success).on(HOOK, status(code));
  await fire(job.id);
  return job;
}

async function finishedJob(overrides: Record<string, unknown> = {}): Promise<Life> {
  const job = await newJob({ callback_url: null, ...overrides });
  fetched.on(job.poll, success);
  await fire(job.id);
  expect(await bodyOf(job.id)).toMatchObject({ status: "finished", outcome: "succeeded" });
  return job;
}

/** The stored end of retention lies `RETENTION` ahead, and the alarm stands at it. */
async function expectRetention(id: string): Promise<void> {
  const state = (await stored(id))?.state;
  const expiresAt = state && "expiresAt" in state ? state.expiresAt : Number.NaN;
  expect(Math.abs(expiresAt - Date.now() - RETENTION)).toBeLessThan(5_000);
  // Once the index has been told.
  await expect.poll(() => alarmOf(id), { timeout: 5_000 }).toBe(expiresAt);
  expect(Date.parse((await bodyOf(id)).expires_at)).toBe(expiresAt);
}

describe("cancel", () => {
  it("ends a job that waits: nothing is polled, nothing is sent, nothing can be redelivered", async () => {
    const { id } = await newJob();
    expect((await cancel(id)).body).toMatchObject({ status: "canceled", outcome: "canceled" });
    await expectRetention(id);
    expect((await redeliver(id, OTHER)).body).toMatchObject({ code: "nothing_to_deliver" });
    expect((await cancel(id)).status).toBe(409);
    expect(fetched.sent).toEqual([]);
  });

  it("stops a delivery between two attempts, and the event can be redelivered", async () => {
    const { id } = await attemptedJob(500);
    expect((await cancel(id)).body).toMatchObject({
      status: "undelivered",
      outcome: "succeeded",
      delivery_error: { reason: "canceled" },
    });
    await expectRetention(id);
    fetched.on(HOOK, status(200));
    expect((await redeliver(id)).status).toBe(202);
    expect(await reached(id, "delivered")).toMatchObject({ attempts: 2, delivery_error: null });
  });

  it("has nothing to stop when the job is delivered or finished", async () => {
    expect((await cancel((await attemptedJob(200)).id)).body).toMatchObject({ code: "already_over" });
    expect((await cancel((await finishedJob()).id)).body).toMatchObject({ code: "already_over" });
  });
});

describe("redeliver", () => {
  it.each([
    ["delivered", 200],
    ["undelivered", 410],
    ["delivering", 500],
  ])("sends the same event again when the job is %s", async (state, code) => {
    const { id } = await attemptedJob(code);
    expect((await bodyOf(id)).status).toBe(state);
    fetched.on(HOOK, status(200));
    expect((await redeliver(id)).body).toMatchObject({ status: "delivering", attempts: 1 });
    expect(await reached(id, "delivered")).toMatchObject({ attempts: 2 });
    const [first, second] = fetched.to(HOOK);
    expect(second?.body).toBe(first?.body);
    expect(second?.headers["webhook-id"]).toBe(first?.headers["webhook-id"]);
  });

  it("sends the event of a finished job to a callback named now", async () => {
    const { id, eventId } = await finishedJob();
    expect((await redeliver(id)).body).toMatchObject({ code: "nothing_to_deliver" });
    fetched.on(OTHER, status(200));
    expect((await redeliver(id, OTHER)).body).toMatchObject({ callback_url: OTHER });
    await reached(id, "delivered");
    expect(fetched.to(OTHER)[0]?.headers["webhook-id"]).toBe(eventId);
  });

  it("starts the whole schedule anew", async () => {
    const { id } = await attemptedJob(500);
    fetched.always(HOOK, status(500));
    await fire(id);
    await redeliver(id);
    // The first attempt is made by the real alarm.
    await vi.waitFor(async () => expect(await bodyOf(id)).toMatchObject({ attempts: 3 }));
    for (let i = 0; i < 10 && (await bodyOf(id)).status === "delivering"; i++) {
      // The host takes what others send: it is this callback that fails.
      await env.TENANT.getByName("acme").put([], [{ jobId: "other", host: "example.com", result: "ok" }]);
      await fire(id);
    }
    expect(await bodyOf(id)).toMatchObject({
      status: "undelivered",
      attempts: 12,
      delivery_error: { reason: "exhausted" },
    });
  });

  it("has nothing to send while the job waits, also to another callback", async () => {
    const { id } = await newJob();
    expect((await redeliver(id)).body).toMatchObject({ code: "nothing_to_deliver" });
    expect((await redeliver(id, OTHER)).body).toMatchObject({ code: "nothing_to_deliver" });
    expect(await bodyOf(id)).toMatchObject({ status: "waiting", callback_url: HOOK });
  });

  it("counts the retention from the new end", async () => {
    const { id } = await attemptedJob(200);
    await change(id, (job) => {
      if (job.state.status !== "delivered") throw new Error("not delivered");
      return { ...job, state: { ...job.state, expiresAt: Date.now() + 60_000 } };
    });
    fetched.on(HOOK, status(200));
    await redeliver(id);
    expect(await bodyOf(id)).toMatchObject({ expires_at: null });
    await reached(id, "delivered");
    await expectRetention(id);
  });
});

describe("a job that is over", () => {
  it.each<[string, () => Promise<Life>]>([
    ["delivered", () => attemptedJob(200)],
    ["undelivered", () => attemptedJob(410)],
    ["finished", () => finishedJob()],
    ["finished with an answer in chunks", () => finishedJob({ request_id: "big" })],
  ])("is kept for the retention, and then forgotten without a trace: %s", async (_, end) => {
    fetched.on(
      "https://modelslab.com/api/v3/fetch/big",
      json({ status: "success", output: ["x".repeat(40_000)] }),
    );
    const { id } = await end();
    await expectRetention(id);
    await fire(id);
    expect(await storageOf(id)).toEqual(NOTHING);
    expect((await readJob(id)).status).toBe(404);
  });

  it("was canceled, and is forgotten too", async () => {
    const { id } = await newJob();
    await cancel(id);
    await fire(id);
    expect(await storageOf(id)).toEqual(NOTHING);
  });

  it("and forgotten can be registered as if it never was", async () => {
    const job = await attemptedJob(200);
    await fire(job.id);
    const again = await newJob({ request_id: job.requestId });
    expect(again).toMatchObject({ id: job.id, eventId: expect.not.stringMatching(job.eventId) });
    expect(await alarmOf(job.id)).not.toBeNull();
  });
});

describe("erase", () => {
  it.each<[string, () => Promise<Life>]>([
    ["waiting", () => newJob()],
    ["delivering", () => attemptedJob(500)],
    ["delivered", () => attemptedJob(200)],
    ["undelivered", () => attemptedJob(410)],
    ["finished", () => finishedJob()],
  ])("leaves nothing of a job that is %s", async (_, live) => {
    const { id } = await live();
    expect((await erase(id)).status).toBe(204);
    expect(await storageOf(id)).toEqual(NOTHING);
    expect((await erase(id)).status).toBe(404);
  });

  it("lets the same request be registered as new, with another event", async () => {
    const job = await newJob();
    await erase(job.id);
    const again = await newJob({ request_id: job.requestId });
    expect(again.id).toBe(job.id);
    expect(again.eventId).not.toBe(job.eventId);
    fetched.on(job.poll, success).on(HOOK, status(200));
    await fire(job.id);
    expect(await bodyOf(job.id)).toMatchObject({ status: "delivered", event_id: again.eventId });
  });
});

describe("another tenant's token", () => {
  it("finds no job, and can neither cancel, redeliver nor erase it", async () => {
    const { id } = await attemptedJob(500);
    const before = await stored(id);
    const auth = await token({ sub: "other" });
    for (const [method, path] of [
      ["GET", ""],
      ["POST", "/cancel"],
      ["POST", "/redeliver"],
      ["DELETE", ""],
    ] as const) {
      const answer = await call(method, `/v1/jobs/${id}${path}`, { auth });
      expect(answer.body).toMatchObject({ status: 404, code: "not_found" });
    }
    expect(await stored(id)).toEqual(before);
  });
});
