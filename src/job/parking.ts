/**
 * Deliveries that are due and have to wait: for others, for a receiver that is out of order, for somebody who has paused
 * them. Waiting spends no attempt; only the end of all delivery ends it. Pure.
 */
import { type In, isIn, type Job, type Parked, type TimelineEntry, withEntry } from "./record.ts";
import { DELIVERY_LIMIT_MS, parkedLookAt } from "./schedule.ts";

/** Waits without spending an attempt, until it is called. The timeline says why, once for each reason. */
export function parked(
  job: In<"delivering">,
  { reason, host, since }: Omit<Parked, "called">,
  now: number,
  random: number,
): In<"delivering"> {
  const before = job.state.parked;
  const look = parkedLookAt(since, now, random);
  const entry: TimelineEntry = { at: now, type: "parked", reason };
  return {
    ...job,
    timeline: before?.reason === reason ? job.timeline : withEntry(job.timeline, entry),
    state: {
      ...job.state,
      // Never past the end of the delivery, which must not be missed.
      nextAttemptAt: Math.min(look, Math.max(job.state.runStartedAt + DELIVERY_LIMIT_MS + 1, now)),
      parked: { reason, host, since, called: false },
    },
  };
}

/** The delivery may try to go out now; `null` where it is not parked, or not since then. */
export function called(job: Job, since: number | null, now: number): Job | null {
  if (!isIn(job, "delivering") || !job.state.parked) return null;
  if (since !== null && job.state.parked.since !== since) return null;
  return {
    ...job,
    state: { ...job.state, nextAttemptAt: now, parked: { ...job.state.parked, called: true } },
  };
}
