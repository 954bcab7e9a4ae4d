/**
 * Refusals as RFC 9457 problems, with a closed set of codes. A problem is a value until the edge turns it into a
 * response; nothing in it comes from a secret, an upstream body or a stack.
 */

const PROBLEMS = {
  malformed_body: [400, "The body cannot be read"],
  token_missing: [401, "A token is needed"],
  token_invalid: [401, "The token is not valid"],
  token_expired: [401, "The token has expired"],
  insufficient_scope: [403, "The token may not do this"],
  token_bound: [403, "The token is bound to less"],
  not_found: [404, "There is no such thing"],
  method_not_allowed: [405, "The method is not allowed here"],
  already_registered: [409, "The request is registered with another callback"],
  already_over: [409, "The job is over"],
  idempotency_conflict: [409, "The Idempotency-Key is used already"],
  destination_limit: [409, "There are as many destinations as there may be"],
  destination_unreadable: [409, "The destination cannot be read"],
  nothing_to_deliver: [409, "There is nothing to deliver"],
  body_too_large: [413, "The body is too large"],
  unsupported_media_type: [415, "The body must be JSON"],
  invalid_value: [422, "A value is refused"],
  unknown_field: [422, "A field is not known"],
  target_refused: [422, "The callback may not be called"],
  destination_unknown: [422, "The destination is not known"],
  generation_failed: [422, "The generation has failed already"],
  rate_limited: [429, "The token calls too often"],
  provider_rate_limited: [429, "The provider wants fewer calls"],
  outcome_unknown: [502, "It is not known what came of the call"],
  provider_failed: [502, "The provider gave no usable answer"],
  provider_timeout: [504, "The provider did not answer in time"],
  internal_error: [500, "Something is wrong on our side"],
  unavailable: [503, "Not available at the moment"],
} as const satisfies Record<string, readonly [status: number, title: string]>;

export type ProblemCode = keyof typeof PROBLEMS;

export interface Problem {
  readonly kind: "problem";
  readonly code: ProblemCode;
  /** A sentence that names the fault and the remedy. */
  readonly detail: string;
  /** The field at fault, as a path: `callback_url`, `response.id`. */
  readonly field?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export function problem(
  code: ProblemCode,
  detail: string,
  extra: { readonly field?: string; readonly headers?: Readonly<Record<string, string>> } = {},
): Problem {
  return { kind: "problem", code, detail, ...extra };
}

export const JOB_NOT_FOUND = problem("not_found", "There is no such job.");

export const isProblem = (value: unknown): value is Problem =>
  typeof value === "object" && value !== null && (value as { kind?: unknown }).kind === "problem";

export const problemStatus = (code: ProblemCode): number => PROBLEMS[code][0];

/** The members of RFC 9457. An absent `field` is left out by JSON.stringify. */
export function problemBody({ code, detail, field }: Problem) {
  const [status, title] = PROBLEMS[code];
  return { type: `urn:pollhook:problem:${code}`, title, status, detail, code, field };
}

export const problemResponse = (problem: Problem): Response =>
  new Response(`${JSON.stringify(problemBody(problem))}\n`, {
    status: problemStatus(problem.code),
    headers: { "content-type": "application/problem+json", "cache-control": "no-store", ...problem.headers },
  });
