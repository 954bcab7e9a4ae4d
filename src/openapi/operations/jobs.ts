/**
 * The operations on one job.
 */
import { MAX_WAIT_SECONDS } from "../../http/jobs.ts";
import { JOB_EVENTS } from "../answer-schemas.ts";
import { CANCELED_JOB, DELIVERED_JOB, EVENT_STREAM, REDELIVERED_JOB, WAITING_JOB } from "../examples.ts";
import { JOB_ID, NO_FIELDS, type Operation, only, WITH_BODY, WITH_TOKEN } from "../operation.ts";

const HOOK = "https://your-app.example.com/hook";

export const JOB_OPERATIONS: readonly Operation[] = [
  {
    id: "registerJob",
    method: "post",
    path: "/v1/jobs",
    tag: "jobs",
    summary: "Register a request",
    description:
      "From the `202` on the job is on disk together with its timer. Registering the same request again is safe: it answers `200` with the same job. Bodies have 64 KiB at most.",
    scope: "jobs:write",
    body: {
      schema: "Registration",
      required: true,
      examples: {
        request_id: {
          summary: "By the provider's id",
          value: {
            endpoint: "v4/dreambooth",
            request_id: 13443927,
            eta: 20,
            callback_url: HOOK,
            metadata: { user: 7 },
            index: ["user"],
          },
        },
        fetch_url: {
          summary: "By the provider's fetch URL",
          value: {
            fetch_url: "https://modelslab.com/api/v6/video/fetch/65919758",
            eta: 600,
            callback_url: HOOK,
          },
        },
        response: {
          summary: "By the provider's generation answer",
          value: {
            response: {
              status: "processing",
              id: 65919759,
              eta: 10,
              fetch_result: "https://modelslab.com/api/v6/video/fetch/65919759",
            },
            callback_url: HOOK,
          },
        },
      },
    },
    answers: {
      202: {
        description: "Registered.",
        schema: "Job",
        headers: { Location: "The job's path.", "Retry-After": "Seconds until something is due." },
        examples: only(WAITING_JOB),
      },
      200: {
        description: "It was registered already; also when it now gets its first callback.",
        schema: "Job",
        headers: { Location: "The job's path." },
        examples: only(WAITING_JOB),
      },
    },
    problems: [
      ...WITH_TOKEN,
      ...WITH_BODY,
      "already_registered",
      "target_refused",
      "destination_unknown",
      "generation_failed",
    ],
  },
  {
    id: "readJob",
    method: "get",
    path: "/v1/jobs/{id}",
    tag: "jobs",
    summary: "Read a job",
    description: "With its timeline and, once there is one, the provider's last answer.",
    scope: "jobs:read",
    parameters: [
      JOB_ID,
      {
        name: "wait",
        in: "query",
        description: "Holds the answer until the job changes or ends, for so many seconds at most.",
        schema: { type: "integer", minimum: 0, maximum: MAX_WAIT_SECONDS, default: 0 },
        example: 5,
      },
    ],
    answers: { 200: { description: "The job.", schema: "Job", examples: only(DELIVERED_JOB) } },
    problems: [...WITH_TOKEN, "not_found", "invalid_value"],
    says: {
      invalid_value: [`wait must be a whole number of seconds from 0 to ${MAX_WAIT_SECONDS}.`, "wait"],
    },
  },
  {
    id: "eraseJob",
    method: "delete",
    path: "/v1/jobs/{id}",
    tag: "jobs",
    summary: "Erase a job",
    description: "The job and its content are gone at once; nothing more is polled or delivered.",
    scope: "jobs:write",
    parameters: [JOB_ID],
    answers: { 204: { description: "It is gone." } },
    problems: [...WITH_TOKEN, "not_found"],
  },
  {
    id: "watchJob",
    method: "get",
    path: "/v1/jobs/{id}/events",
    tag: "jobs",
    summary: "Follow a job's events",
    description:
      "Server-sent events: `poll` and `attempt` as in the timeline, the `outcome`, and `done`, with which the stream ends. It begins with what has happened already. A comment goes out every 15 s, a stream ends after 10 minutes, and at most 32 watch one job at a time (`503` for others).",
    scope: "jobs:read",
    parameters: [
      JOB_ID,
      {
        name: "Last-Event-ID",
        in: "header",
        description: "Goes on behind the event with this `id`; from the beginning where it is none of ours.",
        schema: { type: "string" },
        example: "1795176021002-0",
      },
    ],
    answers: {
      200: {
        description: "The events, as they happen.",
        mediaType: "text/event-stream",
        examples: only(EVENT_STREAM),
        extensions: {
          // OpenAPI 3.1 has no word for what a stream is made of.
          "x-events": JOB_EVENTS,
        },
      },
    },
    problems: [...WITH_TOKEN, "not_found"],
  },
  {
    id: "redeliverJob",
    method: "post",
    path: "/v1/jobs/{id}/redeliver",
    tag: "jobs",
    summary: "Send a job's event again",
    description:
      "At once, with the same `webhook-id` and the same bytes; `callback_url` or `destination` replaces the job's callback.",
    scope: "jobs:write",
    parameters: [JOB_ID],
    body: {
      schema: "Redelivery",
      required: false,
      examples: only({ callback_url: "https://your-app.example.com/hook/repaired" }),
    },
    answers: {
      202: { description: "It is on its way.", schema: "Job", examples: only(REDELIVERED_JOB) },
    },
    problems: [
      ...WITH_TOKEN,
      ...WITH_BODY,
      "not_found",
      "nothing_to_deliver",
      "target_refused",
      "destination_unknown",
    ],
    says: {
      invalid_value: ["destination must be 1 to 64 of the characters A-Z a-z 0-9 _ -.", "destination"],
    },
  },
  {
    id: "cancelJob",
    method: "post",
    path: "/v1/jobs/{id}/cancel",
    tag: "jobs",
    summary: "Stop a job",
    description: "A waiting job becomes `canceled`, a delivering one `undelivered`.",
    scope: "jobs:write",
    parameters: [JOB_ID],
    answers: { 200: { description: "It is over.", schema: "Job", examples: only(CANCELED_JOB) } },
    problems: [...WITH_TOKEN, ...WITH_BODY, "not_found", "already_over"],
    says: NO_FIELDS,
  },
];
