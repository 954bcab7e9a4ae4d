import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { finish } from "../../src/job/ending.ts";
import { type JobIndex, type PutAnswer, putRows } from "../../src/job/index-client.ts";
import { type Learned, observe, type Seen } from "../../src/job/learned.ts";
import { learnedHere, noteLearned } from "../../src/job/learned-here.ts";
import { type JobRow, rowOf } from "../../src/job/row.ts";
import { age, call, fire, registration, stored, token } from "../support/api.ts";
import { RETENTION, SUCCEEDED, waitingJob } from "../support/jobs.ts";
import { HOOK, leave } from "../support/life.ts";
import { json, ScriptedFetch, status } from "../support/scripted-fetch.ts";
import { LEARNING } from "../support/setup.ts";

let fetched: ScriptedFetch;
beforeEach(() => {
  fetched = new ScriptedFetch();
});
afterEach(() => leave(fetched));

let count = 0;
/** A tenant that nobody has heard of. */
const newTenant = (): string => `${LEARNING}${++count}`;
const objectOf = (tenant: string) => env.TENANT.getByName(tenant);
const SEEN: Seen = { after: 58, until: 60 };

/** The row of a job that has just ended, as its object would send it. */
function ended(seen: Seen | null = SEEN, endpoint = "v3", eta = 20): JobRow {
  const now = Date.now();
  const job = waitingJob({
    id: `job_${++count}`,
    eventId: `msg_${count}`,
    registeredAt: now + count,
    endpoint,
    etaSeconds: eta,
    polls: 2,
    revision: 2,
  });
  const row = rowOf(finish(job, SUCCEEDED, now, RETENTION), RETENTION);
  return { ...row, keepUntil: now + RETENTION, seen };
}

/** Tells the tenant's object, and answers with what it then knows. */
async function put(tenant: string, rows: readonly JobRow[]): Promise<ReadonlyMap<string, Learned>> {
  const index = objectOf(tenant) as unknown as JobIndex;
  return ((await index.put(rows, [], true)) as PutAnswer).learned;
}

const learnedFrom = (...lessons: readonly Seen[]): Learned | undefined =>
  lessons.reduce<Learned | undefined>((learned, seen) => observe(learned ?? null, 20, seen), undefined);

/** What stands in the object's storage. */
const storedOf = (tenant: string): Promise<unknown> =>
  runInDurableObject(objectOf(tenant), (_, { storage }) => storage.kv.get("durations"));

/** An hour later. */
async function runAlarm(tenant: string): Promise<void> {
  await runInDurableObject(objectOf(tenant), (_, { storage }) => storage.kv.put("expire_at", Date.now() - 1));
  await runDurableObjectAlarm(objectOf(tenant));
}

describe("the tenant's object", () => {
  it("learns from a job's end, and answers with what it knows of the endpoints that it was told of", async () => {
    const tenant = newTenant();
    expect(await put(tenant, [ended(null)])).toEqual(new Map());
    expect((await put(tenant, [ended()])).get("v3")).toEqual(learnedFrom(SEEN));
    expect(await put(tenant, [ended(null, "v6/video")])).toEqual(new Map());
    const both = await put(tenant, [ended(), ended(SEEN, "v6/video")]);
    expect(both.get("v3")).toEqual(learnedFrom(SEEN, SEEN));
    expect(both.get("v6/video")).toEqual(learnedFrom(SEEN));
  });

  it("answers a Worker of the version before as ever", async () => {
    const index = objectOf(newTenant()) as unknown as JobIndex;
    expect(await index.put([ended()])).toEqual([]);
  });

  it("learns once from a job, however often it hears of it", async () => {
    const tenant = newTenant();
    const row = ended();
    await put(tenant, [row]);
    await put(tenant, [row]);
    expect((await put(tenant, [{ ...row, revision: 7 }])).get("v3")).toEqual(learnedFrom(SEEN));
  });

  it("learns nothing from a job of the version before, which does not say", async () => {
    const { seen: _, ...row } = ended();
    expect(await put(newTenant(), [row])).toEqual(new Map());
  });

  it("keeps tenants apart", async () => {
    await put(newTenant(), [ended()]);
    expect(await put(newTenant(), [ended(null)])).toEqual(new Map());
  });

  it("writes nothing for it until its hourly alarm, and then only what is new", async () => {
    const tenant = newTenant();
    await put(tenant, [ended()]);
    expect(await storedOf(tenant)).toBeUndefined();
    await runAlarm(tenant);
    expect(await storedOf(tenant)).toMatchObject({ endpoints: [["v3", learnedFrom(SEEN)]] });
    await runInDurableObject(objectOf(tenant), (_, { storage }) => storage.kv.put("durations", "untouched"));
    await runAlarm(tenant);
    expect(await storedOf(tenant)).toBe("untouched");
  });

  it("writes it after 50 jobs, too: it could not be made up from jobs that were polled once", async () => {
    const tenant = newTenant();
    const lessons = Array.from({ length: 50 }, () => SEEN);
    for (let i = 0; i < 49; i++) await put(tenant, [ended()]);
    expect(await storedOf(tenant)).toBeUndefined();
    await put(tenant, [ended()]);
    expect(await storedOf(tenant)).toMatchObject({ endpoints: [["v3", learnedFrom(...lessons)]] });
  });

  it("makes up after a restart for what was not written yet, in its order, and for nothing twice", async () => {
    const tenant = newTenant();
    const [first, second, third] = [SEEN, { after: 3, until: 4 }, { after: 600, until: null }];
    await put(tenant, [ended(first)]);
    await runAlarm(tenant);
    await put(tenant, [ended(second)]);
    await evictDurableObject(objectOf(tenant));
    expect((await put(tenant, [ended(third)])).get("v3")).toEqual(learnedFrom(first, second, third));
    await runAlarm(tenant);
    await evictDurableObject(objectOf(tenant));
    const known = (await put(tenant, [ended(SEEN)])).get("v3");
    expect(known).toEqual(learnedFrom(first, second, third, SEEN));
  });

  it("begins anew where what is stored makes no sense", async () => {
    const tenant = newTenant();
    await put(tenant, [ended(null)]);
    const broken = { seq: 0, endpoints: [["v3", new Float32Array(7)]] };
    await runInDurableObject(objectOf(tenant), (_, { storage }) => storage.kv.put("durations", broken));
    await evictDurableObject(objectOf(tenant));
    expect((await put(tenant, [ended()])).get("v3")).toEqual(learnedFrom(SEEN));
  });

  it("knows 64 endpoints, and forgets the one that it learned from longest ago", async () => {
    const tenant = newTenant();
    const names = Array.from({ length: 64 }, (_, i) => `v9/e${i}`);
    const asked = [ended(null, "v9/e0"), ended(null, "v9/e1")];
    await put(
      tenant,
      names.map((name) => ended(SEEN, name)),
    );
    expect([...(await put(tenant, asked)).keys()]).toEqual(["v9/e0", "v9/e1"]);
    await put(tenant, [ended(SEEN, "v9/e0"), ended(SEEN, "v9/more")]);
    expect([...(await put(tenant, asked)).keys()]).toEqual(["v9/e0"]);
  });
});

