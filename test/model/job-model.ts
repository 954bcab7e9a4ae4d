/**
 * The model: what each thing that can happen to a job does to it by the design, and how it is answered. Written from the
 * promises, the lifecycle, polling and delivery, not from the code. Pure; times in epoch ms.
 */
import type { PollMeaning, PostMeaning } from "./answers.ts";
import {
  attemptFailed,
  beginDelivery,
  calm,
  end,
  endedBadly,
  endingOf,
  GAPS,
  giveUp,
  isSpent,
  MINUTE,
  type ModelJob,
  planPoll,
  SECOND,
  waiting,
} from "./model-job.ts";

const MOST_CRASHES = 5;
/** Doubled with each crash, and a fifth more at most. */
const WATCHDOG_MS = 20 * SECOND;

export interface Registering {
  readonly callback: string | null;
  readonly format: "standard" | "provider";
  readonly etaSeconds: number | null;
  readonly deadlineSeconds: number;
  /** The provider's answer came with it. */
  readonly isAnswered: boolean;
}

export class JobModel {
  job: ModelJob | null = null;
  /** Key ids, the newest first; none: the configuration cannot be used. */
  masterKeys: readonly string[];
  /** The run that is under way repeats one that died: it has an alarm to look after it. */
  isWatched = false;
  /** Should it die too, nothing comes sooner than that. */
  watchdogAt = 0;
  #starts = 0;

  constructor(masterKeys: readonly string[]) {
    this.masterKeys = masterKeys;
  }

  register(
    { callback, format, deadlineSeconds, isAnswered }: Registering,
    now: number,
  ): "created" | "exists" | "conflict" {
    const { job } = this;
    if (job && !endedBadly(job)) {
      if (callback === null) return "exists";
      if (job.callback !== null)
        return job.callback === callback && job.format === format ? "exists" : "conflict";
      job.callback = callback;
      job.format = format;
      if (job.status === "finished") beginDelivery(job, now);
      return "exists";
    }
    this.job = {
      ...waiting(++this.#starts, now, now + deadlineSeconds * SECOND),
      callback,
      format,
      sealedBy: isAnswered ? null : (this.masterKeys[0] ?? null),
    };
    if (isAnswered) end(this.job, "succeeded", null, now);
    return "created";
  }

  cancel(now: number): "found" | "already_over" | "not_found" {
    const { job } = this;
    if (!job) return "not_found";
    if (job.status === "delivering") giveUp(job, "canceled", now);
    else if (job.status === "waiting")
      Object.assign(job, {
        status: "canceled",
        outcome: "canceled",
        sealedBy: null,
        finishedAt: now,
        endedAt: now,
      });
    else return "already_over";
    return "found";
  }

  redeliver(to: string | null, now: number): "found" | "nothing_to_deliver" | "not_found" {
    const { job } = this;
    if (!job) return "not_found";
    const callback = to ?? job.callback;
    if (job.outcome === null || job.outcome === "canceled" || callback === null) return "nothing_to_deliver";
    job.callback = callback;
    beginDelivery(job, now);
    return "found";
  }

  erase(): "erased" | "not_found" {
    const { job } = this;
    this.job = null;
    return job ? "erased" : "not_found";
  }

  /** May hasten the next poll, but not to less than 5 s after the last one. */
  hint(now: number): "hinted" | "not_found" {
    const { job } = this;
    if (job?.status === "waiting" && job.transients === 0)
      job.notBefore = Math.min(job.notBefore, Math.max(now, job.lastPollAt + 5 * SECOND));
    return job ? "hinted" : "not_found";
  }

  /** A run of the alarm begins: what it has to ask somebody else for, if anything. */
  beginRun(isDue: boolean, isRetry: boolean, now: number): "poll" | "attempt" | "nothing" {
    const { job } = this;
    this.isWatched = false;
    if (!job || !isDue) return "nothing";
    if (isRetry || job.isGuarded) {
      this.isWatched = true;
      job.crashes++;
      job.isGuarded = true;
      this.watchdogAt = now + WATCHDOG_MS * 2 ** (job.crashes - 1) * 1.2;
      if (job.crashes >= MOST_CRASHES) {
        const wasOver = job.endedAt !== null;
        calm(job);
        if (job.status === "waiting") end(job, "failed", "internal_error", now);
        else if (job.status === "delivering") giveUp(job, "exhausted", now);
        if (!wasOver && job.status !== "delivering") return "nothing";
      }
    }
    const isUsable = this.masterKeys.length > 0;
    if (job.status === "waiting") {
      if (isUsable && job.sealedBy !== null && this.masterKeys.includes(job.sealedBy)) return "poll";
      this.#unasked(job, isUsable, now);
      return isUsable && job.outcome !== null && job.callback !== null ? "attempt" : "nothing";
    }
    if (job.status !== "delivering") {
      this.job = null;
      return "nothing";
    }
    if (isSpent(job, now)) {
      giveUp(job, "exhausted", now);
      return "nothing";
    }
    if (!isUsable) job.notAfter = now + MINUTE;
    return isUsable ? "attempt" : "nothing";
  }

  /** The run has ended as it should. */
  endRun(): void {
    this.watchdogAt = 0;
    if (this.job) calm(this.job);
  }

  /** What came of a poll of this start of the job. */
  polled(start: number, meaning: PollMeaning, startedAt: number, now: number): void {
    const { job } = this;
    // Something else has ended the waiting meanwhile.
    if (job?.start !== start || job.status !== "waiting") return;
    job.polls++;
    job.lastPollAt = startedAt;
    job.transients = meaning.kind === "transient" ? job.transients + 1 : 0;
    if (meaning.kind === "empty") job.empties++;
    if (meaning.kind === "not_found") job.notFounds++;
    const ending = endingOf(job, meaning, now);
    if (ending) end(job, ending.outcome, ending.error, now);
    else planPoll(job, meaning, now);
  }

  /** An attempt goes out: it is counted from now on. Which run of the deliveries it belongs to. */
  attempting(now: number): number {
    const { job } = this;
    if (!job) return 0;
    job.attempts++;
    job.runAttempts++;
    const gap = GAPS[job.runAttempts - 1];
    job.notBefore = now + (gap ?? 0) * SECOND * 0.8 - 1;
    job.notAfter = now + (gap === undefined ? MINUTE : gap * SECOND * 1.2) + 1;
    return job.run;
  }

  attempted(start: number, run: number, meaning: PostMeaning, now: number): void {
    const { job } = this;
    if (job?.start !== start || job.status !== "delivering" || job.run !== run) return;
    if (meaning.kind === "delivered") Object.assign(job, { status: "delivered", endedAt: now });
    if (meaning.kind === "gone") giveUp(job, "gone", now);
    if (meaning.kind === "failed") attemptFailed(job, meaning.retryAfterSeconds, now);
  }

  /** Where chance decides whether there is one attempt more, the job is asked. */
  settle(status: string): void {
    const { job } = this;
    if (status === "undelivered" && job?.status === "delivering" && job.mayBeOverAt !== null)
      giveUp(job, "exhausted", job.mayBeOverAt);
  }

  /** The provider could not be asked: the key cannot be opened, or the configuration not be used. */
  #unasked(job: ModelJob, isUsable: boolean, now: number): void {
    job.transients++;
    if (now < job.deadlineAt) planPoll(job, { kind: "transient", waitSeconds: null }, now);
    else if (isUsable) end(job, "failed", "key_unreadable", now);
    else end(job, "expired", null, now);
    if (!isUsable && job.outcome !== null) job.notAfter = now + MINUTE;
  }
}
