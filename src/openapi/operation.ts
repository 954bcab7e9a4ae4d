/**
 * What the document is made of, shorter than OpenAPI writes it: an operation with its scope, what it takes, what it
 * answers, and every problem that it may answer with.
 */
import type { Scope } from "../crypto/token.ts";
import type { ProblemCode } from "../http/problem.ts";
import type { ANSWERS } from "./answer-schemas.ts";
import type { JsonSchema } from "./json-schema.ts";
import type { FEED_SCHEMAS } from "./operations/feed.ts";
import type { REQUESTS } from "./requests.ts";

export type SchemaName = keyof typeof REQUESTS | keyof typeof ANSWERS | keyof typeof FEED_SCHEMAS;
export const TAGS = {
  jobs: "Register requests, and see what becomes of them.",
  destinations: "Callbacks with a name: URL, headers and secret stay with Pollhook.",
  "many jobs": "Lists, statistics, and operations on every job that fits a filter.",
  tokens: "Tokens that may do less, and the secret that events are signed with.",
  provider: "The provider's own API, for code that was written against it: a Pollhook token as `key`.",
  service: "Whether it runs.",
} as const;

export interface Parameter {
  readonly name: string;
  readonly in: "path" | "query" | "header";
  readonly description: string;
  readonly schema: JsonSchema;
  /** Path parameters always are. */
  readonly required?: boolean;
  /** Of an object: how its members are written. */
  readonly style?: "form";
  readonly explode?: boolean;
  readonly example?: unknown;
  /** In place of one: by the names of the body's examples. */
  readonly examples?: Readonly<Record<string, { readonly value: unknown }>>;
}

export interface Example {
  readonly summary: string;
  readonly value: unknown;
}

export interface Body {
  readonly schema: SchemaName | JsonSchema;
  readonly required: boolean;
  /** Each works as the page shows it, against `npm start`. */
  readonly examples: Readonly<Record<string, Example>>;
}

export interface Answer {
  readonly description: string;
  readonly schema?: SchemaName;
  readonly mediaType?: string;
  readonly examples?: Readonly<Record<string, Example>>;
  /** In every such answer. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly extensions?: JsonSchema;
}

/** The detail of a problem, and the field at fault. */
export type Saying = readonly [detail: string, field?: string];
export type Sayings = Readonly<Partial<Record<ProblemCode, Saying>>>;

export interface Operation {
  readonly id: string;
  readonly method: "get" | "put" | "post" | "delete";
  /** As OpenAPI writes it: `/v1/jobs/{id}`. */
  readonly path: string;
  readonly tag: keyof typeof TAGS;
  readonly summary: string;
  readonly description?: string;
  /** `null`: without a token in the header. */
  readonly scope: Scope | null;
  readonly parameters?: readonly Parameter[];
  readonly body?: Body;
  readonly answers: Readonly<Record<number, Answer>>;
  readonly problems: readonly ProblemCode[];
  /** What this operation says with a problem, where another's words would not do. */
  readonly says?: Sayings;
  /** Refusals have the provider's shape. */
  readonly asProvider?: true;
}

/** Of every call with a token. */
export const WITH_TOKEN = [
  "token_missing",
  "token_invalid",
  "token_expired",
  "insufficient_scope",
  "token_bound",
  "rate_limited",
  "internal_error",
  "unavailable",
] as const satisfies readonly ProblemCode[];

/** Of every call with a body. */
export const WITH_BODY = [
  "malformed_body",
  "body_too_large",
  "unsupported_media_type",
  "invalid_value",
  "unknown_field",
] as const satisfies readonly ProblemCode[];

export const JOB_ID: Parameter = {
  name: "id",
  in: "path",
  description: "The job's id.",
  schema: { type: "string" },
  example: "job_k5zcct67ygy3wdgtzggqgg7u6oqwee5e",
};

/** Of calls whose body has nothing to say. */
export const NO_FIELDS: Sayings = { invalid_value: ["The body must be a JSON object."] };

/** One example, under the name that tools show where there is no choice. */
export const only = (value: unknown, summary = "An example"): Readonly<Record<string, Example>> => ({
  example: { summary, value },
});
