import { describe, expect, it } from "vitest";
import { redeliver } from "../../src/job/callback.ts";
import {
  attempted,
  attemptStarted,
  isSpent,
  postponed,
  refused,
  undelivered,
} from "../../src/job/delivery.ts";
import { due } from "../../src/job/lifecycle.ts";
import type { In, Job } from "../../src/job/record.ts";
import type { AttemptCause, AttemptVerdict } from "../../src/webhook/deliver.ts";
import {
  attemptResult,
  DAY,
  deliveringJob,
  inState,
  MINUTE,
  REGISTERED_AT,
  RETENTION,
  SECOND,
} from "../support/jobs.ts";

const failed = (
  retryAfterSeconds: number | null = null,
  cause: AttemptCause = "http_error",
): AttemptVerdict => ({
  kind: "failed",
  cause,
  retryAfterSeconds,
});

/** The job after one attempt that began when it was due and took a second. */
function attempt(job: In<"delivering">, verdict: AttemptVerdict, meanwhile = (job: Job) => job): Job {
  const startedAt = job.state.nextAttemptAt;
  const started = attemptStarted(job, startedAt, 0.5);
  const facts = { run: started.runs, eventId: started.eventId, startedAt };
  const moment = { now: startedAt + SECOND, random: 0.5, retentionMs: RETENTION };
  return attempted(meanwhile(started), facts, attemptResult(verdict), moment);
}

describe("an attempt that begins", () => {
  it("is counted, and the one after it planned, before its result is known", () => {
    const started = attemptStarted(deliveringJob(), REGISTERED_AT, 0.5);
    expect(started).toMatchObject({
      attempts: 1,
      state: { status: "delivering", runAttempts: 1, nextAttemptAt: REGISTERED_AT + 5 * SECOND },
    });
  });

  it("counts in its run and in all runs", () => {
    const job = { ...deliveringJob({ runAttempts: 2 }), attempts: 12 };
    expect(attemptStarted(job, REGISTERED_AT, 0.5)).toMatchObject({
      attempts: 13,
      state: { runAttempts: 3 },
    });
  });

  it("as the tenth plans a look soon after, which finds the schedule spent", () => {
    const started = attemptStarted(deliveringJob({ runAttempts: 9 }), REGISTERED_AT, 0.5);
    expect(started.state.nextAttemptAt).toBe(REGISTERED_AT + MINUTE);
    expect(due(started, started.state.nextAttemptAt)).toBe("give_up");
  });
});

describe("an attempt that ends", () => {
  it("with 2xx is delivered, its retention running", () => {
    const now = REGISTERED_AT + SECOND;
    expect(attempt(deliveringJob(), { kind: "delivered" }).state).toMatchObject({
      status: "delivered",
      deliveredAt: now,
      expiresAt: now + RETENTION,
      ending: { outcome: "succeeded" },
    });
  });

  it("with 410 is undelivered at once", () => {
    expect(attempt(deliveringJob(), { kind: "gone" }).state).toMatchObject({
      status: "undelivered",
      deliveryError: { reason: "gone" },
      expiresAt: REGISTERED_AT + SECOND + RETENTION,
    });
  });

  it.each(["redirect", "http_error", "network", "timeout"] as const)("with %s is made again", (cause) => {
    const job = attempt(deliveringJob(), failed(null, cause));
    expect(job.state).toMatchObject({ status: "delivering", nextAttemptAt: REGISTERED_AT + 6 * SECOND });
    expect(job.timeline.at(-1)).toMatchObject({ type: "attempt", result: "failed", reason: cause });
  });

  it("with Retry-After is made again then, counted from its end", () => {
    const job = attempt(deliveringJob(), failed(120));
    expect(job.state).toMatchObject({ nextAttemptAt: REGISTERED_AT + SECOND + 120 * SECOND });
  });

  it("keeps what the receiver said", () => {
    const started = attemptStarted(deliveringJob(), REGISTERED_AT, 0.5);
    const result = attemptResult(failed(), { httpStatus: 500, durationMs: 12, response: "no" });
    const facts = { run: started.runs, eventId: started.eventId, startedAt: REGISTERED_AT };
    const moment = { now: REGISTERED_AT + SECOND, random: 0.5, retentionMs: RETENTION };
    expect(attempted(started, facts, result, moment).timeline.at(-1)).toEqual({
      at: REGISTERED_AT,
      type: "attempt",
      result: "failed",
      reason: "http_error",
      httpStatus: 500,
      durationMs: 12,
      response: "no",
    });
  });
});

