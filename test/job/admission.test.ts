import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Admission, AdmissionAsk } from "../../src/job/admission.ts";
import type { AttemptReport } from "../../src/job/index-client.ts";
import { Job } from "../../src/job/job.ts";
import type { Parked } from "../../src/job/record.ts";
import { type DestinationRead, sealDestination } from "../../src/webhook/destination.ts";
import { age, alarmOf, config, makeDue, readJob, stored, stub, uniqueId } from "../support/api.ts";
import { callWith } from "../support/http.ts";
import { HOOK, leave, newJob, success } from "../support/life.ts";
import { json, ScriptedFetch, status } from "../support/scripted-fetch.ts";

const APP = "https://app.example/hooks";
const HOST = "app.example";
const SECRET = `whsec_${btoa("0123456789abcdef0123456789abcdef")}`;

let fetched: ScriptedFetch;
beforeEach(() => {
  fetched = new ScriptedFetch();
});
afterEach(() => leave(fetched));

/** A tenant's object that answers as it is told, and notes what it was asked and told. */
class ScriptedTenant {
  readonly asked: AdmissionAsk[] = [];
  readonly reports: AttemptReport[] = [];
  read: DestinationRead | null = null;
  /** Whether all breakers are open. */
  open = false;
  #answers: (Admission | Error | "hang")[] = [];

  answer(...answers: (Admission | Error | "hang")[]): this {
    this.#answers.push(...answers);
    return this;
  }

  go(): this {
    return this.answer({ kind: "go", host: HOST, read: this.read });
  }

  readonly binding = {
    getByName: () => ({
      put: async (_: unknown, reports: readonly AttemptReport[] = []) => {
        this.reports.push(...reports);
        return this.open ? reports.map(({ host }) => host) : [];
      },
      remove: async () => {},
      destination: async () => (this.read ? { kind: "found", read: this.read } : { kind: "missing" }),
      admit: (ask: AdmissionAsk) => {
        this.asked.push(ask);
        const answer = this.#answers.shift() ?? new Error("nothing more was scripted");
        if (answer === "hang") return new Promise(() => {});
        return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
      },
    }),
  } as never;
}

const destination = async (
  overrides: Partial<{ url: string; headers: Record<string, string>; secret: string }> = {},
  more: Partial<{ retrySchedule: number[]; format: "standard" | "provider" }> = {},
): Promise<DestinationRead> => {
  const content = { url: APP, headers: {}, secret: SECRET, previous: [], ...overrides };
  const sealed = await sealDestination(content, "acme", "app", config.masterKeys[0]);
  const copy = { sealed, host: new URL(content.url).host, retrySchedule: more.retrySchedule ?? null };
  return { copy, format: more.format ?? "standard" };
};

const parkedFor = (reason: "paused" | "breaker_open", since = Date.now()): Admission => ({
  kind: "park",
  reason,
  host: HOST,
  since,
});

/** Runs the job's alarm in an object that sees this tenant; the job is due. */
async function run(id: string, tenant: ScriptedTenant): Promise<void> {
  await makeDue(id);
  await runInDurableObject(stub(id), (_, ctx) => new Job(ctx, { ...env, TENANT: tenant.binding }).alarm());
}

/** A job that names the destination, registered with this tenant. */
async function named(tenant: ScriptedTenant, overrides: Record<string, unknown> = {}) {
  const requestId = uniqueId();
  const body = { request_id: requestId, key: "sk-caller-1", eta: 600, destination: "app", ...overrides };
  const answer = await callWith({ TENANT: tenant.binding }, "POST", "/v1/jobs", { body });
  if (answer.status !== 202) throw new Error(answer.text);
  fetched.on(`https://modelslab.com/api/v3/fetch/${requestId}`, success);
  return answer.body as { id: string; event_id: string };
}

const jobOf = async (id: string) => (await readJob(id)).body;
const entries = async (id: string, type: string) =>
  (await jobOf(id)).timeline.filter((entry: { type: string }) => entry.type === type);

