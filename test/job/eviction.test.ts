import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { alarmOf, call, evict, fire, makeDue, stored, stub } from "../support/api.ts";
import {
  bodyOf,
  dieInAlarm,
  HOOK,
  held,
  leave,
  NOTHING,
  newJob,
  processing,
  RETRY,
  reached,
  runAlarm,
  storageOf,
  success,
} from "../support/life.ts";
import { json, networkError, ScriptedFetch, status } from "../support/scripted-fetch.ts";

let fetched: ScriptedFetch;
beforeEach(() => {
  fetched = new ScriptedFetch();
});
afterEach(() => leave(fetched));

/** The object is evicted; the job and its wake-up must be as they were. */
async function evictUnchanged(id: string): Promise<void> {
  const [before, alarm] = [await stored(id), await alarmOf(id)];
  expect(alarm).not.toBeNull();
  await evict(id);
  expect(await stored(id)).toEqual(before);
  expect(await alarmOf(id)).toBe(alarm);
}

describe("eviction", () => {
  it("between every two steps of a life loses nothing", async () => {
    const job = await newJob({ metadata: { user: 7 } });
    const { id } = job;
    fetched.on(job.poll, processing, status(503, { "retry-after": "60" }), success);
    fetched.on(HOOK, status(500), networkError, status(200), status(410));

    await evictUnchanged(id);
    for (const [state, polls, attempts] of [
      ["waiting", 1, 0],
      ["waiting", 2, 0],
      ["delivering", 3, 1],
      ["delivering", 3, 2],
      ["delivered", 3, 3],
    ] as const) {
      await fire(id);
      await evictUnchanged(id);
      expect(await bodyOf(id)).toMatchObject({ status: state, polls, attempts });
    }
    expect((await call("POST", `/v1/jobs/${id}/redeliver`)).status).toBe(202);
    await evict(id);
    await reached(id, "undelivered");
    await evictUnchanged(id);
    const sent = fetched.to(HOOK);
    expect(sent).toHaveLength(4);
    expect(new Set(sent.map(({ body, headers }) => headers["webhook-id"] + body)).size).toBe(1);
    await fire(id);
    await evict(id);
    expect(await storageOf(id)).toEqual(NOTHING);
  });

  it("between two attempts keeps every byte of an answer of several megabytes", async () => {
    const job = await newJob();
    const output = [`data:;base64,${"QUJD".repeat(700_000)}`];
    fetched.on(job.poll, json({ status: "success", output })).on(HOOK, status(500), status(200));
    await fire(job.id);
    await evictUnchanged(job.id);
    await fire(job.id);
    const [first, second] = fetched.to(HOOK);
    expect(JSON.parse(first?.body ?? "").data.output).toEqual(output);
    expect(second?.body === first?.body).toBe(true);
  });

  it("of a canceled job and of a finished one keeps them", async () => {
    const canceled = await newJob();
    await call("POST", `/v1/jobs/${canceled.id}/cancel`);
    await evictUnchanged(canceled.id);
    const finished = await newJob({ callback_url: null });
    fetched.on(finished.poll, success);
    await fire(finished.id);
    await evictUnchanged(finished.id);
    expect((await bodyOf(finished.id)).result).toEqual({ status: "success", output: expect.any(Array) });
  });
});

describe("an alarm that runs once more than it should", () => {
  it("does not poll again, and puts back the wake-up that it used up", async () => {
    const job = await newJob();
    fetched.on(job.poll, processing);
    await fire(job.id);
    const next = (await stored(job.id))?.state;
    for (let i = 0; i < 3; i++) {
      expect(await runDurableObjectAlarm(stub(job.id))).toBe(true);
      expect((await stored(job.id))?.state).toEqual(next);
      expect(await alarmOf(job.id)).not.toBeNull();
    }
    expect(fetched.to(job.poll)).toHaveLength(1);
  });

  it("does not POST again, whether the first was accepted or not", async () => {
    for (const code of [200, 500]) {
      const job = await newJob({ callback_url: `${HOOK}/${code}` });
      fetched.on(job.poll, success).on(`${HOOK}/${code}`, status(code));
      await fire(job.id);
      const alarm = await alarmOf(job.id);
      for (let i = 0; i < 3; i++) await runDurableObjectAlarm(stub(job.id));
      expect(fetched.to(`${HOOK}/${code}`)).toHaveLength(1);
      expect(await alarmOf(job.id)).toBe(alarm);
    }
  });

  it("is no crash when it is a retry of a run that had done its work", async () => {
    const job = await newJob();
    fetched.on(job.poll, processing);
    await fire(job.id);
    const before = await stored(job.id);
    await runAlarm(job.id, RETRY);
    expect(await stored(job.id)).toEqual(before);
  });

  it("finds nothing to do in an object without a job, and sets no alarm", async () => {
    const job = await newJob();
    await call("DELETE", `/v1/jobs/${job.id}`);
    await runAlarm(job.id);
    await runAlarm(job.id, RETRY);
    expect(await storageOf(job.id)).toEqual(NOTHING);
  });
});

describe("a run that dies with its POST under way", () => {
  it("leaves the attempt counted and the next one planned, with the same bytes and webhook-id", async () => {
    const job = await newJob();
    const post = held(status(200));
    fetched.on(job.poll, success).on(HOOK, post.script, status(200));
    await makeDue(job.id);
    await dieInAlarm(job.id, post);
    const after = await bodyOf(job.id);
    expect(after).toMatchObject({ status: "delivering", outcome: "succeeded", polls: 1, attempts: 1 });
    // The platform makes the alarm again that did not end.
    await runAlarm(job.id, RETRY);
    expect(fetched.to(HOOK)).toHaveLength(1);
    expect(await alarmOf(job.id)).toBe(Date.parse(after.next_attempt_at));

    await fire(job.id);
    expect(await bodyOf(job.id)).toMatchObject({ status: "delivered", polls: 1, attempts: 2 });
    const [first, second] = fetched.to(HOOK);
    expect(second?.body).toBe(first?.body);
    expect(second?.headers["webhook-id"]).toBe(first?.headers["webhook-id"]);
  });
});

describe("a run that dies with its poll under way", () => {
  it("is made again by the platform's retry of the alarm, and the crash is noted", async () => {
    const job = await newJob();
    const poll = held(success);
    fetched.on(job.poll, poll.script, success).on(HOOK, status(200));
    await makeDue(job.id);
    await dieInAlarm(job.id, poll);
    await runAlarm(job.id, RETRY);
    const body = await bodyOf(job.id);
    expect(body).toMatchObject({ status: "delivered", polls: 1, attempts: 1 });
    expect(body.timeline.map(({ type }: { type: string }) => type)).toEqual([
      "registered",
      "crash",
      "poll",
      "attempt",
    ]);
  });
});

describe("a wake-up that was lost", () => {
  it("comes back when a caller asks for the job", async () => {
    const job = await newJob();
    const before = await alarmOf(job.id);
    for (const ask of [
      () => call("GET", `/v1/jobs/${job.id}`),
      () =>
        call("POST", "/v1/jobs", {
          body: { request_id: job.requestId, callback_url: HOOK, key: "k".repeat(9) },
        }),
    ]) {
      await runInDurableObject(stub(job.id), (_, { storage }) => storage.deleteAlarm());
      expect((await ask()).status).toBe(200);
      expect(await alarmOf(job.id)).toBe(before);
    }
  });
});
