/**
 * Calls the Worker as a caller does, and reaches behind it into a job's object.
 */
import {
  evictDurableObject,
  listDurableObjectIds,
  reset,
  runDurableObjectAlarm,
  runInDurableObject,
} from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import { parseConfig } from "../../src/config.ts";
import { type Claims, mintToken, SCOPES } from "../../src/crypto/token.ts";
import { wakeAt } from "../../src/job/lifecycle.ts";
import { objectNames } from "../../src/job/placement.ts";
import type { Job as JobRecord } from "../../src/job/record.ts";
import { hasTable } from "../../src/sql.ts";
import { described } from "./described.ts";

export const ORIGIN = "https://pollhook.example";
export const PROVIDER = "https://modelslab.com";
/** Planted everywhere a key can go, so that a leak is found by searching for it. */
export const PROVIDER_KEY = "sk-caller-4f9d2c71b8";

export const config = (() => {
  const result = parseConfig(env);
  if (!result.ok) throw new Error(result.problems.join("; "));
  return result.config;
})();

let counter = 0;
/** Unique in a test file: storage is shared between its tests. */
export const uniqueId = (): string => String(20_000_000 + ++counter);

export async function token(
  overrides: Partial<Claims> = {},
  masterKey = config.masterKeys[0],
): Promise<string> {
  const iat = Math.floor(Date.now() / 1000);
  const claims = { sub: "acme", scope: SCOPES.join(" "), exp: iat + 3600, iat, jti: crypto.randomUUID() };
  return mintToken({ ...claims, ...overrides }, masterKey);
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: a test asserts on whatever came back.
  readonly body: any;
  readonly text: string;
}

/** One call of the Worker, as the platform makes it; its answer is held against the OpenAPI document. */
export async function fetchWorker(path: string, init: RequestInit = {}): Promise<Response> {
  const url = `${ORIGIN}${path}`;
  const response = await exports.default.fetch(url, init);
  return described({ method: init.method ?? "GET", url, body: init.body }, response);
}

/** One call; JSON bodies are written, others sent as they are. */
export async function call(
  method: string,
  path: string,
  { body, headers, auth }: { body?: unknown; headers?: Record<string, string>; auth?: string | null } = {},
): Promise<Answer> {
  const bearer = auth === undefined ? await token() : auth;
  const response = await fetchWorker(path, {
    method,
    headers: {
      ...(bearer !== null && { authorization: `Bearer ${bearer}` }),
      ...(body !== undefined && { "content-type": "application/json" }),
      ...headers,
    },
    ...(body !== undefined && {
      body: typeof body === "string" || body instanceof Uint8Array ? body : JSON.stringify(body),
    }),
  });
  const text = await response.text();
  const isJson = /json/.test(response.headers.get("content-type") ?? "");
  return { status: response.status, headers: response.headers, text, body: isJson ? JSON.parse(text) : null };
}

/** A registration that is accepted, unless an override spoils it. The eta is far off: tests drive the alarm. */
export const registration = (overrides: Record<string, unknown> = {}): Record<string, unknown> => ({
  request_id: uniqueId(),
  callback_url: "https://example.com/hook",
  key: PROVIDER_KEY,
  eta: 600,
  ...overrides,
});

export async function register(overrides: Record<string, unknown> = {}): Promise<Answer> {
  return call("POST", "/v1/jobs", { body: registration(overrides) });
}

export const readJob = (id: string): Promise<Answer> => call("GET", `/v1/jobs/${id}`);

/** The object that hosts the job. */
export const stub = (id: string, tenant = "acme") =>
  env.JOB.getByName(objectNames(config.jobShards, tenant, id)[0] ?? id);

/** Whether jobs share objects in this run. */
export const ARE_SHARED = config.jobShards[0] !== 0;

/** Lets time pass for the stored job until what it waits for is due, then runs its alarm once. */
export async function fire(id: string, tenant = "acme"): Promise<void> {
  const object = stub(id, tenant);
  await makeDue(id, tenant);
  const revision = (await stored(id, tenant))?.revision;
  await runDurableObjectAlarm(object);
  if (!ARE_SHARED) return;
  // Many jobs' object holds back for a second, in its memory alone, one that has just left something due behind.
  const isHeldBack = (job: JobRecord | undefined): boolean =>
    job !== undefined && job.revision === revision && wakeAt(job) <= Date.now();
  let waits = isHeldBack(await stored(id, tenant));
  for (let tried = 0; waits && tried < MOST_TRIES; tried++) {
    await scheduler.wait(50);
    waits = await runInDurableObject(object, async (job, { storage }) => {
      await job.alarm();
      return isHeldBack(storage.kv.get<JobRecord>(`job/${id}`));
    });
  }
}
const MOST_TRIES = 30;

