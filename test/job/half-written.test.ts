import { runInDurableObject } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { call, fire, readJob, register, stored, stub } from "../support/api.ts";
import { bodyOf, HOOK, leave, newJob, storageOf, success } from "../support/life.ts";
import { json, ScriptedFetch, status } from "../support/scripted-fetch.ts";

let fetched: ScriptedFetch;
beforeEach(() => {
  fetched = new ScriptedFetch();
});
afterEach(() => leave(fetched));

const processing = (letter: string, size: number) =>
  json({ status: "processing", eta: 60, output: "", note: letter.repeat(size) });

/** From now on, until the object is new, the storage refuses what `refuses` says. */
const refuse = (id: string, refuses: (key: string, nth: number) => boolean): Promise<void> =>
  runInDurableObject(stub(id), (_, { storage: { kv } }) => {
    const put = kv.put.bind(kv);
    let nth = 0;
    kv.put = (key, value) => {
      if (refuses(key, ++nth)) throw new Error("disk full");
      put(key, value);
    };
  });

describe("a write that fails half-way", () => {
  it.each([
    ["a small answer by a large one", 40_000, 3_000_000],
    ["a large answer by one of as many rows", 1_500_000, 1_400_000],
    ["an answer of many rows by one of few", 5_000_000, 1_500_000],
  ])("of %s leaves the answer that there was", async (_, before, after) => {
    const job = await newJob();
    fetched.on(job.poll, processing("a", before), processing("b", after));
    await fire(job.id);
    const answer = (await readJob(job.id)).body.result;
    const { rows } = await storageOf(job.id);
    let chunks = 0;
    await refuse(job.id, (key) => key.startsWith("answer/") && ++chunks === 2);
    await fire(job.id);
    const { body, status } = await readJob(job.id);
    expect(status).toBe(200);
    expect(body.result).toEqual(answer);
    expect((await storageOf(job.id)).rows).toEqual(rows);
  });

  it("leaves an event that is whole, when the job is given up for it", async () => {
    const job = await newJob();
    fetched.on(job.poll, processing("a", 1_500_000)).always(job.poll, processing("b", 1_400_000));
    fetched.on(HOOK, status(200));
    await fire(job.id);
    let chunks = 0;
    await refuse(job.id, (key) => key.startsWith("answer/") && ++chunks % 2 === 0);
    for (let i = 0; i < 5; i++) await fire(job.id);
    await fire(job.id);
    const { data } = JSON.parse(fetched.to(HOOK)[0]?.body ?? "");
    expect(data.error.reason).toBe("internal_error");
    expect(data.provider.note).toBe("a".repeat(1_500_000));
  });

  it("of a new start leaves the job that there was", async () => {
    const job = await newJob();
    await call("POST", `/v1/jobs/${job.id}/cancel`);
    const before = await stored(job.id);
    await refuse(job.id, () => true);
    expect((await register({ request_id: job.requestId })).status).toBe(500);
    expect(await stored(job.id)).toEqual(before);
    expect((await bodyOf(job.id)).status).toBe("canceled");
  });

  it("does not keep a later one from being whole", async () => {
    const job = await newJob();
    fetched.on(job.poll, processing("a", 3_000_000), success).on(HOOK, status(200));
    await refuse(job.id, (_, nth) => nth === 2);
    await fire(job.id);
    await fire(job.id);
    expect(await bodyOf(job.id)).toMatchObject({ status: "delivered", polls: 1 });
    expect((await storageOf(job.id)).rows).toEqual([`job/${job.id}`]);
  });
});
