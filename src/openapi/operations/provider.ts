/**
 * The provider's own API under `/api`. Its paths are of several depths, and OpenAPI knows no parameter with slashes in
 * it: each depth is an operation. The fetch endpoints that take the id in the body stand here one by one, as the catalogue has
 * them.
 */
import { CATALOGUE } from "../../provider/endpoints.ts";
import { PROCESSING, SUCCESS } from "../examples.ts";
import type { JsonSchema } from "../json-schema.ts";
import type { Answer, Body, Example, Operation, Parameter, Sayings } from "../operation.ts";
import { REQUEST_ID, REQUEST_ID_TEXT, REQUESTS } from "../requests.ts";

const ANSWERED: readonly Operation["problems"][number][] = [
  "malformed_body",
  "token_missing",
  "token_invalid",
  "token_expired",
  "insufficient_scope",
  "token_bound",
  "body_too_large",
  "unsupported_media_type",
  "invalid_value",
  "target_refused",
  "rate_limited",
  "provider_rate_limited",
  "provider_failed",
  "provider_timeout",
  "internal_error",
  "unavailable",
];

const SAYS: Sayings = {
  malformed_body: ["Send a JSON object, with a Pollhook token as key."],
  token_missing: ["key is missing: send a Pollhook token as key."],
  invalid_value: ['webhook_format must be "standard" or "provider".', "webhook_format"],
  target_refused: ["webhook must be an https URL.", "webhook"],
};

const MAYBE_ID: JsonSchema = {
  anyOf: [
    { type: "string", pattern: "^[A-Za-z0-9_-]{0,128}$" },
    { type: "integer", minimum: 0, maximum: Number.MAX_SAFE_INTEGER },
    { type: "null" },
  ],
};
const IDS = {
  request_id: { ...MAYBE_ID, description: "The provider's id of the request." },
  id: { ...MAYBE_ID, description: "The same as `request_id`." },
};
const TOKEN: JsonSchema = { type: "string", description: "A Pollhook token." };
const body = (members: JsonSchema): JsonSchema => ({
  type: "object",
  properties: { key: TOKEN, ...members, ...(REQUESTS.ProviderFields.properties as JsonSchema) },
  required: ["key"],
  additionalProperties: true,
});

const segment = (name: string, description: string, schema: JsonSchema, example: string): Parameter => ({
  name,
  in: "path",
  description,
  schema: { type: "string", ...schema },
  example,
});
const WORD = { pattern: "^[A-Za-z0-9_-]{1,64}$" };
const catalogued = (depth: number): string =>
  Object.entries(CATALOGUE)
    .filter(([endpoint, place]) => place === "path" && endpoint.split("/").length === depth)
    .map(([endpoint]) => `\`${endpoint}\``)
    .join(", ");

const HOOK = "https://your-app.example.com/hook/modelslab";
const KEY = "$POLLHOOK_TOKEN";
const called = (fields: JsonSchema): Readonly<Record<string, Example>> => ({
  fetch: { summary: "What is known of it", value: { key: KEY, ...fields } },
  webhook: {
    summary: "Be called when it is done",
    value: { key: KEY, ...fields, webhook: HOOK, track_id: "order-7" },
  },
});

const FETCHED: Readonly<Record<number, Answer>> = {
  200: {
    description: "The request's state; where the provider was asked, its own answer and status code.",
    schema: "ProviderAnswer",
    examples: {
      processing: { summary: "At work", value: PROCESSING },
      success: { summary: "Done", value: SUCCESS },
    },
  },
};

const fetching = (
  id: string,
  path: string,
  what: string,
  parameters: readonly Parameter[],
  request: Body,
): Operation => ({
  id,
  method: "post",
  path,
  tag: "provider",
  summary: `Fetch a request: ${what}`,
  description:
    "With `webhook`, a request that is on its way already is registered (`jobs:write`). Without, you get what its job knows (`jobs:read`); where there is no job, the provider is asked once (`jobs:write` too).",
  scope: null,
  parameters,
  body: request,
  answers: FETCHED,
  problems: [...ANSWERED, "already_registered"],
  says: {
    ...SAYS,
    already_registered: ["The request is registered already, with another webhook.", "webhook"],
  },
  asProvider: true,
});

const ID = segment("request_id", "The provider's id of the request.", REQUEST_ID_TEXT, "12202888");

