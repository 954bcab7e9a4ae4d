/**
 * Answers in the provider's shapes: a refusal, a request that is still at work, one whose end is known, and the
 * provider's own answer with the one change that every answer needs: its `fetch_result` leads to us, because whoever
 * follows it sends a Pollhook token there.
 */
import { isProvidersLastWord } from "../job/ending.ts";
import type { JobView } from "../job/view.ts";
import { editMembers, joinParts, memberSpans } from "../json.ts";
import type { CallFault } from "../provider/client.ts";
import { failureAsProvider, idAsProvider } from "../webhook/event.ts";
import { secondsToNext } from "./job-json.ts";
import { type Problem, problem, problemStatus } from "./problem.ts";

/** A request as a fetch URL names it. */
export interface Place {
  readonly endpoint: string;
  readonly requestId: string;
}

export function answer(
  body: string | Uint8Array<ArrayBuffer>,
  status = 200,
  headers: Readonly<Record<string, string>> = {},
): Response {
  const own = { "content-type": "application/json", "cache-control": "no-store" };
  return new Response(body, { status, headers: { ...own, ...headers } });
}

/** `{"status": "error", "message": …}`, with the HTTP status that fits. */
export const refusal = ({ code, detail, headers }: Problem): Response =>
  answer(JSON.stringify({ status: "error", message: detail }), problemStatus(code), headers);

/** Where this request is fetched from us; the id is in the path, whichever form the provider has. */
const fetchUrl = (origin: string, { endpoint, requestId }: Place): string =>
  `${origin}/api/${endpoint}/fetch/${requestId}`;

/** What is known of the job: the provider's last word as it came, ours in its shape, or that it is still at work. */
export function known(view: JobView, origin: string): Response {
  const { fields, result } = view;
  const place = { endpoint: fields.endpoint, requestId: fields.request_id };
  if (fields.outcome === null) return answer(stillAtWork(view, fetchUrl(origin, place)));
  const { outcome, error } = fields;
  if (result && outcome !== "canceled" && isProvidersLastWord({ outcome, error }, result))
    return answer(leadingToUs(result, origin, place));
  return answer(failureAsProvider(fields.request_id, error?.message));
}

const stillAtWork = (view: JobView, fetchResult: string): string =>
  JSON.stringify({
    status: "processing",
    id: idAsProvider(view.fields.request_id),
    eta: secondsToNext(view),
    message: "Your request is being processed; fetch it again after eta seconds, or wait for the webhook.",
    fetch_result: fetchResult,
    output: [],
    job_id: view.fields.id,
  });

/**
 * The provider's answer with its `fetch_result`, if it has one, on our host; `null` for `place` where nobody knows which
 * request it is. `jobId` is added as `job_id`. Everything else stands as it came.
 */
export function leadingToUs(
  bytes: Uint8Array,
  origin: string,
  place: Place | null,
  jobId: string | null = null,
): Uint8Array<ArrayBuffer> {
  const edits = new Map<string, string | null>();
  if (memberSpans(bytes).has("fetch_result"))
    edits.set("fetch_result", JSON.stringify(place && fetchUrl(origin, place)));
  if (jobId !== null) edits.set("job_id", JSON.stringify(jobId));
  return edits.size > 0 ? joinParts(editMembers(bytes, edits), bytes).bytes : new Uint8Array(bytes);
}

const FAULTS: Readonly<Record<CallFault, string>> = {
  timeout: "The provider did not answer in time.",
  network: "The provider could not be reached, or broke off.",
  redirect: "The provider answered with a redirect, which is not followed.",
  too_large: "The provider's answer is too large.",
  not_json: "The provider's answer is no JSON object.",
  rate_limited: "The provider is rate-limiting this key.",
};

/** `remedy`: the sentence that says what to do now. `headers`: those of the provider's that mean something to a caller. */
export function faultProblem(
  fault: CallFault,
  remedy: string,
  headers: Readonly<Record<string, string>> = {},
): Problem {
  if (fault === "rate_limited")
    return problem("provider_rate_limited", `${FAULTS[fault]} Call again later.`, { headers });
  return problem(fault === "timeout" ? "provider_timeout" : "provider_failed", `${FAULTS[fault]} ${remedy}`);
}
