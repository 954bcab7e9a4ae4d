/**
 * One start of a job, as the design tells of it: a few fields, and the steps that several things lead to: an outcome, a
 * run of deliveries and its end. Of times it has only bounds, as waits are spread by chance. Pure; times in epoch ms.
 */
import type { PollMeaning } from "./answers.ts";

export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
const DAY = 86_400 * SECOND;
export const RETENTION_MS = 7 * DAY;
const DELIVERY_ENDS_MS = 14 * DAY;
/** Seconds between attempts; each a fifth more or less. */
export const GAPS = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400];

export type Status = "waiting" | "delivering" | "delivered" | "undelivered" | "finished" | "canceled";

export interface ModelJob {
  /** Tells one start of the job from another. */
  readonly start: number;
  readonly registeredAt: number;
  readonly deadlineAt: number;
  status: Status;
  outcome: "succeeded" | "failed" | "expired" | "canceled" | null;
  error: string | null;
  deliveryError: string | null;
  callback: string | null;
  format: "standard" | "provider";
  /** By which master key the provider key is sealed; `null` once it is erased. */
  sealedBy: string | null;
  polls: number;
  attempts: number;
  empties: number;
  notFounds: number;
  /** Polls in a row that told nothing, or that it is too early. */
  transients: number;
  lastPollAt: number;
  /** Neither a poll nor an attempt before this, and when the next one is planned at the latest. */
  notBefore: number;
  notAfter: number;
  run: number;
  runStartedAt: number;
  runAttempts: number;
  /** When an attempt failed whose next one falls about where delivery ends: chance decides whether there is one. */
  mayBeOverAt: number | null;
  finishedAt: number | null;
  /** When the last thing ended that keeps it: from then on it is kept for as long as the retention says. */
  endedAt: number | null;
  crashes: number;
  isGuarded: boolean;
}

/** A start that waits for its first poll. */
export const waiting = (start: number, now: number, deadlineAt: number): ModelJob => ({
  start,
  registeredAt: now,
  deadlineAt,
  status: "waiting",
  outcome: null,
  error: null,
  deliveryError: null,
  callback: null,
  format: "standard",
  sealedBy: null,
  polls: 0,
  attempts: 0,
  empties: 0,
  notFounds: 0,
  transients: 0,
  lastPollAt: Number.NEGATIVE_INFINITY,
  notBefore: now + SECOND,
  notAfter: deadlineAt,
  run: 0,
  runStartedAt: 0,
  runAttempts: 0,
  mayBeOverAt: null,
  finishedAt: null,
  endedAt: null,
  crashes: 0,
  isGuarded: false,
});

/** Whether the schedule has no attempt left, or the time for all of them is over. */
export const isSpent = (job: ModelJob, now: number): boolean =>
  job.runAttempts > GAPS.length || now > job.runStartedAt + DELIVERY_ENDS_MS;

export function end(job: ModelJob, outcome: Ending["outcome"], error: string | null, now: number): void {
  Object.assign(job, { outcome, error, finishedAt: now, sealedBy: null });
  if (job.callback !== null) beginDelivery(job, now);
  else Object.assign(job, { status: "finished", endedAt: now });
}

interface Ending {
  readonly outcome: "succeeded" | "failed" | "expired";
  readonly error: string | null;
}

/** How a poll's answer, counted already, ends the waiting, if it does. */
export function endingOf(job: ModelJob, meaning: PollMeaning, now: number): Ending | null {
  const failed = (error: string): Ending => ({ outcome: "failed", error });
  if (meaning.kind === "succeeded") return { outcome: "succeeded", error: null };
  if (meaning.kind === "failed") return failed(meaning.reason);
  if (meaning.kind === "empty" && job.empties > 3) return failed("empty_output");
  if (meaning.kind === "not_found" && job.notFounds >= 2 && now - job.registeredAt >= MINUTE)
    return failed("not_found");
  return now >= job.deadlineAt ? { outcome: "expired", error: null } : null;
}

/** An attempt of the present run of deliveries has failed. */
export function attemptFailed(job: ModelJob, retryAfterSeconds: number, now: number): void {
  const gap = GAPS[job.runAttempts - 1];
  const asked = Math.min(retryAfterSeconds * SECOND, DAY);
  const limitAt = job.runStartedAt + DELIVERY_ENDS_MS;
  job.notBefore = now + Math.max((gap ?? 0) * SECOND * 0.8, asked) - 1;
  job.notAfter = now + Math.max((gap ?? 0) * SECOND * 1.2, asked) + 1;
  if (gap === undefined || job.notBefore > limitAt) giveUp(job, "exhausted", now);
  else job.mayBeOverAt = job.notAfter > limitAt ? now : null;
}

export function beginDelivery(job: ModelJob, now: number): void {
  if (job.status !== "waiting") calm(job);
  Object.assign(job, {
    status: "delivering",
    deliveryError: null,
    run: job.run + 1,
    runStartedAt: now,
    runAttempts: 0,
    mayBeOverAt: null,
    notBefore: now,
    notAfter: now,
    endedAt: null,
  });
}

export const giveUp = (job: ModelJob, deliveryError: string, now: number): void => {
  Object.assign(job, { status: "undelivered", deliveryError, endedAt: now });
};

export const calm = (job: ModelJob): void => {
  Object.assign(job, { crashes: 0, isGuarded: false });
};

const isOver = ({ endedAt }: ModelJob): boolean => endedAt !== null;

export const endedBadly = (job: ModelJob): boolean =>
  isOver(job) &&
  (job.outcome === "canceled" ||
    job.outcome === "expired" ||
    (job.outcome === "failed" && job.error !== "provider_error"));

/** After an answer that ended nothing, counted already: the next poll is after a wait of that order. */
export function planPoll(job: ModelJob, meaning: PollMeaning, now: number): void {
  const [least, most] = waitMs(job, meaning);
  job.notBefore = Math.min(now + least, job.deadlineAt);
  // What would fall into the last second is put onto the deadline.
  job.notAfter = now + most > job.deadlineAt - SECOND ? job.deadlineAt : now + most + 1;
}

function waitMs(job: ModelJob, meaning: PollMeaning): readonly [least: number, most: number] {
  if (meaning.kind !== "transient") return [SECOND, Number.POSITIVE_INFINITY];
  if (meaning.waitSeconds !== null) {
    const asked = Math.max(meaning.waitSeconds, 1) * SECOND;
    return [asked, asked * 1.1];
  }
  const backoff = Math.min(2 * 2 ** (job.transients - 1), 60) * SECOND;
  return [backoff * 0.8 - 1, backoff * 1.2];
}