describe("a plain callback", () => {
  it("gets its first attempt without that anybody is asked", async () => {
    const tenant = new ScriptedTenant();
    const job = await newJob();
    fetched.on(job.poll, success).on(HOOK, status(204));
    await run(job.id, tenant);
    expect(await jobOf(job.id)).toMatchObject({ status: "delivered", parked: null });
    expect(tenant.asked).toEqual([]);
    expect(tenant.reports).toEqual([{ jobId: job.id, host: "example.com", result: "ok" }]);
  });

  it("is asked for before every further attempt, and before a redelivery", async () => {
    const tenant = new ScriptedTenant().go().go();
    const job = await newJob();
    fetched.on(job.poll, success).on(HOOK, status(500), status(204), status(204));
    await run(job.id, tenant);
    await run(job.id, tenant);
    expect(tenant.asked).toEqual([
      { jobId: job.id, destination: null, host: "example.com", isRedelivery: false, parked: null },
    ]);
    await runInDurableObject(stub(job.id), (_, ctx) =>
      new Job(ctx, { ...env, TENANT: tenant.binding }).redeliver("acme", job.id, null),
    );
    await run(job.id, tenant);
    expect(tenant.asked).toHaveLength(2);
    expect(tenant.reports.map(({ result }) => result)).toEqual(["failed", "ok", "ok"]);
    expect(await jobOf(job.id)).toMatchObject({ status: "delivered", attempts: 3 });
  });

  it("goes out as if nobody else were there while the tenant's object is down or hangs", async () => {
    const tenant = new ScriptedTenant().answer(new Error("down"), "hang");
    const job = await newJob();
    fetched.on(job.poll, success).on(HOOK, status(500), status(500), status(204));
    for (let i = 0; i < 3; i++) await run(job.id, tenant);
    expect(tenant.asked).toHaveLength(2);
    expect(await jobOf(job.id)).toMatchObject({ status: "delivered", attempts: 3 });
  });

  it("is asked for at its first attempt too where its host is known to be out of order", async () => {
    const [hook, tenant] = ["https://broken-down.example/hook", new ScriptedTenant()];
    const [first, second, third] = [
      await newJob({ callback_url: hook }),
      await newJob({ callback_url: hook }),
      await newJob({ callback_url: hook }),
    ];
    for (const { poll } of [first, second, third]) fetched.on(poll, success);
    fetched.on(hook, status(500), status(204), status(204));
    tenant.open = true;
    await run(first.id, tenant);
    expect(tenant.asked).toEqual([]);
    tenant.answer({ ...parkedFor("breaker_open"), host: "broken-down.example" } as Admission);
    await run(second.id, tenant);
    expect(await jobOf(second.id)).toMatchObject({ attempts: 0, parked: "breaker_open" });
    tenant.open = false;
    await run(second.id, tenant.answer({ kind: "go", host: "broken-down.example", read: null }));
    await run(third.id, tenant);
    expect(tenant.asked).toHaveLength(2);
    expect(await jobOf(third.id)).toMatchObject({ status: "delivered" });
  });

  it("says nothing of its receiver's health by a 410", async () => {
    const tenant = new ScriptedTenant();
    const job = await newJob();
    fetched.on(job.poll, success).on(HOOK, status(410));
    await run(job.id, tenant);
    expect(tenant.reports.map(({ result }) => result)).toEqual(["none"]);
  });
});

describe("a tenant's object of the version before", () => {
  it("that answers a put with nothing has been told all the same", async () => {
    const old = { getByName: () => ({ put: async () => undefined }) } as never;
    const job = await newJob();
    fetched.on(job.poll, success).on(HOOK, status(204));
    await makeDue(job.id);
    await runInDurableObject(stub(job.id), (_, ctx) => new Job(ctx, { ...env, TENANT: old }).alarm());
    expect(await alarmOf(job.id)).toBe(Date.parse((await jobOf(job.id)).expires_at));
  });
});

