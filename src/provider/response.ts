/**
 * What a provider's answer means. The body's `status` decides, not the HTTP code: the provider reports errors
 * under 200 as well as under 4xx and 5xx. The rows are tried in order, the first that fits decides. Pure.
 */
import { parseRateLimitReset, parseRetryAfter } from "../net/retry-after.ts";
import { isPlainObject, messageOf, numberOf, shown } from "./fields.ts";

export type FailureReason =
  | "output_too_large"
  | "unauthorized"
  | "payment_required"
  | "empty_output"
  | "not_found"
  | "provider_error"
  | "key_unreadable"
  | "internal_error";

export type Verdict =
  /** Still at work; `etaSeconds` only when the answer carries a fresh positive one. */
  | { readonly kind: "pending"; readonly etaSeconds: number | null }
  | { readonly kind: "succeeded" }
  /** `success` with nothing in `output`: doubted a few times before it is a failure. */
  | { readonly kind: "empty" }
  /** "Request not found": doubted while the provider may lag behind. */
  | { readonly kind: "not_found"; readonly message: string }
  | { readonly kind: "failed"; readonly reason: FailureReason; readonly message: string }
  /** Nothing learned about the request. `waitSeconds`: how long to stay away, when rate-limited. */
  | { readonly kind: "transient"; readonly cause: TransientCause; readonly waitSeconds: number | null };

export type TransientCause =
  | "redirect"
  | "rate_limited"
  | "http_error"
  | "network"
  | "timeout"
  | "not_json"
  | "key_unreadable"
  | "origin_not_listed"
  | "config_unusable";

/** The poll's answer as the rules see it; `json` is `undefined` when the body is no complete JSON text. */
export interface Seen {
  readonly status: number;
  readonly headers: Pick<Headers, "get">;
  readonly json: unknown;
  readonly end: "complete" | "too_large" | "timeout" | "network";
}

/** For a rate limit that names no time. */
const RATE_LIMIT_WAIT_SECONDS = 30;

/** Not "generate limit", nor "corporate limit". */
const RATE_LIMIT = /(?<![a-z])rate[\s_-]*limit/i;
const INVALID_KEY = /invalid api[\s_-]*key/i;
const PAYMENT = /\bcredits?\b|limit exceeded\W+upgrade/i;
const NOT_FOUND = /request not found/i;

const transient = (cause: TransientCause, waitSeconds: number | null = null): Verdict => ({
  kind: "transient",
  cause,
  waitSeconds,
});

/** Classifies one complete exchange; `now` in epoch ms, for waits given as a point in time. */
export function classify(seen: Seen, now: number): Verdict {
  const { status, json, end } = seen;
  const answer = isPlainObject(json) ? json : null;
  const word = typeof answer?.status === "string" ? answer.status.trim().toLowerCase() : null;
  const refused = word === "error" || word === "failed";
  const message = refused ? messageOf(answer) : "";
  const said = shown(message);

  if (status >= 300 && status < 400) return transient("redirect");
  if (status === 429 || (refused && status < 500 && RATE_LIMIT.test(message)))
    return transient("rate_limited", rateLimitWait(seen, answer, now));
  if (status === 408 || status === 425 || status >= 500) return transient("http_error");
  if (end === "too_large")
    return { kind: "failed", reason: "output_too_large", message: "The provider's answer is too large." };
  if (end !== "complete") return transient(end);
  if (!answer) return transient("not_json");
  if (status === 401 || status === 403 || (refused && INVALID_KEY.test(message)))
    return { kind: "failed", reason: "unauthorized", message: said || "The provider refused the key." };
  if (status === 402 || (refused && PAYMENT.test(message)))
    return { kind: "failed", reason: "payment_required", message: said || "The provider wants payment." };
  if (word === "success") return isEmpty(answer.output) ? { kind: "empty" } : { kind: "succeeded" };
  if (refused && NOT_FOUND.test(message)) return { kind: "not_found", message: said };
  if (refused)
    return { kind: "failed", reason: "provider_error", message: said || "The provider gave no reason." };
  // An object without a status word is no answer to the question that was asked.
  if (word === null) return transient("not_json");
  return { kind: "pending", etaSeconds: positive(numberOf(answer.eta)) };
}

/** `[]`, `""`, `{}`, `null` and absence are empty; anything else is output, whatever it is. */
function isEmpty(output: unknown): boolean {
  if (output === undefined || output === null || output === "") return true;
  if (Array.isArray(output)) return output.length === 0;
  return isPlainObject(output) && Object.keys(output).length === 0;
}

const positive = (value: number | null): number | null => (value !== null && value > 0 ? value : null);
const notNegative = (value: number | null): number | null => (value !== null && value >= 0 ? value : null);

/** Body `retry_after`, then `Retry-After` (seconds or date), then `X-RateLimit-Reset` (Unix seconds). */
function rateLimitWait(seen: Seen, answer: Record<string, unknown> | null, now: number): number {
  return (
    notNegative(numberOf(answer?.retry_after)) ??
    parseRetryAfter(seen.headers.get("retry-after"), now) ??
    parseRateLimitReset(seen.headers.get("x-ratelimit-reset"), now) ??
    RATE_LIMIT_WAIT_SECONDS
  );
}
