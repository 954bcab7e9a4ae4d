/**
 * One poll: asks the provider's fetch endpoint, classifies what came back, and hands on the answer's bytes with
 * any echo of the provider key taken out. Never throws.
 */
import { post, type Reply, USER_AGENT } from "../net/outbound.ts";
import { parseAnswer } from "./answer.ts";
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

/** Asks once, within `limits`. */
export async function poll(target: PollTarget, limits: PollLimits): Promise<PollResult> {
  const call = fetchCall(target.origin, target.endpoint, target.requestId, target.key);
  const reply = await post({
    url: call.url,
    headers: { "content-type": "application/json", accept: "application/json", "user-agent": USER_AGENT },
    body: call.body,
    ...limits,
  });
  return readReply(reply, target.key);
}

/** The poll that could not be made: transient, and not counted as a call. */
export const notCalled = (cause: "key_unreadable" | "origin_not_listed" | "config_unusable"): PollResult => ({
  verdict: { kind: "transient", cause, waitSeconds: null },
  httpStatus: null,
  durationMs: 0,
  answer: null,
  called: false,
});

function readReply(reply: Reply, key: string): PollResult {
  if (reply.kind === "none") {
    const verdict: Verdict = { kind: "transient", cause: reply.reason, waitSeconds: null };
    return { verdict, httpStatus: null, durationMs: reply.durationMs, answer: null, called: true };
  }
  const { status, headers, end, durationMs } = reply;
  const parsed = end === "complete" ? parseAnswer(reply.body, key) : null;
  const verdict = classify({ status, headers, json: parsed?.json, end }, Date.now());
  return { verdict, httpStatus: status, durationMs, answer: parsed?.bytes ?? null, called: true };
}
