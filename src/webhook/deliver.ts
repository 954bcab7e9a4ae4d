/**
 * One attempt: signs the event's body and POSTs it. Never throws; what came back is a value. Whether the target
 * may be called at all is the caller's to ask, before every attempt.
 */
import { joinParts, type Part } from "../json.ts";
import { post, USER_AGENT } from "../net/outbound.ts";
import { parseRetryAfter } from "../net/retry-after.ts";
import { signatureHeader, signedPrefix } from "./signature.ts";

/** Over connect and headers. */
const ATTEMPT_TIMEOUT_MS = 15_000;
/** A slow body must not hold the object; 2xx is decided on the headers. */
const BODY_MS = 1_000;
/** Of a refusal, what the timeline keeps. */
const KEPT_BYTES = 256;

export interface SignedEvent {
  /** What signs, newest first. */
  readonly keys: readonly Uint8Array<ArrayBuffer>[];
  readonly eventId: string;
  /** Counts all attempts of the event, from 1. */
  readonly number: number;
  readonly parts: readonly Part[];
  readonly answer: Uint8Array | null;
}

export interface Attempt extends SignedEvent {
  readonly url: string;
  /** Beside our own, which they cannot replace but for the user agent; names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
}

export type AttemptVerdict =
  | { readonly kind: "delivered" }
  /** 410: stop. */
  | { readonly kind: "gone" }
  /** Try again; not before `retryAfterSeconds` when the receiver named a time. */
  | { readonly kind: "failed"; readonly cause: AttemptCause; readonly retryAfterSeconds: number | null };

export type AttemptCause = "redirect" | "http_error" | "network" | "timeout";

export interface AttemptResult {
  readonly verdict: AttemptVerdict;
  readonly httpStatus: number | null;
  readonly durationMs: number;
  /** The first 256 bytes of a non-2xx answer, as text. */
  readonly response: string | null;
}

/** What a receiver's status code means; `retryAfter` is its header, `now` epoch ms. Pure. */
export function judgeAttempt(status: number, retryAfter: string | null, now: number): AttemptVerdict {
  if (status >= 200 && status < 300) return { kind: "delivered" };
  if (status === 410) return { kind: "gone" };
  const cause = status >= 300 && status < 400 ? "redirect" : "http_error";
  return { kind: "failed", cause, retryAfterSeconds: parseRetryAfter(retryAfter, now) };
}

/** The event as it leaves now, signed with every key, newest first. */
export function signedEvent({ eventId, number, parts, answer, keys }: SignedEvent) {
  const timestamp = Math.floor(Date.now() / 1000);
  const { bytes, prefixBytes } = joinParts(parts, answer, signedPrefix(eventId, timestamp));
  const headers = {
    "content-type": "application/json",
    "webhook-id": eventId,
    "webhook-timestamp": String(timestamp),
    "webhook-signature": signatureHeader(bytes, keys),
    "pollhook-attempt": String(number),
  };
  return { headers, body: bytes.subarray(prefixBytes) };
}

/** Signs and POSTs once. */
export async function deliver(attempt: Attempt): Promise<AttemptResult> {
  const { headers: own, body } = signedEvent(attempt);
  const reply = await post({
    url: attempt.url,
    headers: { "user-agent": USER_AGENT, ...attempt.headers, ...own },
    body,
    timeoutMs: ATTEMPT_TIMEOUT_MS,
    bodyMs: BODY_MS,
    maxBytes: KEPT_BYTES,
  });
  if (reply.kind === "none") {
    const verdict: AttemptVerdict = { kind: "failed", cause: reply.reason, retryAfterSeconds: null };
    return { verdict, httpStatus: null, durationMs: reply.durationMs, response: null };
  }
  const { status, headers, durationMs } = reply;
  const verdict = judgeAttempt(status, headers.get("retry-after"), Date.now());
  const response = verdict.kind === "delivered" ? null : new TextDecoder().decode(reply.body);
  return { verdict, httpStatus: status, durationMs, response };
}