describe("a delivery that is parked", () => {
  it("waits without spending an attempt, says why once, and goes out when it is called", async () => {
    const tenant = new ScriptedTenant();
    tenant.read = await destination();
    const job = await named(tenant);
    const since = Date.now();
    tenant.answer(parkedFor("paused", since), parkedFor("paused", since));
    await run(job.id, tenant);
    await run(job.id, tenant);
    const parked = await jobOf(job.id);
    expect(parked).toMatchObject({
      status: "delivering",
      outcome: "succeeded",
      attempts: 0,
      parked: "paused",
    });
    expect(await entries(job.id, "parked")).toMatchObject([{ type: "parked", reason: "paused" }]);
    // Should nobody call, it looks for itself after an hour or so.
    expect(parked.next_attempt_at).toBeNull();
    const lookIn = ((await alarmOf(job.id)) ?? 0) - Date.now();
    expect(lookIn).toBeGreaterThan(0.7 * 3_600_000);
    expect(lookIn).toBeLessThan(1.3 * 3_600_000);

    expect(await stub(job.id).unpark("acme", job.id, since - 1)).toEqual({ kind: "gone" });
    expect(await stub(job.id).unpark("other", job.id, since)).toEqual({ kind: "not_found" });
    tenant.go();
    fetched.on(APP, status(204));
    const unparked = await runInDurableObject(stub(job.id), async (_, ctx) => {
      const object = new Job(ctx, { ...env, TENANT: tenant.binding });
      const answer = await object.unpark("acme", job.id, since);
      await object.alarm();
      return answer;
    });
    expect(unparked).toEqual({ kind: "called" });
    expect(tenant.asked.at(-1)?.parked).toEqual({ reason: "paused", since, host: HOST, called: true });
    expect(await jobOf(job.id)).toMatchObject({ status: "delivered", attempts: 1, parked: null });
  });

  it("notes each reason anew", async () => {
    const tenant = new ScriptedTenant();
    tenant.read = await destination();
    const job = await named(tenant);
    tenant.answer(parkedFor("paused"), parkedFor("breaker_open"));
    await run(job.id, tenant);
    await run(job.id, tenant);
    expect((await entries(job.id, "parked")).map(({ reason }: { reason: string }) => reason)).toEqual([
      "paused",
      "breaker_open",
    ]);
  });

  it("is not lost when it is called in the moment in which it is parked", async () => {
    const tenant = new ScriptedTenant();
    tenant.read = await destination();
    const job = await named(tenant);
    await makeDue(job.id);
    const asked: (Parked | null)[] = [];
    await runInDurableObject(stub(job.id), async (_, ctx) => {
      const since = Date.now();
      const binding = {
        getByName: () => ({
          put: async () => [],
          admit: async ({ parked }: AdmissionAsk) => {
            if (asked.push(parked) === 1) await object.unpark("acme", job.id, since);
            return parkedFor("paused", since);
          },
        }),
      } as never;
      const object = new Job(ctx, { ...env, TENANT: binding });
      await object.alarm();
    });
    // Called, and so it has asked again.
    expect(asked).toEqual([null, expect.objectContaining({ called: true })]);
  });

  it("ends after 14 days, also when it never went out", async () => {
    const tenant = new ScriptedTenant();
    tenant.read = await destination();
    const job = await named(tenant);
    tenant.answer(parkedFor("paused"));
    await run(job.id, tenant);
    await age(job.id, 14 * 86_400_000 + 1);
    await run(job.id, tenant);
    expect(tenant.asked).toHaveLength(1);
    expect(await jobOf(job.id)).toMatchObject({
      status: "undelivered",
      attempts: 0,
      parked: null,
      delivery_error: { reason: "exhausted", message: "It was not delivered within 14 days." },
    });
  });

  it("can be canceled", async () => {
    const tenant = new ScriptedTenant();
    tenant.read = await destination();
    const job = await named(tenant);
    tenant.answer(parkedFor("paused"));
    await run(job.id, tenant);
    await stub(job.id).cancel("acme", job.id);
    expect(await jobOf(job.id)).toMatchObject({
      status: "undelivered",
      delivery_error: { reason: "canceled" },
    });
  });
});

describe("a cancel that lands while the tenant's object is asked", () => {
  it("stands, the poll's result too is of no interest then, and the permit is given back", async () => {
    const tenant = new ScriptedTenant();
    tenant.read = await destination();
    const job = await named(tenant);
    await makeDue(job.id);
    const reports: AttemptReport[] = [];
    await runInDurableObject(stub(job.id), async (_, ctx) => {
      const binding = {
        getByName: () => ({
          put: async (_rows: unknown, more: readonly AttemptReport[] = []) => {
            reports.push(...more);
            return [];
          },
          admit: async () => {
            await object.cancel("acme", job.id);
            return { kind: "go", host: HOST, read: tenant.read };
          },
        }),
      } as never;
      const object = new Job(ctx, { ...env, TENANT: binding });
      await object.alarm();
    });
    expect(await jobOf(job.id)).toMatchObject({ status: "canceled", polls: 0, attempts: 0 });
    expect(reports).toEqual([{ jobId: job.id, host: HOST, result: "none" }]);
    expect(fetched.to(APP)).toEqual([]);
  });
});

