/**
 * The delivery half of a job's life: counting an attempt before it is made, and what its result does. Pure.
 */
import type { AttemptResult } from "../webhook/deliver.ts";
import type { DestinationRead } from "../webhook/destination.ts";
import type { TargetFault } from "../webhook/target.ts";
import { eventFor } from "./ending.ts";
import {
  type DeliveryFailure,
  type In,
  isIn,
  type Job,
  noted,
  type TimelineEntry,
  withEntry,
} from "./record.ts";
import { DELIVERY_LIMIT_MS, gapsMs, nextAttemptAt } from "./schedule.ts";

/** How long a delivery waits when it cannot be signed or judged because the configuration is unusable. */
const POSTPONE_MS = 60_000;

const MESSAGES: Readonly<Record<DeliveryFailure, string>> = {
  gone: "The callback answered 410 Gone.",
  exhausted: "Every attempt of the schedule failed.",
  canceled: "The delivery was canceled.",
  target_refused: "The callback URL is not allowed; redeliver to another one.",
  destination_missing: "There is no such destination; create it and redeliver, or redeliver to another one.",
};
const TIME_OVER = "It was not delivered within 14 days.";

/** Whether the schedule has no attempt left, or the time for all of them is over. */
export const isSpent = (job: In<"delivering">, now: number): boolean =>
  job.state.runAttempts > gapsOf(job).length || isTimeOver(job, now);

const isTimeOver = ({ state }: In<"delivering">, now: number): boolean =>
  now > state.runStartedAt + DELIVERY_LIMIT_MS;

const gapsOf = ({ destination }: Job): readonly number[] => gapsMs(destination?.copy?.retrySchedule);

/** The end of a delivery that is spent. */
export const gaveUp = (job: In<"delivering">, now: number, retentionMs: number): Job =>
  undelivered(job, "exhausted", now, retentionMs, isTimeOver(job, now) ? TIME_OVER : MESSAGES.exhausted);

/**
 * The job with what its destination is now. An event whose format was not known until now is built anew: it has never
 * been sent. `answer`: the stored answer.
 */
export function withDestination(
  job: In<"delivering">,
  name: string,
  { copy, format }: DestinationRead,
  answer: () => Uint8Array | null,
): In<"delivering"> {
  const read = { ...job, destination: { name, copy } };
  if (!job.formatPending) return read;
  const { ending } = job.state;
  const event = eventFor(ending, job, format, answer());
  return { ...read, format, formatPending: false, state: { ...job.state, ending: { ...ending, event } } };
}
/**
 * The attempt is counted, and the one after it planned, before the POST: should this run die with the POST under
 * way, the next one goes out on schedule.
 */
export function attemptStarted(job: In<"delivering">, now: number, random: number): In<"delivering"> {
  const runAttempts = job.state.runAttempts + 1;
  // Behind the last attempt nothing is planned: a look soon after, which finds the schedule spent.
  const next = nextAttemptAt(runAttempts, null, now, random, gapsOf(job)) ?? now + POSTPONE_MS;
  const { parked: _, ...state } = job.state;
  return {
    ...job,
    attempts: job.attempts + 1,
    // What has been sent once is never built anew.
    ...(job.formatPending && { formatPending: false }),
    state: { ...state, runAttempts, nextAttemptAt: next },
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
      const { runAttempts } = noted.state;
      const next = nextAttemptAt(runAttempts, verdict.retryAfterSeconds, now, random, gapsOf(noted));
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
  return undelivered(noted(job, entry), "target_refused", now, retentionMs);
}

/** There is nobody to deliver to any more. */
export function abandoned(job: In<"delivering">, now: number, retentionMs: number): Job {
  const entry: TimelineEntry = { at: now, type: "attempt", result: "refused", reason: "destination_missing" };
  return undelivered(noted(job, entry), "destination_missing", now, retentionMs);
}

/** Why a delivery is put off although nothing stands in its way but ourselves. */
export type PostponeReason =
  | "config_unusable"
  | "tenant_unreachable"
  | "destination_unreachable"
  | "destination_unreadable";

/** Put off without spending an attempt; the timeline says why, once. */
export function postponed(job: In<"delivering">, reason: PostponeReason, now: number): Job {
  const entry: TimelineEntry = { at: now, type: "postponed", reason };
  const last = job.timeline.at(-1);
  const isNoted = last?.type === "postponed" && last.reason === reason;
  const { parked, ...state } = job.state;
  return {
    ...(isNoted ? job : noted(job, entry)),
    // While the tenant's object cannot be asked, it may still have the job parked.
    state: {
      ...state,
      ...(parked && reason === "tenant_unreachable" && { parked }),
      nextAttemptAt: now + POSTPONE_MS,
    },
  };
}

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
