/**
 * The delivery half of a job's life: counting an attempt before it is made, and what its result does. Pure.
 */
import type { AttemptResult } from "../webhook/deliver.ts";
import type { TargetFault } from "../webhook/target.ts";
import {
  type Delivering,
  type DeliveryFailure,
  type In,
  isIn,
  type Job,
  type TimelineEntry,
  withEntry,
} from "./record.ts";
import { DELIVERY_LIMIT_MS, MAX_ATTEMPTS, nextAttemptAt } from "./schedule.ts";

/** How long a delivery waits when it cannot be signed or judged because the configuration is unusable. */
const POSTPONE_MS = 60_000;

const MESSAGES: Readonly<Record<DeliveryFailure, string>> = {
  gone: "The callback answered 410 Gone.",
  exhausted: "Every attempt of the schedule failed.",
  canceled: "The delivery was canceled.",
  target_refused: "The callback URL is not allowed; redeliver to another one.",
};

/** Whether the schedule has no attempt left, or the time for all of them is over. */
export const isSpent = ({ runAttempts, runStartedAt }: Delivering, now: number): boolean =>
  runAttempts >= MAX_ATTEMPTS || now > runStartedAt + DELIVERY_LIMIT_MS;

/**
 * The attempt is counted, and the one after it planned, before the POST: should this run die with the POST under
 * way, the next one goes out on schedule.
 */
export function attemptStarted(job: In<"delivering">, now: number, random: number): In<"delivering"> {
  const runAttempts = job.state.runAttempts + 1;
  // Behind the last attempt nothing is planned: a look soon after, which finds the schedule spent.
  const next = nextAttemptAt(runAttempts, null, now, random) ?? now + POSTPONE_MS;
  return {
    ...job,
    attempts: job.attempts + 1,
    state: { ...job.state, runAttempts, nextAttemptAt: next },
  };
}

/** The attempt that was counted will not be made. */
export const notAttempted = (job: Job): Job => ({ ...job, attempts: job.attempts - 1 });

export interface AttemptFacts {
  /** `runs` and `eventId` of the job when the attempt began. */
  readonly run: number;
  readonly eventId: string;
  readonly startedAt: number;
}

/**
 * The job after an attempt. Where something else moved the job meanwhile (a cancel, a redelivery, a new start),
 * the attempt is noted and changes nothing else.
 */
export function attempted(
  job: Job,
  attempt: AttemptFacts,
  result: AttemptResult,
  { now, random, retentionMs }: { now: number; random: number; retentionMs: number },
): Job {
  if (job.eventId !== attempt.eventId) return job;
  const noted: Job = { ...job, timeline: withEntry(job.timeline, attemptEntry(result, attempt.startedAt)) };
  if (!isIn(noted, "delivering") || noted.runs !== attempt.run) return noted;
  const { verdict } = result;
  switch (verdict.kind) {
    case "delivered":
      return {
        ...noted,
        state: {
          status: "delivered",
          ending: noted.state.ending,
          deliveredAt: now,
          expiresAt: now + retentionMs,
        },
      };
    case "gone":
      return undelivered(noted, "gone", now, retentionMs);
    case "failed": {
      const next = nextAttemptAt(noted.state.runAttempts, verdict.retryAfterSeconds, now, random);
      if (next === null || next > noted.state.runStartedAt + DELIVERY_LIMIT_MS)
        return undelivered(noted, "exhausted", now, retentionMs);
      return { ...noted, state: { ...noted.state, nextAttemptAt: next } };
    }
    default:
      return verdict satisfies never;
  }
}

/** The target may not be called any more: stop, without having called it. */
export function refused(job: In<"delivering">, fault: TargetFault, now: number, retentionMs: number): Job {
  const entry: TimelineEntry = { at: now, type: "attempt", result: "refused", reason: fault };
  return undelivered(
    { ...job, timeline: withEntry(job.timeline, entry) },
    "target_refused",
    now,
    retentionMs,
  );
}

/** Put off without spending an attempt. */
export const postponed = (job: In<"delivering">, now: number): Job => ({
  ...job,
  state: { ...job.state, nextAttemptAt: now + POSTPONE_MS },
});

/** Delivery is over without success: the event is kept and can be redelivered. */
export function undelivered(
  job: In<"delivering">,
  reason: DeliveryFailure,
  now: number,
  retentionMs: number,
  message: string = MESSAGES[reason],
): In<"undelivered"> {
  return {
    ...job,
    state: {
      status: "undelivered",
      ending: job.state.ending,
      deliveryError: { reason, message },
      expiresAt: now + retentionMs,
    },
  };
}

function attemptEntry(
  { verdict, httpStatus, durationMs, response }: AttemptResult,
  at: number,
): TimelineEntry {
  return {
    at,
    type: "attempt",
    result: verdict.kind,
    ...(verdict.kind === "failed" && { reason: verdict.cause }),
    httpStatus,
    durationMs,
    ...(response !== null && { response }),
  };
}
