/**
 * One job's life: what is due and when, how it begins, and what its caller may do to it. Every function takes the
 * job as it is and answers with the job as it will be; times and ids are arguments. Pure.
 */
import type { DestinationRead } from "../webhook/destination.ts";
import type { EventFormat } from "../webhook/event.ts";
import { isSpent, undelivered } from "./delivery.ts";
import { eventFor, finish, startRun } from "./ending.ts";
import {
  hasCallback,
  isIn,
  type Job,
  type JobFacts,
  type State,
  type TimelineEntry,
  withEntry,
} from "./record.ts";
import { firstPollAt } from "./schedule.ts";
import { isInLine } from "./turn.ts";

/** Crashed or broken runs in a row after which a job is given up. */
const MAX_CRASHES = 5;
/** When a run that may die again is looked after: so long after the first death, doubled with each. */
const WATCHDOG_MS = 20_000;
const WATCHDOG_SPREAD = 0.2;
/** After an exception; long enough for a short fault of the platform to pass. */
const BROKEN_PAUSE_MS = 20_000;

/** Between a poll and one that is only made because of a hint: whoever repeats hints must not hammer the provider. */
const HINT_GAP_MS = 5_000;

/** Where an event is to go. */
export interface Callback {
  readonly callbackUrl: string | null;
  /** As it was found at that moment; without a `read` where its tenant's object could not be reached. */
  readonly destination?: { readonly name: string; readonly read: DestinationRead | null } | null | undefined;
}

/** What the Worker hands to the object: checked, with the key sealed. */
export interface Registration
  extends Omit<JobFacts, "callbackUrl" | "destination" | "format" | "formatPending">,
    Callback {
  /** `null`: the destination's. */
  readonly format: EventFormat | null;
  readonly deadlineSeconds: number;
  readonly sealedKey: string | null;
  /** The provider's own answer, when it already is a success: delivered without a poll. */
  readonly finalAnswer: Uint8Array | null;
}

export interface Start {
  readonly now: number;
  readonly random: number;
  readonly eventId: string;
  readonly retentionMs: number;
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

/** Whether nothing is left to do but to forget the job. */
export const isOver = ({ status }: State): boolean => status !== "waiting" && status !== "delivering";

/** A new job: waiting for its first poll, or already on its way when the answer came with it. */
export function begin(registration: Registration, { now, random, eventId, retentionMs }: Start): Job {
  const { deadlineSeconds, sealedKey, finalAnswer, callbackUrl, destination, format, ...facts } =
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
      nextPollAt: firstPollAt(now, deadlineAt, facts.etaSeconds, random),
      sealedKey,
      transients: 0,
      empties: 0,
      notFounds: 0,
    },
  };
  return finalAnswer ? finish(job, { outcome: "succeeded", error: null }, now, retentionMs) : job;
}

export type Again = "start_anew" | "same" | "set_callback" | "conflict";

/** What registering the same request once more means. Nothing but callback and format is compared. */
export function again(job: Job, { callbackUrl, destination, format, generation }: Registration): Again {
  if (isOver(job.state) && endedBadly(job.state)) return "start_anew";
  // The provider has just given this id to a new request: the job that had it is another's, and over.
  if (isOver(job.state) && generation !== undefined && generation !== job.generation) return "start_anew";
  if (callbackUrl === null && !destination) return "same";
  if (!hasCallback(job)) return "set_callback";
  // What the destination says of the format may change; only what was asked for is compared.
  const isSame = job.callbackUrl === callbackUrl && job.destination?.name === destination?.name;
  return isSame && (format === null || job.format === format) ? "same" : "conflict";
}

/** Where the event goes and in which format, as the record has it. */
function callbackFacts({
  callbackUrl,
  destination,
  format,
}: Pick<Registration, "callbackUrl" | "destination" | "format">) {
  const known = format ?? destination?.read?.format;
  return {
    callbackUrl,
    destination: namedIn({ callbackUrl, destination }),
    format: known ?? ("standard" as const),
    ...(known === undefined && destination && { formatPending: true }),
  };
}

const namedIn = ({ destination }: Callback) =>
  destination ? { name: destination.name, copy: destination.read?.copy ?? null } : null;

/** Canceled, expired, or failed for anything but `provider_error`. */
function endedBadly(state: State): boolean {
  if (state.status === "canceled") return true;
  if (!("ending" in state)) return false;
  const { outcome, error } = state.ending;
  return outcome === "expired" || (outcome === "failed" && error?.reason !== "provider_error");
}

/**
 * Gives a job the callback it had none of. If it is finished already, the event goes out by itself, built anew for
 * the format; `answer` is the stored answer, for that case.
 */
export function withCallback(
  job: Job,
  callback: Pick<Registration, "callbackUrl" | "destination" | "format">,
  answer: Uint8Array | null,
  now: number,
): Job {
  const named = noted({ ...job, ...callbackFacts(callback) }, { at: now, type: "callback_set" });
  if (!isIn(named, "finished")) return named;
  const { ending } = named.state;
  return startRun(calmed(named), { ...ending, event: eventFor(ending, named, named.format, answer) }, now);
}

/** Stops what is left to do; `null` when there is nothing. */
export function cancel(job: Job, now: number, retentionMs: number): Job | null {
  const named = noted(job, { at: now, type: "cancel" });
  if (isIn(named, "delivering")) return undelivered(named, "canceled", now, retentionMs);
  if (!isIn(named, "waiting")) return null;
  return { ...named, state: { status: "canceled", finishedAt: now, expiresAt: now + retentionMs } };
}

/** Sends the same event again, at once, elsewhere if `to` says so; `null` while there is no event or no callback. */
export function redeliver(job: Job, to: Callback | null, now: number): Job | null {
  const moved = to ? { ...job, callbackUrl: to.callbackUrl, destination: namedIn(to) } : job;
  if (!("ending" in job.state) || !hasCallback(moved)) return null;
  const named = noted(moved, { at: now, type: "redeliver" });
  return startRun(calmed(named), job.state.ending, now);
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

const noted = (job: Job, entry: TimelineEntry): Job => ({
  ...job,
  timeline: withEntry(job.timeline, entry),
});
