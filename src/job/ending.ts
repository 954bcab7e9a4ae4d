/**
 * The moment the outcome is known: the provider key is dropped with the waiting state, the event is built, and
 * the job goes out for delivery, or is finished when there is nobody to call. Pure.
 */
import { buildEvent, type EventAnswer, type EventFormat } from "../webhook/event.ts";
import type { Delivering, Ending, Finished, Job, JobError } from "./record.ts";

export type Result =
  | { readonly outcome: "succeeded"; readonly error: null }
  | { readonly outcome: "failed" | "expired"; readonly error: JobError | null };

/** Failures whose answer is the provider's own last word; the others are ours. */
const SAID_BY_PROVIDER: readonly string[] = [
  "provider_error",
  "unauthorized",
  "payment_required",
  "not_found",
];

/** Whether the stored answer is what the provider said last of the request, and not just the last thing seen. */
export const isProvidersLastWord = (outcome: string | null, reason: string | null): boolean =>
  outcome === "succeeded" || (outcome === "failed" && SAID_BY_PROVIDER.includes(reason ?? ""));

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
  if (job.callbackUrl !== null) return startRun(job, ending, now);
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
  const final = isProvidersLastWord(outcome, error?.reason ?? null);
  let answer: EventAnswer | null = null;
  if (final && bytes) answer = { final: true, bytes };
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
