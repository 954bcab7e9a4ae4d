/**
 * The moment the outcome is known: the provider key is dropped with the waiting state, the event is built, and
 * the job goes out for delivery, or is finished when there is nobody to call. Pure.
 */
import { rawMember } from "../json.ts";
import type { FailureReason } from "../provider/response.ts";
import { buildEvent, type EventAnswer, type EventFormat } from "../webhook/event.ts";
import {
  type Delivering,
  type Ending,
  type Finished,
  hasCallback,
  type Job,
  type JobError,
} from "./record.ts";

export interface Result {
  readonly outcome: "succeeded" | "failed" | "expired";
  /** `null` unless it failed. */
  readonly error: JobError | null;
}

/** Failures that the provider states; the others are found by us. */
const STATED_BY_PROVIDER: Readonly<Record<FailureReason, boolean>> = {
  provider_error: true,
  unauthorized: true,
  payment_required: true,
  not_found: true,
  output_too_large: false,
  empty_output: false,
  key_unreadable: false,
  internal_error: false,
};

/**
 * Whether the answer is the provider's last word on the request, and not just the last thing seen. A failure must stand
 * in the answer itself: where only the HTTP status told, the body may say anything.
 */
export function isProvidersLastWord({ outcome, error }: Result, answer: Uint8Array): boolean {
  if (outcome === "succeeded") return true;
  if (outcome !== "failed" || !error || !STATED_BY_PROVIDER[error.reason]) return false;
  return /^"\s*(?:error|failed)\s*"$/i.test(rawMember(answer, "status") ?? "");
}

/** Ends a job: `delivering` at once, or `finished` with its retention running. */
export function finish(
  job: Job,
  result: Result,
  now: number,
  retentionMs: number,
): Job<Delivering> | Job<Finished> {
  const ending: Ending = {
    ...result,
    finishedAt: now,
    event: eventFor({ ...result, finishedAt: now }, job, job.format, job.answer?.bytes ?? null),
  };
  if (hasCallback(job)) return startRun(job, ending, now);
  return { ...job, state: { status: "finished", ending, expiresAt: now + retentionMs } };
}

/** The job on its way to the callback, the first attempt of a new run due at once. */
export function startRun(job: Job, ending: Ending, now: number): Job<Delivering> {
  const state: Delivering = {
    status: "delivering",
    ending,
    runStartedAt: now,
    runAttempts: 0,
    nextAttemptAt: now,
  };
  return { ...job, runs: job.runs + 1, state };
}

/** The event's parts. `bytes`: the stored answer; needed where it is the provider's last word. */
export function eventFor(
  ending: Omit<Ending, "event">,
  job: Job,
  format: EventFormat,
  bytes: Uint8Array | null,
): Ending["event"] {
  const { outcome, error } = ending;
  let answer: EventAnswer | null = null;
  if (bytes && isProvidersLastWord(ending, bytes)) answer = { final: true, bytes };
  else if (job.answer) answer = { final: false, size: job.answer.size };
  return buildEvent(
    format,
    {
      jobId: job.id,
      endpoint: job.endpoint,
      requestId: job.requestId,
      outcome,
      error,
      metadata: job.metadata,
      registeredAt: job.registeredAt,
      finishedAt: ending.finishedAt,
      polls: job.polls,
    },
    answer,
  );
}
