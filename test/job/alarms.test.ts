import { runInDurableObject } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { call, evict, makeDue, objectAlarmOf, readJob, stub } from "../support/api.ts";
import { HOOK, held, leave, newJob, runAlarm, success } from "../support/life.ts";
import { ScriptedFetch, status } from "../support/scripted-fetch.ts";

let fetched: ScriptedFetch;
beforeEach(() => {
  fetched = new ScriptedFetch();
});
afterEach(() => leave(fetched));

describe("a wake-up that is past already", () => {
  it("is put a second ahead when a run leaves it behind, so that it makes no hot loop", async () => {
    const job = await newJob();
    const post = held(status(500));
    fetched.on(job.poll, success).on(HOOK, post.script, status(200));
    await makeDue(job.id);
    const run = runAlarm(job.id);
    await post.begun();
    expect((await call("POST", `/v1/jobs/${job.id}/redeliver`)).status).toBe(202);
    const before = Date.now();
    post.release();
    await run;
    // Unless the real alarm has come meanwhile, on a machine that is very busy.
    expect(((await objectAlarmOf(job.id)) ?? before + 1_000) - before).toBeGreaterThanOrEqual(990);
  });

  it("is not put ahead when a caller has just made it due", async () => {
    const job = await newJob({ callback_url: null });
    fetched.on(job.poll, success);
    await makeDue(job.id);
    await runAlarm(job.id);
    fetched.on(HOOK, status(200));
    const before = Date.now();
    const set: number[] = [];
    await runInDurableObject(stub(job.id), (_, { storage }) => {
      const setAlarm = storage.setAlarm.bind(storage);
      storage.setAlarm = (at) => {
        set.push(Number(at));
        return setAlarm(at);
      };
    });
    await call("POST", `/v1/jobs/${job.id}/redeliver`, { body: { callback_url: HOOK } });
    expect((set[0] ?? Number.NaN) - before).toBeLessThan(900);
  });
});

describe("an alarm that the platform has lost", () => {
  /** What the storage says of its alarm from now on, and what is set in its place. */
  async function sayAlarm(id: string, at: () => number | null): Promise<{ set: number[] }> {
    const seen = { set: [] as number[] };
    await runInDurableObject(stub(id), (_, { storage }) => {
      storage.getAlarm = async () => at();
      storage.setAlarm = async (at) => {
        seen.set.push(Number(at));
      };
    });
    return seen;
  }

  it.each<[string, () => number | null, boolean]>([
    ["none", () => null, true],
    ["one 61 s overdue", () => Date.now() - 61_000, true],
    ["one 59 s overdue", () => Date.now() - 59_000, false],
    ["one ahead", () => Date.now() + 1_000, false],
  ])("is set again by whoever reads the job: %s", async (_, at, repaired) => {
    const job = await newJob();
    const { set } = await sayAlarm(job.id, at);
    const { body } = await readJob(job.id);
    expect(set).toEqual(repaired ? [Date.parse(body.next_poll_at)] : []);
    await evict(job.id);
  });

  it("is not set again when its run begins while the alarm is read", async () => {
    const job = await newJob();
    const poll = held(success);
    fetched.on(job.poll, poll.script).on(HOOK, status(200));
    await makeDue(job.id);
    const set: number[] = [];
    await runInDurableObject(stub(job.id), async (object, { storage }) => {
      const [getAlarm, setAlarm] = [storage.getAlarm.bind(storage), storage.setAlarm.bind(storage)];
      storage.setAlarm = (at) => {
        set.push(Number(at));
        return setAlarm(at);
      };
      storage.getAlarm = async (): Promise<number | null> => {
        storage.getAlarm = getAlarm;
        void object.alarm();
        await poll.begun();
        return null;
      };
      await object.read("acme", job.id);
      expect(set).toEqual([]);
      poll.release();
    });
    await expect.poll(async () => (await readJob(job.id)).body.status).toBe("delivered");
  });
});
