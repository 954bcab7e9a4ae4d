/**
 * One job's life: what is due and when, how it begins, and what its caller may do to it. Every function takes the
 * job as it is and answers with the job as it will be; times and ids are arguments. Pure.
 */
import { callbackFacts } from "./callback.ts";
import { isSpent, undelivered } from "./delivery.ts";
import { finish } from "./ending.ts";
import { isIn, type Job, noted, type State } from "./record.ts";
import type { Registration } from "./registering.ts";
import { nextPollAt } from "./schedule.ts";
import { isInLine } from "./turn.ts";

/** Between a poll and one that is only made because of a hint: whoever repeats hints must not hammer the provider. */
const HINT_GAP_MS = 5_000;

export interface Start {
  readonly now: number;
  readonly random: number;
  readonly eventId: string;
  readonly retentionMs: number;
  readonly secondsPerPoll: number;
}

export type DueAction = "poll" | "attempt" | "give_up" | "purge" | "nothing";

/** When the job next has something to do, in epoch ms. */
export const wakeAt = ({ state, heldUntil }: Job): number => Math.max(wantedAt(state), heldUntil);

function wantedAt(state: State): number {
  switch (state.status) {
    case "waiting":
      return state.nextPollAt;
    case "delivering":
      return state.nextAttemptAt;
    case "delivered":
    case "undelivered":
    case "finished":
    case "canceled":
      return state.expiresAt;
    default:
      return state satisfies never;
  }
}

/** What is to be done now. */
export function due(job: Job, now: number): DueAction {
  if (wakeAt(job) > now) return "nothing";
  if (isIn(job, "waiting")) return "poll";
  if (isIn(job, "delivering")) return isSpent(job, now) ? "give_up" : "attempt";
  return "purge";
}

/** A new job: waiting for its first poll, or already on its way when the answer came with it. */
export function begin(registration: Registration, start: Start): Job {
  const { now, random, eventId, retentionMs, secondsPerPoll } = start;
  const { deadlineSeconds, sealedKey, finalAnswer, callbackUrl, destination, format, learned, ...facts } =
    registration;
  const deadlineAt = now + deadlineSeconds * 1000;
  const job: Job = {
    version: 1,
    ...facts,
    ...callbackFacts(registration),
    registeredAt: now,
    deadlineAt,
    eventId,
    polls: 0,
    attempts: 0,
    runs: 0,
    crashes: 0,
    guarded: false,
    heldUntil: 0,
    answer: finalAnswer && { size: finalAnswer.length, bytes: finalAnswer, chunks: 0 },
    timeline: [{ at: now, type: "registered" }],
    state: {
      status: "waiting",
      nextPollAt: nextPollAt(
        { etaSeconds: facts.etaSeconds, at: now },
        { learned: learned ?? null, secondsPerPoll },
        { now, registeredAt: now, deadlineAt, random },
      ),
      ...(learned && { learned }),
      sealedKey,
      transients: 0,
      empties: 0,
      notFounds: 0,
    },
  };
  return finalAnswer ? finish(job, { outcome: "succeeded", error: null }, now, retentionMs) : job;
}

/** Stops what is left to do; `null` when there is nothing. */
export function cancel(job: Job, now: number, retentionMs: number): Job | null {
  const named = noted(job, { at: now, type: "cancel" });
  if (isIn(named, "delivering")) return undelivered(named, "canceled", now, retentionMs);
  if (!isIn(named, "waiting")) return null;
  return { ...named, state: { status: "canceled", finishedAt: now, expiresAt: now + retentionMs } };
}

/**
 * The provider hints that the request may be done: the next poll is now, or as soon as the one before is old enough.
 * Nothing else is believed, and a wait that somebody asked for stands. `null` where nothing changes.
 */
export function hinted(job: Job, now: number): Job | null {
  if (!isIn(job, "waiting") || job.state.transients > 0 || isInLine(job.state)) return null;
  const last = job.timeline.findLast(({ type }) => type === "poll")?.at ?? Number.NEGATIVE_INFINITY;
  const at = Math.max(now, last + HINT_GAP_MS);
  if (at >= job.state.nextPollAt) return null;
  return noted({ ...job, state: { ...job.state, nextPollAt: at } }, { at: now, type: "hint" });
}
