/**
 * Every problem as an example, and the answers that are made of them. Answers that several operations share stand once.
 */
import type { Scope } from "../crypto/token.ts";
import { type ProblemCode, problem, problemBody, problemStatus } from "../http/problem.ts";
import type { JsonSchema } from "./json-schema.ts";
import type { Operation, Saying } from "./operation.ts";

type AllSayings = Readonly<Record<ProblemCode, Saying>>;

/** What is said at one of the places where the code is answered. */
const SAYINGS: AllSayings = {
  malformed_body: ["The body is not valid JSON."],
  token_missing: ["Send a token: `Authorization: Bearer <token>`."],
  token_invalid: ["The token's signature does not fit; mint a new one."],
  token_expired: ["The token has expired; mint a new one."],
  insufficient_scope: [needs("jobs:write")],
  token_bound: ["The token is bound, and may not do this."],
  not_found: ["There is no such job."],
  method_not_allowed: ["Use GET, HEAD here."],
  already_registered: [
    "The callback or its format differs from the registration before; redeliver can name another callback.",
    "callback_url",
  ],
  already_over: ["Nothing is left to cancel: the job is over."],
  idempotency_conflict: [
    "The Idempotency-Key was used for another call within the last 24 hours; take a new one.",
  ],
  destination_limit: ["Delete a destination that is not used any more."],
  destination_unreadable: [
    "It was sealed with a master key that is not in use any more; PUT it anew, with its headers and its secret.",
  ],
  nothing_to_deliver: ["The job has no event yet, or no callback: name one in callback_url or destination."],
  body_too_large: ["The body may have 65536 bytes at most; shorten it."],
  unsupported_media_type: ["Send JSON with `Content-Type: application/json`."],
  invalid_value: ["eta must be a number of seconds from 0 to 86400.", "eta"],
  unknown_field: ['"note" is not a field of this request; leave it out.', "note"],
  target_refused: ["callback_url must be an https URL.", "callback_url"],
  destination_unknown: ["destination is not known; create it first.", "destination"],
  generation_failed: ["response says that the provider refused or failed; nothing will come.", "response"],
  rate_limited: ["This token calls too often; call again later."],
  provider_rate_limited: ["The provider is rate-limiting this key. Call again later."],
  outcome_unknown: [
    "It is not known whether the provider took the call: look there before you repeat it, under another Idempotency-Key.",
  ],
  provider_failed: ["The provider could not be reached, or broke off. Fetch again in a moment."],
  provider_timeout: ["The provider did not answer in time. Fetch again in a moment."],
  internal_error: ["The request could not be handled; the log has the cause."],
  unavailable: ["Try again in a moment."],
};

function needs(scope: Scope): string {
  return `This needs a token with the scope ${scope}.`;
}

const CHALLENGE: ReadonlySet<ProblemCode> = new Set([
  "token_missing",
  "token_invalid",
  "token_expired",
  "insufficient_scope",
]);
const LATER: ReadonlySet<ProblemCode> = new Set(["rate_limited", "unavailable"]);
/** What the provider's answers bring that means something to a caller. */
const PROVIDER_LIMITS: readonly string[] = [
  "Retry-After",
  "X-RateLimit-Limit",
  "X-RateLimit-Remaining",
  "X-RateLimit-Reset",
];

/** The headers that the document explains. */
export const HEADERS: Readonly<Record<string, string>> = {
  Location: "The job's path.",
  "Retry-After": "Seconds to wait before the next call.",
  "WWW-Authenticate": "What the token lacks (RFC 6750).",
  "X-RateLimit-Limit": "Of the provider's answer.",
  "X-RateLimit-Remaining": "Of the provider's answer.",
  "X-RateLimit-Reset": "Of the provider's answer.",
};

export const header = (name: string, required: boolean): JsonSchema => ({
  description: HEADERS[name] ?? "",
  ...(required && { required }),
  schema: { type: "string" },
});

export const providerHeaders = (): JsonSchema =>
  Object.fromEntries(PROVIDER_LIMITS.map((name) => [name, header(name, false)]));

