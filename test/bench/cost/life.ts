/**
 * Lives of a job on the real Worker and its real objects, with what they use counted. Alarms are run when their time has
 * been moved up: what is written, called and read is the same, and so is the time at work, as nothing is at work while it
 * waits. Only who watches waits in earnest.
 */
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import { expect, vi } from "vitest";
import { jobId } from "../../../src/job/ids.ts";
import { rowOf } from "../../../src/job/row.ts";
import { evict, fire, ORIGIN, PROVIDER, pollIn, stub, token, uniqueId } from "../../support/api.ts";
import { covered, type Span } from "../../support/covered.ts";
import { endedJob, SUCCEEDED } from "../../support/jobs.ts";
import { Meter } from "../../support/meter.ts";
import { json, type Script, ScriptedFetch, status } from "../../support/scripted-fetch.ts";
import { SEED_PAGES } from "../../support/seed-pages.ts";
import type { Counts, ObjectCounts, Scenario } from "./counts.ts";

/** How long others take to answer; an object is at work while it waits for them. */
export interface Latency {
  readonly providerMs: number;
  readonly receiverMs: number;
}

/** Long enough for a wake-up that should not be. */
const QUIET_MS = 300;
const WATCHED_MS = 60_000;
const DAY_MS = 24 * 3_600_000;

export interface Lived {
  readonly id: string;
  readonly counts: Counts;
}

/** One job of a tenant that has an index already: its table and its own alarm are not this job's. */
export async function live(scenario: Scenario, latency: Latency, tenant: string): Promise<Lived> {
  const client = new Client(tenant);
  const requestId = uniqueId();
  const hook = `https://${requestId}.example/hook`;
  const fetched = scripted(scenario, latency, requestId, hook);
  const id = await jobId(tenant, "v3", requestId);
  await fill(tenant, scenario.indexed ?? 1);
  const meter = await Meter.start();
  try {
    if (scenario.indexed) await evictTenant(tenant);
    const body = { request_id: requestId, callback_url: hook, key: "sk-cost", eta: 600 };
    await client.make("POST", "/v1/jobs", body);
    if (scenario.isWatched) {
      await pollIn(id, WATCHED_MS, tenant);
      await client.make("GET", `/v1/jobs/${id}/events`);
    } else
      for (let run = 0; run < scenario.polls + scenario.failedAttempts; run++) {
        await meter.settled(QUIET_MS);
        // It has been idle for long enough.
        await evict(id);
        if (scenario.indexed) await evictTenant(tenant);
        await fire(id);
      }
    await vi.waitFor(() => expect(fetched.to(hook)).toHaveLength(1 + scenario.failedAttempts));
    await meter.settled(QUIET_MS);
    return { id, counts: countsOf(meter, client.spans, fetched.sent.length) };
  } finally {
    meter.stop();
    fetched.restore();
    expect(fetched.unexpected).toEqual([]);
  }
}

/** The end of a job's retention. */
export async function purge(id: string): Promise<Counts> {
  const meter = await Meter.start();
  try {
    await evict(id);
    await fire(id);
    await meter.settled(QUIET_MS);
    return countsOf(meter, [], 0);
  } finally {
    meter.stop();
  }
}

/** One look for what is past its time, by the object of a tenant with so many jobs. */
export async function hourlyLook(tenant: string, jobs: number): Promise<Counts> {
  await fill(tenant, jobs);
  const object = env.TENANT.getByName(tenant);
  await runInDurableObject(object, (_, { storage }) => storage.kv.put("expire_at", 1));
  await evictTenant(tenant);
  const meter = await Meter.start();
  try {
    await runDurableObjectAlarm(object);
    await meter.settled(QUIET_MS);
    return countsOf(meter, [], 0);
  } finally {
    meter.stop();
  }
}

