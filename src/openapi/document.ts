/**
 * The OpenAPI document, made of the operations. Pure: the same source gives the same text.
 */
import { USER_AGENT } from "../net/outbound.ts";
import { ANSWERS } from "./answer-schemas.ts";
import type { JsonSchema } from "./json-schema.ts";
import { type Answer, type Body, type Operation, type Parameter, TAGS } from "./operation.ts";
import { DESTINATION_OPERATIONS } from "./operations/destinations.ts";
import { FEED_OPERATIONS, FEED_SCHEMAS } from "./operations/feed.ts";
import { JOB_OPERATIONS } from "./operations/jobs.ts";
import { MANY_JOBS_OPERATIONS } from "./operations/many-jobs.ts";
import { PROVIDER_OPERATIONS } from "./operations/provider.ts";
import { SERVICE_OPERATIONS, TOKEN_OPERATIONS } from "./operations/tokens.ts";
import { header, ProblemAnswers, providerHeaders } from "./problems.ts";
import { REQUESTS } from "./requests.ts";

export const OPERATIONS: readonly Operation[] = [
  ...JOB_OPERATIONS,
  ...FEED_OPERATIONS,
  ...MANY_JOBS_OPERATIONS,
  ...DESTINATION_OPERATIONS,
  ...TOKEN_OPERATIONS,
  ...PROVIDER_OPERATIONS,
  ...SERVICE_OPERATIONS,
];
const SCHEMAS: Readonly<Record<string, JsonSchema>> = { ...ANSWERS, ...FEED_SCHEMAS, ...REQUESTS };

const DESCRIPTION = `Turns a provider that must be polled into one that calls back: register the id of a request and a callback, and get one
final answer, POSTed, signed, retried.

JSON over HTTPS. A token belongs to a tenant; tenants cannot see each other's jobs. Times are ISO 8601 in UTC, ids are
opaque, absent values are \`null\`. Unknown fields of a request are refused; of an answer, expect new ones. No answer may be
cached. \`HEAD\` answers as \`GET\` does, without a body; any other method is \`405\` with \`Allow\`.`;

/** The whole document. */
export function openapi(): JsonSchema {
  const problems = new ProblemAnswers();
  const paths: Record<string, Record<string, JsonSchema>> = {};
  for (const operation of OPERATIONS)
    paths[operation.path] = {
      ...paths[operation.path],
      [operation.method]: toOperation(operation, problems),
    };
  return {
    openapi: "3.1.1",
    info: {
      title: "Pollhook",
      version: USER_AGENT.split("/")[1],
      summary: "Turns a provider that must be polled into one that calls back.",
      description: DESCRIPTION,
    },
    servers: [{ url: "/", description: "Where this document is served." }],
    tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
    paths,
    components: {
      schemas: sorted(Object.entries(used(SCHEMAS, [paths, ...problems.responses.values()]))),
      responses: sorted([...problems.responses]),
      securitySchemes: {
        token: {
          type: "http",
          scheme: "bearer",
          bearerFormat: "JWT",
          description: "A Pollhook token, with the scope that the operation names.",
        },
      },
    },
  };
}

const sorted = (entries: Iterable<readonly [string, JsonSchema]>): JsonSchema =>
  Object.fromEntries([...entries].sort(([a], [b]) => (a < b ? -1 : 1)));

/** The schemas that somebody refers to, each other included. */
function used(
  schemas: Readonly<Record<string, JsonSchema>>,
  by: readonly unknown[],
): Record<string, JsonSchema> {
  const found: Record<string, JsonSchema> = {};
  const look = (value: unknown): void => {
    for (const [, name = ""] of JSON.stringify(value).matchAll(/"#\/components\/schemas\/(\w+)"/g)) {
      const schema = schemas[name];
      if (!schema) throw new Error(`there is no schema ${name}`);
      if (found[name]) continue;
      found[name] = schema;
      look(schema);
    }
  };
  look(by);
  return found;
}

function toOperation(operation: Operation, problems: ProblemAnswers): JsonSchema {
  const {
    id,
    tag,
    summary,
    description,
    scope,
    parameters = [],
    body,
    answers,
    asProvider = false,
  } = operation;
  return {
    operationId: id,
    tags: [tag],
    summary,
    ...(description && { description: scope ? `${description}\n\nScope: \`${scope}\`.` : description }),
    security: scope === null ? [] : [{ token: [scope] }],
    ...(parameters.length > 0 && { parameters: parameters.map(toParameter) }),
    ...(body && { requestBody: toBody(body) }),
    responses: {
      ...Object.fromEntries(
        Object.entries(answers).map(([status, answer]) => [status, toResponse(answer, asProvider)]),
      ),
      ...problems.of(operation),
      ...(asProvider && { default: OTHER_STATUS }),
    },
  };
}

const OTHER_STATUS: JsonSchema = {
  description: "The provider's own answer, with its status code.",
  headers: providerHeaders(),
  content: { "application/json": { schema: { $ref: "#/components/schemas/ProviderAnswer" } } },
};

const toParameter = ({ required, ...parameter }: Parameter): JsonSchema => ({
  ...parameter,
  ...((parameter.in === "path" || required) && { required: true }),
});

const schemaOf = (schema: Body["schema"]): JsonSchema =>
  typeof schema === "string" ? { $ref: `#/components/schemas/${schema}` } : schema;

const toBody = ({ schema, required, examples }: Body): JsonSchema => ({
  required,
  content: { "application/json": { schema: schemaOf(schema), examples } },
});

function toResponse(
  { description, schema, mediaType = "application/json", examples, headers = {}, extensions }: Answer,
  asProvider: boolean,
): JsonSchema {
  const own = Object.entries(headers).map(
    ([name, said]) => [name, { ...header(name, true), description: said }] as const,
  );
  const all = { ...Object.fromEntries(own), ...(asProvider && providerHeaders()) };
  return {
    description,
    ...(Object.keys(all).length > 0 && { headers: all }),
    ...((schema || mediaType !== "application/json") && {
      content: {
        [mediaType]: {
          schema: schema ? schemaOf(schema) : { type: "string" },
          ...(examples && { examples }),
          ...extensions,
        },
      },
    }),
  };
}
