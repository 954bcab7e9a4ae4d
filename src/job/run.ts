/**
 * One alarm run of one job: does what `lifecycle` says is due. The I/O happens between a load and a reload; what it
 * brought is applied to the job as it then is, so that a cancel or a redelivery that landed meanwhile stands.
 */
import { type Config, readConfig, retentionMsOf, serverKeyFor, type Variables } from "../config.ts";
import { open } from "../crypto/vault.ts";
import { log, logError } from "../log.ts";
import { notCalled, type PollResult, poll } from "../provider/client.ts";
import { deliver } from "../webhook/deliver.ts";
import { tenantKeys } from "../webhook/signature.ts";
import { judgeTarget, targetPolicy } from "../webhook/target.ts";
import { attempted, attemptStarted, notAttempted, postponed, refused, undelivered } from "./delivery.ts";
import type { Keeper } from "./keeper.ts";
import { due } from "./lifecycle.ts";
import { polled, reasonOf } from "./polling.ts";
import { type In, isIn, type Job } from "./record.ts";
import { pollTimeoutMs } from "./schedule.ts";

/** Polls, attempts, gives up or purges. A poll that ends the waiting is followed by the first attempt. */
export async function run(id: string, keeper: Keeper, env: Variables): Promise<void> {
  let job = keeper.load(id);
  if (job && isIn(job, "waiting") && due(job, Date.now()) === "poll") {
    job = await pollOnce(job, keeper, env);
    // Unless the first attempt is due at once: then the poll's result and the attempt are one commit, below.
    if (job && due(job, Date.now()) !== "attempt") return keeper.save(job);
  }
  if (!job) return;
  const now = Date.now();
  const action = due(job, now);
  if (action === "attempt" && isIn(job, "delivering")) await attemptOnce(job, keeper, env);
  else if (action === "give_up" && isIn(job, "delivering"))
    await keeper.save(undelivered(job, "exhausted", now, retentionMsOf(env)));
  else if (action === "purge") {
    log("job.purged", { job: id });
    await keeper.erase(job);
  }
}

/** The job after one poll, not yet saved; `null` when something else has ended the waiting meanwhile. */
async function pollOnce(job: In<"waiting">, keeper: Keeper, env: Variables): Promise<Job | null> {
  const config = usableConfig(env);
  const startedAt = Date.now();
  const seen = config ? await ask(job, config, startedAt) : notCalled("config_unusable");
  const { verdict, httpStatus, durationMs } = seen;
  log("job.polled", {
    job: job.id,
    result: verdict.kind,
    reason: reasonOf(verdict),
    status: httpStatus,
    duration_ms: durationMs,
  });
  const fresh = keeper.load(job.id);
  if (!fresh || fresh.eventId !== job.eventId || !isIn(fresh, "waiting")) return null;
  const moment = { now: Date.now(), random: Math.random(), retentionMs: retentionMsOf(env) };
  return polled(fresh, seen, startedAt, moment);
}

/** Opens the key and asks the provider, if both are still to be had. */
async function ask(job: In<"waiting">, config: Config, now: number): Promise<PollResult> {
  const origin = job.origin ?? config.providerOrigins[0];
  if (!config.providerOrigins.includes(origin)) return notCalled("origin_not_listed");
  const { sealedKey } = job.state;
  const key =
    sealedKey === null ? serverKeyFor(config, job.tenant) : await open(sealedKey, job.id, config.masterKeys);
  if (key === null) return notCalled("key_unreadable");
  const target = { origin, endpoint: job.endpoint, requestId: job.requestId, key };
  return poll(target, { timeoutMs: pollTimeoutMs(now, job.deadlineAt), maxBytes: config.maxOutputBytes });
}

/** One attempt, counted and stored before the POST. */
async function attemptOnce(job: In<"delivering">, keeper: Keeper, env: Variables): Promise<void> {
  const config = usableConfig(env);
  const startedAt = Date.now();
  if (!config) return keeper.save(postponed(job, startedAt));
  const target = judgeTarget(job.callbackUrl ?? "", targetPolicy(config, job.host));
  if (!target.ok) return keeper.save(refused(job, target.fault, startedAt, config.retentionMs));
  const started = attemptStarted(job, startedAt, Math.random());
  const answer = keeper.readAnswer(started);
  await keeper.save(started);
  const { eventId, tenant, runs, attempts } = started;
  const stored = keeper.load(job.id);
  // A cancel, a redelivery or an erasure that landed while this was stored stands, and needs no POST of ours.
  if (!stored || stored.eventId !== eventId) return;
  if (!isIn(stored, "delivering") || stored.runs !== runs) return keeper.save(notAttempted(stored));
  const result = await deliver({
    url: target.url,
    headers: {},
    keys: await tenantKeys(config.masterKeys, tenant),
    eventId,
    number: attempts,
    parts: started.state.ending.event,
    answer,
  });
  log("job.attempted", {
    job: job.id,
    attempt: attempts,
    result: result.verdict.kind,
    reason: result.verdict.kind === "failed" ? result.verdict.cause : null,
    status: result.httpStatus,
    duration_ms: result.durationMs,
  });
  const fresh = keeper.load(job.id);
  if (!fresh) return;
  const moment = { now: Date.now(), random: Math.random(), retentionMs: config.retentionMs };
  await keeper.save(attempted(fresh, { run: runs, eventId, startedAt }, result, moment));
}

function usableConfig(env: Variables): Config | null {
  const result = readConfig(env);
  if (result.ok) return result.config;
  logError("config.unusable", { problems: result.problems.join("; ") });
  return null;
}
