import { listDurableObjectIds, reset, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, expect, it } from "vitest";
import { call, fire, stub } from "../support/api.ts";
import { HOOK, leave, newJob, success } from "../support/life.ts";
import { json, ScriptedFetch, status } from "../support/scripted-fetch.ts";

let fetched: ScriptedFetch;
beforeEach(() => {
  fetched = new ScriptedFetch();
});
afterEach(() => leave(fetched));

const LARGE = json({ status: "success", output: ["x".repeat(2_500_000)] });

/** What every object that was ever touched still keeps. */
async function left(): Promise<string[]> {
  const found: string[] = [];
  for (const [name, namespace] of Object.entries({
    JOB: env.JOB,
    TENANT: env.TENANT,
    GENERATION: env.GENERATION,
  }))
    for (const id of await listDurableObjectIds(namespace as DurableObjectNamespace<never>))
      await runInDurableObject((namespace as DurableObjectNamespace).get(id), async (_, { storage }) => {
        const rows = [...storage.sql.exec("SELECT name FROM sqlite_master")].map(({ name }) => name);
        if (rows.length > 0 || (await storage.getAlarm()) !== null) found.push(`${name} ${rows}`);
      });
  return found;
}

it("leaves nothing of jobs of every fate, in their objects or in the tenant's", async () => {
  // What other files' jobs had under way when they were removed may have left something since.
  await expect
    .poll(async () => {
      await reset();
      return left();
    })
    .toEqual([]);
  const [delivered, refused, finished, canceled, erased] = [
    await newJob(),
    await newJob(),
    await newJob({ callback_url: null }),
    await newJob(),
    await newJob(),
  ];
  fetched.on(delivered.poll, LARGE).on(HOOK, status(200));
  await fire(delivered.id);
  fetched.on(refused.poll, success).on(HOOK, status(410));
  await fire(refused.id);
  fetched.on(finished.poll, LARGE);
  await fire(finished.id);
  await call("POST", `/v1/jobs/${canceled.id}/cancel`);
  await call("DELETE", `/v1/jobs/${erased.id}`);
  expect((await call("GET", "/v1/jobs")).body.jobs).toHaveLength(4);
  expect(await left()).toHaveLength(5);

  for (const { id } of [delivered, refused, finished, canceled]) {
    await runDurableObjectAlarm(stub(id));
    await fire(id);
  }
  expect((await call("GET", "/v1/jobs")).body.jobs).toEqual([]);
  await runInDurableObject(env.TENANT.getByName("acme"), (_, { storage }) => {
    storage.kv.delete("expire_at");
  });
  await runDurableObjectAlarm(env.TENANT.getByName("acme"));
  expect(await left()).toEqual([]);
});
