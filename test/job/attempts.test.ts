import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { alarmOf, call, change, fire, stored } from "../support/api.ts";
import { bodyOf, HOOK, leave, newJob, reached, runAlarm, success } from "../support/life.ts";
import { networkError, type Script, ScriptedFetch, status } from "../support/scripted-fetch.ts";

let fetched: ScriptedFetch;
beforeEach(() => {
  fetched = new ScriptedFetch();
});
afterEach(() => leave(fetched));

const OTHER = "https://other.example/hook";

/** A job that succeeded, its first attempt answered. */
async function attemptedOnce(answer: Script, overrides: Record<string, unknown> = {}) {
  const job = await newJob(overrides);
  fetched.on(job.poll, success).on(HOOK, answer);
  await fire(job.id);
  return job;
}

const until = (iso: string): number => (Date.parse(iso) - Date.now()) / 1000;

describe("an attempt", () => {
  it.each([200, 201, 202, 204, 299])("answered with %i delivers", async (code) => {
    const { id } = await attemptedOnce(status(code));
    expect(await bodyOf(id)).toMatchObject({
      status: "delivered",
      attempts: 1,
      delivery_error: null,
      next_attempt_at: null,
      delivered_at: expect.any(String),
    });
  });

  it("answered with 410 is the last", async () => {
    const { id } = await attemptedOnce(status(410));
    expect(await bodyOf(id)).toMatchObject({
      status: "undelivered",
      outcome: "succeeded",
      delivery_error: { reason: "gone" },
      next_attempt_at: null,
    });
  });

  const inTwoHours = () => new Date(Date.now() + 7_200_000).toUTCString();
  it.each<[string, Script, string, number, number]>([
    ["301", status(301, { location: "https://example.com/" }), "redirect", 3, 7],
    ["307", status(307, { location: "https://example.com/" }), "redirect", 3, 7],
    ["304", status(304), "redirect", 3, 7],
    ["400", status(400), "http_error", 3, 7],
    ["404", status(404), "http_error", 3, 7],
    ["500", status(500), "http_error", 3, 7],
    ["no connection", networkError, "network", 3, 7],
    ["429 with Retry-After", status(429, { "retry-after": "100" }), "http_error", 98, 101],
    [
      "503 with a date",
      (s, a) => status(503, { "retry-after": inTwoHours() })(s, a),
      "http_error",
      7190,
      7201,
    ],
    ["302 with Retry-After", status(302, { "retry-after": "60" }), "redirect", 58, 61],
    ["a Retry-After sooner than the schedule", status(500, { "retry-after": "1" }), "http_error", 3, 7],
    ["a Retry-After of a year", status(500, { "retry-after": "31536000" }), "http_error", 86_398, 86_401],
    ["a Retry-After that is no time", status(500, { "retry-after": "soon" }), "http_error", 3, 7],
  ])("answered with %s is made again", async (_, answer, reason, atLeast, atMost) => {
    const { id } = await attemptedOnce(answer);
    const body = await bodyOf(id);
    expect(body).toMatchObject({ status: "delivering", outcome: "succeeded", attempts: 1 });
    expect(body.timeline.at(-1)).toMatchObject({ type: "attempt", result: "failed", reason });
    expect(until(body.next_attempt_at)).toBeGreaterThan(atLeast);
    expect(until(body.next_attempt_at)).toBeLessThan(atMost);
    expect(await alarmOf(id)).toBe(Date.parse(body.next_attempt_at));
  });

  it("keeps the first 256 bytes of what a receiver refused it with, of 2xx nothing", async () => {
    const refusal: Script = () => new Response("x".repeat(300), { status: 500 });
    const { id } = await attemptedOnce(refusal);
    fetched.on(HOOK, () => new Response("y".repeat(300)));
    await fire(id);
    const [first, second] = (await bodyOf(id)).timeline.slice(-2);
    expect(first).toMatchObject({ http_status: 500, response: "x".repeat(256) });
    expect(second).toMatchObject({ http_status: 200, result: "delivered" });
    expect(second).not.toHaveProperty("response");
  });
});

