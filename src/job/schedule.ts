/**
 * When to poll next, when to attempt next. Pure: times in epoch ms, waits in ms, `random` in [0, 1).
 * Waits that somebody else asked for (`retry_after`, `Retry-After`) are only ever lengthened.
 */
import type { Learned } from "./learned.ts";
import { MIN_GAP_SECONDS, nextGap } from "./next-gap.ts";

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** No poll sooner than this after the one before it. */
const MIN_POLL_GAP_MS = MIN_GAP_SECONDS * SECOND_MS;
/** Over connect, headers and body. */
const MAX_POLL_MS = 10 * SECOND_MS;
/** How long before the deadline a poll has ended. */
const DEADLINE_MARGIN_MS = 250;
/** How far to both sides the gap that pays is spread: so little that it costs nothing to speak of. */
const GAP_JITTER = 0.05;
/** A fresh eta that leads this near to where the one before it led tells nothing new. */
const SAME_END_MS = SECOND_MS;

const TRANSIENT_BASE_MS = 2 * SECOND_MS;
const TRANSIENT_MAX_MS = MINUTE_MS;

/** How far a wait that was asked for is spread, so that a burst of registrations is no burst of polls. */
const SPREAD_SHARE = 0.1;
const SPREAD_MAX_MS = 2 * SECOND_MS;

/** The Standard Webhooks table: the gap before attempt 2, 3, …; each ± 20 %. */
export const ATTEMPT_GAPS_MS: readonly number[] = [
  5 * SECOND_MS,
  5 * MINUTE_MS,
  30 * MINUTE_MS,
  2 * HOUR_MS,
  5 * HOUR_MS,
  10 * HOUR_MS,
  14 * HOUR_MS,
  20 * HOUR_MS,
  24 * HOUR_MS,
];
const ATTEMPT_JITTER = 0.2;
const MAX_RETRY_AFTER_MS = DAY_MS;

/** Delivery ends at the latest this long after it began. */
export const DELIVERY_LIMIT_MS = 14 * DAY_MS;

/** Who is parked is called; should the call get lost, it looks for itself, later each time. */
const PARKED_LOOK_MS = HOUR_MS;
const PARKED_LOOK_MAX_MS = 12 * HOUR_MS;

/** The wait, made longer by a little, never shorter. */
const spread = (waitMs: number, random: number): number =>
  waitMs + random * Math.min(waitMs * SPREAD_SHARE, SPREAD_MAX_MS);

/** The wait, between `1 - share` and `1 + share` of itself. */
const jitter = (waitMs: number, share: number, random: number): number =>
  waitMs * (1 + share * (2 * random - 1));

const clamp = (value: number, least: number, most: number): number => Math.min(Math.max(value, least), most);

/** Never past the deadline; what would fall into the last moment before it is put onto it. */
export const beforeDeadline = (at: number, deadlineAt: number): number =>
  at > deadlineAt - MIN_POLL_GAP_MS ? deadlineAt : Math.round(at);

/** What the provider said of a job's end. */
export interface Hint {
  readonly etaSeconds: number | null;
  /** Epoch ms. */
  readonly at: number;
}

/** By what the poll that pays is found. */
export interface Forecast {
  /** Of the endpoint's jobs; `null` where nothing is known of them. */
  readonly learned: Learned | null;
  /** How many seconds of lag a poll is worth. */
  readonly secondsPerPoll: number;
}

export interface PollMoment {
  /** When the poll before ended; of the first, when the job was registered. */
  readonly now: number;
  readonly registeredAt: number;
  readonly deadlineAt: number;
  readonly random: number;
}

