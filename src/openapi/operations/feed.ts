/**
 * Events for those who cannot receive a callback: a tenant's, as a feed, and the one of a job.
 */
import { DEFAULT_EVENTS, LATEST, MAX_EVENTS } from "../../http/feed.ts";
import { MAX_WAIT_SECONDS } from "../../http/jobs.ts";
import { JOB } from "../examples.ts";
import type { JsonSchema } from "../json-schema.ts";
import { JOB_ID, type Operation, only, WITH_TOKEN } from "../operation.ts";

const CURSOR = "MTc5NTE3NjAyMTAwMjAwMA";

const text = (description: string): JsonSchema => ({ type: "string", description });
const object = (properties: Readonly<Record<string, JsonSchema>>): JsonSchema => ({
  type: "object",
  properties,
  required: Object.keys(properties),
});

const EVENT = {
  job_id: text("Whose event it is."),
  id: text("The `webhook-id`; drops duplicates."),
  headers: object({
    "user-agent": text("Ours."),
    "content-type": { type: "string", const: "application/json" },
    "webhook-id": text("As `id`."),
    "webhook-timestamp": text("Seconds since 1970."),
    "webhook-signature": text("As the callback would have had it."),
    "pollhook-attempt": text("A number."),
  }),
  body: text("What was signed, to be verified before it is parsed."),
};

export const FEED_SCHEMAS = {
  Event: object(EVENT),
  EventPage: object({
    events: {
      type: "array",
      description: "In the order in which they entered the feed; each at least once.",
      items: object({ cursor: text("Goes on behind this event."), ...EVENT }),
    },
    next_cursor: text("Send it as `after` for what comes next."),
  }),
} as const satisfies Record<string, JsonSchema>;

const EXAMPLE = {
  job_id: JOB.id,
  id: JOB.event_id,
  headers: {
    "user-agent": "pollhook/0.1.0",
    "content-type": "application/json",
    "webhook-id": JOB.event_id,
    "webhook-timestamp": "1795176021",
    "webhook-signature": "v1,leImb2tTM/Q/BCgGaWcruwqrM4mkSAMCtrE9N/rKdnU=",
    "pollhook-attempt": "1",
  },
  body: '{"type":"job.succeeded","timestamp":"2026-11-20T12:00:21.000Z","data":{}}',
};

export const FEED_OPERATIONS: readonly Operation[] = [
  {
    id: "pullEvents",
    method: "get",
    path: "/v1/events",
    tag: "many jobs",
    summary: "Pull events",
    description:
      "The same bodies and signatures as a callback would have had. A bounded token sees the events of its owner's jobs. 32 may wait at a time for all events, and 32 for each owner's (`503` for others).",
    scope: "jobs:read",
    parameters: [
      {
        name: "after",
        in: "query",
        description:
          "`next_cursor` of the page before, or `latest`; from the oldest that is kept unless given.",
        schema: { type: "string" },
        example: LATEST,
      },
      {
        name: "wait",
        in: "query",
        description: "Holds the answer until there is an event, for so many seconds at most.",
        schema: { type: "integer", minimum: 0, maximum: MAX_WAIT_SECONDS, default: 0 },
        example: 1,
      },
      {
        name: "limit",
        in: "query",
        description: "How many a page has at most.",
        schema: { type: "integer", minimum: 1, maximum: MAX_EVENTS, default: DEFAULT_EVENTS },
        example: DEFAULT_EVENTS,
      },
    ],
    answers: {
      200: {
        description: "A page of events; none where nothing has come.",
        schema: "EventPage",
        examples: only({
          events: [{ cursor: CURSOR, ...EXAMPLE }],
          next_cursor: CURSOR,
        }),
      },
    },
    problems: [...WITH_TOKEN, "invalid_value", "unknown_field"],
    says: { invalid_value: [`limit must be a whole number from 1 to ${MAX_EVENTS}.`, "limit"] },
  },
  {
    id: "readEvent",
    method: "get",
    path: "/v1/jobs/{id}/event",
    tag: "jobs",
    summary: "Read a job's event",
    description: "As its callback would have it; signed anew at each call.",
    scope: "jobs:read",
    parameters: [JOB_ID],
    answers: { 200: { description: "The event.", schema: "Event", examples: only(EXAMPLE) } },
    problems: [...WITH_TOKEN, "not_found", "nothing_to_deliver"],
    says: { nothing_to_deliver: ["The job has no event yet, or never will."] },
  },
];
