/**
 * What is answered, as schemas that are only ever read: nothing validates an answer on its way out. That they say what
 * the server's own types say is checked by the compiler (test/openapi/answers.test.ts), and by every test that calls it.
 */
import * as v from "valibot";

const described = <const Schema extends v.GenericSchema>(schema: Schema, description: string) =>
  v.pipe(schema, v.description(description));
export const time = v.pipe(v.string(), v.isoTimestamp());
const timeOrNull = v.nullable(time);
const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const matching = (pattern: RegExp) => v.pipe(v.string(), v.regex(pattern));
const jobId = matching(/^job_[a-z0-9]+$/);
const eventId = matching(/^msg_[a-z0-9]+$/);
const secret = matching(/^whsec_[A-Za-z0-9+/]+={0,2}$/);
const object = v.record(v.string(), v.unknown());
const format = v.picklist(["standard", "provider"]);
export const cursor = described(
  v.nullable(v.string()),
  "Send it as `cursor` for the next page; `null` on the last one.",
);

const outcome = v.picklist(["succeeded", "failed", "expired", "canceled"]);
const status = v.picklist(["waiting", "delivering", "delivered", "undelivered", "finished", "canceled"]);
const jobError = v.object({
  reason: v.picklist([
    "output_too_large",
    "unauthorized",
    "payment_required",
    "empty_output",
    "not_found",
    "provider_error",
    "key_unreadable",
    "internal_error",
  ]),
  message: v.string(),
});

/** Members of a job but `metadata`, `result` and `timeline`. */
export const jobFields = {
  id: described(jobId, "Follows from tenant, endpoint and request id."),
  status: described(
    status,
    "`waiting` for the provider, `delivering`, then `delivered`, `undelivered` (the event is kept and can be redelivered), `finished` (no callback was named) or `canceled`.",
  ),
  outcome: described(v.nullable(outcome), "How the request ended; `null` until that is known."),
  endpoint: described(v.string(), "The provider's path in front of `/fetch`."),
  request_id: v.string(),
  callback_url: v.nullable(v.string()),
  destination: described(v.nullable(v.string()), "The destination that stands in place of a callback URL."),
  format,
  eta: described(
    v.nullable(v.number()),
    "In how many seconds the request was to be ready, as far as that was known at the registration.",
  ),
  registered_at: time,
  deadline_at: described(time, "When the request is asked for one last time."),
  finished_at: timeOrNull,
  delivered_at: timeOrNull,
  expires_at: described(timeOrNull, "When the job is forgotten."),
  next_poll_at: timeOrNull,
  next_attempt_at: timeOrNull,
  parked: described(
    v.nullable(v.picklist(["paused", "breaker_open", "max_in_flight", "max_per_second"])),
    "Why the delivery does not go out yet.",
  ),
  polls: count,
  attempts: described(count, "POSTs of the event, in all."),
  error: described(v.nullable(jobError), "Why the request failed."),
  delivery_error: described(
    v.nullable(
      v.object({
        reason: v.picklist(["gone", "exhausted", "canceled", "target_refused", "destination_missing"]),
        message: v.string(),
      }),
    ),
    "Why the delivery was given up.",
  ),
  event_id: described(eventId, "The `webhook-id` of every attempt."),
};

const listed = { ...jobFields, metadata: described(object, "As it was registered.") };

export const TimelineEntry = v.object({
  at: time,
  type: v.picklist([
    "registered",
    "poll",
    "attempt",
    "callback_set",
    "redeliver",
    "cancel",
    "crash",
    "hint",
    "parked",
    "postponed",
    "held",
  ]),
  result: described(
    v.optional(v.string()),
    "Of a poll what it found (`pending`, `transient`, `succeeded`, `failed` …), of an attempt `delivered` or `failed`.",
  ),
  reason: v.optional(v.string()),
  http_status: v.optional(v.nullable(v.pipe(v.number(), v.integer()))),
  duration_ms: v.optional(v.number()),
  response: described(
    v.optional(v.string()),
    "The first 256 bytes of what a receiver refused with; not shown to a bounded token.",
  ),
});

