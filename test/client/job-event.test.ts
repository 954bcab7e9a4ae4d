/**
 * The events that the client makes of a look at a job, against those that the server's stream makes of the record.
 */
import fc from "fast-check";
import { expect, it } from "vitest";
import { eventsBehind } from "../../src/client/job-event.ts";
import type { Job as ClientJob } from "../../src/client/types.ts";
import { progressOf, progressSince } from "../../src/job/progress.ts";
import type { Job, State, TimelineEntry } from "../../src/job/record.ts";
import { viewOf } from "../../src/job/view.ts";
import { REGISTERED_AT, waitingJob } from "../support/jobs.ts";

/** Few, so that many fall together. */
const time = fc.integer({ min: REGISTERED_AT, max: REGISTERED_AT + 5 });

const entry: fc.Arbitrary<TimelineEntry> = fc.record(
  {
    at: time,
    type: fc.constantFrom("registered", "poll", "attempt", "redeliver", "cancel", "parked", "held"),
    result: fc.constantFrom("pending", "failed"),
    httpStatus: fc.constantFrom(200, null),
    durationMs: fc.integer({ min: 0, max: 3 }),
    response: fc.constant("no"),
  },
  { requiredKeys: ["at", "type"] },
);

const ending = fc.record({
  outcome: fc.constantFrom("succeeded", "failed", "expired"),
  finishedAt: time,
  error: fc.constantFrom(null, { reason: "not_found", message: "why" } as const),
  event: fc.constant([]),
});
const expiresAt = REGISTERED_AT + 1_000;
const gone = { reason: "gone", message: "why" } as const;

const state: fc.Arbitrary<State> = fc.oneof(
  fc.constant(waitingJob().state),
  fc
    .record({ ending, at: time })
    .chain(({ ending, at }) =>
      fc.constantFrom<State>(
        { status: "delivering", ending, runStartedAt: at, runAttempts: 0, nextAttemptAt: at },
        { status: "delivered", ending, deliveredAt: at, expiresAt },
        { status: "undelivered", ending, deliveryError: gone, expiresAt },
        { status: "finished", ending, expiresAt },
        { status: "canceled", finishedAt: at, expiresAt },
      ),
    ),
);

const job: fc.Arbitrary<Job> = fc
  .record({ state, timeline: fc.array(entry, { maxLength: 12 }) })
  .map((drawn) => ({ ...waitingJob(), ...drawn }));

/** The job as a client reads it. */
function lookedAt(job: Job): ClientJob {
  const { fields, timeline } = viewOf(job, null);
  return JSON.parse(JSON.stringify({ ...fields, metadata: {}, result: null, timeline }));
}

it("are the same, to their ids, so that one resumes where the other has ended", () => {
  fc.assert(
    fc.property(job, (job) => {
      const streamed = JSON.parse(JSON.stringify(progressOf(job)));
      expect(eventsBehind(lookedAt(job), "")).toEqual(streamed);
      for (const { id } of [...streamed, { id: "x" }, { id: `${REGISTERED_AT + 2}-99` }])
        expect(eventsBehind(lookedAt(job), id)).toEqual(
          JSON.parse(JSON.stringify(progressSince(id, job, false).events)),
        );
    }),
    { numRuns: 500 },
  );
});
