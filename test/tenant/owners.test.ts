import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { call, registration } from "../support/api.ts";
import { bounded } from "../support/bounded.ts";
import { leave, newJob } from "../support/life.ts";
import { ScriptedFetch } from "../support/scripted-fetch.ts";

let fetched: ScriptedFetch;
beforeEach(() => {
  fetched = new ScriptedFetch();
});
afterEach(() => leave(fetched));

const tenant = () => env.TENANT.getByName("acme");
const list = async (auth?: string): Promise<string[]> =>
  (await call("GET", "/v1/jobs", { ...(auth && { auth }) })).body.jobs.map(({ id }: { id: string }) => id);
const columns = (): Promise<string[]> =>
  runInDurableObject(tenant(), (_, { storage: { sql } }) =>
    [...sql.exec<{ name: string }>("SELECT name FROM pragma_table_info('jobs')")].map(({ name }) => name),
  );

/** Makes the index what it was before there were owners, in an object that has just been started. */
async function makeOld(): Promise<void> {
  await runInDurableObject(tenant(), (_, { storage: { sql } }) => {
    sql.exec("ALTER TABLE jobs DROP COLUMN owner");
  });
  await evictDurableObject(tenant());
}

describe("an index from before there were owners", () => {
  it("shows its jobs to the tenant, and none of them to a bounded token", async () => {
    const { id } = await newJob();
    await expect.poll(() => list()).toEqual([id]);
    await makeOld();
    expect(await columns()).not.toContain("owner");
    expect(await list(await bounded())).toEqual([]);
    expect(await list()).toEqual([id]);
    expect((await columns()).at(-1)).toBe("owner");
  });

  it("takes jobs with owners", async () => {
    const { id } = await newJob();
    await expect.poll(() => list()).toEqual([id]);
    await makeOld();
    const auth = await bounded();
    const { body: job } = await call("POST", "/v1/jobs", { auth, body: registration() });
    await expect.poll(() => list(auth)).toEqual([job.id]);
    expect((await list()).sort()).toEqual([id, job.id].sort());
  });

  it("is one that a version without a feed, which says a value for each of 20 columns, goes on with", async () => {
    await newJob();
    await expect.poll(async () => (await columns()).length).toBe(20);
  });

  it("takes jobs where a later version has added a column", async () => {
    const { id } = await newJob();
    await expect.poll(() => list()).toEqual([id]);
    await runInDurableObject(tenant(), (_, { storage: { sql } }) => {
      sql.exec("ALTER TABLE jobs ADD COLUMN later TEXT");
    });
    const { id: next } = await newJob();
    await expect.poll(async () => (await list()).sort()).toEqual([id, next].sort());
  });

  it("is not written to by a look at one that is up to date, nor by one at none", async () => {
    const auth = await bounded();
    expect(await list(auth)).toEqual([]);
    expect(await columns()).toEqual([]);
    await call("POST", "/v1/jobs", { auth, body: registration() });
    await expect.poll(() => list(auth)).toHaveLength(1);
    const written = await runInDurableObject(tenant(), async (object, { storage: { sql } }) => {
      const before = [...sql.exec<{ n: number }>("SELECT total_changes() AS n")][0]?.n;
      await object.list({ owner: "phone" }, null, 10);
      return Number([...sql.exec<{ n: number }>("SELECT total_changes() AS n")][0]?.n) - Number(before);
    });
    expect(written).toBe(0);
  });
});
