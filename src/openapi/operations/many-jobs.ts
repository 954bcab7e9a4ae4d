/**
 * The operations on more than one job.
 */
import { DEFAULT_LIMIT, MAX_LIMIT } from "../../http/paging.ts";
import { DELIVERED_LISTED, JOB, OPERATION, STARTED_OPERATION, STATS } from "../examples.ts";
import type { JsonSchema } from "../json-schema.ts";
import { type Operation, only, type Parameter, type Saying, WITH_BODY, WITH_TOKEN } from "../operation.ts";
import { FILTER, REQUEST_ID_TEXT } from "../requests.ts";

export const PAGING: readonly Parameter[] = [
  {
    name: "limit",
    in: "query",
    description: "How many a page has at most.",
    schema: { type: "integer", minimum: 1, maximum: MAX_LIMIT, default: DEFAULT_LIMIT },
    example: 50,
  },
  {
    name: "cursor",
    in: "query",
    description: "`next_cursor` of the page before.",
    schema: { type: "string" },
  },
];

export const BAD_LIMIT: Saying = [`limit must be a whole number from 1 to ${MAX_LIMIT}.`, "limit"];

const CONDITIONS: readonly Parameter[] = Object.entries(FILTER.properties as Record<string, JsonSchema>).map(
  ([name, { description, ...schema }]) => ({
    name,
    in: "query",
    description: String(description),
    schema: name === "request_id" ? REQUEST_ID_TEXT : schema,
    ...(name === "status" && { example: "delivered" }),
  }),
);

const METADATA: Parameter = {
  name: "metadata",
  in: "query",
  description:
    '`metadata.<name>=<value>`, for up to three names that the registration had in `index`. Written here as an object of such names, each of them a parameter of its own: OpenAPI knows no other way. (openapi-fetch sends it so with `querySerializer: { object: { style: "form", explode: true } }`.)',
  style: "form",
  explode: true,
  schema: {
    type: "object",
    propertyNames: { pattern: "^metadata\\." },
    additionalProperties: { type: "string", maxLength: 256 },
    maxProperties: 3,
  },
  example: { "metadata.user": "7" },
};

const bulk = (kind: "redeliver" | "cancel", rest: Pick<Operation, "summary" | "description">): Operation => ({
  id: `${kind}Jobs`,
  method: "post",
  path: `/v1/jobs/${kind}`,
  tag: "many jobs",
  ...rest,
  scope: "jobs:write",
  body: {
    schema: "Bulk",
    required: true,
    examples: {
      count: {
        summary: "Only count them",
        value: { filter: { status: kind === "cancel" ? "waiting" : "undelivered" }, dry_run: true },
      },
      begin: {
        summary: "Do it",
        value: {
          filter: {
            status: kind === "cancel" ? "waiting" : "undelivered",
            destination: "app",
            created_after: "2026-11-20T00:00:00Z",
          },
        },
      },
    },
  },
  answers: {
    202: {
      description: "It has begun; 50 jobs a step. Jobs that are registered later are not touched.",
      schema: "StartedOperation",
      examples: only({ operation: STARTED_OPERATION }),
    },
    200: { description: "With `dry_run`.", schema: "Count", examples: only({ count: 412 }) },
  },
  problems: [...WITH_TOKEN, ...WITH_BODY],
  says: {
    invalid_value: [
      'filter must be an object with at least one condition, such as {"status": "undelivered"}.',
      "filter",
    ],
  },
});

export const MANY_JOBS_OPERATIONS: readonly Operation[] = [
  {
    id: "listJobs",
    method: "get",
    path: "/v1/jobs",
    tag: "many jobs",
    summary: "List jobs",
    description:
      "The newest first, those that meet every condition. `endpoint` and `request_id` alone find the job of one request, from the job itself; everything else comes from an index that may be a little behind.",
    scope: "jobs:read",
    parameters: [...CONDITIONS, METADATA, ...PAGING],
    answers: {
      200: {
        description: "A page of jobs.",
        schema: "JobPage",
        examples: only({ jobs: [DELIVERED_LISTED], next_cursor: null }),
      },
    },
    problems: [...WITH_TOKEN, "invalid_value", "unknown_field"],
    says: { invalid_value: BAD_LIMIT },
  },
  {
    id: "registerJobs",
    method: "post",
    path: "/v1/jobs/batch",
    tag: "many jobs",
    summary: "Register up to 100 requests",
    description: "One result for each, in their order; a bad one spoils no other.",
    scope: "jobs:write",
    body: {
      schema: "Batch",
      required: true,
      examples: only({
        jobs: [
          { request_id: "12202889", callback_url: "https://your-app.example.com/hook" },
          { request_id: "12202890", destination: "app" },
        ],
      }),
    },
    answers: {
      200: {
        description: "What became of each.",
        schema: "BatchResults",
        examples: only({
          results: [
            { status: 202, job: JOB },
            {
              status: 422,
              problem: {
                type: "urn:pollhook:problem:destination_unknown",
                title: "The destination is not known",
                status: 422,
                detail: "destination is not known; create it first.",
                code: "destination_unknown",
                field: "destination",
              },
            },
          ],
        }),
      },
    },
    problems: [...WITH_TOKEN, ...WITH_BODY],
    says: { invalid_value: ["jobs must be a list of 1 to 100 registrations.", "jobs"] },
  },
  bulk("redeliver", {
    summary: "Redeliver every job that fits",
    description: "In the background; it goes on after a restart.",
  }),
  bulk("cancel", {
    summary: "Stop every job that fits",
    description: "In the background; it goes on after a restart.",
  }),
  {
    id: "readOperation",
    method: "get",
    path: "/v1/operations/{id}",
    tag: "many jobs",
    summary: "See how far an operation is",
    description: "For a week.",
    scope: "jobs:read",
    parameters: [
      {
        name: "id",
        in: "path",
        description: "The operation's id.",
        schema: { type: "string" },
        example: OPERATION.id,
      },
    ],
    answers: {
      200: {
        description: "The operation.",
        schema: "StartedOperation",
        examples: only({ operation: OPERATION }),
      },
    },
    problems: [...WITH_TOKEN, "not_found"],
    says: { not_found: ["There is no such operation."] },
  },
  {
    id: "readStats",
    method: "get",
    path: "/v1/stats",
    tag: "many jobs",
    summary: "Read statistics",
    description: "Of the jobs that are still kept; percentiles are within 3 %.",
    scope: "stats:read",
    parameters: [
      {
        name: "window",
        in: "query",
        description: "How far back.",
        schema: { type: "string", enum: ["1h", "24h", "7d"], default: "24h" },
        example: "24h",
      },
    ],
    answers: { 200: { description: "The figures.", schema: "Stats", examples: only(STATS) } },
    problems: [...WITH_TOKEN, "invalid_value", "unknown_field"],
    says: { invalid_value: ["window must be 1h, 24h or 7d.", "window"] },
  },
];
