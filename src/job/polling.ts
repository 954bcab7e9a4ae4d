/**
 * The polling half of a job's life: what a poll's verdict does to a waiting job. Pure.
 */
import type { PollResult } from "../provider/client.ts";
import type { FailureReason, Verdict } from "../provider/response.ts";
import { finish } from "./ending.ts";
import { type In, type Job, type TimelineEntry, type Waiting, withEntry } from "./record.ts";
import { type Hint, hintAfter, nextPollAt, retryPollAt } from "./schedule.ts";

/** `success` without output is believed when it comes once more after this many further polls. */
const EMPTY_RETRIES = 3;
/** The provider may not know a fresh request yet: "not found" counts from this age on, and when seen twice. */
const NOT_FOUND_GRACE_MS = 60_000;
const NOT_FOUND_SEEN = 2;

export interface Moment {
  /** Epoch ms, after the poll. */
  readonly now: number;
  /** In [0, 1). */
  readonly random: number;
  readonly retentionMs: number;
  readonly secondsPerPoll: number;
}

/** The job after a poll that began at `startedAt`. From the deadline on, no further poll is planned. */
export function polled(job: In<"waiting">, seen: PollResult, startedAt: number, moment: Moment): Job {
  const { verdict, answer } = seen;
  const after: In<"waiting"> = {
    ...job,
    polls: job.polls + (seen.called ? 1 : 0),
    answer: answer ? { size: answer.length, bytes: answer, chunks: job.answer?.chunks ?? 0 } : job.answer,
    timeline: withEntry(job.timeline, pollEntry(seen, startedAt)),
    state: count(job.state, verdict),
  };
  const failure = failureIn(after, verdict, moment.now);
  if (verdict.kind === "succeeded")
    return finish(after, { outcome: "succeeded", error: null }, moment.now, moment.retentionMs);
  if (failure) return finish(after, { outcome: "failed", error: failure }, moment.now, moment.retentionMs);
  if (moment.now >= job.deadlineAt) return expire(after, verdict, moment);
  return { ...after, state: { ...after.state, ...nextPoll(after, verdict, moment) } };
}

function count(state: Waiting, verdict: Verdict): Waiting {
  return {
    ...state,
    transients: verdict.kind === "transient" ? state.transients + 1 : 0,
    empties: state.empties + (verdict.kind === "empty" ? 1 : 0),
    notFounds: state.notFounds + (verdict.kind === "not_found" ? 1 : 0),
  };
}

function failureIn(
  job: In<"waiting">,
  verdict: Verdict,
  now: number,
): { reason: FailureReason; message: string } | null {
  switch (verdict.kind) {
    case "failed":
      return { reason: verdict.reason, message: verdict.message };
    case "empty":
      return job.state.empties > EMPTY_RETRIES
        ? { reason: "empty_output", message: "The provider reports success without any output." }
        : null;
    case "not_found":
      return job.state.notFounds >= NOT_FOUND_SEEN && now - job.registeredAt >= NOT_FOUND_GRACE_MS
        ? { reason: "not_found", message: verdict.message }
        : null;
    case "pending":
    case "succeeded":
    case "transient":
      return null;
    default:
      return verdict satisfies never;
  }
}

/** The end of a job that the provider did not finish in time, or whose key could not be opened until then. */
function expire(job: In<"waiting">, verdict: Verdict, { now, retentionMs }: Moment): Job {
  if (verdict.kind === "transient" && verdict.cause === "key_unreadable") {
    const message = "The provider key of this job could not be read before its deadline.";
    return finish(job, { outcome: "failed", error: { reason: "key_unreadable", message } }, now, retentionMs);
  }
  return finish(job, { outcome: "expired", error: null }, now, retentionMs);
}

function nextPoll(
  job: In<"waiting">,
  verdict: Verdict,
  { now, random, secondsPerPoll }: Moment,
): Pick<Waiting, "nextPollAt" | "hint"> {
  const { registeredAt, deadlineAt, etaSeconds, state } = job;
  const when = { now, random, registeredAt, deadlineAt };
  if (verdict.kind === "transient")
    return { nextPollAt: retryPollAt(verdict.waitSeconds, state.transients, when) };
  const first: Hint = { etaSeconds, at: registeredAt };
  const hint = hintAfter(state.hint ?? first, verdict.kind === "pending" ? verdict.etaSeconds : null, now);
  const forecast = { learned: state.learned ?? null, secondsPerPoll };
  return { nextPollAt: nextPollAt(hint, forecast, when), ...(hint !== first && { hint }) };
}

/** Why a verdict is what it is, in a word; `null` where that says itself. */
export function reasonOf(verdict: Verdict): string | null {
  if (verdict.kind === "failed") return verdict.reason;
  return verdict.kind === "transient" ? verdict.cause : null;
}

function pollEntry({ verdict, httpStatus, durationMs }: PollResult, at: number): TimelineEntry {
  const reason = reasonOf(verdict);
  return {
    at,
    type: "poll",
    result: verdict.kind,
    ...(reason !== null && { reason }),
    httpStatus,
    durationMs,
  };
}
