import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it } from "vitest";
import { jobId, shareOf } from "../../src/job/ids.ts";
import { objectNames, registerJob, withJob } from "../../src/job/placement.ts";
import type { Job as JobRecord } from "../../src/job/record.ts";
import { JobCalls } from "../../src/tenant/job-calls.ts";
import { clear, uniqueId } from "../support/api.ts";
import { registrationOf } from "../support/jobs.ts";

afterEach(clear);

const ids = (count: number): Promise<string[]> =>
  Promise.all(Array.from({ length: count }, (_, i) => jobId("acme", "v3", String(i))));

describe("the objects in which a job may be", () => {
  it("are one of its own, or one of so many of its tenant, newest first", async () => {
    const [id = ""] = await ids(1);
    expect(objectNames([0], "acme", id)).toEqual([id]);
    expect(objectNames([1, 0], "acme", id)).toEqual(["shard/1/0/acme", id]);
    expect(objectNames([8], "acme", id)).not.toEqual(objectNames([8], "globex", id));
  });

  it.each([1, 2, 8, 24, 1024])("take the same share of all jobs each, of %d", async (count) => {
    const all = await ids(4_000);
    const shares = new Array<number>(count).fill(0);
    for (const id of all) shares[shareOf(id, count)] = (shares[shareOf(id, count)] ?? 0) + 1;
    const mean = all.length / count;
    for (const share of shares) expect(Math.abs(share - mean)).toBeLessThan(6 * Math.sqrt(mean) + 1);
  });
});

/** What is bound where `JOB_SHARDS` is that. */
const envWith = (shards: string) => ({ ...env, JOB_SHARDS: shards });
const request = async () => {
  const requestId = uniqueId();
  return registrationOf({
    id: await jobId("acme", "v3", requestId),
    requestId,
    etaSeconds: 600,
    sealedKey: null,
  });
};
const stored = (name: string, id: string) =>
  runInDurableObject(env.JOB.getByName(name), (_, { storage }) => storage.kv.get<JobRecord>(`job/${id}`));

describe("a job that was placed before JOB_SHARDS changed", () => {
  const changes = [
    ["0", "8,0"],
    ["8", "0,8"],
    ["2", "16,2"],
    ["2", "16,0,2"],
  ] as const;

  it.each(changes)("is found where it is, and registered there again: %s, then %s", async (before, after) => {
    const registration = await request();
    const { id } = registration;
    const [place = ""] = objectNames([Number(before)], "acme", id);
    const first = await registerJob(envWith(before), registration);
    expect(first.kind).toBe("created");
    const now = envWith(after);
    expect((await withJob(now, "acme", id, (job) => job.read("acme", id))).kind).toBe("found");
    expect((await registerJob(now, registration)).kind).toBe("exists");
    expect((await withJob(now, "acme", id, (job) => job.cancel("acme", id))).kind).toBe("found");
    // It ended badly: registered again it starts anew, and still there is one.
    expect((await registerJob(now, registration)).kind).toBe("created");
    expect((await stored(place, id))?.state.status).toBe("waiting");
    const [newest = ""] = objectNames([Number(after.split(",")[0])], "acme", id);
    expect(await stored(newest, id)).toBeUndefined();
    expect((await withJob(now, "acme", id, (job) => job.erase("acme", id))).kind).toBe("erased");
    expect((await withJob(now, "acme", id, (job) => job.read("acme", id))).kind).toBe("not_found");
  });

  it("does not keep a new one from the newest place", async () => {
    const registration = await request();
    await registerJob(envWith("8,0"), registration);
    const [place = ""] = objectNames([8], "acme", registration.id);
    expect((await stored(place, registration.id))?.state.status).toBe("waiting");
    expect(await stored(registration.id, registration.id)).toBeUndefined();
  });

  it("is another tenant's no more than it was", async () => {
    const registration = await request();
    await registerJob(envWith("2"), registration);
    const { id } = registration;
    for (const shards of ["2", "2,0"])
      expect((await withJob(envWith(shards), "globex", id, (job) => job.read("globex", id))).kind).toBe(
        "not_found",
      );
  });

  it("is registered where it is read, should it be in two places", async () => {
    const registration = await request();
    await registerJob(envWith("8"), registration);
    await registerJob(envWith("0"), registration);
    const again = await registerJob(envWith("8,0"), registration);
    const { id } = registration;
    const read = await withJob(envWith("8,0"), "acme", id, (job) => job.read("acme", id));
    if (again.kind !== "exists" || read.kind !== "found") throw new Error("it is not there");
    expect(again.view.fields.event_id).toBe(read.view.fields.event_id);
  });

  it("is none that is gone while the configuration cannot be used", async () => {
    const registration = await request();
    await registerJob(envWith("8"), registration);
    const { id } = registration;
    const unusable = { ...envWith("8"), PUBLIC_URL: "nonsense" };
    await expect(withJob(unusable, "acme", id, (job) => job.read("acme", id))).rejects.toThrow();
    expect(await new JobCalls(unusable, "acme").operate("cancel", id)).toBe(false);
  });
});
