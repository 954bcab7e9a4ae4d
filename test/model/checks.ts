/**
 * What holds at every moment of a job's life: the promises, read off what its object stores, says and sends.
 */
import { Webhook } from "standardwebhooks";
import type { JobView } from "../../src/job/view.ts";
import { signingSecrets } from "../../src/webhook/signature.ts";
import type { Sent } from "../support/scripted-fetch.ts";
import { configOf } from "./deployment.ts";
import { type ModelJob, RETENTION_MS } from "./model-job.ts";
import type { World } from "./world.ts";

const SECOND = 1_000;
/** Of a wake-up that is past already. */
const FLOOR_MS = SECOND;
/** Until the tenant's index, which could not be reached, is told once more. */
const INDEX_RETRY_MS = 60 * SECOND;

export function ensure(holds: boolean, what: string, seen: unknown): asserts holds {
  if (!holds) throw new Error(`It does not hold that ${what}: ${JSON.stringify(seen)}`);
}

const same = (what: string, seen: unknown, expected: unknown): void =>
  ensure(JSON.stringify(seen) === JSON.stringify(expected), `${what} is ${JSON.stringify(expected)}`, seen);

/** A poll has arrived. */
export function checkPoll({ model, setting: { key }, requests }: World, { body, url, headers }: Sent): void {
  const { job } = model;
  ensure(job?.status === "waiting", "only a waiting job polls", job);
  ensure(Date.now() >= job.notBefore - 1, "no poll comes sooner than it may", [Date.now(), job.notBefore]);
  ensure(requests.poll === 1, "a run polls once", requests);
  same("a poll's body", body, JSON.stringify({ key }));
  ensure(!(url + JSON.stringify(headers)).includes(key), "the key is in the body only", url);
}

/** An attempt has arrived, and is not counted by the model yet. */
export async function checkAttempt(world: World, sent: Sent): Promise<void> {
  const { model, event, requests } = world;
  const { key, tenant } = world.setting;
  const { job } = model;
  ensure(job?.status === "delivering", "only a delivering job is delivered", job);
  ensure(Date.now() >= job.notBefore - 1, "no attempt comes too soon", [Date.now(), job.notBefore]);
  ensure(requests.post === 1, "a run makes one attempt", requests);
  same("the callback", sent.url, job.callback);
  same("the webhook-id", sent.headers["webhook-id"], event?.id);
  same("the attempt's number", sent.headers["pollhook-attempt"], String(job.attempts + 1));
  same("what is counted before the POST", (await world.stored())?.attempts, job.attempts + 1);
  ensure(!(sent.body + JSON.stringify(sent.headers)).includes(key), "no receiver gets the key", sent.headers);
  checkBody(world, job, sent.body);
  ensure(model.masterKeys.length > 0, "nothing is sent that cannot be signed", model.masterKeys);
  for (const secret of await signingSecrets(configOf(model.masterKeys).masterKeys, tenant))
    new Webhook(secret).verify(sent.body, sent.headers);
}

/** The event's bytes, wherever they are seen: they never change. */
function checkBody(world: World, job: ModelJob, body: string): void {
  const { event } = world;
  ensure(event !== null, "there is an event", body);
  const isNew = event.body === null;
  event.body ??= body;
  ensure(event.body === body, "the event keeps its bytes", [event.body, body]);
  if (!isNew) return;
  if (job.format === "provider") checkProviderBody(job, body);
  else checkStandardBody(world, job, body);
}

function checkStandardBody(world: World, job: ModelJob, body: string): void {
  const { type, data } = JSON.parse(body) as { type: string; data: Record<string, unknown> };
  same("the event's type", type, `job.${job.outcome}`);
  same("the event's job", data.job_id, world.setting.id);
  same("the event's polls", data.polls, job.polls);
  same("the event's error", (data.error as { reason: string } | null)?.reason ?? null, job.error);
  ensure((data.output === null) === (job.outcome !== "succeeded"), "only a success has output", data.output);
}

/** The provider's own answer, or a failure in its words. */
function checkProviderBody(job: ModelJob, body: string): void {
  const { status } = JSON.parse(body) as { status: string };
  ensure(
    (status === "success") === (job.outcome === "succeeded"),
    "the provider's word is the outcome",
    body,
  );
}

