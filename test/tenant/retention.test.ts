import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, expect, it } from "vitest";
import { ARE_SHARED, call, fire, PROVIDER, registration, stub, token, uniqueId } from "../support/api.ts";
import { HOOK, leave, success } from "../support/life.ts";
import { json, ScriptedFetch, status } from "../support/scripted-fetch.ts";

let fetched: ScriptedFetch;
beforeEach(() => {
  fetched = new ScriptedFetch();
});
afterEach(() => leave(fetched));

const LARGE = json({ status: "success", output: ["x".repeat(2_500_000)] });

/** A tenant of its own: what other files' jobs have under way when they are removed is none of this test's. */
const TENANT = "retention";

/** What the objects of these jobs, and of their tenant, still keep. */
async function left(ids: readonly string[]): Promise<string[]> {
  const found = new Set<string>();
  const objects = [...ids.map((id) => stub(id, TENANT)), env.TENANT.getByName(TENANT)];
  for (const object of objects)
    await runInDurableObject(object as DurableObjectStub, async (_, { storage }) => {
      const tables = [...storage.sql.exec("SELECT name FROM sqlite_master")].map(({ name }) => name);
      if (tables.length > 0 || (await storage.getAlarm()) !== null) found.add(`${object.name} ${tables}`);
    });
  return [...found];
}

it("leaves nothing of jobs of every fate, in their objects or in the tenant's", async () => {
  const auth = await token({ sub: TENANT });
  const jobs: { readonly id: string; readonly poll: string }[] = [];
  for (const callback_url of [HOOK, HOOK, null, HOOK, HOOK]) {
    const request_id = uniqueId();
    const { body } = await call("POST", "/v1/jobs", {
      body: registration({ request_id, callback_url }),
      auth,
    });
    jobs.push({ id: body.id, poll: `${PROVIDER}/api/v3/fetch/${request_id}` });
  }
  const [delivered, refused, finished, canceled, erased] = jobs;
  if (!delivered || !refused || !finished || !canceled || !erased) throw new Error("a job is missing");
  const ids = jobs.map(({ id }) => id);
  fetched.on(delivered.poll, LARGE).on(HOOK, status(200));
  await fire(delivered.id, TENANT);
  fetched.on(refused.poll, success).on(HOOK, status(410));
  await fire(refused.id, TENANT);
  fetched.on(finished.poll, LARGE);
  await fire(finished.id, TENANT);
  await call("POST", `/v1/jobs/${canceled.id}/cancel`, { auth });
  await call("DELETE", `/v1/jobs/${erased.id}`, { auth });
  expect((await call("GET", "/v1/jobs", { auth })).body.jobs).toHaveLength(4);
  // Of the one that was erased, nothing; the tenant's object has the others. They may share one, too.
  expect(await left(ids)).toHaveLength(ARE_SHARED ? 2 : 5);

  for (const { id } of [delivered, refused, finished, canceled]) {
    await runDurableObjectAlarm(stub(id, TENANT));
    await fire(id, TENANT);
  }
  await runInDurableObject(env.TENANT.getByName(TENANT), (_, { storage }) => {
    storage.kv.delete("expire_at");
    const retention = 168 * 3_600_000;
    storage.sql.exec("UPDATE jobs SET registered_at = registered_at - ?, keep_until = 1", retention);
  });
  expect((await call("GET", "/v1/jobs", { auth })).body.jobs).toEqual([]);
  await runDurableObjectAlarm(env.TENANT.getByName(TENANT));
  expect(await left(ids)).toEqual([]);
});
