/**
 * The event's body, built once, when the outcome is known. What is built are parts: literal text, and spans of
 * the provider's stored answer, so that every attempt, whatever code sends it, carries the same bytes and the
 * answer is neither stored twice nor parsed and written again. Pure.
 */
import { memberSpans, type Part, rawMember } from "../json.ts";

export type EventFormat = "standard" | "provider";

export interface EventFacts {
  readonly jobId: string;
  readonly endpoint: string;
  readonly requestId: string;
  readonly outcome: "succeeded" | "failed" | "expired";
  readonly error: { readonly reason: string; readonly message: string } | null;
  /** JSON text of an object. */
  readonly metadata: string;
  /** Epoch ms. */
  readonly registeredAt: number;
  /** Epoch ms. */
  readonly finishedAt: number;
  readonly polls: number;
}

/**
 * The provider's stored answer, one JSON object without white space around it: its last word on the request, or
 * just the last thing seen, of which only the size matters.
 */
export type EventAnswer =
  | { readonly final: true; readonly bytes: Uint8Array }
  | { readonly final: false; readonly size: number };

const iso = (ms: number): string => new Date(ms).toISOString();

/** The body as parts; spans refer to the stored answer. */
export function buildEvent(format: EventFormat, facts: EventFacts, answer: EventAnswer | null): Part[] {
  return format === "standard" ? standardEvent(facts, answer) : providerEvent(facts, answer);
}

function standardEvent(facts: EventFacts, answer: EventAnswer | null): Part[] {
  const members = answer?.final && facts.outcome === "succeeded" ? memberSpans(answer.bytes) : null;
  const head = {
    job_id: facts.jobId,
    endpoint: facts.endpoint,
    request_id: facts.requestId,
  };
  const tail = {
    registered_at: iso(facts.registeredAt),
    finished_at: iso(facts.finishedAt),
    polls: facts.polls,
  };
  const type = JSON.stringify(`job.${facts.outcome}`);
  return [
    `{"type":${type},"timestamp":"${iso(facts.finishedAt)}","data":${JSON.stringify(head).slice(0, -1)},"output":`,
    members?.get("output") ?? "null",
    ',"proxy_links":',
    members?.get("proxy_links") ?? "null",
    ',"provider":',
    answer ? [0, answer.final ? answer.bytes.length : answer.size] : "null",
    `,"error":${JSON.stringify(facts.error)},"metadata":${facts.metadata},${JSON.stringify(tail).slice(1)}}`,
  ];
}

/** The provider's own JSON, plus the caller's `track_id`; where it said nothing final, a failure in its shape. */
function providerEvent(facts: EventFacts, answer: EventAnswer | null): Part[] {
  const trackId = rawMember(new TextEncoder().encode(facts.metadata), "track_id");
  if (!answer?.final) {
    const text = failureAsProvider(facts.requestId, facts.error?.message);
    return [trackId === undefined ? text : `${text.slice(0, -1)},"track_id":${trackId}}`];
  }
  const whole: Part = [0, answer.bytes.length];
  if (trackId === undefined) return [whole];
  const members = memberSpans(answer.bytes);
  const own = members.get("track_id");
  if (own) return [[0, own[0]], trackId, [own[1], answer.bytes.length]];
  return [[0, answer.bytes.length - 1], `${members.size > 0 ? "," : ""}"track_id":${trackId}}`];
}

/** A failure in the provider's shape, where it said nothing final itself; without a message, the request expired. */
export function failureAsProvider(
  requestId: string,
  message = "The provider did not finish this request before its deadline.",
): string {
  return JSON.stringify({ status: "failed", id: idAsProvider(requestId), message, output: [] });
}

/** The id as the provider writes it: a number, where that is the same id. */
export function idAsProvider(requestId: string): number | string {
  const id = Number(requestId);
  return Number.isSafeInteger(id) && id >= 0 && String(id) === requestId ? id : requestId;
}
