import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { age, alarmOf, fire, PROVIDER_KEY, stored } from "../support/api.ts";
import { bodyOf, HOOK, leave, newJob, OUTPUT, processing, reached, success } from "../support/life.ts";
import { hang, json, networkError, type Script, ScriptedFetch, status } from "../support/scripted-fetch.ts";

let fetched: ScriptedFetch;
beforeEach(() => {
  fetched = new ScriptedFetch();
});
afterEach(() => leave(fetched));

/** Young enough to doubt "not found", old enough for a gap that keeps the real alarm out of the test. */
const AGE_MS = 50_000;

const html: Script = () => new Response("<html>busy</html>", { headers: { "content-type": "text/html" } });
const error = (message: string, extra: object = {}): Script => json({ status: "error", message, ...extra });

/** One poll of a job that is 50 s old, its answer scripted; the callback accepts. */
async function polledOnce(answer: Script, overrides: Record<string, unknown> = {}) {
  const job = await newJob(overrides);
  fetched.on(job.poll, answer);
  fetched.always(HOOK, status(204));
  await age(job.id, AGE_MS);
  await fire(job.id);
  return { ...job, body: await bodyOf(job.id) };
}

/** Seconds from now. */
const until = (iso: string): number => (Date.parse(iso) - Date.now()) / 1000;

describe("a job keeps waiting", () => {
  it.each<[string, Script, string, number, number]>([
    ["302", status(302, { location: "https://modelslab.com/login" }), "transient", 1, 3],
    ["429 without a time", json({ status: "error" }, { status: 429 }), "transient", 29, 33],
    ["429 with Retry-After", status(429, { "retry-after": "120" }), "transient", 119, 123],
    ["an error body about the rate limit", error("Rate limit exceeded"), "transient", 29, 33],
    ["a rate limit that names a time", error("rate limit", { retry_after: 90 }), "transient", 89, 93],
    ["408", status(408), "transient", 1, 3],
    ["425", status(425), "transient", 1, 3],
    ["500 that says failed", json({ status: "failed" }, { status: 500 }), "transient", 1, 3],
    ["503 that says success", json({ status: "success", output: ["u"] }, { status: 503 }), "transient", 1, 3],
    [
      "500 about the key",
      json({ status: "error", message: "Invalid API key" }, { status: 500 }),
      "transient",
      1,
      3,
    ],
    ["no connection", networkError, "transient", 1, 3],
    ["HTML", html, "transient", 1, 3],
    ["401 in HTML", () => new Response("<html>", { status: 401 }), "transient", 1, 3],
    ["a JSON array", json("[]"), "transient", 1, 3],
    ["half a JSON text", json('{"status": "succ'), "transient", 1, 3],
    ["processing", json({ status: "processing" }), "pending", 40, 56],
    ["processing with a fresh eta", json({ status: "processing", eta: "45" }), "pending", 8, 15],
    ["processing with an eta of 0", json({ status: "processing", eta: 0 }), "pending", 40, 56],
    ["a word nobody knows", json({ status: "queued" }), "pending", 40, 56],
    ["success without output", json({ status: "success", output: [] }), "empty", 40, 56],
    ["success with future links only", json({ status: "success", future_links: ["u"] }), "empty", 40, 56],
    ["not found", error("Request not found"), "not_found", 40, 56],
  ])("when the provider answers %s", async (_, answer, result, atLeast, atMost) => {
    const { id, body } = await polledOnce(answer);
    expect(body).toMatchObject({ status: "waiting", outcome: null, polls: 1, attempts: 0 });
    expect(body.timeline.at(-1)).toMatchObject({ type: "poll", result });
    expect(until(body.next_poll_at)).toBeGreaterThan(atLeast - 0.5);
    expect(until(body.next_poll_at)).toBeLessThan(atMost);
    const late = ((await alarmOf(id)) ?? Number.NaN) - Date.parse(body.next_poll_at);
    expect(late).toBeGreaterThanOrEqual(0);
    expect(late).toBeLessThanOrEqual(1000);
    expect(fetched.to(HOOK)).toEqual([]);
  });
});