describe("a retry", () => {
  it("sends the same bytes and webhook-id, with its own number and signature time", async () => {
    const { id, eventId } = await attemptedOnce(status(500));
    fetched.on(HOOK, networkError, status(200));
    await fire(id);
    await fire(id);
    const sent = fetched.to(HOOK);
    expect(sent).toHaveLength(3);
    expect(new Set(sent.map(({ body }) => body)).size).toBe(1);
    expect(new Set(sent.map(({ headers }) => headers["webhook-id"]))).toEqual(new Set([eventId]));
    expect(sent.map(({ headers }) => headers["pollhook-attempt"])).toEqual(["1", "2", "3"]);
    expect(await bodyOf(id)).toMatchObject({ status: "delivered", attempts: 3 });
  });

  it("does not ask the provider again", async () => {
    const { id, poll } = await attemptedOnce(status(500));
    fetched.on(HOOK, status(200));
    await fire(id);
    expect(fetched.to(poll)).toHaveLength(1);
  });

  it("is not made before it is due", async () => {
    const { id } = await attemptedOnce(status(500));
    const due = await alarmOf(id);
    await runAlarm(id);
    expect(fetched.to(HOOK)).toHaveLength(1);
    expect(await alarmOf(id)).toBe(due);
  });

  it("is the tenth at most; then the event is kept and can be redelivered", async () => {
    const { id, eventId } = await attemptedOnce(status(500));
    fetched.always(HOOK, status(500));
    for (let i = 2; i <= 9; i++) await fire(id);
    expect(await bodyOf(id)).toMatchObject({ status: "delivering", attempts: 9 });
    await fire(id);
    expect(await bodyOf(id)).toMatchObject({
      status: "undelivered",
      attempts: 10,
      delivery_error: { reason: "exhausted" },
      event_id: eventId,
    });
    fetched.always(HOOK, status(200));
    expect((await call("POST", `/v1/jobs/${id}/redeliver`)).status).toBe(202);
    expect(await reached(id, "delivered")).toMatchObject({ attempts: 11, delivery_error: null });
    expect(fetched.to(HOOK)).toHaveLength(11);
    expect(new Set(fetched.to(HOOK).map(({ body }) => body)).size).toBe(1);
  });

  it("is not made when 14 days have gone by", async () => {
    const { id } = await attemptedOnce(status(500));
    await change(id, (job) => {
      if (job.state.status !== "delivering") throw new Error("not delivering");
      return { ...job, state: { ...job.state, runStartedAt: Date.now() - 14 * 86_400_000 - 1 } };
    });
    await fire(id);
    expect(fetched.to(HOOK)).toHaveLength(1);
    expect(await bodyOf(id)).toMatchObject({
      status: "undelivered",
      delivery_error: { reason: "exhausted" },
      attempts: 1,
    });
  });
});

describe("a callback that may not be called any more", () => {
  it.each([
    ["http://example.com/hook", "scheme"],
    ["https://127.0.0.1/hook", "private_address"],
    ["https://[::ffff:10.0.0.1]/hook", "private_address"],
    ["https://db.internal/hook", "private_name"],
    ["https://pollhook.example/v1/jobs", "own_host"],
    ["https://example.com:22/hook", "port"],
  ])("%s is not called", async (callbackUrl, reason) => {
    const job = await newJob();
    fetched.on(job.poll, success);
    await change(job.id, (stored) => ({ ...stored, callbackUrl }));
    await fire(job.id);
    const body = await bodyOf(job.id);
    expect(body).toMatchObject({
      status: "undelivered",
      outcome: "succeeded",
      attempts: 0,
      delivery_error: { reason: "target_refused" },
    });
    expect(body.timeline.at(-1)).toMatchObject({ type: "attempt", result: "refused", reason });
    expect(fetched.sent).toHaveLength(1);
  });

  it("is judged before every attempt, and repaired by a redelivery to another", async () => {
    const { id } = await attemptedOnce(status(500));
    await change(id, (job) => ({ ...job, callbackUrl: "https://10.0.0.1/hook" }));
    await fire(id);
    expect(await bodyOf(id)).toMatchObject({ status: "undelivered", attempts: 1 });
    fetched.on(OTHER, status(200));
    const answer = await call("POST", `/v1/jobs/${id}/redeliver`, { body: { callback_url: OTHER } });
    expect(answer.status).toBe(202);
    expect(await reached(id, "delivered")).toMatchObject({ callback_url: OTHER, attempts: 2 });
    expect(fetched.to(OTHER)[0]?.body).toBe(fetched.to(HOOK)[0]?.body);
  });
});

describe("an event that came with its registration", () => {
  it("is delivered without a poll", async () => {
    const response = { status: "success", id: 4711, output: ["u"] };
    fetched.on(HOOK, status(200));
    const job = await newJob({ endpoint: "v3", response, request_id: "4711" });
    expect(await reached(job.id, "delivered")).toMatchObject({ polls: 0, attempts: 1 });
    expect(fetched.sent.map(({ url }) => url)).toEqual([HOOK]);
    expect((await stored(job.id))?.answer?.size).toBe(JSON.stringify(response).length);
  });
});