/** Moves the job's next poll or attempt to now, in storage, as if its time had come. */
export async function makeDue(id: string, tenant = "acme"): Promise<void> {
  const due = (job: JobRecord) => {
    const state = { ...job.state } as Record<string, unknown>;
    for (const name of ["nextPollAt", "nextAttemptAt", "expiresAt"])
      if (name in state) state[name] = Date.now() - 1;
    return { ...job, heldUntil: 0, state: state as unknown as JobRecord["state"] };
  };
  await change(id, due, tenant);
}

/** Has the job polled so long from now, whatever its schedule says. */
export async function pollIn(id: string, ms: number, tenant = "acme"): Promise<void> {
  const nextPollAt = Date.now() + ms;
  await change(id, (job) => ({ ...job, state: { ...job.state, nextPollAt } as JobRecord["state"] }), tenant);
  await runInDurableObject(stub(id, tenant), (_, { storage }) => storage.setAlarm(nextPollAt));
}

/** Makes the job `ms` older: every stored time moves into the past. */
export async function age(id: string, ms: number, tenant = "acme"): Promise<void> {
  const edit = (job: JobRecord) => {
    const state = { ...job.state } as Record<string, unknown>;
    for (const [name, value] of Object.entries(state))
      if (name.endsWith("At") && typeof value === "number") state[name] = value - ms;
    return {
      ...job,
      registeredAt: job.registeredAt - ms,
      deadlineAt: job.deadlineAt - ms,
      state: state as unknown as JobRecord["state"],
    };
  };
  await change(id, edit, tenant);
}

export async function change(
  id: string,
  edit: (job: JobRecord) => JobRecord,
  tenant = "acme",
): Promise<void> {
  await runInDurableObject(stub(id, tenant), (_, { storage }) => {
    const job = storage.kv.get<JobRecord>(`job/${id}`);
    if (!job) {
      throw new Error(`no job ${id} to change`);
    }
    const changed = edit(job);
    storage.kv.put(`job/${id}`, changed);
    if (ARE_SHARED) storage.sql.exec("UPDATE agenda SET at = ? WHERE id = ?", wakeAt(changed), id);
  });
}

/** The stored job, or `undefined`. */
export const stored = (id: string, tenant = "acme"): Promise<JobRecord | undefined> =>
  runInDurableObject(stub(id, tenant), (_, { storage }) => storage.kv.get<JobRecord>(`job/${id}`));

/** When the job's object wakes up for it. */
export const alarmOf = (id: string): Promise<number | null> =>
  runInDurableObject(stub(id), (_, { storage }) => alarmFor(storage, id));

/** When the job's object wakes up, be it for this job, for another one, or to tell the index. */
export const objectAlarmOf = (id: string): Promise<number | null> =>
  runInDurableObject(stub(id), (_, { storage }) => storage.getAlarm());

/** Where many share one alarm: the entry that it is set by. */
export async function alarmFor(storage: DurableObjectStorage, id: string): Promise<number | null> {
  if (!ARE_SHARED) return storage.getAlarm();
  const isThere = hasTable(storage.sql, "agenda");
  const rows = isThere ? [...storage.sql.exec<{ at: number }>("SELECT at FROM agenda WHERE id = ?", id)] : [];
  return rows[0]?.at ?? null;
}

/** The rows that an object keeps of the job. */
export const rowsOf = (storage: DurableObjectStorage, id: string): string[] =>
  [...storage.kv.list()].map(([key]) => key).filter((key) => !ARE_SHARED || key.includes(id));

/**
 * Nothing is left of any object, in storage or in memory. A reset drops those that are in memory alone: objects that jobs
 * share, in which the next test would find the jobs of this one, are called into it.
 */
export async function clear(): Promise<void> {
  if (ARE_SHARED)
    for (const id of await listDurableObjectIds(env.JOB)) await runInDurableObject(env.JOB.get(id), () => {});
  await reset();
}

export const evict = (id: string): Promise<void> => evictDurableObject(stub(id));