/** The first poll and every one after `processing`: where it pays, at least 1 s ahead, at the deadline at the latest. */
export function nextPollAt(hint: Hint, { learned, secondsPerPoll }: Forecast, moment: PollMoment): number {
  const { now, registeredAt, deadlineAt, random } = moment;
  const secondsSince = (at: number): number => Math.max(now - at, 0) / SECOND_MS;
  const wait = {
    etaSeconds: hint.etaSeconds,
    sinceEta: secondsSince(hint.at),
    sinceRegistered: secondsSince(registeredAt),
    untilDeadline: (deadlineAt - now) / SECOND_MS,
  };
  const gapMs = nextGap(learned, wait, secondsPerPoll) * SECOND_MS;
  // Spread, it would be one poll more.
  if (beforeDeadline(now + gapMs, deadlineAt) === deadlineAt) return deadlineAt;
  const spreadMs = Math.min(gapMs * GAP_JITTER, SPREAD_MAX_MS) * (2 * random - 1);
  return beforeDeadline(now + Math.max(gapMs + spreadMs, MIN_POLL_GAP_MS), deadlineAt);
}

/** The hint that counts after an answer with that eta: the new one, unless it is an echo or leads to the same end. */
export function hintAfter(hint: Hint, etaSeconds: number | null, now: number): Hint {
  if (etaSeconds === null || etaSeconds === hint.etaSeconds) return hint;
  const endOf = ({ at, etaSeconds }: Hint): number =>
    at + (etaSeconds ?? Number.NEGATIVE_INFINITY) * SECOND_MS;
  const fresh = { etaSeconds, at: now };
  return Math.abs(endOf(fresh) - endOf(hint)) > SAME_END_MS ? fresh : hint;
}

/** What a poll may take: 10 s, but before the deadline no longer than leaves the deadline to the last poll. */
export function pollTimeoutMs(startedAt: number, deadlineAt: number): number {
  if (startedAt >= deadlineAt) return MAX_POLL_MS;
  return clamp(
    deadlineAt - startedAt - DEADLINE_MARGIN_MS,
    MIN_POLL_GAP_MS - DEADLINE_MARGIN_MS,
    MAX_POLL_MS,
  );
}

/**
 * After a transient answer: the wait that a rate limit asked for, else 2 s doubling to 60 s. `inARow` counts
 * transient answers since the last real one, this one included.
 */
export function retryPollAt(waitSeconds: number | null, inARow: number, moment: PollMoment): number {
  const { now, deadlineAt, random } = moment;
  const backoff = Math.min(TRANSIENT_BASE_MS * 2 ** Math.min(inARow - 1, 16), TRANSIENT_MAX_MS);
  const wait =
    waitSeconds === null
      ? jitter(backoff, ATTEMPT_JITTER, random)
      : spread(Math.max(waitSeconds * SECOND_MS, MIN_POLL_GAP_MS), random);
  return beforeDeadline(now + wait, deadlineAt);
}

/** The gaps of a destination's own schedule, or the table's. */
export const gapsMs = (retrySchedule: readonly number[] | null | undefined): readonly number[] =>
  retrySchedule?.map((seconds) => seconds * SECOND_MS) ?? ATTEMPT_GAPS_MS;

/**
 * When attempt `made + 1` is due, counted from `now`; `null` when the schedule, the gaps in ms, is spent. `Retry-After` moves it
 * later, never earlier, by at most 24 h from now.
 */
export function nextAttemptAt(
  made: number,
  retryAfterSeconds: number | null,
  now: number,
  random: number,
  gaps: readonly number[] = ATTEMPT_GAPS_MS,
): number | null {
  const gap = gaps[made - 1];
  if (gap === undefined) return null;
  const asked = Math.min((retryAfterSeconds ?? 0) * SECOND_MS, MAX_RETRY_AFTER_MS);
  return Math.round(now + Math.max(jitter(gap, ATTEMPT_JITTER, random), asked));
}

/** When a delivery that is parked since `since` looks for itself, should nobody call it. */
export function parkedLookAt(since: number, now: number, random: number): number {
  return Math.round(
    now + jitter(clamp(now - since, PARKED_LOOK_MS, PARKED_LOOK_MAX_MS), ATTEMPT_JITTER, random),
  );
}