describe("a job ends", () => {
  it.each<[string, Script, string]>([
    ["401", error("no"), "unauthorized"],
    ["403", error("no"), "unauthorized"],
    ["402", error("no"), "payment_required"],
  ])("with HTTP %s", async (code, answer, reason) => {
    const { body } = await polledOnce(async (sent, signal) => {
      const answered = await answer(sent, signal);
      return new Response(answered.body, { status: Number(code) });
    });
    expect(body).toMatchObject({ status: "delivered", outcome: "failed", error: { reason, message: "no" } });
    expect(JSON.parse(fetched.to(HOOK)[0]?.body ?? "")).toMatchObject({
      type: "job.failed",
      data: { error: { reason }, output: null, provider: { status: "error" } },
    });
  });

  it.each<[string, Script, string, string]>([
    ["an invalid key", error("Invalid API key"), "unauthorized", "Invalid API key"],
    ["no credits", error("Not enough credits"), "payment_required", "Not enough credits"],
    ["a spent plan", error("Limit exceeded, upgrade"), "payment_required", "Limit exceeded, upgrade"],
    [
      "any other error",
      json({ status: "failed", messege: { prompt: ["bad"] } }),
      "provider_error",
      '{"prompt":["bad"]}',
    ],
  ])("when the provider reports %s", async (_, answer, reason, message) => {
    const { body } = await polledOnce(answer);
    expect(body).toMatchObject({ status: "delivered", outcome: "failed", error: { reason, message } });
  });

  it.each([
    ["an array", OUTPUT],
    ["a string", "https://cdn.example/1.png"],
    ["an object", { "0": "u" }],
    ["base64", [`data:image/png;base64,${"iVBORw0KGgo".repeat(50)}`]],
  ])("with %s for output", async (_, output) => {
    const { body } = await polledOnce(json({ status: "success", output }));
    expect(body).toMatchObject({
      status: "delivered",
      outcome: "succeeded",
      error: null,
      next_poll_at: null,
    });
    expect(JSON.parse(fetched.to(HOOK)[0]?.body ?? "").data.output).toEqual(output);
  });

  it("after success without output has come four times", async () => {
    const job = await newJob();
    fetched.always(job.poll, json({ status: "success", output: {} })).always(HOOK, status(200));
    await age(job.id, AGE_MS);
    for (let i = 0; i < 3; i++) await fire(job.id);
    expect(await bodyOf(job.id)).toMatchObject({ status: "waiting", polls: 3 });
    await fire(job.id);
    expect(await bodyOf(job.id)).toMatchObject({ polls: 4, error: { reason: "empty_output" } });
  });

  it("after it was not found twice and is 60 s old", async () => {
    const job = await newJob();
    fetched.always(job.poll, error("Request not found")).always(HOOK, status(200));
    await age(job.id, AGE_MS);
    await fire(job.id);
    await fire(job.id);
    expect(await bodyOf(job.id)).toMatchObject({ status: "waiting", polls: 2 });
    await age(job.id, 60_000 - AGE_MS);
    await fire(job.id);
    expect(await bodyOf(job.id)).toMatchObject({ polls: 3, error: { reason: "not_found" } });
  });
});

