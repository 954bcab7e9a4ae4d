import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Job } from "../../src/job/job.ts";
import {
  ARE_SHARED,
  call,
  change,
  evict,
  fire,
  makeDue,
  objectAlarmOf,
  stored,
  stub,
} from "../support/api.ts";
import { inState } from "../support/jobs.ts";
import {
  bodyOf,
  dieInAlarm,
  HOOK,
  held,
  leave,
  newJob,
  processing,
  RETRY,
  reached,
  runAlarm,
  success,
} from "../support/life.ts";
import { ScriptedFetch, status } from "../support/scripted-fetch.ts";

let fetched: ScriptedFetch;
beforeEach(() => {
  fetched = new ScriptedFetch();
});
afterEach(() => leave(fetched));

/** Ms from now until the alarm. */
const alarmIn = async (id: string): Promise<number> => ((await objectAlarmOf(id)) ?? Number.NaN) - Date.now();

/** The object's next `times` writes of a job are refused. */
const refuseWrites = (id: string, times: number): Promise<void> =>
  runInDurableObject(stub(id), (_, { storage: { kv } }) => {
    const put = kv.put.bind(kv);
    let left = times;
    kv.put = (key, value) => {
      if (left-- > 0) throw new Error("disk full");
      put(key, value);
    };
  });

describe("a run after one that died", () => {
  it("counts the crash and sets a watchdog before it asks the provider", async () => {
    const job = await newJob();
    const poll = held(processing);
    fetched.on(job.poll, poll.script);
    await makeDue(job.id);
    await dieInAlarm(job.id, poll, RETRY);
    expect(await stored(job.id)).toMatchObject({ crashes: 1, guarded: true, polls: 0 });
    expect(await alarmIn(job.id)).toBeGreaterThan(15_000);
    expect(await alarmIn(job.id)).toBeLessThanOrEqual(24_000);
  });

  it("clears the count when it ends, and the alarm is the job's own again", async () => {
    const job = await newJob();
    fetched.on(job.poll, processing);
    await change(job.id, (stored) => ({ ...stored, crashes: 3, guarded: true }));
    await fire(job.id);
    const after = await stored(job.id);
    expect(after).toMatchObject({ crashes: 0, guarded: false, polls: 1, state: { status: "waiting" } });
    const { nextPollAt } = inState(after ?? null, "waiting").state;
    expect(nextPollAt).toBeGreaterThan(Date.now() + 5_000);
    expect(Math.abs(((await objectAlarmOf(job.id)) ?? 0) - nextPollAt)).toBeLessThan(ARE_SHARED ? 30_000 : 1);
  });

  it.each<[string, Partial<{ callbackUrl: string }>, object, string]>([
    ["delivers", {}, env, "delivered"],
    ["finds the target refused", { callbackUrl: "https://10.0.0.1/" }, env, "undelivered"],
    ["cannot read the configuration", {}, { ...env, MASTER_KEYS: "" }, "delivering"],
  ])("clears the count when it %s", async (_, change_, bindings, end) => {
    const job = await newJob();
    fetched.on(job.poll, success).on(HOOK, status(500), status(200));
    await fire(job.id);
    await change(job.id, (stored) => ({ ...stored, ...change_, crashes: 2, guarded: true }));
    await makeDue(job.id);
    await runInDurableObject(stub(job.id), (_, ctx) => new Job(ctx, bindings as typeof env).alarm());
    expect(await stored(job.id)).toMatchObject({ crashes: 0, guarded: false, state: { status: end } });
  });

  it("lets a cancel stand that lands while the watchdog is being set", async () => {
    const job = await newJob();
    await change(job.id, (stored) => ({ ...stored, crashes: 4, guarded: true }));
    await makeDue(job.id);
    await runInDurableObject(stub(job.id), async (object, { storage }) => {
      const sync = storage.sync.bind(storage);
      storage.sync = async () => {
        await sync();
        expect(await object.cancel("acme", job.id)).toMatchObject({ kind: "found" });
      };
      await object.alarm();
    });
    expect(await bodyOf(job.id)).toMatchObject({ status: "canceled", outcome: "canceled" });
    expect(fetched.sent).toEqual([]);
  });
});

describe("a poll that kills its run each time", () => {
  it("is made five times; then the job fails, and its event is delivered", async () => {
    const job = await newJob();
    const poll = held(processing);
    fetched.always(job.poll, poll.script).on(HOOK, status(200));
    await makeDue(job.id);
    await dieInAlarm(job.id, poll);
    for (let crashes = 1; crashes <= 4; crashes++) {
      // The first retry is the platform's; later ones come from the watchdog, which tells of no retry.
      await dieInAlarm(job.id, poll, crashes === 1 ? RETRY : undefined);
      expect(await stored(job.id)).toMatchObject({ crashes, guarded: true, state: { status: "waiting" } });
      expect(await alarmIn(job.id)).toBeGreaterThan(10_000);
      // The time of the watchdog has come.
      await makeDue(job.id);
    }
    await runAlarm(job.id);
    expect(fetched.to(job.poll)).toHaveLength(5);
    expect(await bodyOf(job.id)).toMatchObject({
      status: "delivered",
      outcome: "failed",
      polls: 0,
      error: { reason: "internal_error" },
    });
    expect(JSON.parse(fetched.to(HOOK)[0]?.body ?? "")).toMatchObject({
      type: "job.failed",
      data: { error: { reason: "internal_error" } },
    });
    expect(await stored(job.id)).toMatchObject({ crashes: 0, guarded: false });
  });

  it("leaves a job without a callback finished", async () => {
    const job = await newJob({ callback_url: null });
    await change(job.id, (stored) => ({ ...stored, crashes: 4, guarded: true }));
    await fire(job.id);
    expect(await bodyOf(job.id)).toMatchObject({ status: "finished", error: { reason: "internal_error" } });
    expect(fetched.sent).toEqual([]);
  });
});

