/**
 * The schemas of answers as the document names them. Where one is made of others, it refers to them.
 */
import { WINDOW_HOURS } from "../http/bulk.ts";
import * as answers from "./answers.ts";
import { convert, type JsonSchema } from "./json-schema.ts";

/** A schema of the document whose parts may be others of the document. */
const parts = (members: Readonly<Record<string, JsonSchema>>): JsonSchema => ({
  type: "object",
  properties: members,
  required: Object.keys(members),
});
const ref = (name: string): JsonSchema => ({ $ref: `#/components/schemas/${name}` });
const listOf = (name: string): JsonSchema => ({ type: "array", items: ref(name) });

/** The data of a job's events, by their names. */
export const JOB_EVENTS: Readonly<Record<string, JsonSchema>> = {
  poll: ref("TimelineEntry"),
  outcome: convert(answers.OutcomeData),
  attempt: ref("TimelineEntry"),
  done: convert(answers.DoneData),
};

/** A job's schema, with its timeline by name. */
function withTimeline({ properties, ...job }: JsonSchema): JsonSchema {
  const { timeline, ...members } = properties as Record<string, JsonSchema>;
  return { ...job, properties: { ...members, timeline: { ...timeline, items: ref("TimelineEntry") } } };
}

export const ANSWERS = {
  Job: withTimeline(convert(answers.Job)),
  ListedJob: { ...convert(answers.ListedJob), description: "A job as lists and batches show it." },
  TimelineEntry: convert(answers.TimelineEntry),
  JobPage: parts({ jobs: listOf("ListedJob"), next_cursor: convert(answers.cursor) }),
  BatchResults: parts({
    results: {
      type: "array",
      description: "One for each registration, in their order.",
      items: {
        anyOf: [
          parts({ status: { type: "integer", enum: [200, 202] }, job: ref("ListedJob") }),
          parts({ status: { type: "integer" }, problem: ref("Problem") }),
        ],
      },
    },
  }),
  Count: parts({ count: { type: "integer", minimum: 0, description: "Jobs that fit." } }),
  Operation: convert(answers.Operation),
  StartedOperation: parts({ operation: ref("Operation") }),
  Figures: convert(answers.Figures),
  Stats: parts({
    window: { type: "string", enum: Object.keys(WINDOW_HOURS) },
    from: convert(answers.time),
    to: convert(answers.time),
    statuses: {
      ...convert(answers.Statuses),
      description: "The jobs that are kept at the moment, whenever they were registered.",
    },
    series: {
      type: "array",
      description: "The window in equal parts, the oldest first: how the jobs that ended in each did end.",
      items: convert(answers.SeriesPart),
    },
    total: ref("Figures"),
    endpoints: { type: "object", additionalProperties: ref("Figures") },
  }),
  Destination: convert(answers.Destination),
  SavedDestination: convert(answers.SavedDestination),
  DestinationPage: parts({ destinations: listOf("Destination"), next_cursor: convert(answers.cursor) }),
  RotatedSecret: convert(answers.RotatedSecret),
  TestResult: convert(answers.TestResult),
  MintedToken: convert(answers.MintedToken),
  SigningSecret: convert(answers.SigningSecret),
  Health: convert(answers.Health),
  Problem: { ...convert(answers.Problem), description: "A refusal (RFC 9457)." },
  ProviderAnswer: {
    type: "object",
    description:
      "In the provider's shape, as it came but for `fetch_result`, which leads to Pollhook. While a request is at work: `processing`, with the seconds until the next poll as `eta`.",
    additionalProperties: true,
  },
  ProviderRefusal: {
    ...parts({ status: { type: "string", const: "error" }, message: { type: "string" } }),
    description: "A refusal in the provider's shape.",
  },
} as const satisfies Record<string, JsonSchema>;