describe("an isolate", () => {
  it("takes over what the index says of an endpoint, for that tenant only", async () => {
    const tenant = newTenant();
    await putRows(env, tenant, [ended()]);
    expect(learnedHere(tenant, "v3")).toEqual(learnedFrom(SEEN));
    expect(learnedHere(tenant, "v6/video")).toBeNull();
    expect(learnedHere(newTenant(), "v3")).toBeNull();
  });

  it.each([
    ["nothing", undefined],
    ["troubled hosts only", []],
    ["a state of another version", { troubled: [], learned: new Map([["v3", new Float32Array(9)]]) }],
  ])("knows nothing where the index says %s", async (_, answer) => {
    const tenant = newTenant();
    const index = { put: async () => answer };
    expect(await putRows({ TENANT: { getByName: () => index } }, tenant, [ended()])).toBe(true);
    expect(learnedHere(tenant, "v3")).toBeNull();
  });

  it("remembers a thousand endpoints, and forgets the one it heard of longest ago", () => {
    const tenant = newTenant();
    for (let i = 0; i < 1_000; i++) noteLearned(tenant, `e${i}`, learnedFrom(SEEN));
    expect(learnedHere(tenant, "e0")).not.toBeNull();
    noteLearned(tenant, "e1000", learnedFrom(SEEN));
    expect([learnedHere(tenant, "e0"), learnedHere(tenant, "e1")]).toEqual([null, learnedFrom(SEEN)]);
  });
});

describe("a job", () => {
  it("is polled when those before it were done, whatever its eta says, and keeps what it knew only while it waits", async () => {
    const tenant = newTenant();
    const auth = await token({ sub: tenant });
    const register = async () => {
      const { body } = await call("POST", "/v1/jobs", {
        auth,
        body: registration({ eta: 10, callback_url: HOOK }),
      });
      const inSeconds = (Date.parse(body.next_poll_at) - Date.parse(body.registered_at)) / 1_000;
      return {
        id: body.id as string,
        poll: `https://modelslab.com/api/v3/fetch/${body.request_id}`,
        inSeconds,
      };
    };
    const first = await register();
    expect(first.inSeconds).toBeLessThan(10);
    fetched.always(HOOK, status(200));
    for (let i = 0; i < 8; i++) {
      const job = i === 0 ? first : await register();
      fetched.on(job.poll, json({ status: "processing" }), json({ status: "success", output: ["u"] }));
      await age(job.id, 95_000, tenant);
      await fire(job.id, tenant);
      await age(job.id, 5_000, tenant);
      await fire(job.id, tenant);
    }
    const last = await register();
    expect(last.inSeconds).toBeGreaterThan(10);
    expect(last.inSeconds).toBeLessThan(105);
    expect((await stored(last.id, tenant))?.state).toMatchObject({
      status: "waiting",
      learned: expect.any(Float32Array),
    });
    expect((await stored(first.id, tenant))?.state).not.toHaveProperty("learned");
  });
});