describe("a POST that kills its run each time", () => {
  it("is made ten times at most, on schedule; then the event is kept", async () => {
    const job = await newJob();
    const post = held(status(200));
    fetched.on(job.poll, success).always(HOOK, post.script);
    for (let attempts = 1; attempts <= 10; attempts++) {
      await makeDue(job.id);
      await dieInAlarm(job.id, post);
      expect(await stored(job.id)).toMatchObject({ attempts, state: { status: "delivering" } });
      expect(await alarmIn(job.id)).toBeGreaterThan(2_000);
    }
    await fire(job.id);
    expect(fetched.to(HOOK)).toHaveLength(10);
    expect(await bodyOf(job.id)).toMatchObject({
      status: "undelivered",
      delivery_error: { reason: "exhausted" },
      attempts: 10,
    });
  });
});

describe("a run that ends in an exception", () => {
  it("is counted and made again, and the alarm does not throw", async () => {
    const job = await newJob();
    fetched.on(job.poll, processing, processing);
    await makeDue(job.id);
    await refuseWrites(job.id, 1);
    await expect(runAlarm(job.id)).resolves.toBeUndefined();
    expect(await stored(job.id)).toMatchObject({ crashes: 1, guarded: false, polls: 0 });
    expect(Math.abs((await alarmIn(job.id)) - 20_000)).toBeLessThan(1_000);
    await runAlarm(job.id);
    expect(await stored(job.id)).toMatchObject({ crashes: 1, polls: 0 });
    await makeDue(job.id);
    await runAlarm(job.id);
    expect(await stored(job.id)).toMatchObject({ crashes: 0, polls: 1 });
  });

  it("does not hold up a redelivery, which starts with a clean count", async () => {
    const job = await newJob();
    fetched.on(job.poll, success).on(HOOK, status(410), status(200));
    await fire(job.id);
    await change(job.id, (stored) => ({ ...stored, crashes: 4, heldUntil: Date.now() + 20_000 }));
    await call("POST", `/v1/jobs/${job.id}/redeliver`);
    expect((await stored(job.id))?.crashes).toBe(0);
    await reached(job.id, "delivered");
  });

  it("five times in a row fails the job, and its event is delivered", async () => {
    const job = await newJob();
    fetched.always(job.poll, success).on(HOOK, status(200));
    await makeDue(job.id);
    for (let crashes = 1; crashes <= 4; crashes++) {
      await refuseWrites(job.id, 1);
      await runAlarm(job.id);
      expect(await stored(job.id)).toMatchObject({ crashes, state: { status: "waiting" } });
      await makeDue(job.id);
    }
    await refuseWrites(job.id, 1);
    await runAlarm(job.id);
    expect(await bodyOf(job.id)).toMatchObject({ status: "delivering", error: { reason: "internal_error" } });
    await fire(job.id);
    expect(await bodyOf(job.id)).toMatchObject({ status: "delivered" });
    expect(fetched.to(job.poll)).toHaveLength(5);
  });

  it("is made again in a minute when not even the count could be stored", async () => {
    const job = await newJob();
    fetched.on(job.poll, processing, processing);
    await makeDue(job.id);
    const before = await stored(job.id);
    await refuseWrites(job.id, 2);
    await expect(runAlarm(job.id)).resolves.toBeUndefined();
    // But for what the index knows, where the record has that.
    expect(await stored(job.id)).toEqual({ ...before, outbox: ARE_SHARED });
    expect(Math.abs((await alarmIn(job.id)) - 60_000)).toBeLessThan(1_000);
    // Where many share the object, its memory says that the minute has not gone by.
    if (ARE_SHARED) await evict(job.id);
    await runAlarm(job.id);
    expect(await stored(job.id)).toMatchObject({ polls: 1, crashes: 0 });
  });

  it("because its record cannot be understood is made again in a minute", async () => {
    const job = await newJob();
    await makeDue(job.id);
    await runInDurableObject(stub(job.id), (_, { storage: { kv } }) =>
      kv.put(`job/${job.id}`, { broken: true }),
    );
    await expect(runAlarm(job.id)).resolves.toBeUndefined();
    expect(Math.abs((await alarmIn(job.id)) - 60_000)).toBeLessThan(1_000);
  });

  it("because its record cannot be understood holds up no other job", async () => {
    const [broken, other] = [await newJob(), await newJob()];
    fetched.on(other.poll, processing);
    for (const { id } of [broken, other]) await makeDue(id);
    await runInDurableObject(stub(broken.id), (_, { storage: { kv } }) =>
      kv.put(`job/${broken.id}`, { broken: true }),
    );
    await runAlarm(broken.id);
    await runAlarm(other.id);
    expect(await stored(other.id)).toMatchObject({ polls: 1, crashes: 0 });
  });

  it("logs the job's id and where the error arose, never its message", async () => {
    const job = await newJob();
    fetched.on(job.poll, processing);
    await makeDue(job.id);
    await refuseWrites(job.id, 1);
    const errors = vi.spyOn(console, "error").mockImplementation(() => {});
    await runAlarm(job.id);
    const lines = errors.mock.calls.map(([line]) => JSON.parse(String(line)));
    errors.mockRestore();
    expect(lines).toEqual([
      { event: "job.run_failed", job: job.id, error: expect.stringMatching(/^Error at /) },
    ]);
    expect(JSON.stringify(lines)).not.toContain("disk full");
  });
});
