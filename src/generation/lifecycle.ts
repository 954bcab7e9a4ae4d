/**
 * The rules of one generation call: what its answer means, what is kept, and when to look again. Pure.
 */
import type { Registration, Wish } from "../job/registering.ts";
import { type CallFault, type Exchange, faultOf, headersToHandOn } from "../provider/client.ts";
import { locate, readQueued } from "../provider/generation.ts";
import { classify, type Verdict } from "../provider/response.ts";
import type { EventFormat } from "../webhook/event.ts";
import type { GenerationRecord, Outcome, Pending } from "./record.ts";

/** Over connect, headers and body: as long as Cloudflare's own edge waits for an origin. */
export const CALL_TIMEOUT_MS = 100_000;
/** When a call that has not ended is taken for lost. */
const LOST_AFTER_MS = CALL_TIMEOUT_MS + 20_000;
/** How long an outcome can be had again under the same `Idempotency-Key`, and hints lead anywhere. */
const KEPT_MS = 24 * 3_600_000;
/** When to look again at a call, or a registration, that is under way: it may have died. */
export const RUNNING_RETRY_MS = 10_000;
const REGISTER_BASE_MS = 1_000;
const REGISTER_MAX_MS = 60_000;

/** Who is to be told of the request's end, and how. */
export interface Watch {
  readonly callbackUrl: string;
  readonly format: EventFormat;
  /** JSON text of an object. */
  readonly metadata: string;
  /** Under which host the call reached Pollhook. */
  readonly host: string;
  /** Of a call with a bounded token. */
  readonly owner?: string | undefined;
  readonly maxDeadlineSeconds?: number | undefined;
}

/** A call as the Worker hands it over: checked, and rewritten for the provider. */
export interface Intent {
  /** This object's name. */
  readonly name: string;
  readonly tenant: string;
  readonly digest: string;
  readonly repeatable: boolean;
  /** Behind `/api/`. */
  readonly path: string;
  readonly body: Uint8Array<ArrayBuffer>;
  readonly providerKey: string;
  /** The key came with the call, and a job needs it again. */
  readonly ownKey: boolean;
  readonly watch: Watch | null;
}

export const begin = ({ digest, repeatable }: Intent, now: number): GenerationRecord => ({
  version: 1,
  digest,
  repeatable,
  startedAt: now,
  outcome: null,
  body: null,
  pending: null,
  job: null,
  hinted: false,
});

/** What the exchange comes to: an outcome, the body to hand on, and what it says of the request. */
export interface Judged {
  readonly outcome: Outcome;
  readonly body: Uint8Array | null;
  readonly verdict: Verdict | null;
}

export function judge(seen: Exchange, now: number): Judged {
  const fault = faultOf(seen);
  if (fault !== null || seen.kind === "none" || !seen.answer)
    return { outcome: faulty(fault ?? "not_json", seen), body: null, verdict: null };
  const { status, headers, answer, end } = seen;
  return {
    outcome: { kind: "answer", status, headers: headersToHandOn(headers) },
    body: answer.bytes,
    verdict: classify({ status, headers, json: answer.json, end }, now),
  };
}

const faulty = (fault: CallFault, seen: Exchange): Outcome => ({
  kind: "fault",
  fault,
  headers: seen.kind === "answer" ? headersToHandOn(seen.headers) : {},
});

/** Nothing was begun, so a repetition may be forwarded. */
export const mayBeRepeated = ({ verdict, outcome }: Judged): boolean =>
  (verdict?.kind === "transient" && verdict.cause === "rate_limited") ||
  (outcome.kind === "fault" && outcome.fault === "rate_limited");

/**
 * The job to register from the answer: of a request that is queued, or done already. `null` where nothing is to be
 * watched, or the answer does not say which request it is.
 */
export function wishFor(
  { name, tenant, path, providerKey, ownKey, watch }: Intent,
  seen: Exchange,
  verdict: Verdict | null,
  origins: readonly string[],
): Wish | null {
  if (!watch || !verdict || seen.kind === "none" || !seen.answer) return null;
  const isDone = verdict.kind === "succeeded";
  if (!isDone && verdict.kind !== "pending" && verdict.kind !== "empty") return null;
  const queued = readQueued(seen.answer, origins);
  // What is done already needs no id of the provider's.
  const located = locate(isDone && queued.id === null ? { ...queued, id: name } : queued, path);
  if (!located) return null;
  return {
    ...located,
    ...watch,
    tenant,
    generation: name,
    etaSeconds: queued.etaSeconds,
    deadlineSeconds: null,
    key: ownKey ? providerKey : null,
    finalAnswer: isDone ? seen.answer.bytes : null,
  };
}

/** The record with its outcome. `registration`: what is still to be registered, `null` where nothing is. */
export function answered(
  record: GenerationRecord,
  outcome: Outcome,
  registration: Registration | null,
  now: number,
): GenerationRecord {
  if (registration === null) return { ...record, outcome };
  const { tenant, id, finalAnswer } = registration;
  const pending: Pending = {
    registration: { ...registration, finalAnswer: null },
    hasFinalAnswer: finalAnswer !== null,
    tries: 0,
    // The first try is made at once, by whoever stores this; the alarm is for the case that it dies.
    nextTryAt: now + RUNNING_RETRY_MS,
  };
  return { ...record, outcome, pending, job: { tenant, id } };
}

/** The record once its job is registered, or cannot be, since another that is not over has the request's id. */
export const registered = (
  record: GenerationRecord,
  kind: "created" | "exists" | "conflict" | "other_owner",
): GenerationRecord => ({
  ...record,
  pending: null,
  job: kind === "created" || kind === "exists" ? record.job : null,
});

/** The record after a registration that did not get through. */
export function triedInVain(record: GenerationRecord, now: number): GenerationRecord {
  if (!record.pending) return record;
  const tries = record.pending.tries + 1;
  const wait = Math.min(REGISTER_BASE_MS * 2 ** Math.min(tries, 16), REGISTER_MAX_MS);
  return { ...record, pending: { ...record.pending, tries, nextTryAt: now + wait } };
}

/** When to look at the record again (epoch ms): for the registration, for a call that was lost, else to forget it. */
export function wakeAt(record: GenerationRecord, now: number): number {
  if (record.pending) return record.pending.nextTryAt;
  const lostAt = record.startedAt + LOST_AFTER_MS;
  return record.outcome === null && now < lostAt ? lostAt : record.startedAt + KEPT_MS;
}

/** Whether nothing of the record is of use any more. */
export function isStale(record: GenerationRecord, now: number): boolean {
  if (record.pending) return false;
  if (now >= record.startedAt + KEPT_MS) return true;
  // A hint still leads to the job, and a repetition to the outcome, or to the news that it is not known.
  const isLost = record.outcome === null && now >= record.startedAt + LOST_AFTER_MS;
  return !record.repeatable && (record.outcome === null ? isLost : record.job === null);
}
