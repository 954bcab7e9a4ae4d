/**
 * The I/O of one attempt: asks whether it may go out, where that is not plain, counts and stores it, POSTs, and applies
 * what came back to the job as it then is.
 */
import type { Config } from "../config.ts";
import { log } from "../log.ts";
import { deliver } from "../webhook/deliver.ts";
import {
  type DestinationContent,
  type DestinationRead,
  openDestination,
  signingKeys,
} from "../webhook/destination.ts";
import { withoutEchoes } from "../webhook/echo.ts";
import { tenantKeys } from "../webhook/signature.ts";
import { judgeTarget, targetPolicy } from "../webhook/target.ts";
import { type Admission, askFor, needsAdmission } from "./admission.ts";
import {
  abandoned,
  attempted,
  attemptStarted,
  gaveUp,
  isSpent,
  notAttempted,
  postponed,
  refused,
  withDestination,
} from "./delivery.ts";
import type { JobEnv } from "./indexing.ts";
import type { Keeper } from "./keeper.ts";
import { parked } from "./parking.ts";
import { type In, isIn, type Job } from "./record.ts";

/**
 * One attempt of a delivery that is due. `job` need not be stored yet; `reload` says what it is now, and `null` where it
 * is none that can be delivered any more.
 */
export async function attempt(
  job: In<"delivering">,
  reload: () => Job | null,
  config: Config | null,
  keeper: Keeper,
  env: JobEnv,
): Promise<void> {
  if (!config) return keeper.save(postponed(job, "config_unusable", Date.now()));
  const needed = needsAdmission(job);
  const admission = needed ? await askFor(job, env) : null;
  const content = job.destination ? await openFor(job, admission, config) : null;
  // What was waited for: another may have moved the job meanwhile.
  const fresh = needed ? reload() : job;
  const giveBack = () => returnPermit(job, admission, keeper);
  if (!fresh || !isIn(fresh, "delivering") || fresh.eventId !== job.eventId || fresh.runs !== job.runs)
    return giveBack();
  if (!goesTheSameWay(fresh, job)) {
    // Another callback was named: the next run asks for that one.
    giveBack();
    return keeper.save(fresh);
  }
  const now = Date.now();
  if (admission?.kind === "missing") return keeper.save(abandoned(fresh, now, config.retentionMs));
  if (admission?.kind === "park") return keeper.save(parked(fresh, admission, now, Math.random()));
  // Somebody has paused it, and nobody can be asked whether that is over.
  if (needed && !admission && fresh.state.parked?.reason === "paused")
    return keeper.save(postponed(fresh, "tenant_unreachable", now));
  const ready = readied(fresh, admission?.read ?? null, content, config, keeper, now);
  if (ready.kind === "stop") {
    giveBack();
    return keeper.save(ready.job);
  }
  await send(ready.job, ready.url, content, config, keeper, giveBack);
}

/** What stands sealed in the job's destination, as it is now or was last read; `null` where there is nothing to be read. */
async function openFor(
  { tenant, destination }: Job,
  admission: Admission | null,
  { masterKeys }: Config,
): Promise<DestinationContent | null> {
  const read = admission?.kind === "go" ? admission.read?.copy : undefined;
  const sealed = (read ?? destination?.copy)?.sealed;
  return destination && sealed !== undefined
    ? openDestination(sealed, tenant, destination.name, masterKeys)
    : null;
}

const goesTheSameWay = (a: Job, b: Job): boolean =>
  a.callbackUrl === b.callbackUrl && a.destination?.name === b.destination?.name;

/** What was granted is not used. */
function returnPermit(job: Job, admission: Admission | null, keeper: Keeper): void {
  if (admission?.kind === "go")
    keeper.report(job.tenant, { jobId: job.id, host: admission.host, result: "none" });
}

/** The job as it is to be sent, and to which URL; or what becomes of it instead. */
function readied(
  fresh: In<"delivering">,
  read: DestinationRead | null,
  content: DestinationContent | null,
  config: Config,
  keeper: Keeper,
  now: number,
):
  | { readonly kind: "send"; readonly job: In<"delivering">; readonly url: string }
  | { readonly kind: "stop"; readonly job: Job } {
  const { destination } = fresh;
  const job =
    destination && read
      ? withDestination(fresh, destination.name, read, () => keeper.readAnswer(fresh))
      : fresh;
  if (isSpent(job, now)) return { kind: "stop", job: gaveUp(job, now, config.retentionMs) };
  if (destination && !content) {
    const reason = job.destination?.copy ? "destination_unreadable" : "destination_unreachable";
    return { kind: "stop", job: postponed(job, reason, now) };
  }
  const target = judgeTarget(content?.url ?? job.callbackUrl ?? "", targetPolicy(config, job.host));
  if (!target.ok) return { kind: "stop", job: refused(job, target.fault, now, config.retentionMs) };
  return { kind: "send", job, url: target.url };
}

/** Counts and stores the attempt, then makes it. */
async function send(
  job: In<"delivering">,
  url: string,
  content: DestinationContent | null,
  config: Config,
  keeper: Keeper,
  giveBack: () => void,
): Promise<void> {
  const now = Date.now();
  const started = attemptStarted(job, now, Math.random());
  const answer = keeper.readAnswer(started);
  await keeper.save(started);
  const { eventId, tenant, runs, attempts } = started;
  const keys = content ? signingKeys(content, now) : await tenantKeys(config.masterKeys, tenant);
  const stored = keeper.load(job.id);
  // A cancel, a redelivery or an erasure that landed while this was stored stands, and needs no POST of ours.
  if (!stored || stored.eventId !== eventId) return giveBack();
  if (!isIn(stored, "delivering") || stored.runs !== runs) {
    giveBack();
    return keeper.save(notAttempted(stored));
  }
  const result = await deliver({
    url,
    headers: content?.headers ?? {},
    keys,
    eventId,
    number: attempts,
    parts: started.state.ending.event,
    answer,
  });
  const { verdict, httpStatus, durationMs } = result;
  log("job.attempted", {
    job: job.id,
    attempt: attempts,
    result: verdict.kind,
    reason: verdict.kind === "failed" ? verdict.cause : null,
    status: httpStatus,
    duration_ms: durationMs,
  });
  keeper.report(tenant, { jobId: job.id, host: new URL(url).host, result: RESULTS[verdict.kind] });
  const seen =
    content && result.response !== null ? withoutEchoes(result.response, content) : result.response;
  await keeper.turn();
  const after = keeper.load(job.id);
  if (!after) return;
  const moment = { now: Date.now(), random: Math.random(), retentionMs: config.retentionMs };
  await keeper.save(
    attempted(after, { run: runs, eventId, startedAt: now }, { ...result, response: seen }, moment),
    after,
  );
}

/** What an attempt says of the receiver's health: a 410 speaks of one callback, not of the host. */
const RESULTS = { delivered: "ok", failed: "failed", gone: "none" } as const;