export const Job = v.object({
  ...listed,
  result: described(v.nullable(object), "The provider's last answer, as it came."),
  timeline: described(v.array(TimelineEntry), "64 entries at most; of older polls the first is kept."),
});
export const ListedJob = v.object(listed);

export const Operation = v.object({
  id: matching(/^op_[a-z0-9]+$/),
  status: v.picklist(["running", "done"]),
  total: described(count, "Jobs that fitted when it began."),
  done: count,
  failed: described(count, "Of jobs that had ceased to fit by their turn, too."),
});

const percentiles = v.object({
  p50: v.nullable(v.number()),
  p95: v.nullable(v.number()),
  p99: v.nullable(v.number()),
});
const outcomes = { succeeded: count, failed: count, expired: count, canceled: count };
export const SeriesPart = v.object({ at: time, ...outcomes });
export const Statuses = v.object({
  waiting: count,
  delivering: count,
  delivered: count,
  undelivered: count,
  finished: count,
  canceled: count,
});
export const Figures = v.object({
  registered: count,
  outcomes: v.object(outcomes),
  delivered: count,
  undelivered: count,
  attempts_per_delivery: v.nullable(v.number()),
  polls_per_job: v.nullable(v.number()),
  detection_lag_ms: described(
    percentiles,
    "From the last poll that saw a request unfinished to the one that saw it finished: the true lag is at most that.",
  ),
  delivery_ms: described(percentiles, "From the outcome to the delivery."),
});

export const Flow = v.object({
  state: described(
    v.picklist(["closed", "open"]),
    "Of the host's circuit breaker; `open`: deliveries are parked.",
  ),
  failures: described(count, "In a row."),
  opened_at: timeOrNull,
  next_probe_at: timeOrNull,
  in_flight: count,
  parked: count,
});
export const Destination = v.object({
  name: v.string(),
  url: described(v.nullable(v.string()), "`null` where it is `unreadable`."),
  host: v.string(),
  format,
  retry_schedule: described(v.nullable(v.array(v.number())), "`null`: the default schedule."),
  header_names: described(v.array(v.string()), "Their values are never shown."),
  max_in_flight: count,
  max_per_second: v.nullable(v.number()),
  status: described(
    v.picklist(["active", "paused", "unreadable"]),
    "`unreadable`: its master key is gone; PUT it anew.",
  ),
  paused_at: timeOrNull,
  flow: described(Flow, "How its host does."),
  previous_until: described(timeOrNull, "Until when a secret that was rotated away still signs."),
  created_at: timeOrNull,
  updated_at: timeOrNull,
});

export const Problem = v.object({
  type: matching(/^urn:pollhook:problem:[a-z_]+$/),
  title: v.string(),
  status: v.pipe(v.number(), v.integer()),
  detail: described(v.string(), "A sentence that names the fault and the remedy."),
  code: v.string(),
  field: described(v.optional(v.string()), "The field at fault, as a path: `callback_url`, `filter.status`."),
});

export const SavedDestination = v.object({
  ...Destination.entries,
  secret: described(
    v.optional(secret),
    "Signs this destination's events; shown when it is made or given, and never again.",
  ),
});
export const RotatedSecret = v.object({
  secret,
  previous_until: described(timeOrNull, "Until when the old secret signs, too."),
});
export const TestResult = v.object({
  delivered: v.boolean(),
  http_status: v.nullable(v.pipe(v.number(), v.integer())),
  duration_ms: v.nullable(v.number()),
  reason: v.nullable(v.picklist(["http_error", "redirect", "network", "timeout", "gone", "target_refused"])),
});

export const MintedToken = v.object({ token: v.string(), expires_at: time });
export const SigningSecret = v.object({
  secret: described(secret, "Signs your events that go to no destination."),
  previous: described(v.array(secret), "Of older master keys; they sign too while those are listed."),
});
export const Health = v.object({ status: v.literal("ok") });

/** The data of two of a job's events; those of the others are entries of its timeline. */
export const OutcomeData = v.object({ outcome, error: v.nullable(jobError) });
export const DoneData = v.object({ status, outcome: v.nullable(outcome) });