describe("what moves the job while the tenant's object is asked", () => {
  /** Runs the job's alarm; in the moment in which it asks, `meanwhile` happens to it. */
  async function runWhile(id: string, meanwhile: (object: Job) => Promise<unknown>) {
    const reports: AttemptReport[] = [];
    const read = await destination();
    await makeDue(id);
    await runInDurableObject(stub(id), async (_, ctx) => {
      const binding = {
        getByName: () => ({
          put: async (_rows: unknown, more: readonly AttemptReport[] = []) => {
            reports.push(...more);
            return [];
          },
          remove: async () => {},
          admit: async () => {
            await meanwhile(object);
            return { kind: "go", host: HOST, read };
          },
        }),
      } as never;
      const object: Job = new Job(ctx, { ...env, TENANT: binding });
      await object.alarm();
    });
    return reports;
  }

  const deliveringJob = async () => {
    const tenant = new ScriptedTenant();
    tenant.read = await destination();
    const job = await named(tenant);
    fetched.on(APP, status(500));
    await run(job.id, tenant.go());
    return job;
  };

  it("is a redelivery: it stands, and gets its own attempt", async () => {
    const job = await deliveringJob();
    const reports = await runWhile(job.id, (object) => object.redeliver("acme", job.id, null));
    expect(reports).toEqual([{ jobId: job.id, host: HOST, result: "none" }]);
    expect(await jobOf(job.id)).toMatchObject({ status: "delivering", attempts: 1 });
    expect(fetched.to(APP)).toHaveLength(1);
  });

  it("is an erasure: nothing is sent", async () => {
    const job = await deliveringJob();
    const reports = await runWhile(job.id, (object) => object.erase("acme", job.id));
    expect(reports).toContainEqual({ jobId: job.id, host: HOST, result: "none" });
    expect(fetched.to(APP)).toHaveLength(1);
  });

  it("is another callback: the event does not go to the first", async () => {
    const tenant = new ScriptedTenant();
    const requestId = uniqueId();
    const job = await newJob({ request_id: requestId, callback_url: null });
    fetched.on(job.poll, success).on(HOOK, status(500), status(204));
    await run(job.id, tenant);
    await runInDurableObject(stub(job.id), (_, ctx) =>
      new Job(ctx, { ...env, TENANT: tenant.binding }).redeliver("acme", job.id, HOOK),
    );
    await run(job.id, tenant.go());
    const reports = await runWhile(job.id, async (object) => {
      const state = (await stored(job.id))?.state;
      expect(state?.status).toBe("delivering");
      await object.redeliver("acme", job.id, null, { name: "app", read: await destination() });
    });
    expect(reports).toEqual([{ jobId: job.id, host: HOST, result: "none" }]);
    expect(await jobOf(job.id)).toMatchObject({ destination: "app", callback_url: null });
    expect(fetched.to(HOOK)).toHaveLength(1);
  });

  it("says that it is an event sent again only at the first attempt of that", async () => {
    const tenant = new ScriptedTenant();
    tenant.read = await destination();
    const job = await named(tenant);
    fetched.on(APP, status(500), status(500), status(500));
    await run(job.id, tenant.go());
    await runInDurableObject(stub(job.id), (_, ctx) =>
      new Job(ctx, { ...env, TENANT: tenant.binding }).redeliver("acme", job.id, null),
    );
    await run(job.id, tenant.go());
    await run(job.id, tenant.go());
    expect(tenant.asked.map(({ isRedelivery }) => isRedelivery)).toEqual([false, true, false]);
  });
});

