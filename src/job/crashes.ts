/**
 * Runs that die or end in an exception: counted, kept apart in time, and, when it is always the same job, its end. Pure.
 */
import { undelivered } from "./delivery.ts";
import { finish } from "./ending.ts";
import { isIn, type Job, noted } from "./record.ts";

/** Crashed or broken runs in a row after which a job is given up. */
const MAX_CRASHES = 5;
/** When a run that may die again is looked after: so long after the first death, doubled with each. */
const WATCHDOG_MS = 20_000;
const WATCHDOG_SPREAD = 0.2;
/** After an exception; long enough for a short fault of the platform to pass. */
const BROKEN_PAUSE_MS = 20_000;

/** A run is about to repeat one that died: counted, and stored with a watchdog before anything else happens. */
export const guarded = (job: Job, now: number): Job =>
  noted({ ...job, crashes: job.crashes + 1, guarded: true }, { at: now, type: "crash" });

/**
 * When to look after a guarded job, should its run die too: later each time, and spread, because those who died together
 * of one cause would die together again; but not past a deadline that lies ahead.
 */
export function watchdogAt({ crashes, deadlineAt, state }: Job, now: number, random: number): number {
  const at = now + WATCHDOG_MS * 2 ** Math.max(crashes - 1, 0) * (1 + WATCHDOG_SPREAD * random);
  const floor = now + WATCHDOG_MS;
  return Math.round(state.status === "waiting" ? Math.max(Math.min(at, deadlineAt), floor) : at);
}

/** A run that ended in an exception: counted, and not repeated at once; the next one is not suspected beforehand. */
export const broken = (job: Job, now: number): Job => ({
  ...guarded(job, now),
  guarded: false,
  heldUntil: now + BROKEN_PAUSE_MS,
});

/** A run that ended as it should: whatever died before it is forgotten. */
export const calmed = (job: Job): Job => ({ ...job, crashes: 0, guarded: false, heldUntil: 0 });

/** The end of a job whose runs die again and again; the job itself while that is not so. */
export function giveUpIfPoisoned(job: Job, now: number, retentionMs: number): Job {
  if (job.crashes < MAX_CRASHES) return job;
  const calm = calmed(job);
  const message = "Pollhook failed at this job five times in a row.";
  if (isIn(calm, "waiting"))
    return finish(
      calm,
      { outcome: "failed", error: { reason: "internal_error", message } },
      now,
      retentionMs,
    );
  if (isIn(calm, "delivering")) return undelivered(calm, "exhausted", now, retentionMs, message);
  return calm;
}