describe("the event on the wire", () => {
  const SAID =
    '{ "status":"success", "output":["https://cdn.example/1.png"], "id":12345678901234567890, "b":1, "a":2 }';

  it("carries the provider's answer byte for byte", async () => {
    const { body, id, eventId } = await polledOnce(json(SAID), { metadata: { user: 7 } });
    const [sent] = fetched.to(HOOK);
    expect(sent?.body).toContain(`"provider":${SAID},`);
    expect(sent?.headers).toMatchObject({ "webhook-id": eventId, "pollhook-attempt": "1" });
    expect(JSON.parse(sent?.body ?? "")).toMatchObject({
      type: "job.succeeded",
      data: { job_id: id, output: OUTPUT, metadata: { user: 7 }, finished_at: body.finished_at, polls: 1 },
    });
  });

  it("is the provider's answer and nothing else in the provider's format", async () => {
    await polledOnce(json(` ${SAID}\n`), { format: "provider" });
    expect(fetched.to(HOOK)[0]?.body).toBe(SAID);
  });

  it("adds the track_id of the metadata in the provider's format", async () => {
    await polledOnce(json(SAID), { format: "provider", metadata: { track_id: "t-1" } });
    const sent = fetched.to(HOOK)[0]?.body ?? "";
    expect(sent.startsWith(SAID.slice(0, -1))).toBe(true);
    expect(JSON.parse(sent)).toMatchObject({ track_id: "t-1", output: OUTPUT });
  });

  it("is no more than a failure in the provider's shape when the provider said nothing final", async () => {
    const job = await newJob({ format: "provider" });
    fetched.on(job.poll, processing).on(HOOK, status(200));
    await age(job.id, 3_600_000);
    await fire(job.id);
    expect(JSON.parse(fetched.to(HOOK)[0]?.body ?? "")).toEqual({
      status: "failed",
      id: Number(job.requestId),
      message: expect.stringMatching(/deadline/),
      output: [],
    });
  });
});

describe("the deadline", () => {
  it("is met by one last poll, and the job expires", async () => {
    const job = await newJob({ deadline_seconds: 30, eta: 20 });
    fetched.always(job.poll, json({ status: "processing", eta: 500 })).on(HOOK, status(200));
    await fire(job.id);
    const waiting = await stored(job.id);
    expect(waiting?.state).toMatchObject({ status: "waiting", nextPollAt: waiting?.deadlineAt });
    await age(job.id, 30_000);
    await fire(job.id);
    expect(await bodyOf(job.id)).toMatchObject({
      status: "delivered",
      outcome: "expired",
      error: null,
      polls: 2,
    });
    expect(JSON.parse(fetched.to(HOOK)[0]?.body ?? "")).toMatchObject({
      type: "job.expired",
      data: { output: null, error: null, provider: { status: "processing" }, polls: 2 },
    });
  });

  it("a moment away is when the last poll is made", async () => {
    const job = await newJob();
    fetched.always(job.poll, processing).always(HOOK, status(200));
    await age(job.id, 3_600_000 - 500);
    await fire(job.id);
    const waiting = await stored(job.id);
    expect(waiting?.state).toMatchObject({ status: "waiting", nextPollAt: waiting?.deadlineAt });
    expect(await alarmOf(job.id)).toBe(waiting?.deadlineAt);
  });

  it("long past still allows one poll, which may succeed", async () => {
    const job = await newJob({ deadline_seconds: 30 });
    fetched.on(job.poll, success).on(HOOK, status(200));
    await age(job.id, 86_400_000);
    await fire(job.id);
    expect(await bodyOf(job.id)).toMatchObject({ outcome: "succeeded", polls: 1 });
  });

  it("has its last poll also after one that hung until a moment before", async () => {
    const job = await newJob();
    fetched.on(job.poll, hang, success).on(HOOK, status(200));
    await age(job.id, 3_600_000 - 1_500);
    await fire(job.id);
    const waiting = await stored(job.id);
    expect(waiting?.state).toMatchObject({ status: "waiting", nextPollAt: waiting?.deadlineAt });
    await reached(job.id, "delivered");
    expect(await bodyOf(job.id)).toMatchObject({ outcome: "succeeded", polls: 2 });
  });

  it("is what a provider that never answers comes to, with no answer in the event", async () => {
    const job = await newJob();
    fetched.on(job.poll, networkError).on(HOOK, status(200));
    await age(job.id, 3_600_000);
    await fire(job.id);
    expect(JSON.parse(fetched.to(HOOK)[0]?.body ?? "")).toMatchObject({
      type: "job.expired",
      data: { provider: null },
    });
    expect(fetched.to(job.poll)[0]?.body).toContain(PROVIDER_KEY);
  });
});