describe("a named destination", () => {
  it("is read at each attempt: a repaired one repairs what is pending", async () => {
    const tenant = new ScriptedTenant();
    tenant.read = await destination({ url: "https://broken.example/hook" });
    const job = await named(tenant);
    fetched.on("https://broken.example/hook", status(500)).on(APP, status(204));
    tenant.go();
    await run(job.id, tenant);
    tenant.read = await destination({ headers: { authorization: "Bearer new" } });
    tenant.go();
    await run(job.id, tenant);
    expect(await jobOf(job.id)).toMatchObject({
      status: "delivered",
      attempts: 2,
      destination: "app",
      callback_url: null,
    });
    const [sent] = fetched.to(APP);
    expect(sent?.headers).toMatchObject({
      authorization: "Bearer new",
      "content-type": "application/json",
      "pollhook-attempt": "2",
    });
    expect(tenant.reports.map(({ host }) => host)).toEqual(["broken.example", HOST]);
  });

  it("is taken from the job's own copy while the tenant's object is down", async () => {
    const tenant = new ScriptedTenant().answer(new Error("down"));
    tenant.read = await destination({ headers: { "x-team": "blue" } });
    const job = await named(tenant);
    fetched.on(APP, status(204));
    await run(job.id, tenant);
    expect(await jobOf(job.id)).toMatchObject({ status: "delivered", attempts: 1 });
    expect(fetched.to(APP)[0]?.headers["x-team"]).toBe("blue");
  });

  it("keeps URL, headers and secret sealed in the job's record", async () => {
    const tenant = new ScriptedTenant();
    tenant.read = await destination({ url: `${APP}?token=planted`, headers: { "x-team": "planted" } });
    const job = await named(tenant);
    const record = JSON.stringify(await stored(job.id));
    expect(record).toContain('"host":"app.example"');
    for (const secret of ["planted", SECRET, "/hooks"]) expect(record).not.toContain(secret);
    fetched.on(`${APP}?token=planted`, status(500));
    tenant.go();
    await run(job.id, tenant);
    expect(JSON.stringify(await stored(job.id))).not.toContain("planted");
    expect((await readJob(job.id)).text).not.toContain("planted");
  });

  it("is waited for where it could not be looked up at the registration either", async () => {
    const tenant = new ScriptedTenant().answer(new Error("down"), new Error("down"));
    const requestId = uniqueId();
    const down = { getByName: () => ({ destination: () => Promise.reject(new Error("down")) }) } as never;
    const body = { request_id: requestId, key: "sk-caller-1", eta: 600, destination: "app" };
    const { body: job, status: answered } = await callWith({ TENANT: down }, "POST", "/v1/jobs", { body });
    expect(answered).toBe(202);
    const answer = { status: "success", output: ["u"], id: 7 };
    fetched.on(`https://modelslab.com/api/v3/fetch/${requestId}`, json(answer)).on(APP, status(204));
    await run(job.id, tenant);
    await run(job.id, tenant);
    expect(await jobOf(job.id)).toMatchObject({ status: "delivering", outcome: "succeeded", attempts: 0 });
    expect(await entries(job.id, "postponed")).toMatchObject([{ reason: "destination_unreachable" }]);
    // Its format too was not known until now.
    tenant.read = await destination({}, { format: "provider" });
    tenant.go();
    await run(job.id, tenant);
    expect(await jobOf(job.id)).toMatchObject({ status: "delivered", format: "provider" });
    expect(JSON.parse(fetched.to(APP)[0]?.body ?? "")).toEqual(answer);
  });

  it("whose receiver echoes what it was sent does not show its headers in the timeline", async () => {
    const tenant = new ScriptedTenant();
    tenant.read = await destination({ headers: { authorization: "Bearer PlantedToken" } });
    const job = await named(tenant);
    fetched.on(APP, ({ headers }) => new Response(`you sent ${headers.authorization}`, { status: 500 }));
    await run(job.id, tenant.go());
    expect(await entries(job.id, "attempt")).toMatchObject([{ response: "you sent [redacted]" }]);
    expect(JSON.stringify(await stored(job.id))).not.toContain("PlantedToken");
  });

  it("whose format came too late for an event that was sent already does not change that event", async () => {
    const tenant = new ScriptedTenant();
    const requestId = uniqueId();
    const down = { getByName: () => ({ destination: () => Promise.reject(new Error("down")) }) } as never;
    const body = { request_id: requestId, key: "sk-caller-1", eta: 600, destination: "app" };
    const { body: job } = await callWith({ TENANT: down }, "POST", "/v1/jobs", { body });
    fetched
      .on(`https://modelslab.com/api/v3/fetch/${requestId}`, success)
      .on(HOOK, status(500))
      .on(APP, status(204));
    await run(job.id, tenant.answer(new Error("down")));
    const redeliver = (...to: [string | null, { name: string; read: DestinationRead }?]) =>
      runInDurableObject(stub(job.id), (_, ctx) =>
        new Job(ctx, { ...env, TENANT: tenant.binding }).redeliver("acme", job.id, ...to),
      );
    await redeliver(HOOK);
    await run(job.id, tenant.go());
    tenant.read = await destination({}, { format: "provider" });
    await redeliver(null, { name: "app", read: tenant.read });
    await run(job.id, tenant.go());
    expect(fetched.to(APP)[0]?.body).toBe(fetched.to(HOOK)[0]?.body);
  });

  it("that is there no more ends the delivery, which can be redelivered", async () => {
    const tenant = new ScriptedTenant();
    tenant.read = await destination();
    const job = await named(tenant);
    tenant.answer({ kind: "missing" });
    await run(job.id, tenant);
    expect(await jobOf(job.id)).toMatchObject({
      status: "undelivered",
      attempts: 0,
      delivery_error: { reason: "destination_missing" },
    });
    expect(await entries(job.id, "attempt")).toMatchObject([
      { result: "refused", reason: "destination_missing" },
    ]);
    fetched.on(APP, status(204));
    await stub(job.id).redeliver("acme", job.id, null);
    tenant.go();
    await run(job.id, tenant);
    expect(await jobOf(job.id)).toMatchObject({ status: "delivered", attempts: 1 });
  });

  it("that may not be called any more ends it too, and gives the permit back", async () => {
    const tenant = new ScriptedTenant();
    tenant.read = await destination({ url: "https://10.0.0.1/hook" });
    const job = await named(tenant);
    tenant.go();
    await run(job.id, tenant);
    expect(await jobOf(job.id)).toMatchObject({ delivery_error: { reason: "target_refused" } });
    expect(tenant.reports).toEqual([{ jobId: job.id, host: HOST, result: "none" }]);
  });

  it("that cannot be opened any more is waited for", async () => {
    const tenant = new ScriptedTenant();
    const read = await destination();
    tenant.read = { ...read, copy: { ...read.copy, sealed: `gone.${read.copy.sealed}` } };
    const job = await named(tenant);
    tenant.go();
    await run(job.id, tenant);
    expect(await jobOf(job.id)).toMatchObject({ status: "delivering", attempts: 0 });
    expect(await entries(job.id, "postponed")).toMatchObject([{ reason: "destination_unreadable" }]);
  });

  it("brings its own schedule: after its last gap the event is undelivered", async () => {
    const tenant = new ScriptedTenant();
    tenant.read = await destination({}, { retrySchedule: [100, 3_600] });
    const job = await named(tenant);
    fetched.always(APP, status(500));
    const waits: number[] = [];
    for (let i = 0; i < 2; i++) {
      tenant.go();
      await run(job.id, tenant);
      waits.push((Date.parse((await jobOf(job.id)).next_attempt_at) - Date.now()) / 1_000);
    }
    expect(waits[0]).toBeGreaterThan(78);
    expect(waits[0]).toBeLessThanOrEqual(120);
    expect(waits[1]).toBeGreaterThan(2_878);
    tenant.go();
    await run(job.id, tenant);
    expect(await jobOf(job.id)).toMatchObject({
      status: "undelivered",
      attempts: 3,
      delivery_error: { reason: "exhausted" },
    });
  });

  it("whose schedule was shortened under its retries gets no attempt more than that allows", async () => {
    const tenant = new ScriptedTenant();
    tenant.read = await destination();
    const job = await named(tenant);
    fetched.on(APP, status(500), status(500));
    for (let i = 0; i < 2; i++) await run(job.id, tenant.go());
    tenant.read = await destination({}, { retrySchedule: [1] });
    await run(job.id, tenant.go());
    expect(await jobOf(job.id)).toMatchObject({ status: "undelivered", attempts: 2 });
  });

  it("with no gap at all gets one attempt", async () => {
    const tenant = new ScriptedTenant();
    tenant.read = await destination({}, { retrySchedule: [] });
    const job = await named(tenant);
    fetched.on(APP, status(500));
    await run(job.id, tenant.go());
    expect(await jobOf(job.id)).toMatchObject({ status: "undelivered", attempts: 1 });
  });

  it("that hangs while it is asked for holds up the attempt for two seconds, not more", async () => {
    const tenant = new ScriptedTenant().answer("hang");
    tenant.read = await destination();
    const job = await named(tenant);
    fetched.on(APP, status(204));
    await run(job.id, tenant);
    expect(await jobOf(job.id)).toMatchObject({ status: "delivered" });
  });
});
