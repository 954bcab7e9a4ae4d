/**
 * The operations on destinations.
 */
import { DESTINATION, SECRET } from "../examples.ts";
import {
  NO_FIELDS,
  type Operation,
  only,
  type Parameter,
  type Saying,
  WITH_BODY,
  WITH_TOKEN,
} from "../operation.ts";
import { DESTINATION_NAME } from "../requests.ts";
import { BAD_LIMIT, PAGING } from "./many-jobs.ts";

const UNNAMED: Parameter = {
  name: "name",
  in: "path",
  description: "The destination's name: 1 to 64 of `A-Z a-z 0-9 _ -`.",
  schema: DESTINATION_NAME,
};
const NAME: Parameter = { ...UNNAMED, example: "app" };
/** The one that the examples delete: the other is needed for those that follow. */
const SPARE = "spare";

const PATH = "/v1/destinations/{name}";
const shown = only(DESTINATION);
const NONE: Saying = ["There is no such destination."];

const pause = (verb: "pause" | "resume", summary: string, description: string): Operation => ({
  id: `${verb}Destination`,
  method: "post",
  path: `${PATH}/${verb}`,
  tag: "destinations",
  summary,
  description,
  scope: "destinations:write",
  parameters: [NAME],
  answers: {
    200: {
      description: "The destination.",
      schema: "Destination",
      examples:
        verb === "pause"
          ? only({ ...DESTINATION, status: "paused", paused_at: "2026-11-20T12:30:00.000Z" })
          : shown,
    },
  },
  problems: [...WITH_TOKEN, ...WITH_BODY, "not_found"],
  says: { ...NO_FIELDS, not_found: NONE },
});

export const DESTINATION_OPERATIONS: readonly Operation[] = [
  {
    id: "listDestinations",
    method: "get",
    path: "/v1/destinations",
    tag: "destinations",
    summary: "List destinations",
    description: "By name.",
    scope: "destinations:read",
    parameters: PAGING,
    answers: {
      200: {
        description: "A page of destinations.",
        schema: "DestinationPage",
        examples: only({ destinations: [DESTINATION], next_cursor: null }),
      },
    },
    problems: [...WITH_TOKEN, "invalid_value", "unknown_field"],
    says: { invalid_value: BAD_LIMIT },
  },
  {
    id: "putDestination",
    method: "put",
    path: PATH,
    tag: "destinations",
    summary: "Create or replace a destination",
    description:
      "Replaces everything but what no answer shows: `headers` and `secret` that are left out stay as they were. A tenant has 1,000 at most.",
    scope: "destinations:write",
    parameters: [{ ...UNNAMED, examples: { app: { value: "app" }, spare: { value: SPARE } } }],
    body: {
      schema: "DestinationInput",
      required: true,
      examples: {
        app: {
          summary: "With all that it may need",
          value: {
            url: "https://your-app.example.com/hook",
            headers: { authorization: "Bearer mine" },
            retry_schedule: [5, 60, 3600],
          },
        },
        spare: {
          summary: "The least",
          value: { url: "https://your-app.example.com/hook/spare" },
        },
      },
    },
    answers: {
      201: {
        description: "It is new.",
        schema: "SavedDestination",
        examples: only({ ...DESTINATION, secret: SECRET }),
      },
      200: { description: "It was replaced.", schema: "SavedDestination", examples: shown },
    },
    problems: [...WITH_TOKEN, ...WITH_BODY, "target_refused", "destination_limit"],
    says: {
      invalid_value: ["max_in_flight must be a whole number from 1 to 1000.", "max_in_flight"],
      target_refused: ["url must be an https URL.", "url"],
    },
  },
  {
    id: "readDestination",
    method: "get",
    path: PATH,
    tag: "destinations",
    summary: "Read a destination",
    description: "With how its host does.",
    scope: "destinations:read",
    parameters: [NAME],
    answers: { 200: { description: "The destination.", schema: "Destination", examples: shown } },
    problems: [...WITH_TOKEN, "not_found"],
    says: { not_found: NONE },
  },
  {
    id: "deleteDestination",
    method: "delete",
    path: PATH,
    tag: "destinations",
    summary: "Delete a destination",
    description:
      "What is still to be delivered to it becomes `undelivered` when its next attempt is due, and can be redelivered.",
    scope: "destinations:write",
    parameters: [{ ...UNNAMED, example: SPARE }],
    answers: { 204: { description: "It is gone." } },
    problems: [...WITH_TOKEN, "not_found"],
    says: { not_found: NONE },
  },
  {
    id: "testDestination",
    method: "post",
    path: `${PATH}/test`,
    tag: "destinations",
    summary: "Send a test event",
    description:
      "A `ping`, sent as an event is sent, also while the destination is paused. Of what the receiver answers only the status is shown.",
    scope: "destinations:write",
    parameters: [NAME],
    answers: {
      200: {
        description: "What came of it.",
        schema: "TestResult",
        examples: {
          delivered: {
            summary: "Accepted",
            value: { delivered: true, http_status: 204, duration_ms: 41, reason: null },
          },
          refused: {
            summary: "Refused",
            value: { delivered: false, http_status: 500, duration_ms: 38, reason: "http_error" },
          },
        },
      },
    },
    problems: [...WITH_TOKEN, ...WITH_BODY, "not_found", "destination_unreadable"],
    says: { ...NO_FIELDS, not_found: NONE },
  },
  {
    id: "rotateSecret",
    method: "post",
    path: `${PATH}/rotate-secret`,
    tag: "destinations",
    summary: "Rotate a destination's secret",
    description: "With an overlap in which both sign: a day unless it says otherwise, 7 days at most.",
    scope: "destinations:write",
    parameters: [NAME],
    body: { schema: "SecretRotation", required: false, examples: only({ overlap_seconds: 3600 }) },
    answers: {
      200: {
        description: "The new secret, shown this once.",
        schema: "RotatedSecret",
        examples: only({ secret: SECRET, previous_until: "2026-11-20T13:00:00.000Z" }),
      },
    },
    problems: [...WITH_TOKEN, ...WITH_BODY, "not_found", "destination_unreadable"],
    says: {
      invalid_value: ["overlap_seconds must be a whole number from 0 to 604800.", "overlap_seconds"],
      not_found: NONE,
    },
  },
  pause("pause", "Pause a destination", "Parks what is due until it is resumed."),
  pause("resume", "Resume a destination", "Parked deliveries go out again, at about 20 a second."),
];