/** With the id in the path, by the number of segments in front of `fetch`. */
const BY_DEPTH = [
  {
    id: "fetchByVersion",
    path: "/api/{version}/fetch/{request_id}",
    parameters: [segment("version", `A version: ${catalogued(1)}.`, { pattern: "^v\\d{1,3}$" }, "v3"), ID],
  },
  {
    id: "fetchByFamily",
    path: "/api/{version}/{family}/fetch/{request_id}",
    parameters: [
      segment("version", "A version.", { pattern: "^v\\d{1,3}$" }, "v6"),
      segment("family", `Known: ${catalogued(2)}; others are asked in the same way.`, WORD, "video"),
      { ...ID, example: "65919761" },
    ],
  },
  {
    id: "fetchByModel",
    path: "/api/{version}/{family}/{model}/fetch/{request_id}",
    parameters: [
      segment("version", "A version.", { pattern: "^v\\d{1,3}$" }, "v1"),
      segment("family", "As a rule `enterprise`.", WORD, "enterprise"),
      segment("model", `Known: ${catalogued(3)}; others are asked in the same way.`, WORD, "flux"),
      { ...ID, example: "65919762" },
    ],
  },
].map(({ id, path, parameters }) =>
  fetching(id, path, path.slice("/api/".length).replace("/fetch/{request_id}", ""), parameters, {
    schema: body(IDS),
    required: true,
    examples: called({}),
  }),
);

/** With the id in the body. */
const BY_BODY = Object.entries(CATALOGUE).flatMap(([endpoint, place], i) =>
  place === "path"
    ? []
    : [
        fetching(`fetch_${endpoint.replaceAll("/", "_")}`, `/api/${endpoint}/fetch`, endpoint, [], {
          schema: {
            ...body(IDS),
            // Under one name or the other, whichever the provider itself takes.
            anyOf: Object.keys(IDS).map((name) => ({
              properties: { [name]: REQUEST_ID },
              required: [name],
            })),
          },
          required: true,
          examples: called({ [place.body]: String(13443940 + i) }),
        }),
      ],
);

const CALL_DESCRIPTION =
  "Generation calls (`generations:write`) are forwarded with the provider's key in place of the token; with `webhook`, the request is registered before you get the answer. Everything else (restart a server, delete a model …) takes `provider:admin`. Bodies have 10 MiB at most.";

const IDEMPOTENCY_KEY: Parameter = {
  name: "Idempotency-Key",
  in: "header",
  description:
    "A repetition within 24 hours gets the same answer, and no second generation; with another body it is refused.",
  schema: { type: "string", pattern: "^[\\x21-\\x7e]{1,255}$" },
};

const FAMILY = (example: string) => segment("family", "What is generated.", WORD, example);
const OPERATION = (example: string) => segment("operation", "The provider's operation.", WORD, example);
const CALLS = [
  ["callByVersion", "{version}/{operation}", [OPERATION("text2img")], "v3"],
  ["callByFamily", "{version}/{family}/{operation}", [FAMILY("images"), OPERATION("text2img")], "v6"],
  [
    "callByModel",
    "{version}/{family}/{model}/{operation}",
    [FAMILY("enterprise"), segment("model", "The model.", WORD, "flux"), OPERATION("text2img")],
    "v1",
  ],
] as const;

export const PROVIDER_OPERATIONS: readonly Operation[] = [
  ...BY_DEPTH,
  ...BY_BODY,
  ...CALLS.map(
    ([id, path, parameters, version]): Operation => ({
      id,
      method: "post",
      path: `/api/${path}`,
      tag: "provider",
      summary: `Call the provider: ${path}`,
      description: CALL_DESCRIPTION,
      scope: null,
      parameters: [
        segment("version", "A version, `v1` of `enterprise` only.", { pattern: "^v[13-7]$" }, version),
        ...parameters,
        IDEMPOTENCY_KEY,
      ],
      body: {
        schema: body({}),
        required: true,
        examples: {
          webhook: {
            summary: "Generate, and be called when it is done",
            value: {
              key: KEY,
              model_id: "flux",
              prompt: "a lighthouse at dusk",
              webhook: HOOK,
              track_id: "order-7",
            },
          },
        },
      },
      answers: {
        200: {
          description: "The provider's answer and status code; with a `webhook`, the job's id as `job_id`.",
          schema: "ProviderAnswer",
          examples: {
            processing: { summary: "Queued", value: PROCESSING },
            success: { summary: "Done at once", value: SUCCESS },
          },
        },
      },
      problems: [...ANSWERED, "not_found", "idempotency_conflict", "outcome_unknown"],
      says: {
        ...SAYS,
        insufficient_scope: ["This needs a token with the scope generations:write."],
        not_found: ["This is no path of the provider's API."],
      },
      asProvider: true,
    }),
  ),
];
