import { runInDurableObject } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Job } from "../../src/job/job.ts";
import type { Job as JobRecord } from "../../src/job/record.ts";
import {
  type Answer,
  alarmOf,
  call,
  fire,
  makeDue,
  objectAlarmOf,
  register,
  stored,
  stub,
} from "../support/api.ts";
import {
  bodyOf,
  type Held,
  HOOK,
  held,
  type Life,
  leave,
  NOTHING,
  newJob,
  processing,
  reached,
  runAlarm,
  storageOf,
  success,
} from "../support/life.ts";
import { json, networkError, type Script, ScriptedFetch, status } from "../support/scripted-fetch.ts";

let fetched: ScriptedFetch;
beforeEach(() => {
  fetched = new ScriptedFetch();
});
afterEach(() => leave(fetched));

const OTHER = "https://other.example/hook";
const cancel = (id: string) => call("POST", `/v1/jobs/${id}/cancel`);
const erase = (id: string) => call("DELETE", `/v1/jobs/${id}`);
const redeliver = (id: string, body = {}) => call("POST", `/v1/jobs/${id}/redeliver`, { body });

/** Runs the job's alarm; `landing` happens once the held request is under way, before it is answered. */
async function during<T>(id: string, request: Held, landing: () => Promise<T>): Promise<T> {
  const run = fire(id);
  await request.begun();
  const answer = await landing();
  request.release();
  await run;
  return answer;
}

/** As {@link during}, with the poll under way. */
async function duringPoll<T>(job: Life, answer: Script, landing: () => Promise<T>): Promise<T> {
  const poll = held(answer);
  fetched.on(job.poll, poll.script);
  return during(job.id, poll, landing);
}

/** As {@link during}, with the POST under way. */
async function duringPost<T>(job: Life, answer: Script, landing: () => Promise<T>): Promise<T> {
  const post = held(answer);
  fetched.on(job.poll, success).on(HOOK, post.script);
  return during(job.id, post, landing);
}

const wakeOf = async (id: string): Promise<number> => {
  const state = (await stored(id))?.state;
  if (!state) throw new Error("no job");
  if ("expiresAt" in state) return state.expiresAt;
  return "nextPollAt" in state ? state.nextPollAt : state.nextAttemptAt;
};

describe("while a poll is under way", () => {
  const ANSWERS: [string, Script][] = [
    ["success", success],
    ["processing", processing],
    ["no connection", networkError],
  ];

  it.each(ANSWERS)("a cancel stands, though the poll then brings %s", async (_, answer) => {
    const job = await newJob();
    expect((await duringPoll(job, answer, () => cancel(job.id))).body.status).toBe("canceled");
    expect(await bodyOf(job.id)).toMatchObject({ status: "canceled", outcome: "canceled", attempts: 0 });
    expect(await alarmOf(job.id)).toBe(await wakeOf(job.id));
    expect(fetched.to(HOOK)).toEqual([]);
  });

  it.each(ANSWERS)("an erased job does not come back, though the poll then brings %s", async (_, answer) => {
    const job = await newJob();
    expect((await duringPoll(job, answer, () => erase(job.id))).status).toBe(204);
    expect(await storageOf(job.id)).toEqual(NOTHING);
    expect(fetched.to(HOOK)).toEqual([]);
  });

  it("a callback that comes gets the event", async () => {
    const job = await newJob({ callback_url: null });
    fetched.on(OTHER, status(200));
    const answer = await duringPoll(job, success, () =>
      register({ request_id: job.requestId, callback_url: OTHER, format: "provider" }),
    );
    expect(answer.body).toMatchObject({ status: "waiting", callback_url: OTHER });
    expect(await bodyOf(job.id)).toMatchObject({ status: "delivered", polls: 1, attempts: 1 });
    expect(JSON.parse(fetched.to(OTHER)[0]?.body ?? "")).toMatchObject({ status: "success" });
  });

  it("a callback that comes does not hasten the next poll", async () => {
    const job = await newJob({ callback_url: null });
    await duringPoll(job, processing, () => register({ request_id: job.requestId }));
    expect(await bodyOf(job.id)).toMatchObject({ status: "waiting", callback_url: HOOK, polls: 1 });
    expect(Math.abs(((await alarmOf(job.id)) ?? 0) - (await wakeOf(job.id)))).toBeLessThan(50);
  });

  it.each<[string, (id: string) => Promise<Answer>]>([
    ["erased", erase],
    ["canceled", cancel],
  ])("a job that is %s and registered again takes nothing from the old poll", async (_, end) => {
    const job = await newJob();
    const again = await duringPoll(job, success, async () => {
      await end(job.id);
      return newJob({ request_id: job.requestId, metadata: { second: true } });
    });
    expect(again.eventId).not.toBe(job.eventId);
    const body = await bodyOf(job.id);
    expect(body).toMatchObject({ status: "waiting", polls: 0, metadata: { second: true }, result: null });
    expect(await alarmOf(job.id)).toBe(Date.parse(body.next_poll_at));

    fetched.on(job.poll, success).on(HOOK, status(200));
    await fire(job.id);
    expect(await bodyOf(job.id)).toMatchObject({ status: "delivered", polls: 1, event_id: again.eventId });
    expect(fetched.to(HOOK)).toHaveLength(1);
  });

  it("a caller who waits is told of its outcome", async () => {
    const job = await newJob({ callback_url: null });
    const [waited] = await Promise.all([
      call("GET", `/v1/jobs/${job.id}?wait=20`),
      duringPoll(job, success, async () => {}),
    ]);
    expect(waited.body).toMatchObject({ status: "finished", outcome: "succeeded" });
  });

  it("a caller who waits learns that the job was erased", async () => {
    const job = await newJob();
    const [waited] = await Promise.all([
      call("GET", `/v1/jobs/${job.id}?wait=20`),
      duringPoll(job, success, () => erase(job.id)),
    ]);
    expect(waited.status).toBe(404);
  });

  it("reading the job changes neither it nor its alarm", async () => {
    const job = await newJob();
    await duringPoll(job, processing, async () => {
      expect(await bodyOf(job.id)).toMatchObject({ status: "waiting", polls: 0 });
      expect(await objectAlarmOf(job.id)).toBeNull();
    });
    expect(await alarmOf(job.id)).not.toBeNull();
  });
});