/** Looks at everything, and holds it against the model. */
export async function checkAll(world: World): Promise<void> {
  world.throwFailure();
  const { model, latest } = world;
  const { host, tenant, id, logs } = world.setting;
  // Before anybody asks for the job, who would bring a lost alarm back.
  const { rows, alarm } = await host.storage(async (storage) => {
    const alarm = await storage.getAlarm();
    return { alarm, rows: [...storage.kv.list()] };
  });
  const keys = rows.map(([name]) => name).filter((name) => !name.startsWith("erased/"));
  const read = await host.call((job) => job.read(tenant, id));
  if (read.kind === "found") model.settle(read.view.fields.status);
  const { job } = model;
  checkNoTrace(world, JSON.stringify([rows, read, logs.splice(0)], asText));
  if (!job) {
    same("what is left of a job that is gone", keys, []);
    same("the answer for a job that is gone", read.kind, "not_found");
    if (rows.length > 0) {
      ensure(alarm !== null, "what the index must hear has an alarm", rows);
      const soon = Math.max(latest + INDEX_RETRY_MS, model.watchdogAt + FLOOR_MS);
      ensure(alarm <= soon, "the index hears of it soon", alarm);
    }
    ensure(rows.length > 0 || alarm === null, "nothing wakes for nothing", alarm);
    world.wakeAt = null;
    return;
  }
  ensure(read.kind === "found", "the job is there", read.kind);
  checkView(world, job, read.view);
  const record = rows.find(([name]) => name === `job/${id}`)?.[1] as Awaited<ReturnType<World["stored"]>>;
  same("the count of crashes", record?.crashes, job.crashes);
  same("the number of rows", keys.length, 1 + (record?.answer?.chunks ?? 0));
  world.wakeAt = wakeOf(read.view);
  const { wakeAt } = world;
  ensure(wakeAt !== null, "the job has a next wake-up", read.view.fields);
  ensure(
    alarm !== null && alarm <= Math.max(wakeAt, latest + FLOOR_MS, model.watchdogAt + FLOOR_MS),
    "an alarm stands at the job's wake-up or before",
    { alarm, wakeAt, latest, now: Date.now() },
  );
  await checkEvent(world, job);
}

async function checkEvent(world: World, job: ModelJob): Promise<void> {
  const { host, tenant, id } = world.setting;
  const read = await host.call((object) => object.event(tenant, id, 1_000_000));
  if (job.outcome === null || job.outcome === "canceled") return same("the event of none", read.kind, "none");
  ensure(read.kind === "event", "there is an event", read.kind);
  same("the event's id", read.id, world.event?.id);
  const bytes = read.answer ?? new Uint8Array();
  const body = read.parts.map((part) =>
    typeof part === "string" ? part : new TextDecoder().decode(bytes.subarray(part[0], part[1])),
  );
  checkNoTrace(world, body.join(""));
  checkBody(world, job, body.join(""));
}

function checkView({ event }: World, job: ModelJob, { fields, timeline }: JobView): void {
  const iso = (at: number | null): string | null => (at === null ? null : new Date(at).toISOString());
  const expected = {
    status: job.status,
    outcome: job.outcome,
    callback_url: job.callback,
    format: job.format,
    registered_at: iso(job.registeredAt),
    deadline_at: iso(job.deadlineAt),
    finished_at: iso(job.finishedAt),
    delivered_at: iso(job.status === "delivered" ? job.endedAt : null),
    expires_at: iso(job.endedAt === null ? null : job.endedAt + RETENTION_MS),
    polls: job.polls,
    attempts: job.attempts,
    event_id: event?.id,
  };
  const seen = Object.fromEntries(
    Object.keys(expected).map((name) => [name, fields[name as keyof typeof fields]]),
  );
  same("the job", seen, expected);
  same("its error", fields.error?.reason ?? null, job.error);
  same("its delivery error", fields.delivery_error?.reason ?? null, job.deliveryError);
  same("what it is parked for", fields.parked, null);
  ensure(timeline.length <= 64, "the timeline is bounded", timeline.length);
  if (fields.next_poll_at !== null)
    ensure(Date.parse(fields.next_poll_at) <= job.deadlineAt, "no poll is planned past the deadline", fields);
  const at = Date.parse(fields.next_poll_at ?? fields.next_attempt_at ?? "");
  if (!Number.isNaN(at))
    ensure(at >= job.notBefore - 1 && at <= job.notAfter + 1, "the next step is where it should be", {
      at,
      ...job,
    });
}

/** The provider key is nowhere, and nothing that it could be opened from once the outcome is known. */
function checkNoTrace({ setting: { key }, model, sealed }: World, text: string): void {
  ensure(!text.includes(key), "the provider key is nowhere in sight", text.slice(0, 2_000));
  if (model.job !== null && model.job.outcome === null) return;
  ensure(!text.includes('"sealedKey"'), "no sealed key is left", text.slice(0, 2_000));
  for (const part of sealed) ensure(!text.includes(part), "no sealed key is left", text.slice(0, 2_000));
}

const asText = (_: string, value: unknown): unknown =>
  value instanceof Uint8Array ? new TextDecoder("latin1").decode(value) : value;

function wakeOf({ fields }: JobView): number | null {
  const at = fields.next_poll_at ?? fields.next_attempt_at ?? fields.expires_at;
  return at === null ? null : Date.parse(at);
}