describe("the schedule of attempts", () => {
  it("is spent after ten: the ninth failure is followed by another attempt, the tenth is not", () => {
    let job: Job = deliveringJob();
    for (let i = 1; i <= 9; i++) {
      job = attempt(inState(job, "delivering"), failed());
      expect(job.state.status).toBe("delivering");
    }
    job = attempt(inState(job, "delivering"), failed(60));
    expect(job).toMatchObject({
      attempts: 10,
      state: { status: "undelivered", deliveryError: { reason: "exhausted" } },
    });
  });

  it("lets the tenth attempt deliver", () => {
    expect(attempt(deliveringJob({ runAttempts: 9 }), { kind: "delivered" }).state.status).toBe("delivered");
  });

  it("is over when the next attempt would come later than 14 days after the run began", () => {
    const limit = REGISTERED_AT + 14 * DAY;
    const last = (nextAttemptAt: number): Job => attempt(deliveringJob({ nextAttemptAt }), failed(60));
    expect(last(limit - 61 * SECOND).state).toMatchObject({ status: "delivering", nextAttemptAt: limit });
    expect(last(limit - 61 * SECOND + 1).state).toMatchObject({
      status: "undelivered",
      deliveryError: { reason: "exhausted" },
    });
  });

  it.each([
    ["9 attempts", 9, 0, false],
    ["10 attempts", 10, 0, true],
    ["exactly 14 days", 0, 14 * DAY, false],
    ["1 ms more", 0, 14 * DAY + 1, true],
  ])("after %s: spent is %s", (_, runAttempts, elapsed, spent) => {
    expect(isSpent(deliveringJob({ runAttempts }), REGISTERED_AT + elapsed)).toBe(spent);
  });
});

describe("an attempt that something else overtook", () => {
  const VERDICTS: [string, AttemptVerdict][] = [
    ["2xx", { kind: "delivered" }],
    ["410", { kind: "gone" }],
    ["500", failed()],
  ];

  it.each(VERDICTS)("with %s leaves a canceled delivery canceled, and is noted", (_, verdict) => {
    const canceled = (job: Job): Job =>
      undelivered(inState(job, "delivering"), "canceled", REGISTERED_AT, RETENTION);
    const job = attempt(deliveringJob(), verdict, canceled);
    expect(job.state).toMatchObject({ status: "undelivered", deliveryError: { reason: "canceled" } });
    expect(job.timeline.at(-1)).toMatchObject({ type: "attempt", result: verdict.kind });
  });

  it.each(VERDICTS)("with %s leaves a new run untouched, and is noted", (_, verdict) => {
    const again = (job: Job): Job => inState(redeliver(job, null, REGISTERED_AT + 500), "delivering");
    const job = attempt(deliveringJob(), verdict, again);
    expect(job.state).toMatchObject({
      status: "delivering",
      runAttempts: 0,
      nextAttemptAt: REGISTERED_AT + 500,
    });
    expect(job.timeline.at(-1)).toMatchObject({ type: "attempt", result: verdict.kind });
  });

  it.each(VERDICTS)("with %s leaves no trace in a job that began anew", (_, verdict) => {
    const anew = { ...deliveringJob(), eventId: "msg_second" };
    expect(attempt(deliveringJob(), verdict, () => anew)).toBe(anew);
  });
});

describe("an attempt that is not made", () => {
  it("because the target is refused ends the delivery without counting", () => {
    const job = refused(deliveringJob(), "private_address", REGISTERED_AT, RETENTION);
    expect(job).toMatchObject({
      attempts: 0,
      state: {
        status: "undelivered",
        deliveryError: { reason: "target_refused" },
        expiresAt: REGISTERED_AT + RETENTION,
      },
    });
    expect(job.timeline.at(-1)).toEqual({
      at: REGISTERED_AT,
      type: "attempt",
      result: "refused",
      reason: "private_address",
    });
  });

  it("because the configuration is unusable is put off for a minute without counting", () => {
    expect(postponed(deliveringJob(), "config_unusable", REGISTERED_AT)).toMatchObject({
      attempts: 0,
      state: { status: "delivering", runAttempts: 0, nextAttemptAt: REGISTERED_AT + MINUTE },
    });
  });
});