/** Collects the answers of problems while a document is made: those that are the same stand once. */
export class ProblemAnswers {
  readonly responses = new Map<string, JsonSchema>();

  /** The refusals of an operation, by status code. */
  of({ id, problems, scope, says, asProvider }: Operation): Readonly<Record<string, JsonSchema>> {
    const sayings = { ...SAYINGS, ...(scope && { insufficient_scope: [needs(scope)] as const }), ...says };
    const known = Object.keys(SAYINGS) as ProblemCode[];
    const byStatus = new Map<number, ProblemCode[]>();
    for (const code of known.filter((code) => problems.includes(code)))
      byStatus.set(problemStatus(code), [...(byStatus.get(problemStatus(code)) ?? []), code]);
    return Object.fromEntries(
      [...byStatus].map(([status, codes]) => {
        const answer = asProvider ? refusal(codes, sayings) : response(codes, sayings);
        const name = camel(`${asProvider ? "provider_" : ""}${codes.join("_or_")}`);
        return [status, this.#share(answer, name, `${name}Of${camel(id)}`)];
      }),
    );
  }

  /** Under the first of the names, unless another answer has it. */
  #share(answer: JsonSchema, ...names: readonly string[]): JsonSchema {
    const same = [...this.responses].find(([, other]) => JSON.stringify(other) === JSON.stringify(answer));
    const name = same?.[0] ?? names.find((name) => !this.responses.has(name));
    if (name === undefined) throw new Error(`there are two of ${names.at(-1)}`);
    this.responses.set(name, answer);
    return { $ref: `#/components/responses/${name}` };
  }
}

const camel = (name: string): string =>
  name.replace(/(^|_)[a-z]/g, (letter) => letter.replace("_", "").toUpperCase());

function response(codes: readonly ProblemCode[], sayings: AllSayings): JsonSchema {
  const bodies = codes.map((code) => {
    const [detail, field] = sayings[code];
    const { field: _, ...body } = problemBody(problem(code, detail));
    return [code, { summary: body.title, value: { ...body, ...(field && { field }) } }] as const;
  });
  return {
    description: titles(codes),
    ...headersOf(codes, false),
    content: {
      "application/problem+json": {
        schema: {
          allOf: [
            { $ref: "#/components/schemas/Problem" },
            { type: "object", properties: { code: { type: "string", enum: [...codes] } } },
          ],
        },
        examples: Object.fromEntries(bodies),
      },
    },
  };
}

function refusal(codes: readonly ProblemCode[], sayings: AllSayings): JsonSchema {
  const examples = codes.map((code) => {
    const value = { status: "error", message: sayings[code][0] };
    return [code, { summary: problemBody(problem(code, "")).title, value }] as const;
  });
  return {
    description: titles(codes),
    ...headersOf(codes, true),
    content: {
      "application/json": {
        // The provider's own status codes are handed on, with whatever it says.
        schema: {
          anyOf: [
            { $ref: "#/components/schemas/ProviderRefusal" },
            { $ref: "#/components/schemas/ProviderAnswer" },
          ],
        },
        examples: Object.fromEntries(examples),
      },
    },
  };
}

const titles = (codes: readonly ProblemCode[]): string =>
  `${codes.map((code) => problemBody(problem(code, "")).title).join("; or: ")}.`;

function headersOf(codes: readonly ProblemCode[], asProvider: boolean): JsonSchema {
  const some = (set: ReadonlySet<ProblemCode>) => codes.some((code) => set.has(code));
  const every = (set: ReadonlySet<ProblemCode>) => codes.every((code) => set.has(code));
  const headers: JsonSchema = {
    ...(some(CHALLENGE) && { "WWW-Authenticate": header("WWW-Authenticate", every(CHALLENGE)) }),
    ...(some(LATER) && { "Retry-After": header("Retry-After", codes.join() === "rate_limited") }),
    ...(codes.includes("already_registered") && !asProvider && { Location: header("Location", false) }),
    ...(codes.includes("provider_rate_limited") && providerHeaders()),
  };
  return Object.keys(headers).length > 0 ? { headers } : {};
}
