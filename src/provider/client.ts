/**
 * Calls of the provider. A poll asks its fetch endpoint and classifies what came back. Any echo of the provider key is
 * taken out of an answer before anybody sees it. Never throws.
 */
import { post, USER_AGENT } from "../net/outbound.ts";
import { type Answer, parseAnswer } from "./answer.ts";
import { fetchCall } from "./endpoints.ts";
import { classify, type Verdict } from "./response.ts";

export interface PollTarget {
  /** An origin that the configuration lists. */
  readonly origin: string;
  readonly endpoint: string;
  readonly requestId: string;
  readonly key: string;
}

export interface PollResult {
  readonly verdict: Verdict;
  /** `null` when nothing came back, or nothing was asked. */
  readonly httpStatus: number | null;
  readonly durationMs: number;
  /** The answer's JSON object as it came (UTF-8, no BOM, no white space around it), or `null`. */
  readonly answer: Uint8Array | null;
  /** Whether the provider was called at all. */
  readonly called: boolean;
}

export interface PollLimits {
  /** Over connect, headers and body. */
  readonly timeoutMs: number;
  /** Of the answer's body. */
  readonly maxBytes: number;
}

/** One call of the provider, whatever it brought. */
export type Exchange =
  | {
      readonly kind: "answer";
      readonly status: number;
      readonly headers: Headers;
      readonly end: "complete" | "too_large" | "timeout" | "network";
      /** `null` when the body is no complete JSON object; else free of the provider key. */
      readonly answer: Answer | null;
      readonly durationMs: number;
    }
  | { readonly kind: "none"; readonly reason: "timeout" | "network"; readonly durationMs: number };

/** Why a call has no answer that could be handed on. */
export type CallFault = "timeout" | "network" | "redirect" | "too_large" | "not_json" | "rate_limited";

/** What keeps the answer from being handed on; `null` where nothing does, and `answer` is there. */
export function faultOf(seen: Exchange): CallFault | null {
  if (seen.kind === "none") return seen.reason;
  if (seen.status >= 300 && seen.status < 400) return "redirect";
  if (seen.status === 429 && !seen.answer) return "rate_limited";
  if (seen.end !== "complete") return seen.end;
  return seen.answer ? null : "not_json";
}

/** Headers of an answer that mean something to whoever asked. */
const HANDED_ON = ["retry-after", "x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"];

/** Numbers and dates: no echo of the key, and nothing that a caller's client would choke on. */
const HANDED_ON_VALUE = /^([\d.]{1,20}|\w+, [\w :-]{1,30})$/;

export function headersToHandOn(headers: Headers): Record<string, string> {
  const present = HANDED_ON.map((name) => [name, headers.get(name) ?? ""] as const);
  return Object.fromEntries(present.filter(([, value]) => HANDED_ON_VALUE.test(value)));
}

/** POSTs JSON that carries `key` to the provider, once, within `limits`. */
export async function exchange(
  call: { readonly url: string; readonly body: string | Uint8Array<ArrayBuffer> },
  key: string,
  limits: PollLimits,
): Promise<Exchange> {
  const reply = await post({
    ...call,
    headers: { "content-type": "application/json", accept: "application/json", "user-agent": USER_AGENT },
    ...limits,
  });
  if (reply.kind === "none") return reply;
  const { body, ...rest } = reply;
  return { ...rest, answer: reply.end === "complete" ? parseAnswer(body, key) : null };
}

/** Asks once, within `limits`. */
export async function poll(target: PollTarget, limits: PollLimits): Promise<PollResult> {
  const seen = await exchange(
    fetchCall(target.origin, target.endpoint, target.requestId, target.key),
    target.key,
    limits,
  );
  if (seen.kind === "none") {
    const verdict: Verdict = { kind: "transient", cause: seen.reason, waitSeconds: null };
    return { verdict, httpStatus: null, durationMs: seen.durationMs, answer: null, called: true };
  }
  const { status, headers, end, answer, durationMs } = seen;
  const verdict = classify({ status, headers, json: answer?.json, end }, Date.now());
  return { verdict, httpStatus: status, durationMs, answer: answer?.bytes ?? null, called: true };
}

/** The poll that could not be made: transient, and not counted as a call. */
export const notCalled = (cause: "key_unreadable" | "origin_not_listed" | "config_unusable"): PollResult => ({
  verdict: { kind: "transient", cause, waitSeconds: null },
  httpStatus: null,
  durationMs: 0,
  answer: null,
  called: false,
});