/** What a delivered job takes on disk: in its own object, and in the index, as the mean of many. */
export async function storedBytes(id: string, tenant: string): Promise<{ job: number; indexRow: number }> {
  const job = await runInDurableObject(stub(id), (_, { storage }) => storage.sql.databaseSize);
  await fill(tenant, 1);
  const before = await sizeOf(tenant);
  const rows = 1_000;
  await fill(tenant, rows, 1);
  return { job, indexRow: Math.round(((await sizeOf(tenant)) - before) / rows) };
}

const sizeOf = (tenant: string): Promise<number> =>
  runInDurableObject(env.TENANT.getByName(tenant), (_, { storage }) => storage.sql.databaseSize);

const evictTenant = (tenant: string): Promise<void> => evictDurableObject(env.TENANT.getByName(tenant));

/** Gives the tenant all its tables, and delivered jobs in its index, from number `from` on. */
async function fill(tenant: string, jobs: number, from = 0): Promise<void> {
  const letters = (n: number) => [...String(n)].map((digit) => "abcdefghij"[Number(digit)]).join("");
  const row = (n: number) => {
    const registeredAt = Date.now() - n;
    const job = {
      id: `job_${letters(n).padStart(32, "q")}`,
      tenant,
      requestId: String(30_000_000 + n),
      metadata: '{"user":7}',
      registeredAt,
    };
    return rowOf(endedJob(SUCCEEDED, job, registeredAt + 1), DAY_MS);
  };
  const object = env.TENANT.getByName(tenant);
  await object.put(Array.from({ length: jobs }, (_, n) => row(from + n)));
  // The table of troubled hosts is made once for a tenant; it is no job's.
  const report = { jobId: row(from).fields.id, host: "elsewhere.example" };
  for (const result of ["failed", "ok"] as const) await object.put([], [{ ...report, result }]);
}

function scripted(
  { polls, failedAttempts }: Scenario,
  { providerMs, receiverMs }: Latency,
  requestId: string,
  hook: string,
): ScriptedFetch {
  const success = json(SEED_PAGES.find(({ requestId: id }) => id === "12202888")?.response);
  const processing = json({ status: "processing", eta: 60 });
  const times = (count: number, script: Script): Script[] => Array.from({ length: count }, () => script);
  return new ScriptedFetch()
    .on(
      `${PROVIDER}/api/v3/fetch/${requestId}`,
      ...times(polls - 1, late(providerMs, processing)),
      late(providerMs, success),
    )
    .on(hook, ...times(failedAttempts, late(receiverMs, status(503))), late(receiverMs, status(204)));
}

const late =
  (ms: number, script: Script): Script =>
  async (sent, signal) => {
    await scheduler.wait(ms);
    return script(sent, signal);
  };

/** Calls the Worker for a tenant, and notes when; an answer is read to its end. */
class Client {
  readonly spans: Span[] = [];
  readonly #tenant: string;

  constructor(tenant: string) {
    this.#tenant = tenant;
  }

  async make(method: string, path: string, body?: unknown): Promise<void> {
    const authorization = `Bearer ${await token({ sub: this.#tenant })}`;
    const from = performance.now();
    const response = await exports.default.fetch(`${ORIGIN}${path}`, {
      method,
      headers: { authorization, ...(body !== undefined && { "content-type": "application/json" }) },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    this.spans.push([from, performance.now()]);
    if (!response.ok) throw new Error(`${method} ${path} was answered ${response.status}: ${text}`);
  }
}

function countsOf(meter: Meter, worker: readonly Span[], outbound: number): Counts {
  const objects = meter.visits.map(({ from, to }): Span => [from, to ?? from]);
  const of = (name: "Job" | "Tenant" | "Limiter"): ObjectCounts => ({
    requests: meter.requests(name).length,
    rowsRead: meter.rowsRead(name),
    rowsWritten: meter.rowsWritten(name),
    busyMs: meter.busyMs(name),
  });
  return {
    workerRequests: worker.length,
    workerMs: covered([...worker, ...objects]) - covered(objects),
    objects: { Job: of("Job"), Tenant: of("Tenant"), Limiter: of("Limiter") },
    outbound,
  };
}
