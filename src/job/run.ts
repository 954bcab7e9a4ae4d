/**
 * One alarm run of one job: does what `lifecycle` says is due. The I/O happens between a load and a reload; what it
 * brought is applied to the job as it then is, so that a cancel or a redelivery that landed meanwhile stands.
 */
import {
  type Config,
  readConfig,
  retentionMsOf,
  secondsPerPollOf,
  serverKeyFor,
  type Variables,
} from "../config.ts";
import { open } from "../crypto/vault.ts";
import { log, logError } from "../log.ts";
import { notCalled, poll } from "../provider/client.ts";
import { attempt } from "./attempt.ts";
import { gaveUp } from "./delivery.ts";
import type { JobEnv } from "./indexing.ts";
import type { Keeper } from "./keeper.ts";
import { pollInTurn, type Turned } from "./key-limits.ts";
import { due } from "./lifecycle.ts";
import { polled, reasonOf } from "./polling.ts";
import { type In, isIn, type Job } from "./record.ts";
import { pollTimeoutMs } from "./schedule.ts";
import { afterTurn, held } from "./turn.ts";

/** Polls, attempts, gives up or purges. A poll that ends the waiting is followed by the first attempt. */
export async function run(id: string, keeper: Keeper, env: JobEnv): Promise<void> {
  const job = keeper.load(id);
  if (!job) return;
  const now = Date.now();
  const action = due(job, now);
  if (action === "poll" && isIn(job, "waiting")) {
    const config = usableConfig(env);
    const apply = await pollOnce(job, config, env);
    await keeper.turn();
    const after = () => apply(keeper.load(id));
    const next = after();
    if (!next) return;
    // The first attempt may be due at once: then the poll's result and the attempt are one commit.
    if (due(next, Date.now()) === "attempt" && isIn(next, "delivering"))
      await attempt(next, after, config, keeper, env);
    else await keeper.save(next);
  } else if (action === "attempt" && isIn(job, "delivering"))
    await attempt(job, () => keeper.load(id), usableConfig(env), keeper, env);
  else if (action === "give_up" && isIn(job, "delivering"))
    await keeper.save(gaveUp(job, now, retentionMsOf(env)));
  else if (action === "purge") {
    log("job.purged", { job: id });
    await keeper.purge(job);
  }
}

/**
 * Polls, or is held back from it; what comes back says what becomes of the job as it then is: `null` where something else
 * has ended the waiting.
 */
async function pollOnce(
  job: In<"waiting">,
  config: Config | null,
  env: JobEnv,
): Promise<(fresh: Job | null) => Job | null> {
  const { seen, startedAt, hold } = config ? await ask(job, config, env) : unasked("config_unusable");
  if (seen)
    log("job.polled", {
      job: job.id,
      result: seen.verdict.kind,
      reason: reasonOf(seen.verdict),
      status: seen.httpStatus,
      duration_ms: seen.durationMs,
    });
  else log("job.held", { job: job.id, wait_ms: hold.waitMs });
  const moment = {
    now: Date.now(),
    random: Math.random(),
    retentionMs: retentionMsOf(env),
    secondsPerPoll: secondsPerPollOf(env),
  };
  return (fresh) => {
    if (!fresh || fresh.eventId !== job.eventId || !isIn(fresh, "waiting")) return null;
    if (!seen) return held(fresh, hold, moment.now);
    return afterTurn(polled(fresh, seen, startedAt, moment), hold, moment.now);
  };
}

const unasked = (cause: Parameters<typeof notCalled>[0]): Turned => ({
  seen: notCalled(cause),
  startedAt: Date.now(),
  hold: null,
});

/** Opens the key and asks the provider, if both are still to be had and it is the job's turn. */
async function ask(job: In<"waiting">, config: Config, env: JobEnv): Promise<Turned> {
  const origin = job.origin ?? config.providerOrigins[0];
  if (!config.providerOrigins.includes(origin)) return unasked("origin_not_listed");
  const { sealedKey } = job.state;
  const key =
    sealedKey === null ? serverKeyFor(config, job.tenant) : await open(sealedKey, job.id, config.masterKeys);
  if (key === null) return unasked("key_unreadable");
  const target = { origin, endpoint: job.endpoint, requestId: job.requestId, key };
  return pollInTurn(job, target, env, (now) =>
    poll(target, { timeoutMs: pollTimeoutMs(now, job.deadlineAt), maxBytes: config.maxOutputBytes }),
  );
}

function usableConfig(env: Variables): Config | null {
  const result = readConfig(env);
  if (result.ok) return result.config;
  logError("config.unusable", { problems: result.problems.join("; ") });
  return null;
}