describe("while a POST is under way", () => {
  const ANSWERS: [string, Script][] = [
    ["200", status(200)],
    ["410", status(410)],
    ["500", status(500)],
  ];

  it.each(ANSWERS)("a cancel stands, and the attempt is noted: %s", async (_, answer) => {
    const job = await newJob();
    expect((await duringPost(job, answer, () => cancel(job.id))).body.status).toBe("undelivered");
    const body = await bodyOf(job.id);
    expect(body).toMatchObject({
      status: "undelivered",
      delivery_error: { reason: "canceled" },
      attempts: 1,
    });
    expect(body.timeline.map(({ type }: { type: string }) => type)).toEqual([
      "registered",
      "poll",
      "cancel",
      "attempt",
    ]);
    expect(await alarmOf(job.id)).toBe(await wakeOf(job.id));
  });

  it.each(ANSWERS)("an erased job does not come back: %s", async (_, answer) => {
    const job = await newJob();
    await duringPost(job, answer, () => erase(job.id));
    expect(await storageOf(job.id)).toEqual(NOTHING);
  });

  it.each(ANSWERS)("a redelivery is made, whatever the first POST brings: %s", async (_, answer) => {
    const job = await newJob();
    fetched.on(OTHER, status(200));
    const redelivered = await duringPost(job, answer, () => redeliver(job.id, { callback_url: OTHER }));
    expect(redelivered.body).toMatchObject({ status: "delivering", callback_url: OTHER });
    await fire(job.id);
    expect(await bodyOf(job.id)).toMatchObject({ status: "delivered", attempts: 2, callback_url: OTHER });
    expect(fetched.to(OTHER)).toHaveLength(1);
    expect(fetched.to(OTHER)[0]?.body).toBe(fetched.to(HOOK)[0]?.body);
  });

  it("registering again finds the same job", async () => {
    const job = await newJob();
    const again = await duringPost(job, status(200), () => register({ request_id: job.requestId }));
    expect(again.status).toBe(200);
    expect(again.body).toMatchObject({ status: "delivering", event_id: job.eventId });
    expect(await bodyOf(job.id)).toMatchObject({ status: "delivered", attempts: 1 });
  });

  it("a job that is erased and registered again takes nothing from the old POST", async () => {
    const job = await newJob();
    const again = await duringPost(job, status(200), async () => {
      await erase(job.id);
      return newJob({ request_id: job.requestId });
    });
    const body = await bodyOf(job.id);
    expect(body).toMatchObject({ status: "waiting", attempts: 0, event_id: again.eventId });
    expect(body.timeline).toHaveLength(1);
    expect(await alarmOf(job.id)).toBe(Date.parse(body.next_poll_at));
  });
});

/** `act` happens once the attempt is stored, before the POST. */
const actWhileStored = (id: string, act: (object: Job) => Promise<unknown>): Promise<void> =>
  runInDurableObject(stub(id), (object, { storage: { kv } }) => {
    const put = kv.put.bind(kv);
    let acted = false;
    kv.put = (key, value) => {
      put(key, value);
      if (acted || !key.startsWith("job/") || (value as JobRecord).state.status !== "delivering") return;
      acted = true;
      queueMicrotask(() => void act(object as Job));
    };
  });

describe("while an attempt is being stored", () => {
  it.each([
    ["an erasure", (object: Job, id: string) => object.erase("acme", id)],
    ["a cancel", (object: Job, id: string) => object.cancel("acme", id)],
  ])("%s stands, and nothing is posted", async (_, act) => {
    const job = await newJob();
    fetched.on(job.poll, json({ status: "success", output: ["x".repeat(100_000)] }));
    await makeDue(job.id);
    await actWhileStored(job.id, (object) => act(object, job.id));
    await runAlarm(job.id);
    expect(fetched.to(HOOK)).toEqual([]);
    expect((await stored(job.id))?.state.status).not.toBe("delivering");
    expect((await stored(job.id))?.attempts ?? 0).toBe(0);
  });

  it("a redelivery to another callback stands, and the event is posted once", async () => {
    const job = await newJob();
    fetched.on(job.poll, success).on(OTHER, status(200));
    await makeDue(job.id);
    await actWhileStored(job.id, (object) => object.redeliver("acme", job.id, OTHER));
    await runAlarm(job.id);
    expect(fetched.to(HOOK)).toEqual([]);
    await reached(job.id, "delivered");
    expect(fetched.to(OTHER).map(({ headers }) => headers["pollhook-attempt"])).toEqual(["1"]);
    expect(await bodyOf(job.id)).toMatchObject({ attempts: 1, callback_url: OTHER });
  });
});
