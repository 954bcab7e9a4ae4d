/**
 * `POST /v1/destinations/{name}/test`: sends a `ping` as an event would be sent, by the same guard, and says what came
 * of it. What the receiver answered is not shown: nobody shall read through us what only we can reach.
 */
import type { Claims } from "../crypto/token.ts";
import { newEventId } from "../job/ids.ts";
import { putRows } from "../job/index-client.ts";
import { log } from "../log.ts";
import { type AttemptVerdict, deliver } from "../webhook/deliver.ts";
import { openDestination, signingKeys } from "../webhook/destination.ts";
import { judgeTarget, targetPolicy } from "../webhook/target.ts";
import { jsonResponse } from "./answer.ts";
import type { Call } from "./call.ts";
import { find, NOT_FOUND, UNREADABLE } from "./destinations.ts";
import { isProblem, type Problem } from "./problem.ts";
import { EmptyBody, readOptional } from "./schema.ts";

export async function ping(call: Call, claims: Claims): Promise<Response | Problem> {
  const { request, config } = call;
  const body = await readOptional(request, EmptyBody);
  if (isProblem(body)) return body;
  const stored = await find(call, claims);
  if (!stored) return NOT_FOUND;
  const { name, sealed } = stored;
  const content = await openDestination(sealed, claims.sub, name, config.masterKeys);
  if (!content) return UNREADABLE;
  const target = judgeTarget(content.url, targetPolicy(config, new URL(request.url).host));
  if (!target.ok) return answer("target_refused", null, null);
  const now = Date.now();
  const event = { type: "ping", timestamp: new Date(now).toISOString(), data: { destination: name } };
  const { verdict, httpStatus, durationMs } = await deliver({
    url: target.url,
    headers: content.headers,
    keys: signingKeys(content, now),
    eventId: newEventId(),
    number: 1,
    parts: [JSON.stringify(event)],
    answer: null,
  });
  const reason = reasonOf(verdict);
  // The first success closes a breaker; a ping that fails says nothing that an event would not.
  if (reason === null) {
    const report = { jobId: event.type, host: new URL(target.url).host, result: "ok" } as const;
    call.keepAlive(putRows(call.env, claims.sub, [], [report]));
  }
  log("destination.pinged", { destination: name, reason, status: httpStatus, duration_ms: durationMs });
  return answer(reason, httpStatus, durationMs);
}

const reasonOf = (verdict: AttemptVerdict): string | null =>
  verdict.kind === "failed" ? verdict.cause : verdict.kind === "gone" ? "gone" : null;

const answer = (reason: string | null, httpStatus: number | null, durationMs: number | null): Response =>
  jsonResponse({ delivered: reason === null, http_status: httpStatus, duration_ms: durationMs, reason });
