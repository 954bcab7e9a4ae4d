import { describe, expect, it } from "vitest";
import { cancel } from "../../src/job/lifecycle.ts";
import { polled } from "../../src/job/polling.ts";
import type { Job } from "../../src/job/record.ts";
import { rowOf } from "../../src/job/row.ts";
import type { FailureReason, Verdict } from "../../src/provider/response.ts";
import { DEADLINE_AT, inState, REGISTERED_AT, RETENTION, SECOND, seen, waitingJob } from "../support/jobs.ts";

const PENDING: Verdict = { kind: "pending", etaSeconds: null };
const DOWN: Verdict = { kind: "transient", cause: "network", waitSeconds: null };
const failed = (reason: FailureReason): Verdict => ({ kind: "failed", reason, message: "why" });

/** The job after polls that went out so many seconds after its registration, and took 0.5 s. */
const jobAfter = (...polls: readonly (readonly [number, Verdict])[]): Job =>
  polls.reduce<Job>((job, [seconds, verdict]) => {
    const at = REGISTERED_AT + seconds * SECOND;
    const moment = { now: at + 500, random: 0.5, retentionMs: RETENTION, secondsPerPoll: 1 };
    return polled(inState(job, "waiting"), seen(verdict), at, moment);
  }, waitingJob());

const taught = (job: Job) => rowOf(job, RETENTION).seen;
const DEADLINE = (DEADLINE_AT - REGISTERED_AT) / SECOND;

describe("what a job's end teaches", () => {
  it("is that it was between the last poll that found it at work and the one that saw it", () => {
    expect(taught(jobAfter([7, PENDING], [14, PENDING], [21, { kind: "succeeded" }]))).toEqual({
      after: 14,
      until: 21.5,
    });
    expect(taught(jobAfter([7, { kind: "succeeded" }]))).toEqual({ after: 0, until: 7.5 });
  });

  it("is not earlier than that though the provider was away in between", () => {
    expect(taught(jobAfter([7, PENDING], [14, DOWN], [60, { kind: "succeeded" }]))).toEqual({
      after: 7,
      until: 60.5,
    });
  });

  it("is the same where the provider says that it failed", () => {
    expect(taught(jobAfter([7, PENDING], [9, failed("provider_error")]))).toEqual({ after: 7, until: 9.5 });
  });

  it("is that it was not before the deadline where it expires", () => {
    expect(taught(jobAfter([7, PENDING], [DEADLINE, PENDING]))).toEqual({ after: DEADLINE, until: null });
    expect(taught(jobAfter([7, PENDING], [DEADLINE, DOWN]))).toEqual({ after: 7, until: null });
  });

  it("is nothing where the provider was never heard", () => {
    expect(taught(jobAfter([7, DOWN], [DEADLINE, DOWN]))).toBeNull();
  });

  it.each(["unauthorized", "payment_required", "output_too_large"] as const)(
    "is nothing where it fails, %s",
    (reason) => {
      expect(taught(jobAfter([7, PENDING], [9, failed(reason)]))).toBeNull();
    },
  );

  it("is nothing while it waits, where it is canceled, and where it came with its answer", () => {
    expect(taught(jobAfter([7, PENDING]))).toBeNull();
    const canceled = cancel(jobAfter([7, PENDING]), REGISTERED_AT + 8 * SECOND, RETENTION);
    expect(taught(inState(canceled, "canceled"))).toBeNull();
  });
});
